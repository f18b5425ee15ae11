"""Fuzzing of everything that reads a stranger's file: seeds are damaged at random and read, for as long as is asked.

    python -m bench.fuzz_readers --minutes 10 --reader musicxml --out FOLDER

A reader may give a result or refuse in the words that it documents. Anything else, an exception of another kind, a
process that dies of its bounds or a file that takes more than SLOW seconds, is a finding: the file is kept in FOLDER,
and belongs, once mended, to tests/voice/data/fuzz.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from voice.apart import Bounds, confine

SLOW = 20.0  # seconds for one file
BOUNDS = Bounds(memory=4_000_000_000, cpu=7200, patience=SLOW)
NUMBERS = (
    b"0",
    b"-1",
    b"1e308",
    b"NaN",
    b"99999999999999999999",
    b"0.0000001",
    b"65536",
    b"2147483648",
    b"1/0",
    b"",
)
PIECES = (
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", b"&a;", b"<repeat direction='backward'/>", b"{",
    b"[" * 400,
    b"\x00", b"\xff\xfe", b"../../../../etc/passwd", "𝄞é".encode(), b"&x *x\n", b"!!python/object/apply:os.system [ls]",
    b"\xff\x2f\x00", b"MThd", b"RIFF\xff\xff\xff\xff", b"OggS", b"- " * 200, b"9" * 400,
)  # fmt: skip


@dataclass
class Tally:
    """What came of one reader."""

    reader: str
    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)


# ---- the readers: each with its file ending, its seeds, how it reads a path, and how it refuses


def _scores(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    from tests.voice.scores import lone_train
    from voice.formats.files import parse, write_score
    from voice.score import Note, Score, ScoreError

    short = Score(
        title="la",
        notes=(Note(0, 480, 60, "la"), Note(480, 960, 64, "lo", "begin"), Note(1440, 480, 62, "ve", "end")),
    )
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        for number, score in enumerate((lone_train(), short)):
            path = Path(folder) / f"{number}{ending}"
            write_score(score, path)
            seeds.append(path.read_bytes())
    return seeds, parse, (ScoreError,)


def _sounds(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    import subprocess

    import imageio_ffmpeg
    import numpy as np

    from skills.provenance import inspect
    from skills.provenance.credentials import read_credentials

    tone = (0.2 * np.sin(np.arange(48_000) / 20)).astype("<f4").tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tone{ending}"
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-f",
            "f32le",
            "-ar",
            "48000",
            "-ac",
            "1",
            "-i",
            "-",
            str(path),
        ]
        subprocess.run(command, input=tone, check=True)
        seed = path.read_bytes()

    def look(path: Path) -> object:
        return read_credentials(path, "", None), inspect._decoded(path)

    return [seed], look, ()


def _consents(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    from voice.training.dataset import DatasetError, parse_consent_file

    text = (
        b"who: Ada Example\nwhat: three songs, sung for this\nuntil: 2031-01-01\nuses: [train, sing]\n"
        b"signed: by hand, 2026-11-01\n"
    )
    return [text], parse_consent_file, (DatasetError,)


def _datasets(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    import numpy as np
    import soundfile

    from voice.training.dataset import DatasetError, parse_dataset

    row = b"AP l a l o SP,0.1 0.05 0.3 0.05 0.4 0.1,rest C4 E4 rest,0.1 0.35 0.45 0.1"
    text = b"name,ph_seq,ph_dur,note_seq,note_dur\none," + row + b"\ntwo," + row + b"\n"

    def read(path: Path) -> object:
        wavs = path.parent / "set" / "wavs"
        wavs.mkdir(parents=True, exist_ok=True)
        (wavs.parent / "transcriptions.csv").write_bytes(path.read_bytes())
        for name in ("one.wav", "two.wav"):
            if not (wavs / name).exists():
                soundfile.write(wavs / name, np.sin(np.arange(24_000) / 20) / 5, 24_000)
        return parse_dataset(wavs.parent)

    return [text], read, (DatasetError,)


def _recordings(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    import numpy as np
    import soundfile

    from voice.training.dataset import DatasetError, decoded

    tone, seeds = np.sin(np.arange(24_000) / 20) / 5, []
    for kind, subtype in (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAVEX", "PCM_24"), ("W64", "PCM_16"), ("FLAC", None),
                          ("OGG", "VORBIS"), ("WAV", "IMA_ADPCM")):  # fmt: skip
        out = BytesIO()
        soundfile.write(out, tone, 24_000, format=kind, subtype=subtype)
        seeds.append(out.getvalue())
    return seeds, decoded, (DatasetError,)


def _backups(ending: str) -> tuple[list[bytes], Callable[[Path], object], tuple[type[Exception], ...]]:
    """Its list, and a database that lies in it."""
    import hashlib
    import sqlite3

    from persona.backed_up import LIST, BackupError, parse_backup

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sqlite"
        database = sqlite3.connect(path)
        database.executescript(
            "create table said (fan text primary key, words text); create index w on said (words);"
        )
        database.executemany("insert into said values (?, ?)", [(f"fan {i}", "la " * i) for i in range(200)])
        database.commit()
        database.close()
        whole = path.read_bytes()
    names = {
        "data/a.sqlite": hashlib.sha256(whole).hexdigest(),
        "data/songs/1/b.json": hashlib.sha256(b"{}").hexdigest(),
    }
    listed = json.dumps({"format": 1, "sha256": names}).encode()

    def read(path: Path) -> object:
        backup, given = path.parent / "backup", path.read_bytes()
        (backup / "data" / "songs" / "1").mkdir(parents=True, exist_ok=True)
        (backup / "data" / "songs" / "1" / "b.json").write_bytes(b"{}")
        hurt = given if b'"format"' not in given[:200] and len(given) > 2000 else whole
        (backup / "data" / "a.sqlite").write_bytes(hurt)
        true = {**names, "data/a.sqlite": hashlib.sha256(hurt).hexdigest()}
        (backup / LIST).write_bytes(
            given if hurt is whole else json.dumps({"format": 1, "sha256": true}).encode()
        )
        return parse_backup(backup)

    return [listed, whole], read, (BackupError,)


READERS = {
    "musicxml": (".musicxml", _scores), "mxl": (".mxl", _scores), "midi": (".mid", _scores), "ustx": (".ustx", _scores),
    "svp": (".svp", _scores), "json": (".json", _scores), "wav": (".wav", _sounds), "ogg": (".ogg", _sounds),
    "mp3": (".mp3", _sounds), "m4a": (".m4a", _sounds), "consent": (".yaml", _consents), "dataset": (".csv", _datasets),
    "recording": (".wav", _recordings), "backup": (".backup", _backups),
}  # fmt: skip


# ---- damage


def damaged(seed: bytes, rng: random.Random) -> bytes:
    """The seed with one to eight wounds; an archive is opened, hurt inside and packed again half of the time."""
    if seed[:2] == b"PK" and rng.random() < 0.6:
        return _packed_again(seed, rng)
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        _wound(data, rng)
    return bytes(data)


def _wound(data: bytearray, rng: random.Random) -> None:
    size = len(data)
    a = rng.randrange(size + 1)
    b = min(size, a + rng.choice((1, 4, 30, 300)))
    match rng.randrange(8):
        case 0 if size:
            data[rng.randrange(size)] ^= 1 << rng.randrange(8)
        case 1:
            del data[a:b]
        case 2:
            data[a:a] = data[a:b] * rng.choice((1, 2, 50))
        case 3:
            data[a:a] = rng.choice(PIECES)
        case 4:
            del data[a:]
        case 5:
            data[a:b] = rng.randbytes(b - a)
        case 6:
            numbers = list(re.finditer(rb"\d+(\.\d+)?", bytes(data)))
            if numbers:
                found = rng.choice(numbers)
                data[found.start() : found.end()] = rng.choice(NUMBERS)
        case 7:
            words = list(re.finditer(rb"[A-Za-z_-]{3,}", bytes(data)))
            if len(words) > 1:
                one, other = rng.sample(words, 2)
                data[one.start() : one.end()] = other.group()


def _packed_again(seed: bytes, rng: random.Random) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(seed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            inside = bytearray(old.read(entry))
            if rng.random() < 0.7:
                _wound(inside, rng)
            name = rng.choice(
                (entry.filename, entry.filename, "../" * 9 + entry.filename, "/etc/" + entry.filename)
            )
            new.writestr(name, bytes(inside) + b" " * rng.choice((0, 0, 0, 40 << 20)))
    return out.getvalue()


# ---- the run


def fuzz(reader: str, minutes: float, out: Path, seed: int) -> Tally:
    """Reads damaged files in processes of their own until the time is over."""
    out.mkdir(parents=True, exist_ok=True)
    tally, context = Tally(reader), multiprocessing.get_context("spawn")
    began = time.monotonic()
    while (left := minutes * 60 - (time.monotonic() - began)) > 0:
        read, refused, beat = context.Value("q", 0), context.Value("q", 0), context.Value("d", time.time())
        current, told = out / f"{reader}.now{READERS[reader][0]}", context.SimpleQueue()
        arguments = (
            reader,
            left,
            current,
            seed + len(tally.findings) + tally.read,
            read,
            refused,
            beat,
            told,
        )
        process = context.Process(target=_work, args=arguments)
        process.start()
        slow = False
        while process.is_alive():
            process.join(0.5)
            if process.is_alive() and time.time() - beat.value > SLOW + (
                20 if not read.value + refused.value else 0
            ):
                slow = True
                process.kill()
                process.join()
        tally.read += read.value
        tally.refused += refused.value
        for said in _drained(told):
            tally.findings.append(said)
        if slow or process.exitcode:
            kept = out / f"{reader}-{len(tally.findings)}{current.suffix}"
            kept.write_bytes(current.read_bytes())
            tally.findings.append(f"{kept.name}: {'slow' if slow else f'died with {process.exitcode}'}")
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


def _drained(told: multiprocessing.queues.SimpleQueue[str]) -> Iterator[str]:
    while not told.empty():
        yield told.get()


def _work(
    reader: str, seconds: float, current: Path, seed: int, read: Synchronized[int], refused: Synchronized[int],
    beat: Synchronized[float], told: multiprocessing.queues.SimpleQueue[str],
) -> None:  # fmt: skip
    import warnings

    warnings.simplefilter("ignore")
    ending, open_reader = READERS[reader]
    seeds, look, allowed = open_reader(ending)
    confine(BOUNDS, writes=True)  # the file that is about to be read
    rng, until, kinds = random.Random(seed), time.time() + seconds, set()
    while time.time() < until:
        data = damaged(rng.choice(seeds), rng)
        current.write_bytes(data)
        beat.value = time.time()
        try:
            look(current)
            read.value += 1
        except allowed:
            refused.value += 1
        except Exception as error:
            refused.value += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
            if kind not in kinds:  # one file of a kind is enough
                kinds.add(kind)
                kept = current.with_name(f"{reader}-{type(error).__name__}-{where.lineno}{ending}")
                kept.write_bytes(data)
                told.put(f"{kept.name}: {kind}: {str(error)[:100]}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--reader", action="append", choices=sorted(READERS), help="default: all, one after the other"
    )
    parser.add_argument("--out", type=Path, default=Path("fuzzed"))
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    for reader in wanted.reader or READERS:
        tally = fuzz(reader, wanted.minutes, wanted.out, wanted.seed)
        print(json.dumps(vars(tally)), flush=True)


if __name__ == "__main__":
    main()
