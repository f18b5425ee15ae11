"""How much of what was said is found again: evidence recall within a budget of words, on LoCoMo's format.

`bench(data, corrections, words)` reads conversations in the format of snap-research/locomo (and the corrections of
its audit), puts every turn into memory as a channel would have heard it, asks each question, and reports the share
of evidence turns among what is recalled. Speakers and dates are known to memory; captions of photos are not.
The write gate is off here, since every turn counts as evidence; what it would have kept is reported beside.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.embedder import Embedder
from memory.gate import judge
from memory.memory import within
from memory.rank import Question, Shelf, Turn, Weights
from memory.words import bag, bm25, counts, inverse_frequency

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}
TURN_ID = re.compile(r"D(\d+):(\d+)")
RESAMPLES = 2000

# Names of LoCoMo's ten conversations in its order, by which its audit counts.
SAMPLES = tuple(f"conv-{number}" for number in (26, 30, 41, 42, 43, 44, 47, 48, 49, 50))

# What cross-validation may choose from: weights lower and higher than as shipped.
GRID = tuple(
    Weights(meaning=meaning, named=named, spread=spread, second=second)
    for meaning, named, spread, second in itertools.product(
        (1.5, 2.0, 3.0), (0.5, 1.0), (0.2, 0.4), (0.0, 0.15)
    )
)


@dataclass(frozen=True)
class Ask:
    """A question with the ids of the turns that answer it."""

    conversation: int
    category: str
    question: Question
    evidence: frozenset[int]


@dataclass(frozen=True)
class Talk:
    """One conversation, ready to be asked."""

    shelf: Shelf
    asks: Sequence[Ask]


def bench(
    data: Path,
    corrections: Path | None = None,
    words: int = 1000,
    embed: Embedder | None = None,
    cross: bool = False,
) -> dict[str, Any]:
    """Evidence recall in percent at `words` words: as shipped, by BM25 alone, and cross-validated."""
    embed = embed or Embedder(threads=2)
    talks = read_conversations(data, corrections, embed)
    shipped = measure(talks, words, partial(_scores, Weights()))
    plain = measure(talks, words, bm25_windows)
    report: dict[str, Any] = {
        "words": words,
        "conversations": len(talks),
        "turns": sum(len(talk.shelf.turns) for talk in talks),
        "questions": len(shipped),
        "recall": summary(shipped),
        "bm25_windows": summary(plain),
        "gate": gate_on(talks),
    }
    if cross and len(talks) > 1:
        report["cross_validated"] = summary(cross_validate(talks, words))
    return report


def read_conversations(data: Path, corrections: Path | None, embed: Embedder) -> list[Talk]:
    """Conversations and their questions of categories 1-4 that have evidence."""
    table = json.loads(data.read_text("utf-8"))
    fixed = _corrections(corrections)
    talks = []
    for number, conversation in enumerate(table):
        turns, ids = _turns(conversation["conversation"])
        vectors = embed([turn.line for turn in turns])
        rows = [
            (item, evidence)
            for place, item in enumerate(conversation["qa"])
            if item["category"] in CATEGORIES
            and (evidence := _evidence(item, fixed.get(_question_id(conversation, place)), ids))
        ]
        asked = embed([item["question"] for item, _ in rows])
        now = turns[-1].at + timedelta(days=1)
        asks = [
            Ask(number, CATEGORIES[item["category"]], Question(item["question"], vector, "", now), evidence)
            for (item, evidence), vector in zip(rows, asked, strict=True)
        ]
        talks.append(Talk(Shelf(turns, vectors), asks))
    return talks


def measure(
    talks: Sequence[Talk], words: int, score: Callable[[Shelf, Question], NDArray[np.float32]]
) -> list[tuple[Ask, float]]:
    """For every question, the share of its evidence that is recalled within `words` words."""
    found = []
    for talk in talks:
        for ask in talk.asks:
            recalled = {each.id for each in within(talk.shelf.turns, score(talk.shelf, ask.question), words)}
            found.append((ask, len(ask.evidence & recalled) / len(ask.evidence)))
    return found


def bm25_windows(shelf: Shelf, question: Question) -> NDArray[np.float32]:
    """The baseline: BM25 alone, over windows of six turns."""
    terms = list(bag(question.text))
    turns = len(shelf.turns)
    if not terms:
        return np.zeros(turns, np.float32)
    windows = shelf.window(counts(shelf.bags, terms), 2, 3)
    sizes = shelf.window(shelf.lengths[:, None], 2, 3)[:, 0]
    return bm25(windows, sizes, inverse_frequency((windows > 0).sum(0).astype(np.float32), turns))


def cross_validate(talks: Sequence[Talk], words: int) -> list[tuple[Ask, float]]:
    """Weights chosen from GRID on the other conversations, measured on the one left out; each in turn."""
    runs = [measure(talks, words, partial(_scores, weights)) for weights in GRID]
    table = np.array([[share for _, share in run] for run in runs])  # [choices, questions]
    owner = np.array([ask.conversation for ask, _ in runs[0]])
    result = []
    for left_out in sorted(set(owner)):
        best = int(table[:, owner != left_out].mean(1).argmax())
        result += [runs[best][place] for place in np.flatnonzero(owner == left_out)]
    return result


def _scores(weights: Weights, shelf: Shelf, question: Question) -> NDArray[np.float32]:
    return shelf.scores(question, weights)


def gate_on(talks: Sequence[Talk]) -> dict[str, float]:
    """Percent of all turns, and of evidence turns, that the write gate would have kept."""
    kept, kept_evidence, turns, evidence = 0, 0, 0, 0
    for talk in talks:
        proofs = {id for ask in talk.asks for id in ask.evidence}
        for turn, vector in zip(talk.shelf.turns, talk.shelf.vectors, strict=True):
            keeps = judge(turn.text, vector).kept
            kept, turns = kept + keeps, turns + 1
            kept_evidence, evidence = (
                kept_evidence + (keeps and turn.id in proofs),
                evidence + (turn.id in proofs),
            )
    return {"turns_kept": _percent(kept / turns), "evidence_kept": _percent(kept_evidence / max(evidence, 1))}


def summary(found: Sequence[tuple[Ask, float]]) -> dict[str, Any]:
    """Mean over questions in percent: overall with a 95 % interval, by category, and by conversation."""
    shares = np.array([share for _, share in found])
    dice = np.random.default_rng(1)
    means = shares[dice.integers(0, len(shares), (RESAMPLES, len(shares)))].mean(1)
    return {
        "overall": _percent(shares.mean()),
        "interval": [_percent(value) for value in np.percentile(means, [2.5, 97.5])],
        "by_category": _means((ask.category, share) for ask, share in found),
        "by_conversation": list(_means((str(ask.conversation), share) for ask, share in found).values()),
    }


def _turns(conversation: Mapping[str, Any]) -> tuple[list[Turn], dict[str, int]]:
    """All turns in order, and the numbers that their ids ('D3:7') have in memory."""
    sessions = sorted((int(key[8:]), key) for key in conversation if re.fullmatch(r"session_\d+", key))
    turns: list[Turn] = []
    ids: dict[str, int] = {}
    for _, key in sessions:
        at = datetime.strptime(conversation[f"{key}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for said in conversation[key]:
            ids[_plain(said["dia_id"])] = len(turns)
            speaker = said["speaker"]
            turns.append(Turn(len(turns), 1, speaker, "turn", speaker, said["text"], at, len(turns)))
    return turns, ids


def _evidence(
    item: Mapping[str, Any], corrected: Sequence[str] | None, ids: Mapping[str, int]
) -> frozenset[int]:
    cited = corrected if corrected is not None else item.get("evidence") or []
    names = (_plain(name[0]) for each in cited for name in TURN_ID.finditer(each))
    return frozenset(ids[name] for name in names if name in ids)


def _plain(name: str) -> str:
    """'D01:07' and 'D1:7' are the same turn."""
    found = TURN_ID.search(name)
    return f"D{int(found[1])}:{int(found[2])}" if found else name


def _question_id(conversation: Mapping[str, Any], place: int) -> str:
    """The audit's name of a question."""
    name = conversation.get("sample_id")
    return f"locomo_{SAMPLES.index(name)}_qa{place}" if name in SAMPLES else ""


def _corrections(path: Path | None) -> dict[str, list[str]]:
    if path is None:
        return {}
    return {item["question_id"]: item["correct_evidence"] for item in json.loads(path.read_text("utf-8"))}


def _means(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for name, share in pairs:
        groups[name].append(share)
    return {name: _percent(np.mean(groups[name])) for name in sorted(groups)}


def _percent(share: float | np.floating[Any]) -> float:
    return round(100 * float(share), 1)
