"""Recordings to learn a voice from, in DiffSinger's layout: wavs/, transcriptions.csv, and beside them consent.yaml.

transcriptions.csv has the columns name, ph_seq and ph_dur [s], and note_seq with note_dur [s], or f0_seq [Hz] with
f0_timestep [s]; word_seq with word_dur [s] if it can. Every complaint names the row and the file.

Other people's files: what is called `read_...`, and `Recording.samples`, opens them in a process of its own.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voice.apart import ApartError, Bounds, apart
from voice.training.phones import BREATHS, SILENCES, Phone, as_held, known_symbols
from voice.voices import VoiceError

if TYPE_CHECKING:
    from voice.consent import Consent

Floats = NDArray[np.float64]

TABLE = "transcriptions.csv"
CONSENT = "consent.yaml"
RATE = 24_000  # Hz that the network sings at; a recording may have more
STRAY = 0.1  # seconds by which the durations of a row and its recording may differ
LONGEST = 60.0  # seconds of one recording
MOST_TOKENS = 400  # phonemes of one recording; the network reads 512 tokens
LONGEST_NAME = 100  # bytes of a recording's name
LARGEST = 100_000_000  # bytes of one recording, and of the table
LARGEST_CONSENT = 100_000  # bytes
BOUNDS = Bounds(memory=3_000_000_000, cpu=300, patience=600.0)  # hours of recordings are read in a minute
FEWEST = 2  # recordings: one to learn from, one to judge by

_NOTE = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d)(?:([+-]\d+))?")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class DatasetError(VoiceError):
    """Recordings that cannot be learned from; the message names row and file, and what to do."""


@dataclass(frozen=True)
class Pitch:
    """Known Hz at times [s], 0 where there is no voice; `exact` if it was measured, not written as notes."""

    times: Floats
    hertz: Floats
    exact: bool


@dataclass(frozen=True)
class Recording:
    name: str
    wav: Path
    phones: tuple[Phone, ...]
    pitch: Pitch

    @property
    def seconds(self) -> float:
        return self.phones[-1].end

    def samples(self) -> NDArray[np.float32]:
        """[samples], mono, 24 kHz, cut or filled to the phonemes' length."""
        audio = np.frombuffer(_apart("samples", self.wav), "<f4")
        size = round(self.seconds * RATE)
        return np.pad(audio[:size], (0, max(0, size - len(audio)))).astype(np.float32)


@dataclass(frozen=True)
class Dataset:
    """`fingerprint` names the recordings' and the table's bytes."""

    recordings: tuple[Recording, ...]
    fingerprint: str

    @property
    def seconds(self) -> float:
        return sum(recording.seconds for recording in self.recordings)


def read_consent_file(path: Path) -> tuple[Consent, ...]:
    """The signed records that a dataset comes with, good for training today. Raises DatasetError."""
    from voice.consent import read_consent

    consent = read_consent(json.loads(_apart("consent", path)))
    assert not isinstance(consent, str)
    return consent


def read_dataset(folder: Path) -> Dataset:
    """Raises DatasetError."""
    return _from_plain(json.loads(_apart("dataset", folder)))


def _apart(what: str, path: Path) -> bytes:
    try:
        return apart("voice.training.child", [what, str(path.absolute())], BOUNDS)
    except ApartError as error:
        raise DatasetError(str(error)) from error


def parse_consent_file(path: Path) -> tuple[Consent, ...]:
    """What `read_consent_file` reads, in this process."""
    import yaml

    from voice.consent import ConsentError, check_consent, read_consent

    needs = (
        "write who sings in these recordings, what they are, until (a date), uses (train and sing among them) "
        "and signed (how and when); docs/training.md shows one"
    )
    if not path.is_file():
        raise DatasetError(f"there is no consent record {path}: nobody's voice is learned without; {needs}")
    if path.stat().st_size > LARGEST_CONSENT:
        raise DatasetError(f"{path} is too large for a consent record: {needs}")
    try:
        consent = read_consent(yaml.safe_load(path.read_text("utf-8")))
        if isinstance(consent, str):
            raise DatasetError(f"{path} is a text, not a record: {needs}")
        for use in ("train", "sing"):
            check_consent(consent, use)
    except ConsentError as error:
        raise DatasetError(f"{path}: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a 31st of April is a ValueError of YAML's
        raise DatasetError(f"{path} cannot be read ({error}): {needs}") from error
    return consent


def parse_dataset(folder: Path) -> Dataset:
    """What `read_dataset` reads, in this process."""
    table = folder / TABLE
    if not table.is_file():
        raise DatasetError(f"{folder} has no {TABLE}: a dataset has one, and a folder wavs/ beside it")
    _check_file(table, folder, str(folder))
    try:
        text = table.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{table} is not UTF-8 text: save it as such") from error
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in ("name", "ph_seq", "ph_dur") if name not in (rows.fieldnames or ())]
    if missing:
        raise DatasetError(f"{table} lacks the column {', '.join(missing)}")
    plain = [{k: (v or "").strip() for k, v in row.items() if isinstance(v, str | None)} for row in rows]
    if len(plain) < FEWEST:
        raise DatasetError(
            f"{table} holds {len(plain)} recordings: {FEWEST} at the least, better three minutes of them"
        )
    known = known_symbols(phone for row in plain for phone in row["ph_seq"].split())
    recordings = [
        _recording(folder, row, known, f"{table}, row {i} ({row['name'] or 'no name'})")
        for i, row in enumerate(plain, 2)
    ]
    names = [recording.name for recording in recordings]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DatasetError(f"{table}: the name {twice} stands in two rows")
    return Dataset(tuple(recordings), _fingerprint(text, recordings))


