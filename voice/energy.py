"""Energy: the network's loudness curve N, from how it would speak the words to how they are sung."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voice.score import Note, Score

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
HAIRPIN = 1.0  # steps that a hairpin goes which leads to no mark
MOVES = 0.08  # seconds that loudness takes from one note's to the next's
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


def loudness_at(times: Floats, score: Score, starts: Sequence[float]) -> Floats:
    """The score's loudness in steps at `times` [seconds]; starts: [notes] seconds, when its notes are begun."""
    if not score.notes:
        return np.zeros(len(times))
    steps = loudness_steps(score)
    ends = [
        *starts[1:],
        starts[-1] + score.seconds(score.notes[-1].end) - score.seconds(score.notes[-1].tick),
    ]
    xs = np.array(
        [(a + MOVES / 2, max(b - MOVES / 2, a + MOVES / 2)) for a, b in zip(starts, ends, strict=True)]
    )
    return np.asarray(np.interp(times, xs.ravel(), np.array(steps).ravel()))


def loudness_steps(score: Score) -> list[tuple[float, float]]:
    """For every note its loudness in steps where it begins and where the next begins.

    A mark holds until the next; a hairpin leads to the mark after it, or HAIRPIN steps where none is there or it
    points the other way; an accent is its note's own.
    """
    steps: list[tuple[float, float]] = []
    hairpins = dict(score.hairpins)
    last, ramp = -1, ([0.0], [0.0])
    now = 0.0
    for i, note in enumerate(score.notes):
        now = DYNAMICS[note.dynamic] if note.dynamic else now
        if i in hairpins:
            last = hairpins[i]
            ramp = ([note.tick, score.notes[last].end], [now, _goal(score, note, last, now)])
        before = now
        if i <= last:
            now = float(np.interp(score.notes[i + 1].tick if i < last else note.end, *ramp))
        accent = 0.6 if note.accent else 0.0
        steps.append((before + accent, now + accent))
    return steps


def _goal(score: Score, first: Note, last: int, now: float) -> float:
    """Where a hairpin leads from `now`."""
    sign = 1 if first.hairpin == "crescendo" else -1
    mark = score.notes[last + 1].dynamic if last + 1 < len(score.notes) else None
    leads = mark is not None and sign * (DYNAMICS[mark] - now) > 0
    softest, loudest = min(DYNAMICS.values()), max(DYNAMICS.values())
    return DYNAMICS[mark] if mark and leads else float(np.clip(now + sign * HAIRPIN, softest, loudest))
