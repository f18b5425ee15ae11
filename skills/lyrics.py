"""Lyrics: the words of a song, down to syllables with stress and rhyme."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Syllable:
    """`text` as sung ('lone'); `word` indexes Line.words; `stress` 0 none, 1 primary, 2 secondary (as CMU)."""

    text: str
    word: int
    stress: int


@dataclass(frozen=True)
class Line:
    """A sung line. `text` as written; `words` its words without punctuation; `rhyme` the letter of its group ('A').

    `bars` is how many bars of 4/4 the form gives it: sung in the first two at most, the rest is for an answer.
    """

    text: str
    words: tuple[str, ...]
    syllables: tuple[Syllable, ...]
    rhyme: str = ""
    bars: int = 2


@dataclass(frozen=True)
class Stanza:
    """`name`: 'verse', 'chorus', 'bridge'. A repeated chorus is repeated here, with the same words."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Lyrics:
    """`form` names the form that they were written to; `hook` is the line that returns ('' if none)."""

    title: str
    form: str
    stanzas: tuple[Stanza, ...]
    hook: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for stanza in self.stanzas for line in stanza.lines)

    @property
    def text(self) -> str:
        return "\n\n".join("\n".join(line.text for line in stanza.lines) for stanza in self.stanzas)
