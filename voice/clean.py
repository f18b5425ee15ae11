"""Cleaning: singing without the noise between its harmonics, and without a hum where there should be no voice.

The network sings high and short notes hoarsely, and lets the low part of a vowel ring on through a voiceless
consonant. What is meant is known, so both can be taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from voice.filters import filtered
from voice.shift import over_samples
from voice.take import SAMPLE_RATE

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Sound = TypeVar("Sound", Floats, "Tensor")

HUM_BELOW = 350.0  # Hz; a voiceless consonant has nothing there
SHARE = 0.4  # of what a full comb would take; at .8 words of high lines blur


def steadied(sound: Floats, f0: Floats) -> Floats:
    """Each voiced cycle averaged with its neighbours. sound: [samples]; f0: [frames] Hz, 0 where unvoiced."""
    if not (f0 > 0).any():
        return sound
    cycle, share = cycles_to_steady(f0, len(sound))
    places = np.arange(len(sound))
    comb = 0.5 * sound + 0.25 * _at(sound, places - cycle) + 0.25 * _at(sound, places + cycle)
    return np.asarray(sound + share * (comb - sound))


def cycles_to_steady(f0: Floats, samples: int) -> tuple[Floats, Floats]:
    """How long a cycle is at each sample [samples], and how much of the comb counts there, 0 where no voice is.

    f0: [frames] Hz, with voice somewhere.
    """
    voiced = f0 > 0
    hertz = np.interp(np.arange(len(f0)), np.flatnonzero(voiced), f0[voiced])
    inside = voiced & np.roll(voiced, 1) & np.roll(voiced, -1)
    return SAMPLE_RATE / over_samples(hertz, samples), SHARE * over_samples(inside.astype(float), samples)


def hushed(sound: Floats, origin: float, voiceless: Sequence[tuple[float, float]]) -> Floats:
    """The sound without hum in voiceless consonants, (start, end) [seconds]; it begins at `origin`."""
    inside = np.zeros(len(sound))
    for start, end in voiceless:
        inside[max(0, round((start - origin) * SAMPLE_RATE)) : round((end - origin) * SAMPLE_RATE)] = 1.0
    window = np.hanning(361)  # the edges take 15 ms
    low = filtered(sound, lambda hertz: 1 / (1 + (hertz / HUM_BELOW) ** 8))
    return np.asarray(sound - low * np.convolve(inside, window / window.sum(), "same"))


def _at(sound: Floats, places: Floats) -> Floats:
    """The sound between its samples."""
    k, u = between(places, len(sound))
    return np.asarray(cubic(sound[k - 1], sound[k], sound[k + 1], sound[k + 2], u))


def between(places: Floats, samples: int) -> tuple[NDArray[np.int64], Floats]:
    """The samples before those places, with one more before and two after, and how far behind them they lie."""
    whole = np.floor(places).astype(np.int64)
    return np.clip(whole, 1, samples - 3), places - whole


def cubic(a: Sound, b: Sound, c: Sound, d: Sound, u: Sound) -> Sound:
    """Between b (u = 0) and c (u = 1), after Catmull and Rom."""
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
