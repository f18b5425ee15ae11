"""Wishes: the names and things of a brief that have to be sung, and whether a text sings them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from skills.brief import Brief
from skills.words.material import scenes
from skills.words.prosody import words_of

SMALL = frozenset(
    """a an the and or but of to in on at by for with from up out my your our his her their its this that it is are was
    were be i you he she we they me him them us about who whose how when where what why all some any no not so too very
    really just please song songs blues like got get has have had can will would""".split()
)
_CLAUSE = frozenset(
    """i i'm i've you he she we they who that which when how why what is are was were being getting having me him
    it""".split()
)
_LEADING = frozenset("at in on of to by under over from with near behind for and".split())
_NO_THING = frozenset(  # what may follow a verb in -ing and is no thing
    """old older up out down away home back lost sober late early drunk forgiven free alone better well tell
    thankful""".split()
)
_MINE = frozenset("my our his her their your the a an this".split())
_ENDS = frozenset(  # a thing's name ends before these
    """with without after before than has have had was is were are ate owes owe writes wrote died fell broke keeps
    kept makes made said says went goes gone came comes can't won't again itself instead""".split()
)
_RELATIVE = re.compile(r",? (?:that|who|whom|whose|which|where|when|because|so|and (?:i|he|she|they|we)) .*$")
_DOES = re.compile(  # 'he makes soup', 'she taught me chess'
    r"(?:he|she|they|who) (?:makes?|runs?|plays?|loves?|hates?|feeds?|keeps?|kept|sells?|bakes?|builds?|built|fixes"
    r"|collects?|grows|grew|paints?|drives?|taught (?:me|us)|teaches|knits?|made) ((?:\w[\w'-]* ){0,2}\w[\w'-]*)$"
)
_CAPITAL = r"[A-ZÀ-Þ][\w'’\-]*[\wà-ÿ]"
_CALLED = re.compile(rf"{_CAPITAL}(?:(?: and| &)? {_CAPITAL}){{0,3}}")
_AT = re.compile(
    r"\b(?:in|to|into|from|at|near|over|of|through|across|around|outside|leaving|for) (?:the )?$",
    re.IGNORECASE,
)
_PET = re.compile(
    r"\b(?:dog|puppy|cat|kitten|horse|pony|mule|goat|cow|parrot|bird|rabbit|hamster|goldfish|turtle)"
    r"(?: named| called)? $"
)
_DOING = re.compile(
    r" (?:is|was|has|had|got|will|can|turns|turned|passed|moved|runs|loves|starts|started|went)\b"
)
_NO_NAME = frozenset(
    """i i'm i've i'd i'll monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter halloween thanksgiving valentine god lord
    jesus mr mrs ms dr english""".split()
)


@dataclass(frozen=True)
class Wishes:
    """`name`: whom the song is for or, if it is for nobody, who is named in its theme. `things` are to be sung of too;
    `topic` is what the song is about, if that is a thing with a name ('my red boots'), else ''."""

    name: str
    things: tuple[str, ...]
    topic: str

    def unmet(self, text: str) -> tuple[str, ...]:
        """Those that the text does not sing, the topic only by its last word."""
        left = [self.name] if self.name and not sings(text, self.name) else []
        left += [thing for thing in self.things if not says(text, thing)]
        return (*left, *([self.topic] if self.topic and not says(text, head(self.topic)) else []))


def wishes_of(brief: Brief) -> Wishes:
    people, places = _named(brief)
    things = [*brief.mentions, *places]
    name = brief.dedication or (people.pop(0) if people else "")
    things += [person for person in people if not sings(name, person)]
    topic = as_thing(brief.theme)
    if name and (name in topic or f"{topic} {name}" in brief.theme):  # 'my cousin Petra' is sung as Petra
        topic = ""
    return Wishes(name, tuple(dict.fromkeys(things)), topic)


def sings(text: str, name: str) -> bool:
    """Whether the text says the name, as a word or with an 's; of 'Ana and Luis' each."""
    sung = f" {' '.join(plain_words(text))} "
    parts = [" ".join(plain_words(part)) for part in re.split(r" (?:and|&) ", name)]
    return all(f" {part} " in sung or f" {part}'s " in sung for part in parts if part)


def says(text: str, thing: str) -> bool:
    """Whether the text says the thing: all of its words that carry meaning."""
    return bool(stems(thing)) and stems(thing) <= stems(text)


