"""Energy: the network's loudness curve N, from how it would speak the words to how they are sung."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voice.score import Score

Floats = NDArray[np.float64]

FLOOR = 6.3  # N that a sung vowel has at least; below it long vowels lose their voice
# What consonants have at least: at a phrase's end speech fades, and takes the last word's consonants with it.
CONSONANT_FLOORS = {
    **dict.fromkeys("mnŋlɹwjɾ", 5.0), **dict.fromkeys("vðzʒ", 4.5), **dict.fromkeys("bdɡʤ", 3.0),
    **dict.fromkeys("sʃfθʧh", 3.0), **dict.fromkeys("ptkʔ", 1.5),
}  # fmt: skip
GLIDE_BELOW = 0.5  # N that a diphthong's second vowel may lie below its first
DYNAMICS = {"pp": -2.0, "p": -1.3, "mp": -0.5, "mf": 0.0, "f": 0.6, "ff": 1.1}  # steps of loudness
EFFORT = 0.35  # N for one step of loudness
STEP = 3.5  # dB for one step of loudness, at full dynamics


def vowel_energy(natural: Floats, seconds: float, swell: float) -> Floats:
    """Energy of a sung vowel. natural: [frames], the spoken curve stretched to it; swell: 0..1 -> [frames]."""
    if not len(natural):
        return natural
    top = max(float(np.percentile(natural, 80)), FLOOR)
    held = np.maximum(natural, top - 0.2)
    if seconds > 0.5:
        u = (np.arange(len(natural)) + 0.5) / len(natural)
        held = held + swell * (0.7 * np.sin(np.pi * u) - 0.5 * u)
    return held


def loudness_steps(score: Score) -> list[float]:
    """For every note its dynamic in steps; a mark holds until the next, an accent is its note's own."""
    steps, now = [], 0.0
    for note in score.notes:
        now = DYNAMICS[note.dynamic] if note.dynamic else now
        steps.append(now + (0.6 if note.accent else 0.0))
    return steps


def steps_at(times: Floats, starts: Sequence[float], steps: Sequence[float]) -> Floats:
    """The notes' steps as a curve over seconds that moves within 80 ms."""
    points = [(start + offset, step) for start, step in zip(starts, steps, strict=True) for offset in (0.04,)]
    if len(points) == 1:
        return np.full(len(times), points[0][1])
    xs, ys = [], []
    for (_, before), (x, after) in itertools.pairwise(points):
        xs += [x - 0.08, x]
        ys += [before, after]
    return np.interp(times, xs, ys)
