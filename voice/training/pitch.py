"""The F0 of a recording whose notes are known: looked for near them, by the autocorrelation of a few periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.training.dataset import RATE, Pitch

Floats = NDArray[np.float64]

AROUND = 2 ** (4 / 12)  # how far from its note a frame's pitch may lie, as a factor
BESIDE = 0.1  # seconds; a frame this near to another note may be on its way there
PERIODIC = 0.6  # of the normalised autocorrelation; below, there is no voice
SHORTEST_RUN = 3  # frames of voice


def f0_of(audio: NDArray[np.float32], pitch: Pitch, times: Floats) -> Floats:
    """Hz at those times, 0 where there is no voice. audio: [samples] at RATE."""
    if pitch.exact:
        return _between(pitch, times)
    out = np.zeros(len(times))
    for i, now in enumerate(times):
        near = _at(pitch, np.array([now - BESIDE, now, now + BESIDE]))
        if (near > 0).any():
            low, high = near[near > 0].min() / AROUND, near[near > 0].max() * AROUND
            out[i] = _frame(audio, round(now * RATE), low, high)
    return _without_specks(out)


def _at(pitch: Pitch, times: Floats) -> Floats:
    places = np.searchsorted(pitch.times, times + 1e-9, side="right") - 1
    return np.asarray(pitch.hertz[np.clip(places, 0, len(pitch.hertz) - 1)])


def _between(pitch: Pitch, times: Floats) -> Floats:
    """Between two values with voice the one between them; else the nearest."""
    step = pitch.times[1] - pitch.times[0] if len(pitch.times) > 1 else 1.0
    exact = np.clip(times / step, 0, len(pitch.hertz) - 1)
    before, after = pitch.hertz[np.floor(exact).astype(int)], pitch.hertz[np.ceil(exact).astype(int)]
    nearest = pitch.hertz[np.round(exact).astype(int)]
    middle = before + (after - before) * (exact - np.floor(exact))
    return np.asarray(np.where((before > 0) & (after > 0), middle, nearest))


def _frame(audio: NDArray[np.float32], centre: int, low: float, high: float) -> float:
    first, last = int(RATE / high), int(np.ceil(RATE / low)) + 1
    size = 2 * last
    begin = centre - (size + last) // 2
    if begin < 0 or begin + size + last > len(audio):
        return 0.0
    x = audio[begin : begin + size + last].astype(np.float64)
    own = x[:size]
    moved = np.lib.stride_tricks.sliding_window_view(x, size)[first : last + 1]
    alike = moved @ own / np.sqrt((own @ own) * np.einsum("ij,ij->i", moved, moved) + 1e-9)
    best = int(np.argmax(alike))
    if alike[best] < PERIODIC or not 0 < best < len(alike) - 1:
        return 0.0
    a, b, c = alike[best - 1 : best + 2]
    return float(RATE / (first + best + 0.5 * (a - c) / (a - 2 * b + c)))


def _without_specks(hertz: Floats) -> Floats:
    out = hertz.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (hertz > 0).astype(int), [0]]))).reshape(-1, 2)
    for start, end in edges:
        if end - start < SHORTEST_RUN:
            out[start:end] = 0.0
    return out