def plain_words(text: str) -> tuple[str, ...]:
    return words_of(text.lower().replace("’", "'"))


@functools.lru_cache(maxsize=1 << 15)
def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, without their plural and past endings."""
    found = set()
    for word in re.findall(r"[a-zà-ÿ]+", re.sub(r"['’]s\b", "", text.lower())):
        if word not in SMALL and len(word) > 2:
            found.add(re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word.rstrip("s"))
    return frozenset(found)


def head(thing: str) -> str:
    """The word that names the thing: 'my red boots' -> 'boots', 'the jack of diamonds' -> 'jack'."""
    return re.split(r" (?:of|in|on|at|with|without|from|for) ", thing)[0].split(" ")[-1]


def shorter(thing: str) -> str:
    """A long thing without what stands before it: "my brother's terrible sweater" -> 'the sweater'."""
    words = thing.split()
    return thing if len(words) < 4 or "of" in words else f"the {words[-1]}"


def as_thing(theme: str) -> str:
    """What a theme is about, as something to name: 'quantum physics', 'losing my old keys' -> 'my old keys'.

    '' if it is no thing: 'I am so tired'.
    """
    if made := _DOES.match(theme):
        return made[1]
    words = list(words_of(_RELATIVE.sub("", theme.split(",", maxsplit=1)[0])))
    while words and words[0].lower() in _LEADING:
        words.pop(0)
    clause = any(re.split("['’]", word.lower())[0] in _CLAUSE for word in words)
    if len(words) > 1 and words[0].lower().endswith("ing"):
        done = _phrase(words[1:])
        if (
            done
            and not clause
            and done[0].lower() not in SMALL - _MINE | _NO_THING
            and (done[-1][-1] == "s" or done[1:])
        ):
            return " ".join(done)
    elif words and not clause and (len(words) <= 4 or words[0].lower() not in _MINE):
        whole = words if len(words) <= 4 else _phrase(words)
        if not {word.lower() for word in whole} & (_ENDS | _NO_THING):
            return " ".join(whole)
    starts = (i for i, word in enumerate(words[:-1]) if word.lower() in _MINE)
    return next((" ".join(found) for i in starts if len(found := _phrase(words[i:])) > 1), "")


def _phrase(words: Sequence[str]) -> list[str]:
    """The words of the thing that `words` begin with: 'a fishing trip with my dad' -> 'a fishing trip'."""
    found: list[str] = []
    for i, word in enumerate(words[:4]):
        plain = word.lower()
        over = plain in _LEADING or plain in _ENDS or plain in _CLAUSE or (i > 0 and plain in _MINE)
        if over or (i > 1 and (word[0].isupper() or plain.endswith(("ing", "ed")))):
            break
        found.append(re.sub(r"(?<=\w)['’]s$", "", word) if i + 1 == len(words) else word)
    return found


def _named(brief: Brief) -> tuple[list[str], list[str]]:
    """The people, and the places and pets, that the theme speaks of by name, but for whom the song is for."""
    people: list[str] = []
    places: list[str] = []
    for found in _CALLED.finditer(brief.theme):
        name = re.sub(r"['’]s$", "", found[0])
        words = {word.lower() for word in name.split()}
        if (
            words <= _NO_NAME
            or words & plain_set(brief.dedication)
            or (found.start() == 0 and not _begins(brief.theme, name))
        ):
            continue
        before = brief.theme[: found.start()]
        # a pet is sung of, not to: the lines for a name are for people
        (places if _AT.search(before) or _PET.search(before) else people).append(name)
    return people, places


def plain_set(text: str) -> frozenset[str]:
    return frozenset(re.sub(r"'s$", "", word) for word in plain_words(text))


def _begins(theme: str, name: str) -> bool:
    """Whether the theme's first word is a name and not just the first word ('Wei is starting school')."""
    first = name.split(maxsplit=1)[0].lower()
    if first in common_words() or first in SMALL | _CLAUSE:
        return False
    rest = theme[len(name) :]
    alone = not rest or rest.startswith((",", "'s ", "’s ", " and "))
    return alone or len(name.split()) > 1 or bool(_DOING.match(rest))


@functools.cache
def common_words() -> frozenset[str]:
    """The small-letter words of the written material: what stands here is hardly meant as a name."""
    lines = (line for scene in scenes() for unit in scene.units for line in unit.lines)
    return frozenset(word for line in lines for word in words_of(line) if word.islower())
