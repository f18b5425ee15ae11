"""Pitch: the sung F0 of a whole score, from its notes and the expression.

Notes hold their pitch; glides between tied notes lie around the beat, scoops before and on it, vibrato starts late on
long notes, and a slow drift keeps the voice from standing still. All bends are in cents around the note.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voice.score import Score
from voice.underlay import LEGATO, Sung

Floats = NDArray[np.float64]
Knob = Callable[[str, ArrayLike], Floats]

DENSE = 400  # points a second of the curve; what reads it interpolates
VIBRATO_AFTER = 0.3  # seconds into a note
VIBRATO_NOTE = 0.55  # seconds; a shorter note has none
SCOOP_NOTE = 0.5  # seconds; shorter notes are scooped less
SCOOP_TIME = 0.045  # seconds to come up to 1/e
FALL_TIME = 0.12  # seconds


@dataclass(frozen=True)
class SungNote:
    """A note in seconds, its syllable's lateness applied. `enters`: after a rest; `leaves`: before one."""

    start: float
    end: float
    pitch: int
    enters: bool
    leaves: bool
    slurred: bool
    accent: bool


@dataclass(frozen=True)
class PitchCurve:
    """times: seconds; midi: sung pitch at those times, as fractions of MIDI numbers."""

    times: Floats
    midi: Floats

    def hertz(self, seconds: ArrayLike) -> Floats:
        return hertz(np.interp(np.asarray(seconds, float), self.times, self.midi))


def hertz(midi: ArrayLike) -> Floats:
    return np.asarray(440.0 * 2.0 ** ((np.asarray(midi, float) - 69.0) / 12.0))


def sung_notes(score: Score, syllables: Sequence[Sung]) -> list[SungNote]:
    """Every note with its times as the syllables have them."""
    notes: list[SungNote] = []
    for k, one in enumerate(syllables):
        late = one.start - score.seconds(score.notes[one.notes[0]].tick)
        for position, i in enumerate(one.notes):
            note = score.notes[i]
            final = position == len(one.notes) - 1
            following = syllables[k + 1].start if k + 1 < len(syllables) else np.inf
            end = min(one.end if final else score.seconds(note.end) + late, following)
            leaves = final and following - one.end >= LEGATO
            notes.append(
                SungNote(
                    start=score.seconds(note.tick) + late,
                    end=end,
                    pitch=note.pitch,
                    enters=not notes or notes[-1].leaves,
                    leaves=leaves,
                    slurred=note.slurred or position > 0,
                    accent=note.accent,
                )
            )
    return notes


def sung_pitch(notes: Sequence[SungNote], knob: Knob, rng: np.random.Generator) -> PitchCurve:
    """The curve from a second before the first note to a second after the last."""
    first, last = notes[0].start - 1.0, notes[-1].end + 1.0
    times = np.arange(int((last - first) * DENSE) + 1) / DENSE + first
    loose = float(knob("imperfection", 0.0))
    midi = _glides(notes, times, knob)
    cents = _drift(times, rng) * 20.0 * loose
    for before, note in zip([None, *notes[:-1]], notes, strict=True):
        cents += _scoop(before, note, times, knob, loose, rng)
        cents += _vibrato(note, times, knob, loose, rng)
        cents += _fall(note, times, knob)
    return PitchCurve(times, midi + cents / 100.0)


def _glides(notes: Sequence[SungNote], times: Floats, knob: Knob) -> Floats:
    midi = np.full(len(times), float(notes[0].pitch))
    for before, note in itertools.pairwise(notes):
        if before.leaves:
            midi += (note.pitch - before.pitch) * (times >= (before.end + note.start) / 2)
            continue
        width = 0.02 + 0.2 * float(knob("portamento", note.start))
        width *= 1.3 if note.slurred else 1.0
        width = min(width, 0.25 * (before.end - before.start), 0.25 * (note.end - note.start))
        x = np.clip((times - note.start) / max(width, 1e-3) + 0.5, 0.0, 1.0)
        midi += (note.pitch - before.pitch) * x * x * (3 - 2 * x)
    return midi


def _drift(times: Floats, rng: np.random.Generator) -> Floats:
    """Slow wandering of unit standard deviation, with most of its movement below 1 Hz."""
    reach = DENSE
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (0.2 * DENSE)) ** 2)
    steps = rng.standard_normal(len(times) + 2 * reach)
    drift: Floats = np.convolve(steps, window / np.sqrt((window**2).sum()), "valid").astype(np.float64)
    return drift


def _scoop(
    before: SungNote | None, note: SungNote, times: Floats, knob: Knob, loose: float, rng: np.random.Generator
) -> Floats:
    uneven = 1.0 + 0.6 * loose * rng.standard_normal()
    leap = 0 if before is None else note.pitch - before.pitch
    share = 1.0 if note.enters or note.accent or leap >= 5 else 0.5 if leap >= 3 else 0.0
    if not share or note.end - note.start < 0.15:
        return np.zeros(len(times))
    depth = 250.0 * float(knob("scoop", note.start)) * share * max(uneven, 0.0)
    depth *= min(1.0, (note.end - note.start) / SCOOP_NOTE)
    early = 0.3 if note.enters else 0.0
    inside = (times >= note.start - early) & (times < note.end)
    scoop: Floats = (-depth * inside * np.exp(-np.clip(times - note.start, 0.0, None) / SCOOP_TIME)).astype(
        np.float64
    )
    return scoop


def _vibrato(note: SungNote, times: Floats, knob: Knob, loose: float, rng: np.random.Generator) -> Floats:
    slow = rng.standard_normal(8)
    depth_uneven = 1.0 + 0.5 * loose * rng.standard_normal()
    length = note.end - note.start
    if length < VIBRATO_NOTE:
        return np.zeros(len(times))
    inside = (times >= note.start) & (times < note.end)
    after = times - note.start - min(VIBRATO_AFTER, 0.4 * length)
    grown = np.clip(after / 0.4, 0.0, 1.0) ** 2 * np.clip((note.end - times) / 0.12, 0.0, 1.0)
    wander = np.interp(times, np.linspace(note.start, note.end, len(slow)), slow)
    rate = 4.5 + 2.5 * knob("vibrato_rate", times) + 0.8 * loose * wander
    phase = 2 * np.pi * np.cumsum(np.where(after > 0, rate, 0.0)) / DENSE
    depth = 80.0 * knob("vibrato", times) * max(depth_uneven, 0.3)
    return np.asarray(depth * grown * inside * np.sin(phase))


def _fall(note: SungNote, times: Floats, knob: Knob) -> Floats:
    if not note.leaves or note.end - note.start < 0.3:
        return np.zeros(len(times))
    depth = 400.0 * float(knob("fall", note.end))
    x = np.clip((times - (note.end - FALL_TIME)) / FALL_TIME, 0.0, 1.5)
    return np.asarray(-depth * x**2 * (times < note.end + 0.1))
