"""What a tune measures like, against real tunes (findings: the 10-90 % band of folk tunes)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from voice.score import Note, Score

# 10 % and 90 % of real tunes; docs/decisions/tune.md has the source
BANDS = {
    "range": (9.0, 17.0),
    "mean_interval": (1.6, 2.9),
    "steps": (0.52, 0.85),
    "leaps": (0.0, 0.07),
    "repetition": (0.0, 0.39),
}
COMMON_RANGE = 12.0  # semitones, the median
COMMON_PHRASE = 8.0  # semitones that a line goes through; a narrower one is dull


@dataclass(frozen=True)
class Figures:
    """`range` semitones; `mean_interval` semitones; `steps` share of moves of 1 or 2; `leaps` share over a
    fifth; `repetition` share of four-interval groups that came before, in the song as it would be written down (old
    tunes write a return with a repeat sign): lines that come back with their words and notes are there once;
    `as_sung`: the same with every return; `phrase` the mean range of a line."""

    range: float
    mean_interval: float
    steps: float
    leaps: float
    repetition: float
    as_sung: float
    phrase: float


def figures(score: Score) -> Figures:
    """The figures of the sung line. Intervals across a breath are no melodic moves and are left out."""
    pitches = [note.pitch for note in score.notes]
    phrases = split_at_breaths(score.notes)
    moves = _moves(phrases)
    sizes = [abs(move) for move in moves]
    moving = [size for size in sizes if size]
    return Figures(
        range=float(max(pitches) - min(pitches)),
        mean_interval=sum(sizes) / max(1, len(sizes)),
        steps=sum(size <= 2 for size in moving) / max(1, len(moving)),
        leaps=sum(size > 7 for size in sizes) / max(1, len(sizes)),
        repetition=_repetition(_moves(_written(phrases))),
        as_sung=_repetition(moves),
        phrase=sum(_span(phrase) for phrase in phrases) / len(phrases),
    )


def _moves(phrases: Iterable[list[Note]]) -> list[int]:
    return [b.pitch - a.pitch for phrase in phrases for a, b in itertools.pairwise(phrase)]


def _written(phrases: Iterable[list[Note]]) -> Iterable[list[Note]]:
    first: dict[tuple[tuple[str | None, int, int, int], ...], list[Note]] = {}
    for phrase in phrases:
        begin = phrase[0].tick
        alike = tuple((note.syllable, note.pitch, note.tick - begin, note.ticks) for note in phrase)
        first.setdefault(alike, phrase)
    return first.values()


def _span(phrase: list[Note]) -> int:
    return max(note.pitch for note in phrase) - min(note.pitch for note in phrase)


def split_at_breaths(notes: tuple[Note, ...]) -> list[list[Note]]:
    phrases: list[list[Note]] = [[]]
    for note in notes:
        phrases[-1].append(note)
        if note.breath_after:
            phrases.append([])
    return [phrase for phrase in phrases if phrase]


def _repetition(moves: list[int]) -> float:
    groups = [tuple(moves[i : i + 4]) for i in range(len(moves) - 3)]
    return 1 - len(set(groups)) / len(groups) if groups else 0.0


def fault(measured: Figures) -> float:
    """How far outside the bands of real tunes, each in band widths, and a little for an unusual range or dull lines."""
    total = 0.0
    for name, (low, high) in BANDS.items():
        value = getattr(measured, name)
        total += max(0.0, low - value, value - high) / (high - low)
    dull = max(0.0, COMMON_PHRASE - measured.phrase)
    return total + 0.05 * abs(measured.range - COMMON_RANGE) + 0.15 * dull
