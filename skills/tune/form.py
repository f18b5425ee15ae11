"""Form: which bars each line takes, whose tune it shares, and the chords and sections over all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skills.lyrics import Line, Lyrics
from skills.style import Style
from skills.tune.harmony import BAR, chord_tones, lay, spread, template_for
from skills.tune.plan import Plan
from voice.score import Chord, Note, Section

CHORUSES = ("chorus", "tag", "hook", "refrain")


@dataclass(frozen=True)
class Slot:
    """A line of the lyrics in its place.

    `letter`: lines of one letter share a tune ('verse-A'). `same_as`: index of an earlier line with the very
    same words. `hook`: it is the song's. `closes` its stanza; `final`: the song ends on it, or on one with its words.
    """

    line: Line
    stanza: str
    bar: int
    bars: int
    letter: str
    same_as: int | None
    hook: bool
    closes: bool
    final: bool
    last: bool

    @property
    def in_chorus(self) -> bool:
        return self.stanza.startswith(CHORUSES)


def slots_of(lyrics: Lyrics, laid: Plan) -> list[Slot]:
    """Every line with its bars. Stanzas of one name share their tunes line by line."""
    words = [tuple(word.lower() for word in line.words) for line in lyrics.lines]
    first = {text: i for i, text in reversed(list(enumerate(words)))}
    slots: list[Slot] = []
    bar = laid.intro_bars
    for stanza in lyrics.stanzas:
        pattern = letters(len(stanza.lines))
        for i, line in enumerate(stanza.lines):
            index = len(slots)
            slots.append(
                Slot(
                    line=line,
                    stanza=stanza.name,
                    bar=bar,
                    bars=laid.line_bars[index],
                    letter=f"{stanza.name}-{pattern[i]}",
                    same_as=first[words[index]] if first[words[index]] < index else None,
                    hook=is_hook(line, lyrics),
                    closes=i == len(stanza.lines) - 1,
                    final=words[index] == words[-1],
                    last=index == len(words) - 1,
                )
            )
            bar += laid.line_bars[index]
    return slots


def is_hook(line: Line, lyrics: Lyrics) -> bool:
    return _letters(line.text) == _letters(lyrics.hook)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def letters(lines: int) -> str:
    """Which lines of a stanza share a tune."""
    known = {1: "A", 2: "AB", 3: "AAB", 4: "ABAC", 6: "ABABCD", 8: "ABACABAD"}
    return known.get(lines) or "".join("AB"[i % 2] for i in range(lines - 1)) + "C"


def harmony_of(
    lyrics: Lyrics, laid: Plan, style: Style, tonic: int, rng: np.random.Generator
) -> tuple[list[Chord], list[Section]]:
    """The style's chords under intro, lines and ending; which of its templates, the rng says."""
    harmony = style.harmony
    chords: list[Chord] = []
    sections: list[Section] = []
    choice = int(rng.integers(1 << 16))
    bar, line = 0, 0

    def add(name: str, bars: Sequence[Sequence[str]]) -> None:
        nonlocal bar
        chords.extend(lay(bars, bar * BAR, tonic))
        sections.append(Section(bar * BAR, len(bars) * BAR, name))
        bar += len(bars)

    if laid.intro_bars:
        intro = harmony.intro[choice % len(harmony.intro)]
        played = [text.split() for text in intro.split("|")]
        add("intro", (played * -(-laid.intro_bars // len(played)))[-laid.intro_bars :])
    ending = [text.split() for text in harmony.ending[choice % len(harmony.ending)].split("|")]
    for n, stanza in enumerate(lyrics.stanzas):
        bars: list[Sequence[str]] = []
        for pattern in template_for(_templates(style, stanza.name), len(stanza.lines), choice):
            bars += spread(pattern, laid.line_bars[line])
            line += 1
        if n == len(lyrics.stanzas) - 1:
            bars[-1] = ending[0] if laid.ending_bars else ["I" + home_quality(style)]
        elif harmony.turnaround and len(bars) > len(stanza.lines):
            bars[-1] = harmony.turnaround[choice % len(harmony.turnaround)].split()
        add(stanza.name, bars)
    if laid.ending_bars:
        add("ending", [ending[-1]] * laid.ending_bars)
    return chords, sections


def home_quality(style: Style) -> str:
    """The quality of the chord that the style ends on: '7' in the blues."""
    *_, last = style.harmony.ending[0].split()
    return last.lstrip("iI")


def home_under(chords: Sequence[Chord], notes: Sequence[Note], tonic: int, quality: str) -> list[Chord]:
    """The chords with the home chord under the song's last syllable, if that one did not hold the tonic."""
    last = next(note for note in reversed(notes) if note.syllable)
    return [
        dataclasses.replace(chord, root=tonic, quality=quality)
        if chord.tick <= last.tick < chord.tick + chord.ticks and tonic not in chord_tones(chord)
        else chord
        for chord in chords
    ]


def _templates(style: Style, stanza: str) -> tuple[tuple[str, ...], ...]:
    if stanza.startswith(CHORUSES):
        return style.harmony.chorus or style.harmony.verse
    if stanza.startswith("bridge"):
        return style.harmony.bridge or style.harmony.verse
    return style.harmony.verse
