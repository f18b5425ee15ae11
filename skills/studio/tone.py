"""Tone: zero-phase equalising of whole stems, and levels in bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from voice.take import STUDIO_RATE

Audio = NDArray[np.float32]
CURVE = np.concatenate([[0.0], np.geomspace(5, STUDIO_RATE / 2, 1200)])  # Hz at which gains are worked out
OCTAVES = (63, 125, 250, 500, 1000, 2000, 4000, 8000)  # Hz


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Band:
    """`kind`: 'highpass' and 'lowpass' (12 dB an octave), 'bell' (`octaves` wide), 'low' and 'high' shelf."""

    kind: Literal["highpass", "lowpass", "bell", "low", "high"]
    hz: float
    db: float = 0.0
    octaves: float = 1.0

    def gain_db(self, hz: NDArray[np.float64]) -> NDArray[np.float64]:
        away = np.log2(np.maximum(hz, 1.0) / self.hz)
        side = -1.0 if self.kind in ("highpass", "low") else 1.0
        if self.kind in ("highpass", "lowpass"):
            gain = -10 * np.log10(1 + 2.0 ** np.minimum(4 * side * away, 60))
        elif self.kind == "bell":
            gain = self.db * np.exp(-((away / self.octaves) ** 2) * 2)
        else:
            gain = self.db / (1 + np.exp(-side * 3 * away))
        return np.asarray(gain, np.float64)


@dataclass(frozen=True)
class Desk:
    """How each instrument is equalised, and how much of it goes to the room (dB against the style's).

    `targets`: for the voice and the whole mix, the share of each octave [dB of the total] that they are led to.
    `drive`: how far an instrument that the model plays too purely is driven.
    """

    bands: dict[str, tuple[Band, ...]]
    room: dict[str, float]
    drive: dict[str, float]
    targets: dict[str, dict[int, float]]


@cache
def desk() -> Desk:
    raw = yaml.safe_load((Path(__file__).parent / "desk.yaml").read_text(encoding="utf-8"))
    bands = TypeAdapter(dict[str, tuple[Band, ...]]).validate_python(raw["bands"])
    return Desk(bands, raw["room"], raw["drive"], raw["targets"])


def equalised(audio: Audio, bands: Sequence[Band]) -> Audio:
    """`audio` ([samples] or [channels, samples], 48 kHz) through the bands, in phase with what it was."""
    if not bands:
        return audio
    length = audio.shape[-1]
    size = _fast_size(length + STUDIO_RATE // 4)  # room for the ringing, so that it does not wrap around
    gain = np.interp(np.fft.rfftfreq(size, 1 / STUDIO_RATE), CURVE, _curve(tuple(bands)))
    return _sound(_spectrum(audio, size) * gain.astype(np.float32), size, length)


def _spectrum(audio: Audio, size: int) -> NDArray[np.complex64]:
    """[..., samples] -> [..., size // 2 + 1]. Torch's transform takes a third of the time of numpy's."""
    import torch

    return np.asarray(torch.fft.rfft(torch.from_numpy(np.ascontiguousarray(audio)), size))


def _sound(spectrum: NDArray[np.complex64], size: int, length: int) -> Audio:
    """[..., size // 2 + 1] -> [..., length]"""
    import torch

    sound: Audio = torch.fft.irfft(torch.from_numpy(spectrum), size)[..., :length].contiguous().numpy()
    return sound


@cache
def _curve(bands: tuple[Band, ...]) -> NDArray[np.float64]:
    """The bands' gain together, as a factor, at the frequencies of CURVE."""
    return np.asarray(10 ** (sum((band.gain_db(CURVE) for band in bands), np.zeros_like(CURVE)) / 20))


def octaves(audio: Audio) -> dict[int, float]:
    """The share of the power [dB of the total] in each octave from 63 Hz to 8 kHz; audio is [channels, samples]."""
    size = _fast_size(audio.shape[-1])
    power = (np.abs(_spectrum(audio, size)) ** 2).sum(axis=0)
    hz = np.fft.rfftfreq(size, 1 / STUDIO_RATE)
    total = float(power.sum()) or 1.0
    return {f: decibels(float(power[(hz >= f / 2**0.5) & (hz < f * 2**0.5)].sum()) / total) for f in OCTAVES}


def led_to(audio: Audio, target: dict[int, float], most: float, share: float = 1.0) -> Audio:
    """`audio` ([channels, samples]) with its octaves led to `target`: a `share` of the way, `most` dB at most."""
    now = octaves(audio)
    moves = {f: share * (target[f] - now[f]) for f in target}
    middle = float(np.median(list(moves.values())))
    bands = [
        Band("bell", f, float(np.clip(move - middle, -most, most)), 1.0)
        for f, move in moves.items()
        if f not in (min(target), max(target))
    ]
    low, high = min(target), max(target)
    bands.append(Band("low", low * 1.2, float(np.clip(moves[low] - middle, -most, most))))
    bands.append(Band("high", high / 1.2, float(np.clip(moves[high] - middle, -most, most))))
    return equalised(audio, bands)


def driven(audio: Audio, drive: float) -> Audio:
    """Soft saturation: upper partials for an instrument that sounds too pure. `drive` 0 leaves it alone."""
    peak = float(np.abs(audio).max())
    if drive <= 0 or peak == 0:
        return audio
    return np.asarray(np.tanh(audio / peak * (1 + drive)) * peak / (1 + drive), np.float32)


def band_power(audio: Audio, low: float, high: float) -> NDArray[np.float64]:
    """Power of [channels, samples] between two frequencies, for every 20 ms: [frames]."""
    frame = STUDIO_RATE // 50
    count = audio.shape[-1] // frame
    size = _fast_size(audio.shape[-1])
    hz = np.fft.rfftfreq(size, 1 / STUDIO_RATE)
    inside = ((hz >= low) & (hz <= high)).astype(np.float32)
    kept = _sound(_spectrum(audio, size) * inside, size, count * frame)
    power: NDArray[np.float64] = (kept.reshape(audio.shape[0], count, frame) ** 2).mean(axis=(0, 2))
    return power


def decibels(power: float) -> float:
    return float(10 * np.log10(power + 1e-12))


def _fast_size(length: int) -> int:
    """The next length that the FFT is quick with: a power of two, or three quarters of one."""
    size = 1 << (length - 1).bit_length()
    return size * 3 // 4 if size * 3 // 4 >= length else size
