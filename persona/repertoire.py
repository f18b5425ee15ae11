"""Repertoire: what the persona says, written line by line; chosen by intent and topic, with slots filled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import yaml

from persona.card import CAST, Card, CardError

ANY = "_"
HOUSE = "breaking-rust.lines.yaml"
# Shelves where only their own lines are true: a line of another would say something else.
FIXED = (
    "ordered",
    "written",
    "status",
    "announce",
    "apology",
    "late",
    "trouble",
    "crisis",
    "are_you_ai",
    "out_of_bounds",
    "disclosure",
    "forgetting",
)


@dataclass(frozen=True)
class Line:
    """`id` names it for ever within a conversation: 'greeting/morning/2'. `slots` must all be filled to say it;
    a line with a `hint` answers only what the hint is found in.
    """

    id: str
    text: str
    slots: frozenset[str]
    hint: re.Pattern[str] | None = None

    def fit(self, text: str, slots: Collection[str]) -> int:
        """How well it meets the moment; -1: not at all. A name alone is no reason to prefer a line."""
        if not self.slots <= set(slots) or (self.hint and not self.hint.search(text)):
            return -1
        return len(self.slots - {"name"}) + (2 if self.hint else 0)

    def filled(self, slots: Mapping[str, str]) -> str:
        # A slot's text comes from people: it is put in as it is, and never formatted again.
        return re.sub(r"(^|[.!?] |\n)?\{(\w+)\}", lambda match: _put(match[1], slots[match[2]]), self.text)


class Repertoire:
    """The lines of one persona."""

    def __init__(self, lines: Mapping[str, Mapping[str, tuple[Line, ...]]]) -> None:
        self._lines = lines

    @staticmethod
    def load(name: str, cast: Path = CAST) -> Repertoire:
        """Reads `<intent>: {<topic>: one line a row}`. Raises CardError where the file is not that."""
        path = cast / name
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
            return Repertoire(
                {
                    intent: {topic: _read(intent, topic, block) for topic, block in topics.items()}
                    for intent, topics in raw.items()
                }
            )
        except (OSError, yaml.YAMLError, AttributeError, ValueError) as error:
            raise CardError(f"the repertoire {path} cannot be read: {error}") from None

    @staticmethod
    def of(card: Card, cast: Path = CAST) -> Repertoire:
        """The card's own repertoire; a card without one borrows the house's lines, which name no artist."""
        return Repertoire.load(card.repertoire or HOUSE, cast)

    @property
    def all(self) -> tuple[Line, ...]:
        return tuple(line for topics in self._lines.values() for lines in topics.values() for line in lines)

    def topics(self, intent: str) -> tuple[str, ...]:
        return tuple(self._lines.get(intent, {}))

    def choose(
        self,
        intent: str,
        topic: str,
        slots: Mapping[str, str],
        said: Collection[str],
        seed: str,
        text: str = "",
    ) -> Line:
        """The line that meets `text` best and was not said yet in this conversation: of the topic, else of the
        intent, else of listening. When all are spent, the one unsaid for longest returns.
        """
        shelves = [(intent, topic), (intent, ANY)] + ([] if intent in FIXED else [("listening", ANY)])
        fitting = [
            [(line.fit(text, slots), line) for line in self._lines.get(name, {}).get(sub, ())]
            for name, sub in shelves
        ]
        for lines in fitting:
            fresh = [(fit, line) for fit, line in lines if fit >= 0 and line.id not in said]
            if fresh:
                best = max(fit for fit, _ in fresh)
                return _drawn([line for fit, line in fresh if fit == best], seed)
        order = list(said)
        spent = [line for lines in fitting for fit, line in lines if fit >= 0]
        return min(spent, key=lambda line: order.index(line.id))


def _put(before: str | None, text: str) -> str:
    """A slot's text, with a capital where a sentence begins with it."""
    return text if before is None else before + text[:1].upper() + text[1:]


def _read(intent: str, topic: str, block: str) -> tuple[Line, ...]:
    return tuple(
        _line(f"{intent}/{topic}/{place}", row.strip())
        for place, row in enumerate(row for row in block.splitlines() if row.strip())
    )


def _line(id: str, row: str) -> Line:
    """'dogs?|cats? :: a line' is a line with a hint."""
    before, mark, text = row.partition(" :: ")
    hint = re.compile(rf"\b(?:{before})", re.IGNORECASE) if mark else None
    text = text if mark else row
    return Line(id, text, frozenset(field for _, field, _, _ in Formatter().parse(text) if field), hint)


def _drawn(lines: list[Line], seed: str) -> Line:
    return min(lines, key=lambda line: hashlib.sha256(f"{seed}\0{line.id}".encode()).digest())
