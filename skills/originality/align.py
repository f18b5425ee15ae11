"""How much of one melody is in another, whatever the key, the rhythm and the ornaments: local alignment, weighed.

The tunes that share most rare groups of moves with the melody are looked up first; only those are aligned.

Two notes match where the melodies go the same way; a match is worth what it tells, in bits: a common move little, a
rare one much (the less likely a move is in old tunes after the move before it). Extra or missing notes and one wrong
note cost, so that a copy with ornaments is still one run. Repeated notes count once. Rhythm is left out of the first
measure, so that it cannot hide a tune, and weighed in the second, which finds shorter quotations.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDE = 12  # semitones; wider moves are alike
EXTRA = 2.2  # bits that a note too many or too few costs
WRONG = 5.0  # bits that a note on another pitch costs
STEPS = 4  # half octaves; greater changes of length are alike
MOST_RHYTHM = 2.5  # bits that the rhythm of one note can be worth at most
OTHER_RHYTHM = 1.5  # bits that another rhythm costs
MOST = 6.0  # bits that one note can be worth at most
GROUP = 4  # moves by which tunes are looked up
LOOKED_AT = 48  # tunes that are aligned
APART = 1000  # a pitch that no melody has: stands between two tunes

Pitches = NDArray[np.int16]


@dataclass(frozen=True)
class Match:
    """`bits` shared; `tune` is the number of the tune; `end` where the shared stretch ends in the melody (notes)."""

    bits: float
    tune: int
    end: int


@dataclass(frozen=True)
class Line:
    """A melody without repetitions: pitches, and how each note's length stands to the one before (half octaves)."""

    pitches: Pitches
    ratios: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.pitches)

    @staticmethod
    def of(melody: Sequence[tuple[int, int]]) -> Line:
        """From (MIDI number, length) in order."""
        pitches, lengths = [], []
        for pitch, same in itertools.groupby(melody, key=lambda note: note[0]):
            pitches.append(pitch)
            lengths.append(sum(length for _, length in same))
        log = np.log2(np.array(lengths or [1], np.float32))
        ratios = np.clip(np.round(2 * np.diff(log, prepend=log[:1])), -STEPS, STEPS)
        return Line(np.array(pitches, np.int16), ratios.astype(np.int8))


@dataclass(frozen=True)
class Worth:
    """What things tell, in bits: `moves` [25, 25] a move after the move before it, `ratios` [2 STEPS + 1] a rhythm."""

    moves: NDArray[np.float32]
    ratios: NDArray[np.float32]

    @staticmethod
    def of(lines: Sequence[Line]) -> Worth:
        counts = np.zeros((2 * WIDE + 1, 2 * WIDE + 1))
        rhythms = np.ones(2 * STEPS + 1)
        for line in lines:
            moves = np.clip(np.diff(line.pitches), -WIDE, WIDE) + WIDE
            np.add.at(counts, (moves[:-1], moves[1:]), 1)
            np.add.at(rhythms, line.ratios + STEPS, 1)
        any_move = counts.sum(0) + 0.5
        blended = counts + 20 * any_move / any_move.sum()  # a rare context falls back on all moves
        told = -np.log2(blended / blended.sum(1, keepdims=True))
        return Worth(told.astype(np.float32), -np.log2(rhythms / rhythms.sum()).astype(np.float32))


