"""How well the watermark is found, how seldom where there is none, and what it costs: on sounds of yours."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skills.provenance.payload import Payload
from skills.provenance.watermark import LIKELY, RATE, SURE, Audio, listen, mark, read, recognise
from skills.provenance.watermark import WINDOW as FRAME

if TYPE_CHECKING:
    from numpy.random import Generator

KINDS = (".mp3", ".wav", ".flac", ".ogg", ".m4a")
CROP = 5  # seconds
CROPS, MARKS = 5, 2  # crops of every treated sound; different messages that each sound is marked with
SEGMENTS, KEYS = 4, 150  # unmarked crops of each sound, and the keys that each is searched with
TRIES = 2 * 188  # beginnings that one search looks at


class WatermarkBenchError(ValueError):
    """There is nothing to measure with; the message says what to do."""


@dataclass(frozen=True)
class Row:
    """One treatment: of `count` readings so many found, so many with the right message; the scores."""

    treatment: str
    count: int
    found: float
    right: float
    lowest: float
    median: float


@dataclass(frozen=True)
class Report:
    """difference_db: the largest of all sounds. alarms: of `unmarked` searches. scores: of those searches, sorted."""

    sounds: int
    rows: tuple[Row, ...]
    unmarked: int
    alarms: int
    scores: tuple[float, ...]
    difference_db: float
    loudness_lu: float
    marking_seconds: float
    reading_seconds: float

    @property
    def bound(self) -> float:
        """Hoeffding's bound on a false alarm in one search by the score alone, whatever the sound is."""
        return float(TRIES * np.exp(-(SURE**2) / 2))

    def as_json(self) -> dict[str, Any]:
        return {
            "sounds": self.sounds,
            "rows": [vars(row) for row in self.rows],
            "unmarked searches": self.unmarked,
            "false alarms": self.alarms,
            "highest unmarked score": self.scores[-1],
            "unmarked score, 50/99/99.9 %": [
                round(float(x), 2) for x in np.quantile(self.scores, [0.5, 0.99, 0.999])
            ],
            "bound on a false alarm": self.bound,
            "loudest difference [dB]": self.difference_db,
            "largest change of loudness [LU]": self.loudness_lu,
            "marking [s]": self.marking_seconds,
            "reading [s]": self.reading_seconds,
        }


def bench_watermark(folder: Path, limit: int = 20, tell: Callable[[str], None] = lambda _: None) -> Report:
    """`folder`: sounds without a mark, searched through; a sound that carries one is passed over."""
    readings: dict[str, list[tuple[float, bool, bool]]] = {}
    unmarked: list[float] = []
    alarms, loudest, louder, times = 0, -np.inf, 0.0, [[0.0], [0.0]]
    sounds = 0
    for path in sorted(one for one in folder.rglob("*") if one.suffix in KINDS):
        sound = _decoded(path)
        if sound.shape[1] < 2 * CROP * RATE or read(_mono(sound)).found:
            continue
        rng = np.random.default_rng(sounds)
        sounds += 1
        for piece in _crops(_mono(sound), SEGMENTS, rng):
            heard = listen(piece)
            for key in range(KEYS):
                searched = recognise(heard, b"another key %d" % key)
                unmarked.append(searched.score)
                alarms += searched.found
            alarms += recognise(heard).found
        for _ in range(MARKS):
            payload = Payload(int(rng.integers(1 << 40)), int(rng.integers(1 << 16)))
            began = time.perf_counter()
            marked = mark(sound, payload)
            times[0].append(time.perf_counter() - began)
            loudest = max(loudest, _decibels(marked - sound) - _decibels(sound))
            louder = max(louder, abs(_loudness(marked) - _loudness(sound)))
            for name, treated in _treatments(marked, rng):
                began = time.perf_counter()
                whole = read(_mono(treated))
                times[1].append(time.perf_counter() - began)
                readings.setdefault(name, []).append((whole.score, whole.found, whole.payload == payload))
                for piece in _crops(_mono(treated), CROPS, rng):
                    part = read(piece)
                    told = (part.score, part.found, part.payload == payload)
                    readings.setdefault(f"{name}, {CROP} s of it", []).append(told)
        tell(f"{path.parent.name}/{path.name}: difference {loudest:.1f} dB at most so far")
        if sounds == limit:
            break
    if not sounds:
        raise WatermarkBenchError(f"no sounds without a mark, of {2 * CROP} s and more, in {folder}")
    return Report(
        sounds,
        tuple(_row(name, told) for name, told in readings.items()),
        len(unmarked),
        alarms,
        tuple(sorted(unmarked)),
        round(float(loudest), 2),
        round(louder, 3),
        round(float(np.median(times[0][1:])), 2),
        round(float(np.median(times[1][1:])), 2),
    )


