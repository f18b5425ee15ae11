"""Draft: a song as an author hands it in, before its lines are taken apart into syllables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skills.words.forms import Scheme
from skills.words.prosody import last_word, rhymes

_SMALL = frozenset("a an the of to in on at by for and but or with from".split())


@dataclass(frozen=True)
class Written:
    """One stanza: the name that the plan gives it, the scheme that its lines follow, the lines."""

    name: str
    scheme: Scheme
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A written song. `hook` is the line that returns, '' if the form has none."""

    title: str
    stanzas: tuple[Written, ...]
    hook: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for stanza in self.stanzas for line in stanza.lines)


def scheme_of(lines: Sequence[str], options: Sequence[Scheme]) -> Scheme:
    """The first of a stanza's schemes that the lines' rhymes follow; the first of all if they follow none."""
    ends = [last_word(line) for line in lines]
    for scheme in options:
        pairs = [(i, j) for i in range(len(scheme)) for j in range(i) if scheme[i] == scheme[j]]
        if all(rhymes(ends[i], ends[j]) for i, j in pairs):
            return scheme
    return options[0]


def title_case(text: str) -> str:
    """'the last train home' -> 'The Last Train Home'."""
    words = text.strip(" ,.;:!?-").split()
    return " ".join(w if i and w.lower() in _SMALL else w[:1].upper() + w[1:] for i, w in enumerate(words))
