"""bench songs: what comes out for twenty briefs, measured on the files that a user gets.

Every song is made by its own `troubadour song` process, so that start-up and memory count; then its vocal stem is
heard by the recogniser, held against its score, and its clip is measured by ffmpeg's meter.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from skills.brief import Brief
from skills.library import Library, read_score, read_take
from skills.reading import read_brief
from skills.song import MAKING, Studio, make_song, nothing
from voice.take import SAMPLE_RATE, STUDIO_RATE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")
BRIEFS = Path(__file__).parent / "bench_briefs.txt"


@dataclass(frozen=True)
class SongFigures:
    """cents against the written notes, by DIO and StoneMask, and again by swift-f0; shares and error rates in 0..1;
    `wall`: seconds of the whole process."""

    brief: str
    title: str
    lines: tuple[str, ...]
    cents_median: float
    within_50: float
    cents_median_again: float
    within_50_again: float
    onset_median: float
    character_error_rate: float
    heard: str
    seconds: float
    lufs: float
    true_peak_db: float
    wall: float
    timings: dict[str, float]


def resumed(
    path: Path, numbers: Iterable[int], make: Callable[[int], Row], read: Callable[[dict[str, Any]], Row]
) -> Iterator[Row]:
    """The rows of a bench by number: those that stand in `path` as they are, the others made now and written there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        number, row = json.loads(line)
        known[number] = read(row)
    for number in numbers:
        if number not in known:
            known[number] = make(number)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([number, dataclasses.asdict(known[number])]) + "\n")
        yield known[number]


def read_briefs() -> list[str]:
    return BRIEFS.read_text("utf-8").split("\n")[:-1]


def bench_songs(out: Path, briefs: Sequence[str], seconds: float) -> Iterator[SongFigures]:
    """Makes and measures a song for each brief, with its place in the list as the seed."""
    for seed, brief in enumerate(briefs):
        yield _measured(out, brief, seconds, seed)


def summary(rows: Sequence[SongFigures]) -> dict[str, Any]:
    """What the twenty must show together: the worst of each figure, and whether any line is sung by two songs."""
    lines = [line.lower() for row in rows for line in dict.fromkeys(row.lines)]
    return {
        "songs": len(rows),
        "median cents by DIO, worst": max(row.cents_median for row in rows),
        "within 50 cents by DIO, worst": min(row.within_50 for row in rows),
        "within 50 cents by DIO, mean": _mean([row.within_50 for row in rows]),
        "median cents by swift-f0, worst": max(row.cents_median_again for row in rows),
        "within 50 cents by swift-f0, worst": min(row.within_50_again for row in rows),
        "within 50 cents by swift-f0, mean": _mean([row.within_50_again for row in rows]),
        "character error rate, worst": max(row.character_error_rate for row in rows),
        "character error rate, mean": _mean([row.character_error_rate for row in rows]),
        "vowel onset median ms, worst": max(row.onset_median for row in rows),
        "seconds, shortest and longest": (min(r.seconds for r in rows), max(r.seconds for r in rows)),
        "LUFS, lowest and highest": (min(r.lufs for r in rows), max(r.lufs for r in rows)),
        "true peak dBTP, highest": max(row.true_peak_db for row in rows),
        "lines shared by two songs": len(lines) - len(set(lines)),
        "different titles": len({row.title for row in rows}),
        "process seconds, median": sorted(row.wall for row in rows)[len(rows) // 2],
        "peak memory MB": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


@dataclass(frozen=True)
class Pace:
    """Seconds by step, from the brief to the clip; `unsung`: of all but the singing, the band playing alone."""

    style: str
    seconds: float
    steps: dict[str, float]
    total: float
    unsung: float


def bench_speed(studio: Studio, lengths: Sequence[float]) -> Iterator[Pace]:
    """A song of each length with everything loaded: a first one, which loads it, is not counted."""
    styles = ("soul", "blues", "electronica", "gospel")
    for i, seconds in enumerate((lengths[0], *lengths)):
        brief = dataclasses.replace(
            read_brief(read_briefs()[i], Brief("")), style=styles[i % len(styles)], seconds=seconds
        )
        began = time.perf_counter()
        song = make_song(studio, brief, seed=i)
        total = time.perf_counter() - began
        if i == 0:
            continue
        alone = MAKING["band"](studio, song.id, nothing)
        unsung = sum(song.timings[name] for name in ("lyrics", "score", "mix")) + alone
        steps = song.timings | {"band alone": alone}
        yield Pace(brief.style, song.seconds or 0.0, steps, round(total, 2), round(unsung, 2))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


def _measured(out: Path, brief: str, seconds: float, seed: int) -> SongFigures:
    import numpy as np
    import soundfile
    import soxr

    from skills.studio.encode import meter
    from voice.bench.figures import measure_take

    began = time.perf_counter()
    command = [sys.executable, "-m", "persona.cli", "song", brief, "--json", "--out", str(out)]
    done = subprocess.run(
        [*command, "--seconds", f"{seconds:g}", "--seed", str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - began
    said = json.loads(done.stdout)
    folder, lyrics = Path(said["folder"]), Library(out).read_lyrics(said["id"])
    vocal, _ = soundfile.read(folder / "stems" / "vocal.wav", dtype="float32")
    audio = np.asarray(soxr.resample(vocal, STUDIO_RATE, SAMPLE_RATE, "VHQ"), np.float32)
    take = dataclasses.replace(read_take(folder), audio=audio)
    score = read_score(folder)
    found = measure_take(score, take, lyrics.text)
    loud = meter(Path(said["clip"]))
    return SongFigures(
        brief=brief,
        title=said["title"],
        lines=tuple(line.text for line in lyrics.lines),
        cents_median=round(found.cents_median, 2),
        within_50=round(found.within_50, 4),
        cents_median_again=round(found.again_median, 2),
        within_50_again=round(found.again_within_50, 4),
        onset_median=round(found.onset_median, 2),
        character_error_rate=round(found.character_error_rate, 4),
        heard=found.heard,
        seconds=said["seconds"],
        lufs=loud.lufs,
        true_peak_db=loud.true_peak_db,
        wall=round(wall, 2),
        timings=said["timings"],
    )