class Shelf:
    """Tunes to compare with."""

    def __init__(self, tunes: Sequence[Line], worth: Worth) -> None:
        self.tunes, self.worth = tunes, worth
        wall = np.full(1, APART, np.int16)
        ends = np.cumsum([0, *(len(tune) + 1 for tune in tunes)])
        every = np.concatenate([wall, *(part for tune in tunes for part in (tune.pitches, wall))])
        starts, codes = _groups(every, 0)
        numbers = np.searchsorted(ends, starts, "left") - 1
        pairs = (
            np.unique(np.stack([codes, numbers], axis=1), axis=0)
            if len(codes)
            else np.zeros((0, 2), np.int64)
        )
        self.codes, self.numbers = pairs[:, 0], pairs[:, 1]

    def closest(self, melody: Line, rhythm: bool = False) -> Match:
        """The tune that shares most with a melody, over all twelve keys; with `rhythm`, its rhythm counts too."""
        candidates = self._candidates(melody)
        if not len(candidates):
            return Match(0.0, -1, 0)
        lengths = [1, *(len(self.tunes[number]) + 1 for number in candidates)]
        owner = np.repeat([-1, *candidates], lengths)
        wall, still = np.full(1, APART, np.int16), np.zeros(1, np.int8)
        lines = [self.tunes[number] for number in candidates]
        pitches = np.concatenate([wall, *(part for line in lines for part in (line.pitches, wall))])
        ratios = np.concatenate([still, *(part for line in lines for part in (line.ratios, still))])
        shifted = np.where(pitches == APART, APART, (pitches[None, :] + np.arange(12)[:, None]) % 12)
        beat = self._rhythm_gains(melody, ratios) if rhythm else np.zeros((len(melody), 1), np.float32)
        bits, place, end = _aligned(melody.pitches, shifted, self._worth(melody.pitches), beat)
        return Match(bits, int(owner[place]), end)

    def _rhythm_gains(self, melody: Line, ratios: NDArray[np.int8]) -> NDArray[np.float32]:
        """[notes of the melody, notes of the tunes]: bits where the rhythm is the same, a cost where it is not."""
        told = np.minimum(self.worth.ratios[melody.ratios + STEPS], MOST_RHYTHM)
        gains = np.where(melody.ratios[:, None] == ratios[None, :], told[:, None], -OTHER_RHYTHM)
        return np.asarray(gains, np.float32)

    def _candidates(self, melody: Line) -> NDArray[np.int32]:
        """The tunes that share the rarest groups of moves with the melody, best first."""
        score = np.zeros(len(self.tunes), np.float32)
        wanted = np.unique(np.concatenate([_groups(melody.pitches, out)[1] for out in range(GROUP + 1)]))
        lows, highs = (np.searchsorted(self.codes, wanted, side) for side in ("left", "right"))
        for low, high in zip(lows, highs, strict=True):
            if high > low:
                score[self.numbers[low:high]] += np.log(len(self.tunes) + 1) - np.log(high - low)
        order = np.argsort(-score, kind="stable")[:LOOKED_AT]
        return np.asarray(order[score[order] > 0], np.int32)

    def _worth(self, melody: Pitches) -> NDArray[np.float32]:
        """Bits of each note of the melody, by the move that leads to it."""
        moves = np.clip(np.diff(melody), -WIDE, WIDE) + WIDE
        if not len(moves):
            return np.ones(len(melody), np.float32)
        first = float(self.worth.moves[:, moves[0]].mean())
        told = [first, first, *(self.worth.moves[a, b] for a, b in itertools.pairwise(moves))]
        return np.minimum(np.array(told[: len(melody)], np.float32), MOST)


def _groups(pitches: Pitches, out: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(where they begin, as one number each) of all groups of GROUP moves; groups across a wall are left out.

    `out` from 1 on leaves the note at that place out of every group: so an ornament does not hide a tune.
    """
    size = GROUP + 1 + bool(out)
    if len(pitches) < size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(pitches, size).astype(np.int64)
    kept = np.delete(windows, out, axis=1) if out else windows
    whole = (windows < APART).all(axis=1)
    moves = np.diff(kept[whole], axis=1) + 128
    return np.flatnonzero(whole), moves @ (256 ** np.arange(GROUP, dtype=np.int64))


def _aligned(
    melody: Pitches, tunes: Pitches, worth: NDArray[np.float32], beat: NDArray[np.float32]
) -> tuple[float, int, int]:
    """(bits, place in the tunes, notes of the melody) where the best common stretch ends. tunes: [keys, notes];
    beat: [notes of the melody, notes of the tunes], what the rhythm adds."""
    apart = tunes == APART
    before = np.zeros(tunes.shape, np.float32)
    top, place, end = 0.0, 0, 0
    for i, pitch in enumerate(melody):
        gain = np.where(tunes == pitch % 12, worth[i], -WRONG).astype(np.float32) + beat[i]
        now = before - EXTRA  # the melody has a note more
        now[:, 1:] = np.maximum(now[:, 1:], before[:, :-1] + gain[:, 1:])
        now[:, 2:] = np.maximum(now[:, 2:], before[:, :-2] + gain[:, 2:] - EXTRA)  # the tune has a note more
        now[apart] = 0.0
        np.maximum(now, 0.0, out=now)
        at = int(now.argmax())
        if now.flat[at] > top:
            top, place, end = float(now.flat[at]), at % tunes.shape[1], i + 1
        before = now
    return top, place, end
