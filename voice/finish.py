"""Finish: rendered passages laid into one stem, sample-exact, without clicks and at an even level."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from voice.alignment import Stretch
from voice.rendering import Rendering
from voice.take import SAMPLE_RATE

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

VOWEL_LEVEL = -19.0  # dB re full scale, RMS of vowels at mezzo-forte
PEAK = 0.97
FADE = 0.012  # seconds
RELEASE = 0.2  # seconds of ring kept after a phrase's last sound
AHEAD = 0.01  # seconds kept before a phrase's first; more is the network's own breath, heard as an s
EVENNESS = 0.7  # of the level differences between vowels that is taken away
LARGEST_CUT, LARGEST_LIFT = 9.0, 12.0  # dB
HELD, STEP = 0.5, 0.1  # seconds: a vowel so long is evened within itself, in such steps
SILENT = -60.0  # dB; a vowel below was lost, and is not lifted


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
        add(into, stretch.sung - stretch.rendered - origin + start / SAMPLE_RATE, piece)


def add(into: Samples, seconds: float, sound: Samples) -> None:
    """Adds a sound that begins `seconds` into the stem."""
    place = round(seconds * SAMPLE_RATE)
    before = max(0, -place)
    room = max(before, min(len(sound), len(into) - place))
    into[place + before : place + room] += sound[before:room]


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


def even(
    audio: Samples, origin: float, vowels: Sequence[tuple[float, float]], wanted: Callable[[Floats], Floats]
) -> Samples:
    """The stem with its vowels brought near their wanted level: vowels [(start, end) seconds], wanted(seconds) dB.

    Vowels differ by nature, and the network's differ more: most of the difference is taken away, slowly, so that no
    vowel's attack and end are touched. Between vowels the gain moves in a straight line (in dB).
    """
    levels = np.array([_level(audio, start - origin, end - origin) for start, end in vowels])
    heard = levels > SILENT
    if not heard.any():
        return audio
    middles = wanted(np.array([(start + end) / 2 for start, end in vowels]))
    gains = np.clip(EVENNESS * (middles - levels), -LARGEST_CUT, LARGEST_LIFT)
    gains += (1 - EVENNESS) * float(np.median((middles - levels)[heard]))
    points: list[tuple[float, float]] = []
    for (a, b), g, middle in zip(vowels, gains, middles, strict=True):
        inner = [(t, g - stray) for t, stray in _strays(audio, a - origin, b - origin, origin)]
        own = [(a + 0.02, g), *inner, (max(b - 0.02, a + 0.03), g)]
        swell = wanted(np.array([t for t, _ in own])) - middle  # a hairpin moves within the vowel
        points += [(t, g + EVENNESS * more) for (t, g), more in zip(own, swell, strict=True)]
    times = np.array([t for t, _ in points])
    coarse = np.arange(0.0, len(audio) / SAMPLE_RATE + 0.005, 0.005)
    curve = np.interp(coarse + origin, times, [g for _, g in points])
    gain = np.interp(np.arange(len(audio)) / SAMPLE_RATE, coarse, 10 ** (curve / 20))
    return np.asarray(audio * gain, np.float32)


def _level(audio: Samples, start: float, end: float) -> float:
    a, b = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    x = audio[max(a, 0) : max(b, a + 1)].astype(np.float64)
    return float(10 * np.log10(np.mean(x**2) + 1e-12)) if len(x) else -120.0


def _strays(audio: Samples, start: float, end: float, origin: float) -> list[tuple[float, float]]:
    """Within a held vowel: (score seconds, dB to take away), how far its level strays from its own straight line."""
    if end - start < HELD:
        return []
    middles = np.arange(start + STEP, end - STEP / 2, STEP)
    levels = np.array([_level(audio, t - STEP / 2, t + STEP / 2) for t in middles])
    line = np.polyval(np.polyfit(middles, levels, 1), middles)
    return [(float(t + origin), float(EVENNESS * x)) for t, x in zip(middles, levels - line, strict=True)]


def limited(audio: Samples) -> Samples:
    """Peaks bent smoothly below full scale; what lies below 0.7 stays as it is."""
    size = np.abs(audio)
    over = size > 0.7
    if not over.any():
        return audio
    bent = 0.7 + (PEAK - 0.7) * np.tanh((size - 0.7) / (PEAK - 0.7))
    return np.where(over, np.sign(audio) * bent, audio).astype(np.float32)
