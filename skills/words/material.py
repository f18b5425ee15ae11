"""The written material: scenes of each theme, with the couplets, verses, hooks and lines that belong together.

In material/*.yaml lines are apart by ' / '. A scene has one singer, one listener and one situation, so that any
of its openings may be followed by any of its turns. Slots in a line:
  {name}   the dedication         {thing}  a thing that the fan gave
  ~        at the start: here the dedicated one may be addressed ("~come on home": "Maya, come on home")
  [a|b]    either, written to fit alike
  *...*    the song's title, in a hook or an A line
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import yaml

Kind = Literal["open", "turn", "verse", "hook", "aab", "response"]
KINDS: tuple[Kind, ...] = ("open", "turn", "verse", "hook", "aab", "response")
LENGTHS = {"open": 2, "turn": 2, "verse": 4, "aab": 2, "response": 1}

# After these a name is spoken of, not to, though a comma follows it ('here's one for Maya, and it's plain').
_SPOKEN_OF = frozenset("for to told from of with about s asked by and here there".split())
# A couplet that begins so in a scene that speaks to the dedicated one may begin with the name.
_SPEAKS_TO = re.compile(
    r"(?!And |But |Now |So |Then |Or |For |That |Who |With |As |'Cause |Till |Until |Oh|Well|Lord|~|\*)"
    r".*\b[Yy]ou(?:['’]\w+|rs?)?\b"
)
_EITHER = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True)
class Unit:
    """Lines that were written to stand together: a couplet, a verse of four lines, a hook with its answers."""

    kind: Kind
    lines: tuple[str, ...]

    @property
    def takes_name(self) -> bool:
        return any("{name}" in line for line in self.lines)

    @property
    def takes_thing(self) -> bool:
        return any("{thing}" in line for line in self.lines)

    @property
    def may_address(self) -> bool:
        return any(line.startswith("~") for line in self.lines)

    @property
    def addresses(self) -> bool:
        """Whether the name is called out, so that it must be a name ('Maya', not 'my wife')."""
        called = re.compile(r"(?:(\w+)\W+)?\{name\}[,.!?]|, \{name\}$")
        found = [match for line in self.lines for match in called.finditer(line)]
        return any((match[1] or "").lower() not in _SPOKEN_OF for match in found)

    @property
    def addressing(self) -> Unit:
        """The unit with its beginning marked as a place to call the name, if it speaks to somebody there."""
        first = self.lines[0]
        if self.kind not in ("open", "turn") or self.takes_name or not _SPEAKS_TO.match(first):
            return self
        return dataclasses.replace(self, lines=(f"~{first}", *self.lines[1:]))

    @property
    def singles(self) -> bool:
        """Whether the name is one person's here ('{name}'s got a smile'); two names would not agree."""
        return any(
            re.search(r"\{name\}(?:['’]s (?!name|sake|birthday|cat\b|old)| is\b| has\b)", line)
            for line in self.lines
        )

    @property
    def title(self) -> str:
        for line in self.lines:
            if marked := re.search(r"\*([^*]+)\*", line):
                return marked[1]
        return ""

    @property
    def plain(self) -> str:
        """The lines as one text, slots empty: what the unit is about."""
        return " / ".join(re.sub(r"\{name\}|\{thing\}", "", bare(line)) for line in self.lines)

    def versions(self, rng: random.Random) -> Iterator[tuple[str, ...]]:
        """Every way to write it, slots still open, in an order drawn by `rng`."""
        choices = [_EITHER.findall(line) for line in self.lines]
        flat = [choice.split("|") for line in choices for choice in line]
        ways = list(itertools.product(*flat))
        rng.shuffle(ways)
        for way in ways:
            lines = "\n".join(self.lines).replace("*", "")
            for chosen in way:
                lines = _EITHER.sub(chosen, lines, count=1)
            yield tuple(lines.split("\n"))


@dataclass(frozen=True)
class Scene:
    """One situation. `theme` and `about` say what it is; `moods` how it may feel; `person` who sings to whom.

    A brief that says one of the theme's `words`, or one of this scene's `more_words`, lies nearer. A scene
    of a death `needs` to be asked for by one of those words.
    """

    theme: str
    about: str
    words: frozenset[str]
    more_words: frozenset[str]
    needs: frozenset[str]
    moods: frozenset[str]
    person: str
    units: tuple[Unit, ...]

    @property
    def can_name(self) -> bool:
        """Whether one of its couplets has a place for a name."""
        return any(unit.takes_name or unit.may_address for unit in self.of("open", "turn", "aab"))

    def of(self, *kinds: Kind) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.units if unit.kind in kinds)


def bare(line: str) -> str:
    """A template's first way of being written, without its marks (the slots stay)."""
    return _EITHER.sub(lambda either: either[1].split("|")[0], line).replace("*", "").lstrip("~")


@functools.cache
def scenes() -> tuple[Scene, ...]:
    """Every scene of every theme; the theme 'anything' holds what suits all of them (see `common`)."""
    return tuple(scene for scene in _all_scenes() if scene.theme != "anything")


@functools.cache
def common() -> Scene:
    """Couplets for a name, for a thing and for both, hooks for a thing, and answers that suit any song."""
    return next(scene for scene in _all_scenes() if scene.theme == "anything")


@functools.cache
def _all_scenes() -> tuple[Scene, ...]:
    folder = files(__package__).joinpath("material")
    found: list[Scene] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            found += _read(path.read_text("utf-8"))
    return tuple(found)


def _read(text: str) -> list[Scene]:
    scenes = []
    # libyaml reads the four thousand lines in a tenth of the time
    for theme in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # noqa: S506 (both are safe)
        for raw in theme["scenes"]:
            units = [
                Unit(kind, tuple(line.strip() for line in re.split(r" / ", entry)))
                for kind in KINDS
                for entry in raw.get(kind, ())
            ]
            if any(unit.may_address or unit.addresses for unit in units):
                units = [unit.addressing for unit in units]
            scenes.append(
                Scene(
                    theme=theme["theme"],
                    about=raw["about"],
                    words=frozenset(theme["words"].split()),
                    more_words=frozenset(raw.get("words", "").split()),
                    needs=frozenset(raw.get("needs", "").split()),
                    moods=frozenset(raw["moods"].split()),
                    person=raw.get("person", "I"),
                    units=tuple(units),
                )
            )
    return scenes