def plot(report: Report, path: Path) -> None:
    """The scores of unmarked searches and of the treatments, beside the two thresholds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(9, 7), height_ratios=[1, 1.4], layout="constrained"
    )
    above.hist(report.scores, bins=80, log=True, color="#8a6d5a")
    above.set_title(f"{report.unmarked} searches where there is no mark: {report.alarms} false alarms")
    names = [row.treatment for row in report.rows][::-1]
    below.barh(names, [row.median for row in report.rows][::-1], color="#d9a37e", label="median")
    below.plot([row.lowest for row in report.rows][::-1], names, "k|", ms=9, label="lowest")
    below.set_xlabel("score")
    for axes in (above, below):
        axes.axvline(SURE, color="#a5431e")
        axes.axvline(LIKELY, color="#a5431e", ls=":")
        axes.set_xlim(0, max(row.median for row in report.rows) * 1.05)
    below.legend(loc="lower right")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _treatments(sound: Audio, rng: Generator) -> Iterator[tuple[str, Audio]]:
    import soxr

    from skills.studio.master import limited

    yield "as it is", sound
    yield "limited, as in mastering, by some 3 dB", limited(sound * np.float32(2**0.5))
    for name, coder, rate, kind in (
        ("MP3 128k", "libmp3lame", "128k", "mp3"),
        ("Opus 64k", "libopus", "64k", "ogg"),
        ("AAC 128k", "aac", "128k", "adts"),
    ):
        yield name, _coded(sound, coder, rate, kind)
    for other in (44_100, 32_000):
        there = soxr.resample(sound.T, RATE, other)
        yield f"{other / 1000:g} kHz and back", np.ascontiguousarray(soxr.resample(there, other, RATE).T)
    yield "12 dB softer", sound * np.float32(0.25)
    noise = rng.standard_normal(sound.shape, dtype=np.float32)
    yield "noise at 20 dB", sound + noise * np.float32(10 ** ((_decibels(sound) - 20) / 20))


def _crops(samples: Audio, count: int, rng: Generator) -> Iterator[Audio]:
    for start in rng.integers(0, len(samples) - CROP * RATE - FRAME, count):
        yield samples[start : start + CROP * RATE]


def _row(name: str, told: Sequence[tuple[float, bool, bool]]) -> Row:
    scores, found, right = (np.array(column) for column in zip(*told, strict=True))
    figures = (float(found.mean()), float(right.mean()), float(scores.min()), float(np.median(scores)))
    return Row(name, len(told), *(round(figure, 4) for figure in figures))


def _coded(sound: Audio, coder: str, rate: str, kind: str) -> Audio:
    raw = ("-f", "f32le", "-ac", "2", "-ar", str(RATE))
    coded = _ffmpeg(*raw, "-i", "-", "-c:a", coder, "-b:a", rate, "-f", kind, "-", data=sound.T.tobytes())
    return _samples(_ffmpeg("-i", "-", *raw, "-", data=coded))


def _decoded(path: Path) -> Audio:
    return _samples(_ffmpeg("-i", str(path), "-f", "f32le", "-ac", "2", "-ar", str(RATE), "-"))


def _samples(raw: bytes) -> Audio:
    """[2, samples]"""
    return np.ascontiguousarray(np.frombuffer(raw, dtype="<f4").reshape(-1, 2).T)


def _ffmpeg(*words: str, data: bytes | None = None) -> bytes:
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *words]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _mono(sound: Audio) -> Audio:
    mono: Audio = sound.mean(axis=0)
    return mono


def _decibels(sound: Audio) -> float:
    return float(10 * np.log10(np.square(sound, dtype=np.float64).mean() + 1e-20))


def _loudness(sound: Audio) -> float:
    from skills.studio.levels import loudness

    return float(loudness(sound))