def _recording(folder: Path, row: Mapping[str, str], known: Mapping[str, str], where: str) -> Recording:
    name = row["name"]
    if not name or Path(name).name != name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise DatasetError(f"{where[:200]}: a name is the name of a file in wavs/ without its ending")
    symbols = row["ph_seq"].split()
    durations = _numbers(row["ph_dur"], "ph_dur", where)
    if not symbols or len(symbols) != len(durations):
        raise DatasetError(f"{where}: {len(symbols)} phonemes in ph_seq and {len(durations)} in ph_dur")
    if strange := sorted({symbol for symbol in symbols if symbol not in known}):
        raise DatasetError(
            f"{where}: unknown phonemes {' '.join(strange)}; use ARPABET (aa, ey1 ...) or Kokoro's IPA, "
            "SP for silence and AP for a breath"
        )
    if not all(seconds > 0 for seconds in durations):
        raise DatasetError(f"{where}: every phoneme lasts longer than 0 seconds")
    if not any(known[symbol] for symbol in symbols):
        raise DatasetError(f"{where}: nothing but silence is written in it")
    if len(symbols) > MOST_TOKENS or sum(durations) > LONGEST:
        raise DatasetError(
            f"{where}: cut it at a rest; a row has at most {MOST_TOKENS} phonemes and {LONGEST:g} seconds"
        )
    wav = folder / "wavs" / f"{name}.wav"
    _check_file(wav, folder, where)
    seconds = _check_wav(wav, where)
    _check_length(sum(durations), seconds, "ph_dur", wav, where)
    ends = list(accumulate(durations))
    phones = [
        Phone(known[symbol], end - length, end, symbol in BREATHS)
        for symbol, end, length in zip(symbols, ends, durations, strict=True)
    ]
    for start in _word_starts(row, seconds, wav, where):
        i = min(range(len(phones)), key=lambda i: abs(phones[i].start - start))
        phones[i] = replace(phones[i], starts_word=True)
    return Recording(name, wav, tuple(as_held(phones)), _pitch(row, seconds, wav, where))


