"""Fills: a lead instrument answers in the gaps that the singer leaves, never over the voice."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skills.style import Part
from skills.tune.harmony import BAR, chord_tones
from voice.score import TICKS_PER_QUARTER, Score

if TYPE_CHECKING:
    from skills.studio.arrange import BandNote

EIGHTH = TICKS_PER_QUARTER // 2
LONG_GAP = 2 * BAR
SHORTEST_GAP = 1.2  # seconds; less is left to the breath
CLEAR = 0.12  # seconds kept free before the singer comes in again
PENTATONIC = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10)}
BLUES = (0, 3, 5, 7, 10)
# Rhythms of an answer in eighths from the start of the gap, long to short; what does not fit is cut.
RHYTHMS = ((1, 2, 3, 4, 6), (1, 3, 4, 5, 6), (2, 3, 4, 6), (1, 2, 4, 5), (2, 4, 5, 6), (1, 2, 3, 5))


def gaps(score: Score) -> list[tuple[int, int]]:
    """(from, until) in ticks where nobody sings, inside the song's bars, the last chord's bar left out.

    A long one is several, so that an intro of four bars is not answered once.
    """
    found: list[tuple[int, int]] = []
    last = max(BAR, (score.ticks // BAR - 1) * BAR)
    edges = [0, *(note.end for note in score.notes)]
    nexts = [*(note.tick for note in score.notes), last]
    for free, sung in zip(edges, nexts, strict=True):
        until = min(sung, last)
        if score.seconds(until) - score.seconds(free) >= SHORTEST_GAP and free < last:
            breaks = range(free // BAR * BAR + LONG_GAP, until - LONG_GAP // 2, LONG_GAP)
            found += itertools.pairwise([free, *breaks, until])
    return found


def fill_gaps(
    score: Score, part: Part, energies: Sequence[float], rng: np.random.Generator
) -> list[BandNote]:
    """Answers in most gaps, made of a few notes of the key's scale that end on a chord tone."""
    notes: list[BandNote] = []
    rhythm = RHYTHMS[int(rng.integers(len(RHYTHMS)))]
    for free, until in gaps(score):
        if free > 0 and rng.random() < 0.15:
            continue
        if rng.random() < 0.4:
            rhythm = RHYTHMS[int(rng.integers(len(RHYTHMS)))]
        notes += _answer(score, part, free, until, rhythm, energies, rng)
    return notes


def _answer(
    score: Score,
    part: Part,
    free: int,
    until: int,
    rhythm: Sequence[int],
    energies: Sequence[float],
    rng: np.random.Generator,
) -> list[BandNote]:
    from skills.studio.arrange import BASE_VELOCITY, BandNote

    start = -(-free // EIGHTH) * EIGHTH
    ends = score.seconds(until) - CLEAR
    places = [start + step * EIGHTH for step in rhythm]
    places = [tick for tick in places if score.seconds(tick + EIGHTH) <= ends]
    if len(places) < 2:
        return []
    pitches = _line(score, part, places, rng)
    notes = []
    for i, (tick, pitch) in enumerate(zip(places, pitches, strict=True)):
        following = places[i + 1] if i + 1 < len(places) else tick + 3 * EIGHTH
        while following > tick + EIGHTH and score.seconds(following) > ends:
            following -= EIGHTH // 2
        energy = energies[min(len(energies) - 1, tick // BAR)]
        force = (0.8 + 0.3 * energy) * float(np.exp(rng.normal(0, 0.08)))
        late = float(np.clip(rng.normal(0.006, part.looseness), -0.02, 0.03))
        notes.append(
            BandNote(tick, following - tick, pitch, int(np.clip(BASE_VELOCITY * force, 20, 115)), late)
        )
    return notes


def _line(score: Score, part: Part, places: Sequence[int], rng: np.random.Generator) -> list[int]:
    """A walk of steps in the pentatonic scale, mostly downwards, whose last note belongs to its chord."""
    low, high = part.register
    seventh = any(chord.quality in ("7", "9") and chord.root == score.key.tonic for chord in score.chords)
    scale = BLUES if seventh else PENTATONIC[score.key.mode]
    ladder = [p for p in range(low, high + 1) if (p - score.key.tonic) % 12 in scale]
    chord = score.chord_at(places[-1]) or score.chords[-1]
    goals = [i for i, p in enumerate(ladder) if p % 12 in chord_tones(chord)] or [len(ladder) // 2]
    goal = goals[int(rng.integers(len(goals)))]
    line = [goal]
    for _ in places[1:]:
        step = int(rng.choice([1, 1, 1, 2, -1, 0], p=[0.3, 0.2, 0.1, 0.15, 0.2, 0.05]))
        line.append(int(np.clip(line[-1] + step, 0, len(ladder) - 1)))
    return [ladder[i] for i in reversed(line)]
