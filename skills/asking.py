"""How fans ask for songs: their words for styles, people and lengths (asking.yaml), and how a text is cleaned."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from skills.style import moods
from skills.words.check import profanity
from skills.words.moods import FEELINGS

LONGEST_WORDS = 3000  # characters of given words

_ASKS = re.compile(r"\b(?:song|tune|sing|write|make|give|compose|track|please|want|hey|hi|can|could)\b")


@dataclass(frozen=True)
class Vocabulary:
    """asking.yaml, which says what its fields mean."""

    styles: dict[str, list[str]]
    other_styles: list[str]
    forms: dict[str, str]
    paces: dict[str, str]
    numbers: dict[str, int]
    kin: list[str]
    others: list[str]
    titles: dict[str, str]
    not_names: frozenset[str]
    languages: list[str]
    idle: frozenset[str]
    songs: frozenset[str]


@functools.cache
def vocabulary() -> Vocabulary:
    raw: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("asking.yaml").read_text("utf-8"))
    return Vocabulary(
        styles={style: names.split() for style, names in raw["styles"].items()},
        other_styles=raw["other_styles"].split(),
        forms=raw["forms"],
        paces=raw["paces"],
        numbers=raw["numbers"],
        kin=raw["kin"].split(),
        others=raw["others"].split(),
        titles=raw["titles"],
        not_names=frozenset(raw["not_names"].split()) | frozenset(FEELINGS),
        languages=raw["languages"].split(),
        idle=frozenset(raw["idle"].split()) | frozenset(FEELINGS),
        songs=frozenset(raw["songs"].split()),
    )


def cleaned(text: str) -> str:
    """The text without links, pings and emoji."""
    text = re.sub(r"https?://\S+|<a?:\w+:\d+>|<[@#][!&]?\d+>", " ", text)
    text = "".join(c if c.isalnum() or c.isspace() or c in "'’\"“”.,;:!?&/-–—()%$" else " " for c in text)
    return re.sub(r"[ \t]+", " ", text).strip()


def given_words(text: str) -> tuple[str, str]:
    """(the words that the fan wants sung, the rest of the text)."""
    match = re.search(
        r"(?is)\b(?:sing|use|take|with|set|here are)?\s*(?:these|this|the following|my(?: own)?|the)?\s*"
        r"\b(?:words|lyrics|lines|text|poem)\s*(?:to music)?\s*(?:are)?\s*:\s*(.+)$",
        text,
    )
    if not match:
        return "", text
    return match[1].strip(' \n"“”')[:LONGEST_WORDS].strip(), text[: match.start()].strip(" ,.;:")


def is_latin(letter: str) -> bool:
    return letter < "ɐ"


def latin_part(text: str) -> str:
    return "".join(c if is_latin(c) or not c.isalpha() else " " for c in text)


def number(text: str) -> float:
    return float(vocabulary().numbers.get(text.lower(), 0) or text)


def is_profane(text: str) -> bool:
    return any(word in profanity() for word in re.findall(r"[a-z'-]+", text.lower()))


def find_style(text: str, names: list[str]) -> re.Match[str] | None:
    """A style's name where it means the style: before 'about', or after 'in', 'as', 'with', 'style', 'make it'."""
    lower = text.lower()
    head, about, tail = lower.partition(" about ")
    lead = r"\b(?:in|as|with|like|style|meets|plus|make it|mixed with)\b(?: an?| some| the style of)?|[,.;¦]"
    for name in names:
        said = re.escape(name).replace(r"\-", "[ -]")
        if match := re.search(rf"\b{said}\b", head):
            return match
        if about and re.search(rf"(?:{lead}) *(?:\w+ )?{said}\b", tail):
            return re.search(rf"\b{said}\b", lower[len(head) + len(about) :])
    return None


def listed(text: str, joint: str) -> list[str]:
    """The things that a text lists, apart by the pattern `joint`."""
    lead = r"(?i)^(?:and|the word|that|a mention of)\s+"
    things = [re.sub(lead, "", thing.strip(" ,'\"")) for thing in re.split(joint, text)]
    return [thing for thing in things if 1 < len(thing) <= 40]


def called(kin: str, attributes: str) -> str:
    """How someone is named in a song: a mother by her title, a wife as 'my wife', a best friend so."""
    if kin in vocabulary().kin:
        return vocabulary().titles.get(kin, kin.capitalize())
    best = "best " if "best" in attributes.split() else ""
    return f"my {best}{kin}"


def without_asking(text: str) -> str:
    """What is left of a request when the asking is taken away from its ends; '' if nothing was said."""
    words = [word for word in text.strip(" ,'\"-").split() if _bare(word) not in vocabulary().songs]

    def says_nothing(word: str) -> bool:
        return _bare(word) in vocabulary().idle or _bare(word) in moods() or len(_bare(word)) < 2

    if all(says_nothing(word) for word in words):
        return ""
    asks = _ASKS.search(text.lower())
    while words and (says_nothing(words[-1]) if asks else _bare(words[-1]) in ("please", "thanks")):
        words.pop()
    while words and (says_nothing(words[0]) if asks else _bare(words[0]) in ("some", "with")):
        words.pop(0)
    kept = " ".join(words).strip(" ,'\"-")
    return kept if re.search(r"[a-zA-Z]{3}", kept) else ""


def _bare(word: str) -> str:
    return word.lower().strip(",'\"-")