def _check_file(path: Path, folder: Path, where: str) -> None:
    """It is a file of this folder's own, of a size that can be read."""
    if not path.is_file():
        raise DatasetError(f"{where}: there is no {path}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(f"{where}: {path} is a link that leads out of the dataset: copy the file into it")
    if path.stat().st_size > LARGEST:
        raise DatasetError(
            f"{where}: {path} is larger than {LARGEST // 1_000_000} MB: cut it into shorter ones"
        )


def _check_wav(wav: Path, where: str) -> float:
    """Its length in seconds."""
    import soundfile

    try:
        about = soundfile.info(wav)
        if about.frames > (LONGEST + STRAY) * about.samplerate:
            raise DatasetError(f"{where}: {wav} is longer than {LONGEST:g} s: cut it at a rest")
        audio, rate = soundfile.read(wav, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DatasetError(f"{where}: {wav} cannot be read: {error.error_string}") from error
    if rate < RATE:
        raise DatasetError(f"{where}: {wav} has {rate} Hz; a voice is learned from {RATE} Hz or more")
    if not len(audio) or not np.isfinite(audio).all() or np.abs(audio).max() < 1e-3:
        raise DatasetError(f"{where}: {wav} is empty or silent")
    return float(len(audio) / rate)


def decoded(wav: Path) -> NDArray[np.float32]:
    """[samples], mono, 24 kHz, in this process."""
    import soundfile
    import soxr

    _check_wav(wav, wav.name)
    raw, rate = soundfile.read(wav, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(raw.mean(axis=1), rate, RATE, "HQ"), np.float32)


def to_plain(dataset: Dataset) -> dict[str, Any]:
    """As JSON holds it."""
    rows = [
        {
            "name": one.name,
            "wav": str(one.wav),
            "phones": [astuple(phone) for phone in one.phones],
            "pitch": [one.pitch.times.tolist(), one.pitch.hertz.tolist(), one.pitch.exact],
        }
        for one in dataset.recordings
    ]
    return {"recordings": rows, "fingerprint": dataset.fingerprint}


def _from_plain(plain: Mapping[str, Any]) -> Dataset:
    recordings = []
    for row in plain["recordings"]:
        times, hertz, exact = row["pitch"]
        pitch = Pitch(np.array(times, np.float64), np.array(hertz, np.float64), exact)
        phones = tuple(Phone(*phone) for phone in row["phones"])
        recordings.append(Recording(row["name"], Path(row["wav"]), phones, pitch))
    return Dataset(tuple(recordings), plain["fingerprint"])


def _check_length(written: float, seconds: float, column: str, wav: Path, where: str) -> None:
    if abs(written - seconds) > STRAY:
        raise DatasetError(f"{where}: {column} adds up to {written:.2f} s, but {wav} lasts {seconds:.2f} s")


def _word_starts(row: Mapping[str, str], seconds: float, wav: Path, where: str) -> list[float]:
    words = row.get("word_seq", "").split()
    if not words:
        return []
    lengths = _numbers(row.get("word_dur", ""), "word_dur", where)
    if len(words) != len(lengths):
        raise DatasetError(f"{where}: {len(words)} words in word_seq and {len(lengths)} in word_dur")
    _check_length(sum(lengths), seconds, "word_dur", wav, where)
    starts = [0.0, *accumulate(lengths)][:-1]
    return [start for word, start in zip(words, starts, strict=True) if word not in SILENCES | BREATHS]


def _pitch(row: Mapping[str, str], seconds: float, wav: Path, where: str) -> Pitch:
    if row.get("f0_seq"):
        hertz = np.array(_numbers(row["f0_seq"], "f0_seq", where))
        step = _numbers(row.get("f0_timestep", ""), "f0_timestep", where)
        if len(step) != 1 or step[0] <= 0:
            raise DatasetError(f"{where}: f0_seq needs f0_timestep, the seconds from one value to the next")
        _check_length(len(hertz) * step[0], seconds, "f0_seq times f0_timestep", wav, where)
        if (hertz < 0).any() or not (hertz > 0).any() or hertz.max() > 2000:
            raise DatasetError(
                f"{where}: f0_seq is in Hz, 0 where there is no voice, and has voice somewhere"
            )
        times = np.arange(len(hertz), dtype=np.float64) * step[0]
        return Pitch(times, hertz, exact=True)
    if row.get("note_seq"):
        notes = row["note_seq"].split()
        lengths = _numbers(row.get("note_dur", ""), "note_dur", where)
        if len(notes) != len(lengths):
            raise DatasetError(f"{where}: {len(notes)} notes in note_seq and {len(lengths)} in note_dur")
        _check_length(sum(lengths), seconds, "note_dur", wav, where)
        starts = np.array([0.0, *accumulate(lengths)][:-1])
        return Pitch(starts, np.array([_note_hertz(note, where) for note in notes]), exact=False)
    raise DatasetError(
        f"{where}: it needs a pitch: note_seq and note_dur, or f0_seq and f0_timestep, beside ph_seq and ph_dur"
    )


def _note_hertz(note: str, where: str) -> float:
    """'C#4', 'Bb3', 'A4+12' (cents) -> Hz; 'rest' -> 0."""
    if note.lower() in ("rest", "sp", "ap"):
        return 0.0
    found = _NOTE.fullmatch(note)
    if not found:
        raise DatasetError(f"{where}: {note} is no note; write C4, F#3, Bb3 or rest")
    bent = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[found[2]]
    pitch = 12 * (int(found[3]) + 1) + _STEPS[found[1].upper()] + bent + int(found[4] or 0) / 100
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def _numbers(text: str, column: str, where: str) -> list[float]:
    try:
        numbers = [float(one) for one in text.split()]
    except ValueError as error:
        raise DatasetError(f"{where}: {column} holds something that is no number ({error})") from error
    if not all(math.isfinite(one) for one in numbers):
        raise DatasetError(f"{where}: {column} holds something that is no number")
    return numbers


def _fingerprint(text: str, recordings: Sequence[Recording]) -> str:
    digest = hashlib.sha256(text.encode())
    for recording in recordings:
        digest.update(recording.wav.read_bytes())
    return digest.hexdigest()
