"""Breaths: the singer's air, drawn in before a phrase. Noise through the resonances of an open throat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voice.take import SAMPLE_RATE

Samples = NDArray[np.float32]

SHORTEST_REST = 0.3  # seconds; no breath is heard in a shorter one
LONGEST = 0.45  # seconds
BEFORE = 0.05  # seconds from a breath's end to the first sound
QUIET, LOUD = -46.0, -22.0  # dB below the vowels, at breath 0+ and 1
_RESONANCES = ((620.0, 220.0), (1550.0, 260.0), (2600.0, 380.0), (3700.0, 600.0))  # Hz, bandwidth


def breaths(phrases: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where to breathe, from the (start, end) of each phrase's sounds [seconds]."""
    out = []
    for i, (start, _) in enumerate(phrases):
        rest = start - phrases[i - 1][1] if i else LONGEST / 0.6
        if rest >= SHORTEST_REST:
            length = min(LONGEST, 0.6 * (rest - BEFORE))
            out.append((start - BEFORE - length, start - BEFORE))
    return out


def inhale(seconds: float, level: float, rng: np.random.Generator) -> Samples:
    """Noise of `seconds` at `level` [dB re full scale, RMS]: swells, then stops as the mouth is set."""
    n = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    throat = sum(1 / (1 + ((hertz - middle) / width) ** 2) for middle, width in _RESONANCES) + 0.05
    spectrum *= throat * np.clip(hertz / 400.0, 0.0, 1.0) * np.clip(9000.0 / (hertz + 1.0), 0.0, 1.0)
    u = (np.arange(n) + 0.5) / n
    sound = np.fft.irfft(spectrum, n) * np.sin(np.pi * u**1.6) ** 1.5
    rms = float(np.sqrt(np.mean(sound**2)))
    return np.asarray(sound / (rms + 1e-12) * 10 ** (level / 20), np.float32)
