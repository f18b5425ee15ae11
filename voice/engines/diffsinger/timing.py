"""When each phone of a phrase begins: vowels on their notes, predicted durations fitted in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voice.engines.diffsinger.phrases import Unit
from voice.engines.diffsinger.stages import HEAD, TAIL, Durations, Floats, Line
from voice.score import Score

PADDING = 0.5  # seconds before a phrase that its first consonants may take
CONSONANT = 0.08  # seconds of a consonant, where the bank predicts no durations


def timed(score: Score, units: Sequence[Unit], room: float, durations: Durations | None) -> Line:
    """A phrase in time. room: seconds between the end of the phrase before and this one's first vowel."""
    starts = [unit.sung.start for unit in units]
    followers = [*(unit.onset for unit in units[1:]), ()]
    groups = [units[0].onset, *(unit.rest + after for unit, after in zip(units, followers, strict=True))]
    first = [score.notes[unit.sung.notes[0]].pitch for unit in units]
    line = Line(
        symbols=("SP", *(phone for group in groups for phone in group), "SP"),
        words=(1 + len(groups[0]), *(len(group) for group in groups[1:]), 1),
        tones=(
            first[0],
            *(tone for tone, group in zip([first[0], *first], groups, strict=True) for _ in group),
            first[-1],
        ),
        times=(),
        notes=tuple(
            (
                unit.sung.start if i == unit.sung.notes[0] else score.seconds(score.notes[i].tick),
                score.notes[i].pitch,
            )
            for unit in units
            for i in unit.sung.notes
        ),
    )
    edges = [starts[0] - PADDING, *starts, units[-1].sung.end, units[-1].sung.end + TAIL]
    shares = durations.predict(_even(line, edges)) if durations else _by_rule(line, edges)
    return _fitted(line, edges, shares, min(max(room - HEAD / 2, 0.6 * room), PADDING))


def _even(line: Line, edges: Sequence[float]) -> Line:
    """The phrase with each word's phones alike: what the duration model is asked with; it reads whole words only."""
    times: list[float] = []
    for start, end, count in zip(edges, edges[1:], line.words, strict=False):
        times += [start + (end - start) * i / count for i in range(count)]
    return _with_times(line, [*times, edges[-1]])


def _by_rule(line: Line, edges: Sequence[float]) -> Floats:
    """Durations where no model predicts them: consonants alike, vowels what is left of their notes."""
    shares = []
    for start, end, count in zip(edges, edges[1:], line.words, strict=False):
        consonant = min(CONSONANT, (end - start) / (2 * count))
        shares += [max(end - start - consonant * (count - 1), consonant), *([consonant] * (count - 1))]
    return np.array(shares)


def _fitted(line: Line, edges: Sequence[float], shares: Floats, room: float) -> Line:
    """Each word's phones share its time; the first consonants keep theirs, as far as there is room, and end in time."""
    onset = shares[1 : line.words[0]]
    onset = onset * min(1.0, room / onset.sum()) if len(onset) else onset
    begin = edges[1] - onset.sum()
    times = [begin - HEAD, *(begin + np.cumsum(np.concatenate([[0.0], onset]))[:-1])]
    place = line.words[0]
    for start, end, count in zip(edges[1:], edges[2:], line.words[1:], strict=False):
        own = shares[place : place + count]
        times += list(start + np.concatenate([[0.0], np.cumsum(own)[:-1]]) * (end - start) / own.sum())
        place += count
    return _with_times(line, [*map(float, times), edges[-1]])


def _with_times(line: Line, times: Sequence[float]) -> Line:
    assert len(times) == len(line.symbols) + 1
    return Line(line.symbols, line.words, line.tones, tuple(times), line.notes)
