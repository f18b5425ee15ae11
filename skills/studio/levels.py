"""Levels: loudness, peaks, and when the voice sings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skills.studio.tone import Audio, band_power
from voice.take import STUDIO_RATE

PRESENCE = (300.0, 4000.0)  # Hz between which the voice must stand above the band
BOTH_SIDES = 10 * math.log10(2)  # LU by which a sound on both sides is louder than on one
SINGING = 0.06  # of the voice's loud frames' power: from here on it sings


def at_level(audio: Audio, lufs: float) -> Audio:
    """[channels, samples] at that loudness; a sound too short or soft to be measured is set by its peak."""
    now = loudness(audio)
    if now < -69:
        peak = float(np.abs(audio).max())
        return audio * np.float32(0.2 / peak) if peak > 0 else audio
    return audio * np.float32(10 ** ((lufs - now) / 20))


def loudness(audio: Audio) -> float:
    """Integrated LUFS of [2, samples] at 48 kHz; [1, samples] counts as the same on both sides."""
    import libsonare

    interleaved, channels = np.ascontiguousarray(audio.T).ravel(), len(audio)
    found = libsonare.lufs_interleaved(interleaved, channels, STUDIO_RATE).integrated_lufs
    return float(found) + (BOTH_SIDES if channels == 1 else 0.0)


def true_peak(audio: Audio) -> float:
    import libsonare

    return max(
        float(libsonare.metering_true_peak_db(np.ascontiguousarray(side), STUDIO_RATE, 4)) for side in audio
    )


def singing(voice: Audio) -> NDArray[np.bool_]:
    """Where the voice sings, for every 20 ms."""
    power = band_power(voice[None], *PRESENCE)
    loud = float(np.percentile(power[power > 0], 90)) if (power > 0).any() else 0.0
    return power > SINGING * loud
