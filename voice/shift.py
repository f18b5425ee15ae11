"""Shift: voiced sound moved to another pitch while its vowels keep their colour.

Pitch-synchronous overlap and add (Moulines and Charpentier, Speech Communication 9, 1990): one cycle of the voice after
the other is taken out and laid down again at the distance of the new pitch. About where the pitch lies is known here,
so what it truly is can be read from how the phase of the lowest partial runs away from the one that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.take import F0_RATE, SAMPLE_RATE

Floats = NDArray[np.float64]

STRAYS = 400.0  # cents that the sung pitch may lie from the one that was asked for
PARTIAL = (0.014, 0.03)  # seconds at the least and at the most that the lowest partial is filtered out with
READ = 0.008  # seconds to either side over which its phase is read


def shifted(sound: Floats, f0: Floats, wanted: Floats) -> Floats:
    """sound: [samples]; f0, what it has, and wanted: [frames] Hz at F0_RATE, 0 where unvoiced: left as it was."""
    cycles = cycles_moved(f0, wanted, len(sound))
    if cycles is None:
        return sound
    moved = np.bincount(cycles.places, sound[cycles.sources] * cycles.windows, len(sound))
    return np.asarray(sound + (moved - sound) * cycles.share)


@dataclass(frozen=True)
class Cycles:
    """Sample `sources[i]`, times `windows[i]`, is added at sample `places[i]`; share: [samples], how much of that is
    heard instead of the sound that was there."""

    sources: NDArray[np.int64]
    places: NDArray[np.int64]
    windows: Floats
    share: Floats


def cycles_moved(f0: Floats, wanted: Floats, samples: int) -> Cycles | None:
    """How a sound of so many samples comes from `f0` to `wanted`; None where there is nothing to move."""
    voiced = (f0 > 0) & (wanted > 0)
    if not (voiced & (f0 != wanted)).any():
        return None
    old, new = (_cycles(_through(curve, voiced), samples) for curve in (f0, wanted))
    if len(old) < 3 or len(new) < 3:
        return None
    widths = np.minimum(_nearest(np.gradient(old), old, new), np.gradient(new))
    halves = np.maximum(np.round(widths).astype(int), 1)
    lengths = 2 * halves + 1
    half = np.repeat(halves, lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) - half
    sources, places = (
        np.repeat(np.round(middles).astype(int), lengths) + within
        for middles in (_nearest(old, old, new), new)
    )
    inside = (sources >= 0) & (sources < samples) & (places >= 0) & (places < samples)
    return Cycles(
        sources[inside],
        places[inside],
        (0.5 + 0.5 * np.cos(np.pi * within / half))[inside],
        over_samples(voiced.astype(float), samples),
    )


def found(sound: Floats, asked: Floats) -> Floats:
    """The F0 that the sound has, [frames] Hz: near `asked`, [frames] Hz at F0_RATE, 0 where unvoiced.

    Where it seems farther than STRAYS away, the lowest partial is lost in something else and `asked` is believed.
    """
    voiced = asked > 0
    if not voiced.any():
        return asked
    hertz, n = _through(asked, voiced), len(sound)
    turning = sound * np.exp(-2j * np.pi * np.cumsum(over_samples(hertz, n)) / SAMPLE_RATE)
    lowest = float(np.percentile(asked[voiced], 10))
    size = round(SAMPLE_RATE * float(np.clip(2.6 / lowest, *PARTIAL)))
    window = np.hanning(size + 2)[1:-1] / (size + 1) * 2
    length = 1 << (n + size).bit_length()
    alone = np.fft.ifft(np.fft.fft(turning, length) * np.fft.fft(window, length))[size // 2 : size // 2 + n]
    turns = np.concatenate([[0.0], np.cumsum(alone[1:] * alone[:-1].conj())])
    middles = (np.arange(len(asked)) + 0.5) / F0_RATE
    first, last = (np.clip(((middles + by) * SAMPLE_RATE).astype(int), 0, n - 1) for by in (-READ, READ))
    strays = np.angle(turns[last] - turns[first]) / (2 * np.pi) * SAMPLE_RATE
    cents = 1200 * np.log2(np.clip(1 + strays / hertz, 0.1, 10.0))
    return np.asarray(np.where(voiced & (np.abs(cents) <= STRAYS), asked * 2 ** (cents / 1200), asked))


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
