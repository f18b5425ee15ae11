"""Levels: loudness, peaks, and when the voice sings."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from skills.studio.tone import HERTZ, Audio, band_power, decibels, powers, through
from voice.take import STUDIO_RATE

PRESENCE = (300.0, 4000.0)  # Hz between which the voice must stand above the band
K_OFFSET = -0.691  # LU, of BS.1770: a sine of 1 kHz at full scale on one side is -3.01 LUFS
SILENT = -70.0  # LUFS below which nothing is counted
SINGING = 0.06  # of the voice's loud frames' power: from here on it sings


def at_level(audio: Audio, lufs: float) -> Audio:
    """[channels, samples] at that loudness; a sound too short or soft to be measured is set by its peak."""
    now = loudness(audio)
    if now < -69:
        peak = float(np.abs(audio).max())
        return audio * np.float32(0.2 / peak) if peak > 0 else audio
    return audio * np.float32(10 ** ((lufs - now) / 20))


def loudness(audio: Audio) -> float:
    """Integrated LUFS (ITU-R BS.1770-4) of [2, samples] at 48 kHz; [1, samples] counts as the same on both sides."""
    tenths = powers(through(audio, k_weighting()), STUDIO_RATE // 10) * 2
    if len(tenths) < 4:
        return SILENT
    blocks = np.lib.stride_tricks.sliding_window_view(tenths, 4).mean(axis=1)
    heard = blocks[blocks > 10 ** ((SILENT - K_OFFSET) / 10)]
    if not len(heard):
        return SILENT
    gated = heard[heard > heard.mean() / 10]
    return K_OFFSET + decibels(float(gated.mean()))


@cache
def k_weighting() -> NDArray[np.float64]:
    """The gain at HERTZ of BS.1770-4's two filters at 48 kHz: the head's shelf, and a high-pass."""
    z = np.exp(-2j * np.pi * HERTZ / STUDIO_RATE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high), np.float64)


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
