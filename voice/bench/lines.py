"""Lines to sing and measure: the bench's forty, from lines.txt, or anybody's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

from voice.score import TICKS_PER_QUARTER, Note, Score, Syllabic, TempoMark

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"(?P<syllable>[^@/]+)@(?P<step>[A-G])(?P<sharp>#?)(?P<octave>\d)/(?P<quarters>[\d.]+)")


@dataclass(frozen=True)
class Line:
    """`words` as they would be written; `score` as they are sung."""

    name: str
    words: str
    score: Score


def bench_lines() -> list[Line]:
    return read_lines(resources.files("voice.bench").joinpath("lines.txt").read_text("utf-8"))


def read_lines(text: str) -> list[Line]:
    """A line to sing in each row; rows that begin with # are left out. Raises ValueError."""
    return [read_line(row) for row in text.splitlines() if row.strip() and not row.startswith("#")]


def read_line(row: str) -> Line:
    """`name | bpm | notes`, as lines.txt explains. Raises ValueError."""
    parts = [part.strip() for part in row.split("|")]
    if len(parts) != 3:
        raise ValueError(f"{row[:40]!r} is not 'name | quarter notes a minute | notes'")
    name, bpm, body = parts
    notes: list[Note] = []
    words: list[str] = []
    now = 0.0
    inside = False
    for item in body.split():
        start = round(now * TICKS_PER_QUARTER)
        if item.startswith("r/"):
            now += float(item[2:])
            continue
        found = _NOTE.fullmatch(item)
        if not found:
            raise ValueError(f"line {name}: {item!r} is not syllable@pitch/quarters")
        now += float(found["quarters"])
        ticks = round(now * TICKS_PER_QUARTER) - start
        pitch = 12 * (int(found["octave"]) + 1) + _STEPS[found["step"]] + len(found["sharp"])
        if found["syllable"] == "_":
            notes.append(Note(start, ticks, pitch))
            continue
        goes_on = found["syllable"].endswith("-")
        syllable = found["syllable"].removesuffix("-")
        if inside:
            words[-1] += syllable
        else:
            words.append(syllable)
        place: Syllabic = ("middle" if goes_on else "end") if inside else ("begin" if goes_on else "single")
        notes.append(Note(start, ticks, pitch, syllable, place))
        inside = goes_on
    score = Score(name, tuple(notes), tempo=(TempoMark(0, float(bpm)),))
    return Line(name, " ".join(words), score)
