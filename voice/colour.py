"""Colour: air and rasp laid on a finished stem, and rumble taken out. Filters are in the spectrum, without delay.

Both leave what lies below some 500 Hz alone, so that the note stays where it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.filters import filtered
from voice.shift import over_samples
from voice.take import F0_RATE, SAMPLE_RATE

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

RUMBLE = 55.0  # Hz; nothing that is sung lies below
WINDOW = 2400  # samples, of the filter that follows the note
EVERY = 2  # F0 frames from one window to the next
AT_ONCE = 64  # windows that are transformed together
BELOW = (0.5, 0.8)  # of the note's frequency: silenced below the first, whole above the second
AIR_ABOVE = 2200.0  # Hz
AIR = (-52.0, -14.0)  # dB of the voice's level, at breath 0+ and 1
RASP_ABOVE = 500.0  # Hz
RASP_RATES = (30.0, 90.0)  # Hz; modulation between these is heard as roughness
RASP_DEPTH = 0.9  # of full modulation, at rasp 1


def coloured(sound: Floats, f0: Floats, breath: Floats, rasp: Floats, rng: np.random.Generator) -> Samples:
    """sound: [samples]; f0, breath, rasp: [frames] at F0_RATE, from the stem's first sample; breath and rasp 0..1."""
    sound = _above_the_note(_band(sound, low=RUMBLE), f0)
    hiss, noise = rng.standard_normal(len(sound)), rng.standard_normal(len(sound))
    if rasp.any():
        sound = _rough(sound, f0, over_samples(rasp, len(sound)), _band(noise, *RASP_RATES))
    if breath.any():
        level = np.where(breath > 0, 10 ** ((AIR[0] + (AIR[1] - AIR[0]) * breath) / 20), 0.0) * (f0 > 0)
        sound = sound + _band(sound * hiss, low=AIR_ABOVE) * over_samples(level, len(sound))
    return sound.astype(np.float32)


def _above_the_note(sound: Floats, f0: Floats) -> Floats:
    """Without what the network hums below the note that it sings: noise, strongest on high notes."""
    hop = EVERY * SAMPLE_RATE // F0_RATE
    window = np.hanning(WINDOW + 1)[:-1]
    padded = np.pad(sound, (WINDOW, 2 * WINDOW))
    out = np.zeros(len(padded))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[WINDOW // 2 :: hop]
    count = (len(sound) + WINDOW) // hop + 1
    notes = f0[
        np.minimum(np.arange(count) * EVERY, len(f0) - 1)
    ]  # a window's middle lies at sample frame * hop
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    for first in range(0, count, AT_ONCE):
        some = pieces[first : min(first + AT_ONCE, count)] * window
        note = notes[first : first + AT_ONCE]
        sung = note > 0
        gains = (hertz / note[sung][:, None] - BELOW[0]) / (BELOW[1] - BELOW[0])
        some[sung] = np.fft.irfft(np.fft.rfft(some[sung]) * np.clip(gains, 0.0, 1.0), WINDOW)
        for frame, piece in enumerate(some * window, first):
            start = WINDOW // 2 + frame * hop
            out[start : start + WINDOW] += piece
    return np.asarray(out[WINDOW : WINDOW + len(sound)] * hop / (window**2).sum())


def _rough(sound: Floats, f0: Floats, rasp: Floats, growl: Floats) -> Floats:
    """The upper voice's loudness shaken: every other cycle weaker, and unevenly so."""
    cycles = np.cumsum(over_samples(f0, len(sound))) / SAMPLE_RATE
    halves = np.sin(np.pi * cycles)  # half the note's frequency
    shaken = np.tanh(0.5 * halves + 0.7 * growl / (growl.std() + 1e-12))
    return np.asarray(sound + RASP_DEPTH * rasp * shaken * _band(sound, low=RASP_ABOVE))


def _band(sound: Floats, low: float, high: float = float(SAMPLE_RATE)) -> Floats:
    """What lies between two frequencies [Hz]; the edges are some 12 dB an octave."""
    return filtered(sound, lambda hertz: 1 / (1 + (low / (hertz + 1e-9)) ** 4) / (1 + (hertz / high) ** 4))
