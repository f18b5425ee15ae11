"""A voice for tests that need no singer: a harmonic tone with formants that follows the score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.score import Score
from voice.take import STUDIO_RATE

FORMANTS = ((650, 90), (1100, 110), (2500, 160), (3400, 250))  # Hz, Hz wide: an open vowel


def hum(score: Score) -> NDArray[np.float32]:
    """[samples] at 48 kHz: each note with vibrato, a short attack and a consonant's breath of noise before it."""
    rng = np.random.default_rng(1)
    audio = np.zeros(int((score.seconds(score.ticks) + 0.2) * STUDIO_RATE), dtype=np.float32)
    for note in score.notes:
        start, end = score.seconds(note.tick), score.seconds(note.end)
        time = np.arange(int((end - start) * STUDIO_RATE)) / STUDIO_RATE
        pitch = 440 * 2 ** ((note.pitch - 69) / 12) * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * time))
        phase = 2 * np.pi * np.cumsum(pitch) / STUDIO_RATE
        tone = np.zeros_like(time)
        for k in range(1, 30):
            hz = k * float(pitch[0])
            gain = sum(1 / (1 + ((hz - f) / w) ** 2) for f, w in FORMANTS) + 0.02
            tone += gain / k**0.8 * np.sin(k * phase)
        shape = np.minimum(1, np.minimum(time / 0.03, (time[-1] - time) / 0.05 + 1e-3))
        at = int(start * STUDIO_RATE)
        audio[at : at + len(time)] += (0.12 * tone * shape).astype(np.float32)
        noise = rng.normal(0, 0.02, int(0.04 * STUDIO_RATE)).astype(np.float32)
        begin = max(0, at - len(noise))
        audio[begin : begin + len(noise)] += np.diff(noise, prepend=0)
    return audio
