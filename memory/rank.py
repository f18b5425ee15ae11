"""Which remembered turns answer a text: several views of each turn are scored, and the scores added.

A bare turn means little ("Yes, last week!"), so every view is of the turn with something around it: who said
it and when, the turn before, its neighbours, the six turns around it. Words (BM25) find names and things,
vectors find meaning; scores are added, each scaled by its best, since ranks forget how sure each view is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from memory.words import bag, bm25, counts

PAUSE_SECONDS = 4 * 3600  # a longer silence ends a conversation: no window reaches across it


@dataclass(frozen=True)
class Turn:
    """One remembered utterance. `drawer` numbers the place where it was said."""

    id: int
    drawer: int
    fan: str
    kind: str
    speaker: str
    text: str
    at: datetime

    @property
    def line(self) -> str:
        """The turn as it is embedded: never bare, always with speaker and date."""
        return f"{self.speaker} ({self.at:%d %B %Y}): {self.text}"


@dataclass(frozen=True)
class Weights:
    """How much each view counts."""

    around: float = 0.7  # BM25 of the turn with two before and three after
    beside: float = 0.7  # BM25 of the turn with its neighbours
    before: float = 0.5  # BM25 of the turn with the one before
    alone: float = 0.5  # BM25 of the turn with speaker and date
    meaning: float = 1.0  # cosine of the turn with speaker and date
    mood: float = 0.5  # cosine of the mean of the turns around it
    spread: float = 0.85  # a turn has at least this share of its best neighbour's score


class Shelf:
    """The turns of the visible drawers, in order, ready to be scored."""

    def __init__(self, turns: Sequence[Turn], vectors: NDArray[np.float32]) -> None:
        """`turns` in order within each drawer; vectors: unit, float32 [turns, 384]."""
        if len(vectors) != len(turns):
            raise ValueError(f"{len(turns)} turns with {len(vectors)} vectors")
        self.turns = list(turns)
        self.vectors = vectors
        self._bags: list[Counter[str]] = [bag(turn.line) for turn in turns]
        self._lengths = np.array([sum(bag.values()) for bag in self._bags], np.float32)
        self._talk = _talks(self.turns)

    def scores(self, text: str, vector: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
        """How well each turn answers the text, float32 [turns]."""
        if not self.turns:
            return np.zeros(0, np.float32)
        query = bag(text)
        terms = list(query)
        tf = counts(self._bags, terms)
        each = np.sqrt(np.array([query[term] for term in terms], np.float32))
        total = np.zeros(len(self.turns), np.float32)
        for weight, back, ahead in (
            (weights.alone, 0, 0),
            (weights.before, 1, 0),
            (weights.beside, 1, 1),
            (weights.around, 2, 3),
        ):
            words = bm25(
                self._sum(tf, back, ahead), self._sum(self._lengths[:, None], back, ahead)[:, 0], each
            )
            total += weight * _scaled(words)
        total += weights.meaning * _scaled(self.vectors @ vector)
        mood = self._sum(self.vectors, 2, 3)
        mood /= np.maximum(np.linalg.norm(mood, axis=1, keepdims=True), 1e-9)
        total += weights.mood * _scaled(mood @ vector)
        spread: NDArray[np.float32] = np.maximum(total, weights.spread * self._neighbours(total))
        return spread

    def _sum(self, rows: NDArray[np.float32], back: int, ahead: int) -> NDArray[np.float32]:
        """Each row plus those up to `back` before and `ahead` after it in the same talk."""
        result = rows.copy()
        for step in (*range(-back, 0), *range(1, ahead + 1)):
            here, there = _overlap(step)
            same = self._talk[here] == self._talk[there]
            result[here] += rows[there] * same[:, None]
        return result

    def _neighbours(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The better of each turn's two neighbours' scores."""
        best = np.zeros_like(scores)
        for step in (-1, 1):
            here, there = _overlap(step)
            same = self._talk[here] == self._talk[there]
            best[here] = np.maximum(best[here], scores[there] * same)
        return best


def _overlap(step: int) -> tuple[slice, slice]:
    """Slices that lay a sequence over itself, shifted by `step`: each element, and the one `step` further."""
    return (slice(-step, None), slice(None, step)) if step < 0 else (slice(None, -step), slice(step, None))


def _talks(turns: Sequence[Turn]) -> NDArray[np.int64]:
    """A number for each turn's conversation: another drawer or a long silence begins a new one."""
    talk, numbers = 0, []
    for place, turn in enumerate(turns):
        if place:
            last = turns[place - 1]
            gap = abs((turn.at - last.at).total_seconds())
            talk += turn.drawer != last.drawer or gap > PAUSE_SECONDS
        numbers.append(talk)
    return np.array(numbers, np.int64)


def _scaled(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    best = float(scores.max())
    scaled: NDArray[np.float32] = np.maximum(scores, 0) * np.float32(1 / max(best, 1e-9))
    return scaled
