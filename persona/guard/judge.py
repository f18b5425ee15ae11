"""Judge: whether a text asks for what the artist will not do. Clear rules first, then meaning; offline, in every mode.

It learns at load from cast/judge.yaml: what is declined and, beside it, what is near and welcome; the harmless messages
of the router are welcome too. The bars were set by leave-one-out (`troubadour bench guard`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from persona.card import CAST
from persona.guard import rules
from persona.guard.rules import Verdict
from persona.meaning import Embed, Meaning, split_clauses
from persona.router import read_examples

WELCOME = "welcome"
Strictness = Literal["gentle", "normal", "strict"]
# How sure the judge must be, 0..1, of a whole message and of one clause of a longer one.
BARS: dict[Strictness, float] = {"gentle": 0.65, "normal": 0.54, "strict": 0.42}
CLAUSE = 0.15  # more, for a clause: out of its context it says less, and a long message has many
LENGTH, CLAUSES = 4000, 40  # how far into a long message the judge reads
NOT_OURS = ("crisis", "out_of_bounds")  # the router's intents that are no examples of what is welcome


@dataclass(frozen=True)
class Policy:
    """What the people who run a place chose. `minors`: it is for young people, so the judge is strict."""

    strictness: Strictness = "normal"
    minors: bool = False

    @property
    def bar(self) -> float:
        return BARS["strict" if self.minors else self.strictness]


NORMAL = Policy()


class Judge:
    """`cache`: a folder for what was learned."""

    def __init__(
        self, embed: Embed, cast: Path = CAST, cache: Path | None = None, learn: Embed | None = None
    ) -> None:
        texts, labels = read_judgements(cast)
        self.meaning = Meaning(embed, texts, labels, "judge", cast, cache, learn)

    def verdict(self, text: str, policy: Policy = NORMAL) -> Verdict | None:
        """What is declined in this text, or None. `why` says which layer saw it, without the words."""
        by_rule = rules.out_of_bounds(text)
        if by_rule or not text.strip():
            return by_rule
        clauses = split_clauses(text, LENGTH, CLAUSES)
        scores = self.meaning.hear([text, *clauses]).scores
        welcome = self.meaning.labels.index(WELCOME)
        scores[:, welcome] = 1 - scores[:, welcome]  # now: how sure it is that something is declined
        scores[1:, welcome] -= CLAUSE
        worst = int(scores[:, welcome].argmax())
        sure = float(scores[worst, welcome])
        if sure < policy.bar:
            return None
        scores[worst, welcome] = float("-inf")
        return Verdict(
            "out_of_bounds", self.meaning.labels[int(scores[worst].argmax())], f"judged {sure:.2f}"
        )


def read_judgements(cast: Path = CAST) -> tuple[list[str], list[str]]:
    """Texts, and the topic under which each is declined or `WELCOME`."""
    raw = yaml.safe_load((cast / "judge.yaml").read_text(encoding="utf-8"))
    rows = [
        (line.strip(), WELCOME if block == WELCOME else topic)
        for topic, blocks in raw.items()
        for block, lines in blocks.items()
        for line in lines.splitlines()
        if line.strip()
    ]
    known = read_examples(cast)
    rows += [
        (text, WELCOME)
        for text, intent in zip(known.texts, known.intents, strict=True)
        if intent not in NOT_OURS
    ]
    return [text for text, _ in rows], [label for _, label in rows]
