"""The watermark: a keyed pattern of small changes of level, spread over time and pitch, that says which song it is.

The spectrum from LOW to HIGH is laid out in cells: GROUP bins by CELL frames (140 Hz by 11 ms). Each cell is made a
little louder or softer, as a keyed pattern of signs says. A quarter of the cells are the pilot, whose signs are always
the same: it tells that there is a mark, and where its pattern begins. The others carry the message, some thirty cells
a coded bit. The pattern comes round every PERIOD cells (2 s), so a reader folds what it hears on top of itself and
needs neither the beginning nor the original.

The score of a reading is a sum of what was heard, times the pilot's random signs, over its own norm. By Hoeffding's
inequality it exceeds t in a sound without a mark with a probability of at most exp(-t^2 / 2) for each beginning that is
tried, whatever the sound is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skills.provenance.payload import CODED, Payload, decode, encode

RATE = 48_000  # Hz
WINDOW, HOP = 1024, 256  # samples
CELL = 2  # frames
PERIOD = 188  # cells: 2.005 s
GROUP = 3  # bins
LOW, HIGH = 500.0, 8000.0  # Hz
PILOT = 0.25  # share of the cells
STRENGTH, FULL = 1.1, 1500.0  # dB up or down, from FULL Hz on; proportionally less below, where the energy is
QUIET = 26.5  # dB by which the difference stays below the sound, at least
ASIDE, ACROSS = 2, 5  # cells to each side, in time and in pitch, that a cell is compared with
LOUDEST = 4.0  # dB that one cell can say at most
SURE = 6.5  # a score that says by itself: there is a mark
LIKELY = 4.5  # a score that says so together with a message whose checksum holds
WHOLE = 180  # seconds that are read as one piece
STRETCH, STEP = 20, 10  # seconds read at a time, for files in which a clip is a part
AT_ONCE = 4096  # frames that are marked at a time: 22 s
SHARED_KEY = b"troubadour watermark 1"  # published: anybody may read a mark

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Pattern:
    """signs: [PERIOD, groups] of -1 and 1. bit: [PERIOD, groups], which coded bit a cell carries, -1: the pilot.

    first, last: the bins that the groups cover. weight: [groups], 0..1, of STRENGTH.
    """

    signs: Audio
    bit: NDArray[np.int64]
    first: int
    last: int
    weight: Audio


@dataclass(frozen=True)
class Reading:
    """`start`: second of the file. `payload`: None where a mark is there but its message could not be read."""

    score: float
    payload: Payload | None
    start: float = 0.0

    @property
    def found(self) -> bool:
        return self.score >= (SURE if self.payload is None else LIKELY)


@lru_cache(maxsize=4)
def pattern(key: bytes = SHARED_KEY) -> Pattern:
    first = round(LOW * WINDOW / RATE)
    groups = math.ceil((HIGH * WINDOW / RATE - first) / GROUP)
    random = np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key).digest()[:16], "big")))
    signs = random.choice(np.array([-1, 1], dtype=np.float32), (PERIOD, groups))
    order = random.permutation(signs.size)
    pilots = round(PILOT * len(order))
    bit = np.full(len(order), -1)
    bit[order[pilots:]] = np.arange(len(order) - pilots) % CODED
    middle = (first + GROUP * (np.arange(groups) + 0.5)) * RATE / WINDOW
    weight = np.minimum(1.0, middle / FULL).astype(np.float32)
    return Pattern(signs, bit.reshape(signs.shape), first, first + GROUP * groups, weight)


def mark(audio: Audio, payload: Payload, key: bytes = SHARED_KEY) -> Audio:
    """[channels, samples] at RATE -> the same sound with the mark in it."""
    layout = pattern(key)
    coded = np.where(layout.bit < 0, 1, 2 * encode(payload)[layout.bit] - 1)
    decibels = np.repeat(coded * layout.signs * layout.weight, GROUP, axis=1) * STRENGTH
    gains = (10 ** (decibels / 20) - 1).astype(np.float32)  # [PERIOD, bins]
    frames = 1 + audio.shape[1] // HOP
    gains = gains[np.arange(frames) // CELL % PERIOD]
    with ThreadPoolExecutor(2) as sides:
        change = np.stack(list(sides.map(lambda samples: _change(samples, layout, gains), audio)))
    allowed = float(np.square(audio, dtype=np.float64).sum()) * 10 ** (-QUIET / 10)
    loud = float(np.square(change, dtype=np.float64).sum())
    return audio + change * np.float32(min(1.0, math.sqrt(allowed / loud)) if loud else 0.0)


def _change(samples: Audio, layout: Pattern, gains: Audio) -> Audio:
    """What the mark adds to one channel, some seconds at a time. gains: [frames, bins]"""
    windows, band = _windows(samples), slice(layout.first, layout.last)
    total = np.zeros((len(gains) + WINDOW // HOP - 1, HOP), dtype=np.float32)
    for begin in range(0, len(gains), AT_ONCE):
        here = slice(begin, begin + AT_ONCE)
        spectrum = np.zeros((len(gains[here]), WINDOW // 2 + 1), dtype=np.complex64)
        spectrum[:, band] = _spectra(windows[here])[:, band] * gains[here]
        pieces = (np.fft.irfft(spectrum, WINDOW, axis=1) * _window()).reshape(len(spectrum), -1, HOP)
        for part in range(pieces.shape[1]):
            total[begin + part : begin + part + len(pieces)] += pieces[:, part]
    total /= np.square(_window()).reshape(-1, HOP).sum(axis=0)
    whole = np.pad(total.ravel(), (0, WINDOW))
    return whole[WINDOW // 2 : WINDOW // 2 + len(samples)]


def read(audio: Audio, key: bytes = SHARED_KEY) -> Reading:
    """[samples] at RATE, of one channel: the best reading, taking all of it for one piece."""
    return recognise(listen(audio), key)


def listen(audio: Audio) -> Audio:
    """[samples] -> [CELL, PERIOD, groups]: what every cell says, whatever the key."""
    layout = pattern()
    return _folded(_told(audio, layout) * layout.weight)


def recognise(heard: Audio, key: bytes = SHARED_KEY) -> Reading:
    layout = pattern(key)
    pilot = np.where(layout.bit < 0, layout.signs, 0)
    score, phase, turn = max(_beginning(cells, pilot, phase) for phase, cells in enumerate(heard))
    aligned = (np.roll(heard[phase], -turn, axis=0) * layout.signs).ravel()
    carries = layout.bit.ravel() >= 0
    soft = np.bincount(layout.bit.ravel()[carries], aligned[carries], minlength=CODED).astype(np.float64)
    return Reading(score, decode(soft) if score >= LIKELY else None)


def read_all(audio: Audio, key: bytes = SHARED_KEY) -> tuple[Reading, list[Reading]]:
    """The best reading, and the best of every message found, in a file of any length ([samples] at RATE).

    Read whole, and in stretches: a clip may be a part of a longer recording, and a recording may hold several.
    """
    readings = [
        read(audio[: WHOLE * RATE], key),
        *(read_stretch(audio, start, key) for start in _starts(len(audio))),
    ]
    found: dict[Payload | None, Reading] = {}
    for reading in readings:
        if reading.found and (reading.payload not in found or reading.score > found[reading.payload].score):
            found[reading.payload] = reading
    if len(found) > 1:
        found.pop(None, None)
    return max(readings, key=lambda one: one.score), sorted(found.values(), key=lambda one: one.start)


def read_stretch(audio: Audio, start: int, key: bytes = SHARED_KEY) -> Reading:
    reading = read(audio[start * RATE : (start + STRETCH) * RATE], key)
    return Reading(reading.score, reading.payload, float(start))


def _starts(samples: int) -> Iterator[int]:
    if samples > STRETCH * RATE * 1.5:
        yield from range(0, samples // RATE - STRETCH // 2, STEP)


def _told(audio: Audio, layout: Pattern) -> Audio:
    """How far each cell stands above its surroundings [dB], a row for every frame at which a cell may begin."""
    power = np.square(np.abs(_spectrum(audio)[:, layout.first : layout.last]))
    grouped = power.reshape(len(power), -1, GROUP).sum(axis=2)
    silence = max(float(grouped.mean()) * 1e-7, 1e-12)
    told = 10 * np.log10(grouped + np.float32(silence))
    cells = sum(told[k : len(told) - CELL + 1 + k] for k in range(CELL)) / np.float32(CELL)
    rest = cells - _around(cells, ASIDE, CELL)
    rest = (rest.T - _around(rest.T, ACROSS, 1)).T
    clipped: Audio = np.clip(rest, -LOUDEST, LOUDEST)
    return clipped


def _around(rows: Audio, many: int, step: int) -> Audio:
    """The mean of `many` rows before each and as many after it, `step` apart; edges repeat."""
    reach = many * step
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="edge")
    total = np.zeros_like(rows)
    for k in range(-many, many + 1):
        if k:
            total += padded[reach + k * step : reach + k * step + len(rows)]
    return total / np.float32(2 * many)


def _folded(cells: Audio) -> Audio:
    """[frames, groups] -> [CELL, PERIOD, groups]: all periods on top of one another, by phase within a cell."""
    turn = CELL * PERIOD
    whole = np.pad(cells, ((0, -len(cells) % turn), (0, 0)))
    phases: Audio = whole.reshape(-1, PERIOD, CELL, cells.shape[1]).sum(axis=0).transpose(1, 0, 2)
    return phases


def _beginning(cells: Audio, pilot: Audio, phase: int) -> tuple[float, int, int]:
    """The pilot's best score, its phase, and the cell where the pattern begins: correlation in a circle."""
    signs, places = np.conj(np.fft.rfft(pilot, axis=0)), np.conj(np.fft.rfft(np.abs(pilot), axis=0))
    sums = np.fft.irfft((np.fft.rfft(cells, axis=0) * signs).sum(axis=1), PERIOD)
    norms = np.fft.irfft((np.fft.rfft(np.square(cells), axis=0) * places).sum(axis=1), PERIOD)
    scores = sums / np.sqrt(np.maximum(norms, 1e-6))
    best = int(scores.argmax())
    return float(scores[best]), phase, best


def _spectrum(samples: Audio) -> NDArray[np.complex64]:
    """[samples] -> [frames, bins], windows of WINDOW every HOP, the first one centred on the first sample."""
    return _spectra(_windows(samples))


def _windows(samples: Audio) -> Audio:
    """[samples] -> [frames, WINDOW], a view."""
    padded = np.pad(samples.astype(np.float32), (WINDOW // 2, WINDOW // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]


def _spectra(windows: Audio) -> NDArray[np.complex64]:
    return np.fft.rfft(windows * _window(), axis=1).astype(np.complex64, copy=False)


@lru_cache(maxsize=1)
def _window() -> Audio:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)
