"""Backing: who sings beside the lead, which lines, and which notes. The style's data say it; other voices sing it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skills.style import Backing, Style
from skills.tune.form import CHORUSES
from skills.tune.measure import split_at_breaths
from voice.harmony import Side, harmonist, harmony
from voice.score import TICKS_PER_QUARTER, Note, Score, Section
from voice.take import STUDIO_RATE, Take

STEM = "backing-"  # what the stems of backing singers begin with
SHORT = 45.0  # seconds; a shorter song has one backing singer at most: nobody wants to wait for a second
A_LITTLE = 6.0  # seconds that are sung there at most
BEFORE, AFTER, FADE = 0.2, 0.2, 0.02  # seconds around a line that belong to it

Line = tuple[Note, ...]


@dataclass(frozen=True)
class BackingPart:
    """What one backing singer sings: `score`, of which only `sung` is sung; the rest is `again`, the same once more.

    `again`: (from, to, ticks) of a line that comes back.
    """

    side: Side
    voice: str
    score: Score
    sung: Score
    again: tuple[tuple[int, int, int], ...]

    @property
    def name(self) -> str:
        return f"{STEM}{self.side}"


def backing_parts(score: Score, style: Style, lead: str) -> list[BackingPart]:
    """The parts beside a lead sung by the voice `lead`, for each side that the style asks for."""
    short = score.seconds(score.ticks) < SHORT
    chosen = {side: one for side, one in style.backing.items() if one.short or not short}
    taken, parts = [lead], []
    for side, singer in list(chosen.items())[: 1 if short else None]:
        lines = _lines(score, singer)
        if short:
            lines = _a_little(score, lines)
        if not lines:
            continue
        firsts = _first_of_each(score, lines)
        within = [_place(line) for line in dict.fromkeys(firsts.values())]
        voice = harmonist(score, side, taken, within)
        sung = harmony(score, side, voice.comfortable, within)
        taken.append(voice.name)
        parts.append(_part(side, voice.name, sung, firsts))
    return parts


def _part(side: Side, voice: str, sung: Score, firsts: Mapping[Line, Line]) -> BackingPart:
    notes = list(sung.notes)
    again = []
    for line, first in firsts.items():
        if line is not first:
            start, until = first[0].tick, first[-1].end
            again.append((start, line[0].tick, until - start))
            by = line[0].tick - start
            notes += [dataclasses.replace(n, tick=n.tick + by) for n in sung.notes if start <= n.tick < until]
    whole = dataclasses.replace(sung, notes=tuple(sorted(notes, key=lambda n: n.tick)))
    return BackingPart(side, voice, whole, sung, tuple(again))


def _lines(score: Score, singer: Backing) -> list[Line]:
    """The lines that this singer joins in."""
    lines = [tuple(line) for line in split_at_breaths(score.notes)]
    words = [tuple(n.syllable.lower() for n in line if n.syllable) for line in lines]

    def joins(i: int) -> bool:
        section = _section_of(score, lines[i])
        # The second line of an AAB is the first again, and no answer to it.
        comes_back = any(words[i] == other for j, other in enumerate(words) if abs(i - j) > 1)
        return (
            ("chorus" in singer.sings and section.startswith(CHORUSES))
            or ("answer" in singer.sings and comes_back)
            or ("close" in singer.sings and i == len(lines) - 1)
        )

    return [line for i, line in enumerate(lines) if joins(i)]


def _section_of(score: Score, line: Line) -> str:
    """By the line's middle: a pick-up may come before its section."""
    middle = line[len(line) // 2].tick
    return next((s.name for s in score.sections if s.tick <= middle < s.tick + s.ticks), "")


def _a_little(score: Score, lines: Sequence[Line]) -> list[Line]:
    """The last of the lines, as many as are short enough together."""
    kept: list[Line] = []
    left = A_LITTLE
    for line in reversed(lines):
        left -= score.seconds(line[-1].end) - score.seconds(line[0].tick)
        if left < 0:
            break
        kept.insert(0, line)
    return kept


def _first_of_each(score: Score, lines: Sequence[Line]) -> dict[Line, Line]:
    """For every line the first one that is the same note for note, over the same chords: that one is sung."""
    firsts: dict[Line, Line] = {}
    known: dict[object, Line] = {}
    steady = len(score.tempo) == 1 and not any(note.fermata for note in score.notes)
    for line in lines:
        start = line[0].tick
        moved = tuple(dataclasses.replace(n, tick=n.tick - start) for n in line)
        chords = tuple((c.root, c.quality) if (c := score.chord_at(n.tick)) else None for n in line)
        key = (moved, chords, start % TICKS_PER_QUARTER) if steady else start
        firsts[line] = known.setdefault(key, line)
    return firsts


def _place(line: Line) -> Section:
    return Section(line[0].tick, line[-1].end - line[0].tick, "line")


def stem_of(part: BackingPart, take: Take) -> NDArray[np.float32]:
    """[samples] at 48 kHz from tick 0, what comes again laid in where it does."""
    audio = take.studio_audio()[round(take.lead * STUDIO_RATE) :]
    score = part.score
    length = max(len(audio), int((score.seconds(score.notes[-1].end) + AFTER) * STUDIO_RATE) + 1)
    stem = np.pad(audio, (0, length - len(audio)))
    for start, to, ticks in part.again:
        first = max(0, _sample(score.seconds(start) - BEFORE))
        line = audio[first : _sample(score.seconds(start + ticks) + AFTER)].copy()
        fade = np.linspace(0, 1, int(FADE * STUDIO_RATE), dtype=np.float32)
        line[: len(fade)] *= fade
        line[-len(fade) :] *= fade[::-1]
        at = first + _sample(score.seconds(to) - score.seconds(start))
        stem[at : at + len(line)] += line[: length - at]
    return stem


def _sample(seconds: float) -> int:
    return round(seconds * STUDIO_RATE)
