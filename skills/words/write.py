"""From a brief to lyrics: the plan, the author, the check, and the syllables that the tune is made on."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Protocol

from skills.brief import Brief, BriefError
from skills.lyrics import Line, Lyrics, Stanza
from skills.style import load_style
from skills.words.check import unsayable
from skills.words.draft import Draft, title_case
from skills.words.forms import ROOMY, Plan, Scheme, load_form, make_plan, suited_form
from skills.words.prosody import count_syllables, make_line, words_of

GIVEN = "given"  # the form of words that the fan wrote
_SUNG_AS = {"opening": "verse", "tag": "chorus"}  # the short stanzas of a snippet
LONGEST_GIVEN = 14  # syllables; a longer line of a fan's own words is sung as two


class Author(Protocol):
    """Who writes: the embedded author, or a language model behind an endpoint."""

    def write(self, brief: Brief, plan: Plan, seed: int, used: Collection[str] = ()) -> Draft: ...


def write_lyrics(brief: Brief, seed: int, author: Author, used: Collection[str] = ()) -> Lyrics:
    """The words of a song. `used`: lines of earlier songs, which are not written again.

    Words that the fan gave are sung as they are. Raises BriefError for words that cannot be sung and for a
    form that there is not, StyleError for a style that there is not.
    """
    if brief.words.strip():
        return given_lyrics(brief)
    plan = plan_song(brief, seed)
    return lyrics_of(author.write(brief, plan, seed, used), plan)


def plan_song(brief: Brief, seed: int) -> Plan:
    """The stanzas and bars for the brief's form (or one that suits its style), seconds and tempo."""
    style = load_style(brief.style or "blues")
    tempo = (brief.bpm, brief.bpm) if brief.bpm else style.groove.tempo[style.pace(brief.mood)]
    frame = style.groove.intro_bars + style.groove.ending_bars
    # A snippet of twelve-bar blues has one couplet: no room for things to mention.
    form = load_form(
        brief.form or (ROOMY if brief.mentions else suited_form(style.name.partition("+")[0], seed))
    )
    return make_plan(form, brief.seconds, tempo, frame)


def lyrics_of(draft: Draft, plan: Plan) -> Lyrics:
    stanzas = tuple(
        Stanza(_SUNG_AS.get(stanza.name, stanza.name), _lines(stanza.scheme, stanza.lines, plan))
        for stanza in draft.stanzas
    )
    return Lyrics(title=draft.title, form=plan.form.name, stanzas=stanzas, hook=draft.hook)


def _lines(scheme: Scheme, texts: tuple[str, ...], plan: Plan) -> tuple[Line, ...]:
    """Each line with the letter of its rhyme group, '' where it rhymes with none."""
    groups = [scheme[0] if mark == "=1" else mark.lower() for mark in scheme]
    letters: dict[str, str] = {}
    for group in groups:
        if groups.count(group) > 1 and group not in letters:
            letters[group] = "ABCDEF"[len(letters)]
    return tuple(
        make_line(text, rhyme=letters.get(group, ""), bars=plan.bars)
        for text, group in zip(texts, groups, strict=True)
    )


def given_lyrics(brief: Brief) -> Lyrics:
    """The fan's own words, a stanza to a paragraph; lines that are too long for a breath are cut in two."""
    stanzas = []
    for paragraph in re.split(r"\n\s*\n", brief.words.strip()):
        lines = [line.strip() for line in re.split(r"\n| / ", paragraph) if words_of(line)]
        for line in lines:
            if reasons := unsayable(line):
                raise BriefError(f"I can't sing the line {line!r}: {reasons[0]}.")
        texts = [cut for line in lines for cut in _cut(line)]
        if texts:
            stanzas.append(Stanza("verse", tuple(make_line(text) for text in texts)))
    if not stanzas:
        raise BriefError(
            "There were no words to sing in the ones you gave me; write them as lines of plain text."
        )
    title = title_case(" ".join(words_of(brief.theme or stanzas[0].lines[0].text)[:6]))
    return Lyrics(title=title, form=GIVEN, stanzas=tuple(stanzas))


def _cut(line: str) -> list[str]:
    if count_syllables(line) <= LONGEST_GIVEN:
        return [line]
    words = line.split()
    middle = len(words) / 2
    breaks = [i for i in range(1, len(words)) if words[i - 1][-1] in ",;:.!?"] or list(range(1, len(words)))
    at = min(breaks, key=lambda i: abs(i - middle))
    if not 1 <= at < len(words):
        return [line]
    return _cut(" ".join(words[:at])) + _cut(" ".join(words[at:]))
