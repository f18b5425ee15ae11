"""Master: a mix at -14 LUFS, under -1 dBTP once it is coded."""

from __future__ import annotations

import numpy as np

from skills.studio.desk import insert, run, scene, strip
from skills.studio.levels import loudness
from skills.studio.tone import Audio
from voice.take import STUDIO_RATE

LOUDNESS = -13.9  # LUFS; coding takes some .1 of it
CEILING = -1.5  # dBTP; coding may add some, -1 is the promise
RELEASE = 80.0  # ms, of the limiter
NEAR = 0.2  # LU from the aim at which the master is left as it is
FADE = 0.5  # seconds at the end


def mastered(mixed: Audio) -> Audio:
    """[2, samples] at 48 kHz, faded at the end: the gain is found, then limited, then checked.

    The limiter takes longer than all else here, so the gain is found with a rough one in its place.
    """
    fade = int(FADE * STUDIO_RATE)
    mixed = mixed.copy()
    mixed[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    gain = LOUDNESS - loudness(mixed)
    for _ in range(3):
        off = LOUDNESS - loudness(_roughly_limited(mixed * _factor(gain)))
        gain += off
        if abs(off) < NEAR / 2:
            break
    for _ in range(3):
        master = limited(mixed * _factor(gain))
        off = LOUDNESS - loudness(master)
        if abs(off) <= NEAR:
            break
        gain += off
    return master


def _factor(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def _roughly_limited(sound: Audio) -> Audio:
    """[2, samples], about as loud as the limiter would leave it: a gain for each millisecond."""
    step = STUDIO_RATE // 1000
    peaks = np.abs(sound).max(axis=0)
    peaks = np.pad(peaks, (0, -len(peaks) % step)).reshape(-1, step).max(axis=1)
    wanted = np.minimum(1.0, 10 ** (CEILING / 20) / np.maximum(peaks, 1e-6))
    ahead = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, (0, 3), mode="edge"), 4).min(axis=1)
    back, gain, gains = 1 - np.exp(-1 / RELEASE), 1.0, np.empty(len(ahead), np.float32)
    for i, most in enumerate(ahead.tolist()):
        gain = min(most, gain + (1 - gain) * back)
        gains[i] = gain
    return sound * gains.repeat(step)[: sound.shape[1]]


def limited(sound: Audio) -> Audio:
    """[2, samples], with peaks about CEILING."""
    limiter = insert(
        "maximizer.truePeakLimiter",
        ceilingDb=CEILING,
        releaseMs=RELEASE,
        lookaheadMs=3,
        oversampleFactor=2,
    )
    return run(scene([strip("mix", inserts=[limiter])], []), [sound])
