"""Guard: clear rules for what must never depend on a model. Words in, a verdict out; the lines are the persona's.

The rules lie in cast/guard.yaml. They catch the clear cases only, in every mode; the embedded router adds meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from persona.card import CAST, says_ai

BEFORE = 30  # characters before a claim in which a 'not' makes it none


@dataclass(frozen=True)
class Verdict:
    """Which line of the repertoire answers instead: `intent` 'crisis' or 'out_of_bounds', and its `topic`.

    `why`: the layer that saw it, for moderators and figures; never the words.
    """

    intent: str
    topic: str
    why: str = "rule"


@dataclass(frozen=True)
class Rules:
    figures: re.Pattern[str]
    crisis: dict[str, re.Pattern[str]]
    human: re.Pattern[str]
    ages: re.Pattern[str]
    bounds: dict[str, re.Pattern[str]]
    claims: re.Pattern[str]
    denies: re.Pattern[str]
    reasons: dict[str, str]


@cache
def rules() -> Rules:
    """Read when first asked for, once."""
    raw = yaml.safe_load((CAST / "guard.yaml").read_text(encoding="utf-8"))

    def pattern(block: str) -> re.Pattern[str]:
        rows = [row.strip() for row in block.splitlines() if row.strip()]
        named = [re.sub(r"<(\w+)>", lambda match: _word(raw, match), row) for row in rows]
        return re.compile("|".join(f"(?:{row})" for row in named), re.IGNORECASE)

    return Rules(
        figures=pattern(raw["figures"]),
        crisis={topic: pattern(block) for topic, block in raw["crisis"].items()},
        human=pattern(raw["human"]),
        ages=pattern(raw["ages"]),
        bounds={topic: pattern(block) for topic, block in raw["bounds"].items()},
        claims=pattern(raw["claims"]),
        denies=pattern(raw["denies"]),
        reasons=raw["reasons"],
    )


def _word(raw: dict[str, Any], match: re.Match[str]) -> str:
    # '(?P<name>' never occurs in the rules; '<name>' is always one of `words`.
    return str(raw["words"][match[1]])


def crisis(text: str) -> Verdict | None:
    """Whether somebody may be in danger. Figures of speech are taken out first."""
    plain = rules().figures.sub(" ", _plain(text))
    return next(
        (Verdict("crisis", topic) for topic, rule in rules().crisis.items() if rule.search(plain)), None
    )


def out_of_bounds(text: str) -> Verdict | None:
    """The clear cases that no model needs to be asked about."""
    plain = _plain(text)
    found = (Verdict("out_of_bounds", topic) for topic, rule in rules().bounds.items() if rule.search(plain))
    return next(found, None)


def age(text: str) -> int | None:
    """How old somebody says that they are."""
    said = rules().ages.search(_plain(text))
    return next((int(number) for number in said.groups() if number), None) if said else None


def asks_human(text: str) -> bool:
    """Whether somebody asks what the artist is. Rather too often than too seldom: the answer is always true."""
    return bool(rules().human.search(_plain(text[:600])))


def claims_human(text: str, quoted: str = "") -> bool:
    """Whether a reply claims a human's body or life. 'I'm not a human' and 'no man' claim nothing.

    Sentences out of `quoted` (a lyric that a skill wrote) are sung, not claimed.
    """
    sung = _plain(quoted)
    for part in re.split(r"(?<=[.!?])\s+|\n+", text):
        sentence = _plain(part)
        if sentence in sung:
            continue
        for claim in rules().claims.finditer(sentence):
            before = sentence[max(0, claim.start() - BEFORE) : claim.start()]
            if " not " in claim[0].lower() or not rules().denies.search(before):
                return True
    return False


def answers_human(reply: str) -> bool:
    """Whether a reply to 'are you human' says what it is."""
    return says_ai(reply) and not claims_human(reply)


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split())
