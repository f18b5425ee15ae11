"""Page: what has been written of one song so far, and what may still be written on it."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from skills.words.check import key, line_faults
from skills.words.forms import Plan
from skills.words.material import Unit, bare
from skills.words.prosody import last_word, rhymes
from skills.words.wishes import says, sings, stems

_CALLED = re.compile(r"[A-ZÀ-Þ][\w'’.-]*(?: (?:and )?[A-ZÀ-Þ][\w'’.-]*){0,3}")

_MANY = re.compile(r"\band\b|&|^(?:the|all|my|our|every)\b")


@dataclass
class Page:
    """The song in the writing. `spent`: keys of lines that must not be sung again; `unwanted`: stems that no line says;
    `name`, `things`: still to be said; `topic`: what {thing} stands for when no thing is owed."""

    plan: Plan
    rng: random.Random
    spent: Collection[str] = frozenset()
    name: str = ""
    things: list[str] = field(default_factory=list)
    topic: str = ""
    unwanted: Collection[str] = frozenset()
    said: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    units: set[Unit] = field(default_factory=set)
    title: str = ""

    @property
    def owed(self) -> int:
        """How many of the fan's wishes no line has met yet."""
        return bool(self.name) + len(self.things)

    def ways(self, unit: Unit, marks: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The ways of writing the unit that may stand here, slots filled; `marks` as in the form's scheme."""
        if unit in self.units:
            return
        for version in unit.versions(self.rng):
            for lines in self._filled(version, unit):
                if all(self._stands(line, mark) for line, mark in zip(lines, marks, strict=True)):
                    yield lines

    def gain(self, lines: Sequence[str]) -> int:
        """How many of the wishes that are owed the lines would meet."""
        text = " / ".join(lines)
        return bool(self.name and sings(text, self.name)) + sum(says(text, thing) for thing in self.things)

    def write(self, unit: Unit, lines: tuple[str, ...]) -> tuple[str, ...]:
        """Puts the lines on the page: their words and end words are used, the wishes that they meet are met."""
        self.units.add(unit)
        text = f" {key(' '.join(lines))} "
        if not self.title:
            self.title = bare(unit.title).replace("{name}", self.name)
        self.ends |= {last_word(line) for line in lines}
        self.said |= stems(text)
        if self.name and sings(text, self.name):
            self.name = ""
        self.things = [thing for thing in self.things if not says(text, thing)]
        return lines

    def _filled(self, version: tuple[str, ...], unit: Unit) -> Iterator[tuple[str, ...]]:
        """The lines with name and thing put in; where the name may be called out, first with it."""
        callable_name = bool(self.name) and _CALLED.fullmatch(self.name) is not None
        if unit.takes_name and (not self.name or (unit.addresses and not callable_name)):
            return
        if unit.singles and _MANY.search(self.name):
            return
        thing = self.things[0] if self.things else self.topic
        if unit.takes_thing and not thing:
            return
        lines = [line.replace("{name}", self.name).replace("{thing}", thing) for line in version]
        plain = tuple(_capital(line.lstrip("~")) for line in lines)
        if callable_name:
            for i, line in enumerate(lines):
                if line.startswith("~"):
                    yield (*plain[:i], f"{self.name}, {_small(line[1:])}", *plain[i + 1 :])
        yield plain

    def _stands(self, line: str, mark: str) -> bool:
        """Whether the line may be sung here: the form's metre, not sung before, not ending as another line does."""
        if self.unwanted and stems(line) & set(self.unwanted):
            return False
        if key(line) in self.spent or (mark != "R" and self._ends_alike(line)):
            return False
        beat_range = (1, 4) if mark == "R" else self.plan.form.beats
        return not line_faults(line, self.plan.syllables(mark), beat_range)

    def _ends_alike(self, line: str) -> bool:
        end = last_word(line)
        return end in self.ends or any(stems(end) and stems(end) == stems(other) for other in self.ends)


def rhyme_apart(lines: Sequence[str], others: Sequence[str]) -> bool:
    """Whether no line rhymes with one of the other couplet: two couplets on one sound blur into each other."""
    return not any(rhymes(last_word(a), last_word(b)) for a in lines for b in others)


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def _small(line: str) -> str:
    return line if re.match(r"I\b", line) else line[:1].lower() + line[1:]
