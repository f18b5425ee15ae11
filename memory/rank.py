"""Which remembered turns answer a text: several views of each turn are scored, and the scores added.

A bare turn means little ("Yes, last week!"), so every view is of the turn with something around it: who said
it and when, the turn before, its neighbours, the six turns around it. Words (BM25) find names and things,
vectors find meaning. Scores are added rather than ranks, since ranks forget how sure each view is; and words are
measured against the best match possible, not the best one found, so that a question that shares no word with
its answer is left to the vectors.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from memory.dates import read_span
from memory.words import bag, bm25, counts, inverse_frequency

LASTING = frozenset(
    ("fact", "promise", "song", "lore")
)  # kinds that stand alone, whatever was said around them
GAP = 8  # places; facts lie between turns, but further apart than this is another part of a big drawer
RECENT_DAYS = 30
PAUSE_SECONDS = 4 * 3600  # a longer silence ends a conversation: no window reaches across it
FIRST_PERSON = re.compile(r"\b(i|me|my|mine|myself|i['’](m|ve|d|ll))\b", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """One remembered utterance. `drawer` numbers the place where it was said, `seq` its position there."""

    id: int
    drawer: int
    fan: str
    kind: str
    speaker: str
    text: str
    at: datetime
    seq: int = 0
    heard: str = ""  # the question that it answers, when it means little without
    source: int = 0  # the turn that a fact was drawn from
    past: bool = False  # what it told has been replaced by something newer

    @property
    def line(self) -> str:
        """The turn as it is embedded: never bare, always with speaker and date."""
        heard = f"(asked: {self.heard}) " if self.heard else ""
        return f"{self.speaker} ({self.at:%d %B %Y}): {heard}{self.text}"


@dataclass(frozen=True)
class Question:
    """What is to be answered from memory. vector: unit, float32 [384], of the text."""

    text: str
    vector: NDArray[np.float32]
    asker: str = ""  # whom 'I' and 'my' mean, by the name under which they speak
    now: datetime | None = None  # what 'last winter' counts from; None: times are not read


@dataclass(frozen=True)
class Weights:
    """How much each view counts; round numbers, see docs/memory.md for what each is worth."""

    alone: float = 0.5  # BM25 of the turn with speaker and date
    before: float = 0.5  # BM25 of the turn with the one before
    beside: float = 0.7  # BM25 of the turn with its neighbours
    around: float = 0.7  # BM25 of the turn with two before and three after
    meaning: float = 2.0  # cosine of the turn with speaker and date
    mood: float = 0.5  # cosine of the mean of the turns around it
    spread: float = 0.4  # a turn has at least this share of its best neighbour's score
    named: float = 1.0  # said by whom the question names
    asks: float = 0.1  # taken from a turn that only asks
    then: float = 0.5  # said in the time that the question speaks of
    lasting: float = 0.15  # a fact, a promise or a song rather than small talk
    recent: float = 0.05  # said just now; half of it after RECENT_DAYS
    past: float = 0.5  # taken from what was replaced since: "I live in Leeds", before "we moved to York"
    doubt: float = 5.0  # added to the best possible word score: one matching common word proves little
    second: float = 0.15  # weight of the words that the best turns bring to the second look
    seconds_from: int = 8  # how many turns those are
    seconds: int = 15  # how many words they bring


class Shelf:
    """The turns of the visible drawers, in order, ready to be scored."""

    def __init__(
        self,
        turns: Sequence[Turn],
        vectors: NDArray[np.float32],
        frequencies: Mapping[str, int] | None = None,
    ) -> None:
        """`turns` in order within each drawer; vectors: unit, float32 [turns, 384].

        `frequencies` says in how many turns a stem stands, where these turns are a choice out of `''` many.
        """
        if len(vectors) != len(turns):
            raise ValueError(f"{len(turns)} turns with {len(vectors)} vectors")
        self.turns = list(turns)
        self.vectors = vectors
        self.bags: list[Mapping[str, int]] = [bag(turn.line) for turn in turns]
        self.lengths = np.array([sum(bag.values()) for bag in self.bags], np.float32)
        self._frequencies = frequencies
        self._talk = _talks(self.turns)
        self._mood: NDArray[np.float32] | None = None

    def scores(self, question: Question, weights: Weights) -> NDArray[np.float32]:
        """How well each turn answers the question, float32 [turns]; comparable within one shelf."""
        if not self.turns:
            return np.zeros(0, np.float32)
        speakers = {turn.speaker for turn in self.turns}
        query = dict(bag(question.text))
        for name in speakers:  # who speaks is a view of its own; as a word it would find who is spoken to
            for part in bag(name):
                query.pop(part, None)
        terms = {term: math.sqrt(count) for term, count in query.items()}
        given = self._meaning(question.vector, weights) + self._circumstances(question, speakers, weights)
        first = self._spread(self._words(terms, weights) + given, weights)
        more = self._second_words(first, terms, weights)
        if not more:
            return first
        return self._spread(self._words(terms | more, weights) + given, weights)

    def _words(self, terms: Mapping[str, float], weights: Weights) -> NDArray[np.float32]:
        """BM25 of all views, as a share of what a turn with every word would have."""
        total = np.zeros(len(self.turns), np.float32)
        if not terms:
            return total
        tf = counts(self.bags, list(terms))
        each = np.array(list(terms.values()), np.float32)
        found: NDArray[np.float32] = (tf > 0).sum(0).astype(np.float32)
        documents = len(tf)
        if self._frequencies is not None:
            documents = self._frequencies[""]
            more = documents / len(tf)
            known = [
                self._frequencies.get(term, count * more) for term, count in zip(terms, found, strict=True)
            ]
            found = np.array(known, np.float32)
        each *= inverse_frequency(found, documents)
        for weight, back, ahead in (
            (weights.alone, 0, 0),
            (weights.before, 1, 0),
            (weights.beside, 1, 1),
            (weights.around, 2, 3),
        ):
            lengths = self.window(self.lengths[:, None], back, ahead)[:, 0]
            total += np.float32(weight) * bm25(self.window(tf, back, ahead), lengths, each)
        share: NDArray[np.float32] = total * np.float32(1 / (float(each.sum()) + weights.doubt))
        return share

    def _meaning(self, vector: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
        if self._mood is None:
            mood = self.window(self.vectors, 2, 3)
            self._mood = mood / np.maximum(np.linalg.norm(mood, axis=1, keepdims=True), np.float32(1e-9))
        alone, around = np.maximum(self.vectors @ vector, 0), np.maximum(self._mood @ vector, 0)
        both: NDArray[np.float32] = np.float32(weights.meaning) * alone + np.float32(weights.mood) * around
        return both

    def _circumstances(self, question: Question, speakers: set[str], weights: Weights) -> NDArray[np.float32]:
        """What speaks for each turn besides its words: who said it, when, and what kind of thing it is."""
        there = [name for name in speakers if name and name in question.text]
        named = {name for name in there if re.search(rf"\b{re.escape(name)}\b", question.text)}
        if FIRST_PERSON.search(question.text):
            named.add(question.asker)
        span = read_span(question.text, question.now) if question.now else None
        scores = []
        for turn in self.turns:
            score = weights.named * (turn.speaker in named)
            score -= weights.asks * turn.text.rstrip().endswith("?")
            score += weights.lasting * (turn.kind in LASTING)
            score -= weights.past * turn.past
            if span:
                score += weights.then * (turn.at in span)
            if question.now:
                days = max((question.now - turn.at).total_seconds(), 0) / 86400
                score += weights.recent * 0.5 ** (days / RECENT_DAYS)
            scores.append(score)
        return np.array(scores, np.float32)

    def _second_words(
        self, scores: NDArray[np.float32], terms: Mapping[str, float], weights: Weights
    ) -> dict[str, float]:
        """Words that the best turns bring along: names and things by which a second memory may be found."""
        worth: Counter[str] = Counter()
        for place in np.argsort(-scores, kind="stable")[: weights.seconds_from]:
            worth.update(self.bags[place].keys() - terms.keys())
        if not worth:
            return {}
        found: Counter[str] = Counter()
        for each in self.bags:
            found.update(each.keys() & worth.keys())
        value = {word: worth[word] * math.log(len(self.turns) / found[word]) for word in worth}
        best = sorted(value, key=lambda word: (-value[word], word))[: weights.seconds]
        top = max(value[best[0]], 1e-9)
        return {word: weights.second * value[word] / top for word in best}

    def _spread(self, scores: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
        spread: NDArray[np.float32] = np.maximum(
            scores, np.float32(weights.spread) * self._neighbours(scores)
        )
        return spread

    def window(self, rows: NDArray[np.float32], back: int, ahead: int) -> NDArray[np.float32]:
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
    """A number for each turn's conversation: another drawer, a gap or a long silence begins a new one."""
    talk, numbers = 0, []
    for place, turn in enumerate(turns):
        if place:
            last = turns[place - 1]
            silence = abs((turn.at - last.at).total_seconds()) > PAUSE_SECONDS
            apart = turn.drawer != last.drawer or turn.seq > last.seq + GAP
            talk += silence or apart or (turn.kind in LASTING) or (last.kind in LASTING)
        numbers.append(talk)
    return np.array(numbers, np.int64)
