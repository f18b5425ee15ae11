"""Finish: rendered passages laid into one stem, sample-exact, without clicks and at an even level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voice.rendering import Rendering, Stretch
from voice.take import SAMPLE_RATE

Samples = NDArray[np.float32]

VOWEL_LEVEL = -19.0  # dB re full scale, RMS of vowels at mezzo-forte
PEAK = 0.97
FADE = 0.012  # seconds
RELEASE = 0.2  # seconds of ring kept after a phrase's last sound
AHEAD = 0.06  # seconds kept before a phrase's first


def stem(length: int) -> Samples:
    return np.zeros(length, np.float32)


def lay(into: Samples, origin: float, rendering: Rendering) -> None:
    """Adds a rendering's phrases to the stem, whose first sample is at `origin` [seconds]."""
    for stretch, start, stop in _cuts(rendering.stretches, len(rendering.audio)):
        piece = rendering.audio[start:stop].copy()
        edge = min(round(FADE * SAMPLE_RATE), len(piece) // 2)
        ramp = np.sin(np.linspace(0, np.pi / 2, edge, dtype=np.float32)) ** 2
        piece[:edge] *= ramp
        piece[len(piece) - edge :] *= ramp[::-1]
        place = round((stretch.sung - stretch.rendered - origin) * SAMPLE_RATE) + start
        before = max(0, -place)
        room = max(0, min(len(piece), len(into) - place))
        into[place + before : place + room] += piece[before:room]


def _cuts(stretches: Sequence[Stretch], length: int) -> list[tuple[Stretch, int, int]]:
    """Each phrase with the samples of the rendering that are its own."""
    cuts = []
    for i, s in enumerate(stretches):
        start, stop = s.rendered - AHEAD, s.rendered + s.length + RELEASE
        if i:
            before = stretches[i - 1]
            start = max(start, (before.rendered + before.length + s.rendered) / 2)
        if i + 1 < len(stretches):
            stop = min(stop, (s.rendered + s.length + stretches[i + 1].rendered) / 2)
        cuts.append((s, max(0, round(start * SAMPLE_RATE)), min(length, round(stop * SAMPLE_RATE))))
    return cuts


def limited(audio: Samples) -> Samples:
    """Peaks bent smoothly below full scale; what lies below 0.7 stays as it is."""
    size = np.abs(audio)
    over = size > 0.7
    if not over.any():
        return audio
    bent = 0.7 + (PEAK - 0.7) * np.tanh((size - 0.7) / (PEAK - 0.7))
    return np.where(over, np.sign(audio) * bent, audio).astype(np.float32)
