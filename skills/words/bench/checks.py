"""What a written song must keep to, found anew from the CMU dictionary and forms.yaml.

Nothing of the writer's own check is used here: no prosody, no plan. A line's metre is judged by the syllables that
the dictionary counts, and by whether it can be read with its beats one to three weak syllables apart without beating a
weak syllable of a longer word.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from skills.lyrics import Lyrics
from skills.words.check import profanity
from voice import lexicon
from voice.dictionary import cmu

KINDS = ("metre", "rhyme", "hook", "new", "clean", "name", "things", "topic", "avoided", "sayable")
STUMBLE = 1.0  # what the reading of a line may cost at most
_SHORT_OF = {"opening": "verse", "tag": "chorus"}
_WORD = re.compile(r"[A-Za-zÀ-ɏ0-9]+(?:['’\-][A-Za-zÀ-ɏ0-9]+)*['’]?")
_SIBILANT = ("S", "Z", "SH", "ZH", "CH", "JH")

Phones = tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A brief's text and what its song must sing (`things` asked for, `topic` words of the theme) and must not."""

    text: str
    name: str = ""
    things: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    kind: str
    line: str
    why: str


def read_asked() -> list[Asked]:
    """The briefs of briefs.txt, which says what its columns mean."""
    rows = files(__package__).joinpath("briefs.txt").read_text("utf-8").splitlines()
    found = []
    for row in rows:
        if row.startswith("#") or not row.strip():
            continue
        text, name, things, avoid = (*(part.strip() for part in row.split("|")), "", "", "")[:4]
        told = [thing.strip() for thing in things.split(";") if thing.strip()]
        found.append(
            Asked(
                text,
                name,
                tuple(thing for thing in told if thing[0] != "~"),
                tuple(thing[1:] for thing in told if thing[0] == "~"),
                tuple(word.strip() for word in avoid.split(";") if word.strip()),
            )
        )
    return found


def faults(lyrics: Lyrics, asked: Asked, sung: Collection[str]) -> list[Fault]:
    """Everything wrong with the song. `sung`: the lines of other songs, as `plain` gives them."""
    return [
        *_stanza_faults(lyrics),
        *_line_faults(lyrics, sung),
        *_wish_faults(lyrics, asked),
    ]


def plain(line: str) -> str:
    return " ".join(word.strip("'’").lower().replace("’", "'") for word in _WORD.findall(line))


def common_lines(lyrics: Lyrics) -> frozenset[str]:
    """The song's lines that no other song may sing; a response belongs to everybody."""
    answered = any("R" in scheme for schemes in _form(lyrics)["stanzas"].values() for scheme in schemes)
    own = {plain(line.text) for line in lyrics.lines}
    return frozenset(own - {plain(lyrics.hook)}) if answered else frozenset(own)


def _line_faults(lyrics: Lyrics, sung: Collection[str]) -> Iterator[Fault]:
    form, own = _form(lyrics), common_lines(lyrics)
    for text in dict.fromkeys(line.text for line in lyrics.lines):
        words = _WORD.findall(text)
        short = "response" in form and text == lyrics.hook
        low, high = form["response"] if short else form["syllables"]
        fewest, most = (sum(pair) for pair in zip(*map(_syllables, words), strict=True)) if words else (0, 0)
        if most < low or fewest > high:
            yield Fault("metre", text, f"{fewest} to {most} syllables, not {low} to {high}")
        elif not short and (cost := _stumbles(words)) > STUMBLE:
            yield Fault("metre", text, f"its beats cost {cost:g}")
        if plain(text) in own and plain(text) in sung:
            yield Fault("new", text, "another song sings it")
        if bad := sorted({word.lower() for word in words} & profanity()):
            yield Fault("clean", text, bad[0])
        for word in words:
            if not _sayable(word):
                yield Fault("sayable", text, word)


def _stanza_faults(lyrics: Lyrics) -> Iterator[Fault]:
    stanzas = _form(lyrics)["stanzas"]
    for stanza in lyrics.stanzas:
        texts = [line.text for line in stanza.lines]
        options = [
            scheme
            for name, schemes in stanzas.items()
            if _SHORT_OF.get(name, name) == stanza.name
            for scheme in schemes
            if len(scheme) == len(texts)
        ]
        if not options:
            yield Fault("hook", texts[0], f"no stanza {stanza.name!r} of {len(texts)} lines in the form")
            continue
        found = [list(_unlike(texts, scheme, lyrics.hook)) for scheme in options]
        yield from min(found, key=len)


def _unlike(texts: Sequence[str], scheme: Sequence[str], hook: str) -> Iterator[Fault]:
    """Where the stanza is not as the scheme says."""
    for text, mark in zip(texts, scheme, strict=True):
        if mark in ("H", "R") and plain(text) != plain(hook):
            yield Fault("hook", text, "the hook should stand here")
        if mark == "=1" and plain(text) != plain(texts[0]):
            yield Fault("hook", text, "the first line should come again")
    ends = {
        i: (mark.lower(), _WORD.findall(texts[i])[-1])
        for i, mark in enumerate(scheme)
        if mark not in ("R", "=1")
    }
    for i, j in itertools.combinations(ends, 2):
        (group, first), (other, second) = ends[i], ends[j]
        if group == other and plain(texts[i]) != plain(texts[j]) and not true_rhyme(first, second):
            yield Fault("rhyme", texts[j], f"{first} / {second}")


