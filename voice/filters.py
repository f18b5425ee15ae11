"""Filters without delay, in the spectrum, for stems of any length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voice.take import SAMPLE_RATE

Floats = NDArray[np.float64]

BLOCK = (
    1 << 15
)  # samples that are transformed together: they stay in the CPU's cache, as a whole song does not
RINGS = SAMPLE_RATE // 10  # samples to either side over which a filter may ring


def filtered(sound: Floats, gain: Callable[[Floats], Floats]) -> Floats:
    """sound: [samples]; gain: what each frequency [Hz] is multiplied with. By blocks that overlap (overlap-save)."""
    step = BLOCK - 2 * RINGS
    gains = gain(np.fft.rfftfreq(BLOCK, 1 / SAMPLE_RATE).astype(np.float64))
    padded = np.pad(sound, (RINGS, BLOCK))
    out = np.empty(len(sound) + step)
    for at in range(0, len(sound), step):
        block = np.fft.irfft(np.fft.rfft(padded[at : at + BLOCK]) * gains, BLOCK)
        out[at : at + step] = block[RINGS:-RINGS]
    return out[: len(sound)]
