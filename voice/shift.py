"""Shift: voiced sound moved to another pitch while its vowels keep their colour.

Pitch-synchronous overlap and add (Moulines and Charpentier, Speech Communication 9, 1990): one cycle of the voice after
the other is taken out and laid down again at the distance of the new pitch. The pitch that the sound has is known
here, so its cycles need not be looked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.take import F0_RATE, SAMPLE_RATE

Floats = NDArray[np.float64]


def shifted(sound: Floats, f0: Floats, wanted: Floats) -> Floats:
    """sound: [samples]; f0, what it has, and wanted: [frames] Hz at F0_RATE, 0 where unvoiced: left as it was."""
    voiced = (f0 > 0) & (wanted > 0)
    if not (voiced & (f0 != wanted)).any():
        return sound
    old, new = (_cycles(_through(curve, voiced), len(sound)) for curve in (f0, wanted))
    if len(old) < 3 or len(new) < 3:
        return sound
    widths = np.minimum(_nearest(np.gradient(old), old, new), np.gradient(new))
    sources = _nearest(old, old, new)
    edge = int(np.ceil(widths.max())) + 2
    padded, out = np.pad(sound, edge), np.zeros(len(sound) + 2 * edge)
    for source, target, width in zip(sources, new, widths, strict=True):
        a, b, half = round(source) + edge, round(target) + edge, round(width)
        window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-half, half + 1) / half)
        out[b - half : b + half + 1] += padded[a - half : a + half + 1] * window
    share = over_samples(voiced.astype(float), len(sound))
    return np.asarray(sound + (out[edge : edge + len(sound)] - sound) * share)


def over_samples(curve: Floats, samples: int) -> Floats:
    """[frames] at F0_RATE -> [samples]."""
    return np.interp(np.arange(samples) / SAMPLE_RATE * F0_RATE - 0.5, np.arange(len(curve)), curve)


def _through(curve: Floats, voiced: NDArray[np.bool_]) -> Floats:
    """The curve with its gaps joined."""
    return np.interp(np.arange(len(curve)), np.flatnonzero(voiced), curve[voiced])


def _cycles(f0: Floats, samples: int) -> Floats:
    """Where each cycle begins, in samples."""
    phase = np.cumsum(over_samples(f0, samples)) / SAMPLE_RATE
    last = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    return last + (np.floor(phase[last]) + 1 - phase[last]) / (phase[last + 1] - phase[last])


def _nearest(values: Floats, places: Floats, wanted: Floats) -> Floats:
    """Of values at `places` those nearest to `wanted`."""
    after = np.clip(np.searchsorted(places, wanted), 1, len(places) - 1)
    return np.asarray(
        values[np.where(wanted - places[after - 1] <= places[after] - wanted, after - 1, after)]
    )
