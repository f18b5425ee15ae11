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
BLOCK = 1 << 16  # samples that are transformed together
REACH = BLOCK // 4  # samples to either side over which a filter may ring
AT_ONCE = 16 * (BLOCK - 2 * REACH)  # samples
HERTZ = np.fft.rfftfreq(BLOCK, 1 / STUDIO_RATE)
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
    return through(audio, np.interp(HERTZ, CURVE, _curve(tuple(bands)))) if bands else audio


def through(audio: Audio, gain: NDArray[np.float64]) -> Audio:
    """[..., samples] with each frequency of HERTZ multiplied by its gain, in phase with what it was.

    By blocks (overlap-save), which stay in the CPU's cache: one long transform takes ten times as long.
    """
    import torch

    factors = torch.from_numpy(_fading(gain))
    out = np.empty(audio.shape, np.float32)
    taken = torch.zeros(AT_ONCE + 2 * REACH)
    for row, made in zip(audio.reshape(-1, audio.shape[-1]), out.reshape(-1, audio.shape[-1]), strict=True):
        for at in range(0, len(row), AT_ONCE):
            before = max(at - REACH, 0)
            piece = row[before : at + AT_ONCE + REACH]
            taken.zero_()
            taken.numpy()[before - at + REACH :][: len(piece)] = piece
            spectra = torch.fft.rfft(taken.unfold(0, BLOCK, BLOCK - 2 * REACH))
            done = torch.fft.irfft(spectra.mul_(factors))
            here = made[at : at + AT_ONCE]
            here[:] = done[:, REACH:-REACH].reshape(-1).numpy()[: len(here)]
    return out


def _fading(gain: NDArray[np.float64]) -> NDArray[np.float32]:
    """The gain so smoothed that its ringing ends within REACH: a block's middle hears nothing of its edges."""
    ringing = np.roll(np.fft.irfft(gain), BLOCK // 2)
    window = np.pad(np.hanning(2 * REACH + 1)[:-1], BLOCK // 2 - REACH)
    return np.fft.rfft(np.roll(ringing * window, -BLOCK // 2)).real.astype(np.float32)


@cache
def _curve(bands: tuple[Band, ...]) -> NDArray[np.float64]:
    """The bands' gain together, as a factor, at the frequencies of CURVE."""
    return np.asarray(10 ** (sum((band.gain_db(CURVE) for band in bands), np.zeros_like(CURVE)) / 20))


def octaves(audio: Audio) -> dict[int, float]:
    """The share of the power [dB of the total] in each octave from 63 Hz to 8 kHz; audio is [channels, samples]."""
    import torch

    # By power, blocks fade into each other.
    window = torch.sin(torch.pi * (torch.arange(BLOCK) + 0.5) / BLOCK)
    half = BLOCK // 2
    edges = {f: slice(*np.searchsorted(HERTZ, (f / 2**0.5, f * 2**0.5))) for f in OCTAVES}
    total, power = 0.0, dict.fromkeys(OCTAVES, 0.0)
    for samples in audio:
        padded = torch.from_numpy(np.pad(samples, (half, half + -len(samples) % half)))
        for blocks in torch.split(padded.unfold(0, BLOCK, half), 8):
            for spectrum in torch.fft.rfft(blocks * window).numpy():
                total += np.vdot(spectrum, spectrum).real
                for f, inside in edges.items():
                    power[f] += np.vdot(spectrum[inside], spectrum[inside]).real
    return {f: decibels(power[f] / (total or 1.0)) for f in OCTAVES}


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
    kept = through(audio, np.asarray(abs(HERTZ - (low + high) / 2) <= (high - low) / 2, np.float64))
    return powers(kept, STUDIO_RATE // 50)


def powers(audio: Audio, frame: int) -> NDArray[np.float64]:
    """The mean power of [channels, samples], all channels together, for every `frame` samples: [frames]."""
    count = audio.shape[-1] // frame
    framed = audio[:, : count * frame].reshape(len(audio), count, frame)
    return np.asarray(np.vecdot(framed, framed).mean(axis=0) / frame, np.float64)


def decibels(power: float) -> float:
    return float(10 * np.log10(power + 1e-12))