def true_rhyme(first: str, second: str) -> bool:
    """By the CMU dictionary alone: alike from the last stressed vowel on, unlike before it, two words."""
    if plain(first) == plain(second):
        return False
    return any(
        _tail(a)[1] == _tail(b)[1] and _tail(a)[0] != _tail(b)[0]
        for a, b in itertools.product(_said(first), _said(second))
    )


def _wish_faults(lyrics: Lyrics, asked: Asked) -> Iterator[Fault]:
    words = plain(" ".join(line.text for line in lyrics.lines))
    for part in re.split(r" and ", asked.name) if asked.name else ():
        if not _stands(words, part):
            yield Fault("name", "", f"{part} is not sung")
    for kind, things in (("things", asked.things), ("topic", asked.topic)):
        for thing in things:
            if not _stands(words, thing):
                yield Fault(kind, "", f"{thing} is not sung")
    for word in asked.avoid:
        if _stands(words, word):
            yield Fault("avoided", "", f"{word} is sung")


def _stands(words: str, thing: str) -> bool:
    """Whether the thing stands in the words, as it is or as one or many of it."""
    one = plain(thing)
    ways = {one, f"{one}'s", f"{one}s", f"{one}es", one.removesuffix("s")}
    return any(re.search(rf"(?<![\w'-]){re.escape(way)}(?![\w-])", words) for way in ways)


@functools.cache
def _forms() -> dict[str, dict[str, Any]]:
    raw: dict[str, dict[str, Any]] = yaml.safe_load(
        files("skills.words").joinpath("forms.yaml").read_text("utf-8")
    )
    return raw


def _form(lyrics: Lyrics) -> dict[str, Any]:
    return _forms()[lyrics.form]


def _said(word: str) -> tuple[Phones, ...]:
    """The dictionary's pronunciations; of a possessive or a dropped g by those of its stem; () if it has none."""
    key = word.lower().replace("’", "'")
    found = cmu().get(key) or cmu().get(key.strip("'"))
    if not found and key.endswith("'s"):
        stems = (tuple(said.split()) for said in cmu().get(key[:-2]))
        return tuple((*stem, "IH0", "Z") if stem[-1] in _SIBILANT else (*stem, "Z") for stem in stems)
    if not found and key.endswith("in'"):
        found = cmu().get(key[:-1] + "g")
    if not found and "-" in key:
        return _said(key.rpartition("-")[2])
    return tuple(tuple(said.split()) for said in found)


def _tail(phones: Phones) -> tuple[Phones, Phones]:
    """(the consonants before the last stressed vowel, that vowel and what follows), without stress marks."""
    vowels = [i for i, phone in enumerate(phones) if phone[-1].isdigit()]
    stressed = [i for i in vowels if phones[i][-1] == "1"] or [i for i in vowels if phones[i][-1] == "2"]
    at = (stressed or vowels or [0])[-1]
    start = next((i + 1 for i in range(at - 1, -1, -1) if phones[i][-1].isdigit()), 0)
    return phones[start:at], tuple(phone.rstrip("012") for phone in phones[at:])


@functools.lru_cache(maxsize=1 << 14)
def _syllables(word: str) -> tuple[int, int]:
    """The fewest and the most syllables of a word; one that the dictionary lacks is counted by its letters."""
    if "-" in word and not cmu().get(word.lower()):
        parts = [_syllables(part) for part in word.split("-") if part]
        return sum(low for low, _ in parts), sum(high for _, high in parts)
    if word.isdigit():
        return 1, 2 * len(word) + 2
    counts = [sum(phone[-1].isdigit() for phone in phones) for phones in _said(word)]
    if counts:
        fire = (
            re.search(r"(?:ire(?:s|d|less|ments?)?|ours?|owers?)$", word.lower()) is not None
        )  # one note less
        return min(counts) - (fire and min(counts) > 1), max(counts)
    runs = len(re.findall(r"[aeiouyà-ÿ]+", word.lower()))
    return max(1, runs - 1), max(1, runs + 2)


def _stumbles(words: Sequence[str]) -> float:
    """The cost of the cheapest reading in beats: a beat on a weak syllable, a strong one passed over, a long gap."""
    kinds = [kind for word in words for kind in _kinds(word)]
    best = [
        (0.0 if kind == "." else (1.0 if kind == "w" else 0.0)) + (0.5 if i > 2 else 0.0)
        for i, kind in enumerate(kinds)
    ]
    for i, kind in enumerate(kinds):
        on = 1.0 if kind == "w" else 0.0
        best[i] += sum(mark == "s" for mark in kinds[:i])
        for gap, strain in ((1, 0.4), (2, 0.0), (3, 0.0), (4, 0.4)):
            if i >= gap:
                passed = sum(mark == "s" for mark in kinds[i - gap + 1 : i])
                best[i] = min(best[i], best[i - gap] + strain + on + passed)
    ends = [cost + sum(mark == "s" for mark in kinds[i + 1 :]) for i, cost in enumerate(best)]
    return min(ends, default=9.0)


@functools.lru_cache(maxsize=1 << 14)
def _kinds(word: str) -> str:
    """A sign a syllable: 's' the main stress of a longer word, 'w' a weak one of it, '.' what may be either."""
    said = _said(word)
    if "-" in word or not said:
        return "." * _syllables(word)[0]
    digits = [phone[-1] for phone in said[0] if phone[-1].isdigit()]
    if len(digits) == 1:
        return "."
    return "".join({"1": "s", "0": "w"}.get(digit, ".") for digit in digits)


def _sayable(word: str) -> bool:
    from voice.syllables import split

    try:
        return bool(lexicon.pronounce(word)) and len(split(word)) > 0
    except (lexicon.PronunciationError, ValueError):
        return False
