"""The check of a written song: every reason why a line cannot stay, in words that a writer understands."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files

import yaml

from skills.words.forms import Plan, Scheme
from skills.words.prosody import beats, count_syllables, last_word, rhymes, words_of
from skills.words.wishes import plain_words, sings
from voice import lexicon

STRAIN = 0.31  # a line's beats may cost so much per beat; every written line stays below
LETTERS = 18  # a word longer than this is not sung
_SUNG_TEXT = re.compile(r"[A-Za-zÀ-ɏ0-9 ’'.,;:!?\-–—()\"“”…&]+")


@dataclass(frozen=True)
class Fault:
    """Why line `line` (from 0, over the whole song) cannot stay; `reason` is a sentence."""

    line: int
    reason: str


@dataclass(frozen=True)
class Place:
    """What the form asks of one line: its stanza's name, its mark in the scheme, its range of syllables."""

    stanza: str
    number: int  # of the stanza in the song, from 0
    mark: str
    syllables: tuple[int, int]


def places(plan: Plan, schemes: Sequence[Scheme]) -> tuple[Place, ...]:
    return tuple(
        Place(name, number, mark, plan.syllables(mark))
        for number, (name, scheme) in enumerate(zip(plan.stanzas, schemes, strict=True))
        for mark in scheme
    )


def check_lines(
    lines: Sequence[str], plan: Plan, used: Collection[str] = (), must_say: Sequence[str] = ()
) -> list[Fault]:
    """Everything that is wrong with the lines of a song written to `plan`; [] if it can be sung.

    A stanza is held to that of its form's rhyme schemes which it comes nearest to. `must_say`: words that
    some line has to say (a name); the fault is then laid to the first line.
    """
    if len(lines) != plan.lines:
        return [Fault(0, f"the form wants {plan.lines} lines and there are {len(lines)}")]
    spent = {key(line) for line in used}
    faults: list[Fault] = []
    schemes: list[Scheme] = []
    start = 0
    for name in plan.stanzas:
        options = plan.form.stanzas[name]
        stanza = lines[start : start + len(options[0])]
        tried = [(_rhyme_faults(stanza, scheme, start), scheme) for scheme in options]
        found, scheme = min(tried, key=lambda pair: len(pair[0]))
        faults += found
        schemes.append(scheme)
        start += len(stanza)
    where = places(plan, schemes)
    faults += _returning_faults(lines, where)
    for i, (line, place) in enumerate(zip(lines, where, strict=True)):
        reasons = line_faults(line, place.syllables, plan.form.beats if place.mark != "R" else (1, 4))
        if key(line) in spent:
            reasons.append("this line is in an earlier song; write a new one")
        faults += [Fault(i, reason) for reason in reasons]
    faults += _repeated(lines, where)
    sung = " / ".join(lines)
    for word in must_say:
        if not sings(sung, word):
            faults.append(Fault(0, f"the song has to say '{word}' in one of its lines"))
    return faults


def line_faults(line: str, syllables: tuple[int, int], beat_range: tuple[int, int]) -> list[str]:
    """What is wrong with one line by itself."""
    reasons = unsayable(line)
    if reasons:
        return reasons
    count, (low, high) = count_syllables(line), syllables
    if not low <= count <= high:
        reasons.append(f"it has {count} syllables; the form wants {low} to {high}")
    number, cost = beats(line)
    if not beat_range[0] <= number <= beat_range[1]:
        reasons.append(f"it has {number} beats; the form wants {beat_range[0]} to {beat_range[1]}")
    elif cost > STRAIN * number:
        reasons.append("its stressed syllables stumble; let strong and weak syllables take turns")
    bad = sorted({word.lower() for word in words_of(line)} & profanity())
    if bad:
        reasons.append(f"it says '{bad[0]}', which this singer does not sing")
    return reasons


def unsayable(line: str) -> list[str]:
    """Why the voice cannot say the line; [] if it can."""
    words = words_of(line)
    if not words:
        return ["it has no words"]
    if not _SUNG_TEXT.fullmatch(line):
        return ["it has signs that cannot be sung; use plain English letters"]
    for word in words:
        if len(word) > LETTERS or (word.isdigit() and len(word) > 4):
            return [f"'{word}' is too long to sing"]
        spelled = (
            word.isalpha() and len(word) <= 3 and word[0].isupper()
        )  # 'TJ' and 'Ng' are said by their letters
        if not (spelled or re.search(r"[aeiouyAEIOUY0-9]", lexicon.plain(word)) or lexicon.known(word)):
            return [f"'{word}' cannot be sung"]
    return []


def key(line: str) -> str:
    """A line as it is compared with others: small letters, no punctuation."""
    return " ".join(plain_words(line))


@functools.cache
def profanity() -> frozenset[str]:
    raw: dict[str, list[str]] = yaml.safe_load(
        files(__package__).joinpath("profanity.yaml").read_text("utf-8")
    )
    return frozenset(word for words in raw.values() for word in words)


def _rhyme_faults(stanza: Sequence[str], scheme: Scheme, start: int) -> list[Fault]:
    """Each line against the earlier ones of its rhyme group; a line that returns is not rhymed with itself."""
    groups: dict[str, list[str]] = {}
    faults = []
    for i, (line, mark) in enumerate(zip(stanza, scheme, strict=True)):
        if mark in ("=1", "R"):
            continue
        group, end = mark.lower(), last_word(line)
        before = groups.setdefault(group, [])
        for other in before:
            if mark == "H" and other == last_word(stanza[scheme.index("H")]):
                continue
            if other == end:
                faults.append(Fault(start + i, f"it ends on '{end}' like another line; find another rhyme"))
                break
            if not rhymes(other, end):
                faults.append(Fault(start + i, f"'{end}' does not rhyme with '{other}'"))
                break
        before.append(end)
    return faults


def _returning_faults(lines: Sequence[str], where: Sequence[Place]) -> list[Fault]:
    """The hook, the response and an AAB's second line come back word for word."""
    faults: list[Fault] = []
    returning: dict[str, str] = {}
    for i, (line, place) in enumerate(zip(lines, where, strict=True)):
        if place.mark == "=1":
            first = next(j for j, other in enumerate(where) if other.number == place.number)
            if key(line) != key(lines[first]):
                faults.append(Fault(i, f"it must be the stanza's first line again: {lines[first]}"))
        elif place.mark in "HR":
            first_said = returning.setdefault(place.mark, line)
            if key(line) != key(first_said):
                faults.append(Fault(i, f"the hook must come back word for word: {first_said}"))
    return faults


def _repeated(lines: Sequence[str], where: Sequence[Place]) -> list[Fault]:
    """A line that may not return, and does. The hook and what answers it may, and so may a whole chorus."""
    seen: dict[str, int] = {}
    faults = []
    for i, (line, place) in enumerate(zip(lines, where, strict=True)):
        if place.mark in ("=1", "H", "h", "R"):
            continue
        first = seen.setdefault(key(line), i)
        if first != i:
            faults.append(Fault(i, "this line was sung before in the song; write a new one"))
    return faults
