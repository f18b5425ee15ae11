"""Hearing: small parsers for what a fan's words give away: names, people, themes; and how to say it back."""

from __future__ import annotations

import re

KIN = (
    "grandmother|grandma|granny|grandfather|grandpa|mother|mom|mum|mama|father|dad|daddy|sister|brother|wife|husband|"
    "girlfriend|boyfriend|daughter|son|aunt|uncle|cousin|niece|nephew|partner|fiancée|fiancé|fiancee|fiance|"
    "best friend|friend|roommate|neighbor|neighbour|boss|teacher|baby|kids|children|parents|family|band|"
    "dog|cat|horse|bird|rabbit|hamster|puppy|kitten|parrot"
)
NAME = r"[A-Z][\w'’-]{1,20}"
_AGE = r"(?:little |big |old |older |younger |late )?"
_KIN_NAMED = re.compile(rf"\b[Mm]y {_AGE}({KIN})(?:'s name is| is called| named| called|,)? ({NAME})")
_KIN = re.compile(rf"\bmy ({_AGE}(?:{KIN}))\b(?!'s (?:house|car|boat|name))", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:\b[Mm]y name is|\b[Mm]y name's|\b[Nn]ame's|\b[Cc]all me|\b[Pp]eople call me|\b[Ii] go by|\b[Tt]his is) "
    rf"({NAME})|\b(?:I'm|I’m|I am|i'm|Im) ({NAME})(?=$|[.,!?]| (?:and|from|by|here|nice|your)\b)"
)
_NAMED_LOW = re.compile(r"\b(?:my name is|my name's|call me|name's) ([a-z][\w'-]{1,20})\b", re.IGNORECASE)
_NOT_NAMES = {
    "back", "here", "just", "not", "so", "a", "the", "fine", "ok", "okay", "good", "sorry", "sad", "happy", "from",
    "in", "at", "maybe", "later", "anything", "whatever", "crazy", "texan", "irish", "german", "american", "english",
    "french", "i", "i'm", "you", "when", "if", "tomorrow", "stupid", "on",
}  # fmt: skip
_THEME = re.compile(r"\b(?:about|bout|on|of)\s+(.+)", re.IGNORECASE)
_FOR = re.compile(rf"\bfor (?:my (?:{KIN}),? )?({NAME})")
_THEME_END = re.compile(
    r"\s*(?:[.!?;\n]|,|\b(?:please|pls|it'?s for|thanks|lol|and sing)\b|\bfor (?:my|her|him|them|me|[A-Z])).*$",
    re.DOTALL,
)
_HELLO = r"(?:(?:hi|hey|hello|yo|so|ok|and|but|well|oh|yes|rust|please|now)[,!. ]+)*"
_WISH = re.compile(
    rf"^{_HELLO}(?:(?:can|could|would|will) (?:you|u) (?:please )?|please |let'?s |do "
    r"|i(?:'d like| would like| want| need|'d love) (?:you to )?)?"
    r"(?:write|sing|make|compose|record|create|do|give|gimme|have|hear)?\s*(?:me |us )?"
    r"(?=(?:an?|some|the|something|another|my|one)\b)",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b(song|blues|tune|ballad|lullaby|verse|poem|lyrics|something|one)\b", re.IGNORECASE)
_TOLD = re.compile(rf"^{_HELLO}(?=(?:my|i|i'm|i’m|im|i've|we|our|we're)\b)", re.IGNORECASE)
_OF_US = re.compile(r"\b(you|your|rust|thanks?|bot)\b", re.IGNORECASE)
_FLIPS = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'd", "am": "are",
    "was": "were", "my": "your", "me": "you", "mine": "yours", "myself": "yourself", "we": "you",
    "our": "your", "us": "you", "ours": "yours", "we're": "you're", "we've": "you've", "im": "you're",
    "your": "my", "you": "me", "ourselves": "yourselves",
}  # fmt: skip


_ASKS_HIT = re.compile(
    r"\b(?:your|yours)\b[^.?!]{0,30}\b(?:hits?|number[- ]one|chart|most popular|best[- ](?:loved|known))\b"
    r"|\b(?:what(?:'s| is)|which (?:song|one) is) (?:the )?(?:number one|(?:on )?top of the chart)"
    r"|\b(?:song of yours|of your songs)\b[^.?!]{0,30}\b(?:most|best)\b",
    re.IGNORECASE,
)
HIT = 'The number one song of the week, the biggest hit in the chart, is "{title}".'  # as the artist keeps it in mind
_HIT = re.compile(re.escape(HIT).replace(re.escape("{title}"), "(.+)"))


def asks_hit(text: str) -> bool:
    """Whether somebody asks which of the artist's songs is liked best."""
    return _ASKS_HIT.search(text.replace("’", "'")) is not None


def hit(memory: str) -> str:
    """The title in a memory of a chart, or ''."""
    match = _HIT.search(memory)
    return match[1] if match else ""


def fan_name(text: str) -> str:
    """The name that somebody gives as their own in this message, or ''."""
    match = _NAMED.search(text)
    name = next((group for group in match.groups() if group), "") if match else ""
    if not name and (low := _NAMED_LOW.search(text)):
        name = low[1]
    return "" if name.lower() in _NOT_NAMES else name[:1].upper() + name[1:]


def person(text: str) -> str:
    """Whom the fan speaks of, said back to them: 'Bruno', 'your grandmother', or ''."""
    named = _KIN_NAMED.search(text)
    if named and named[2].lower() not in _NOT_NAMES:
        return named[2]
    kin = _KIN.search(text)
    return f"your {kin[1].lower()}" if kin else ""


def subject(text: str) -> str:
    """Whom the fan speaks of, in the fan's own words: 'my dog Bruno', 'my grandmother', or ''."""
    named = _KIN_NAMED.search(text)
    if named and named[2].lower() not in _NOT_NAMES:
        return f"my {named[1]} {named[2]}"
    kin = _KIN.search(text)
    return f"my {kin[1]}" if kin else ""


def people(text: str) -> set[str]:
    """Names in a message that stand for somebody: after a relation, or after 'for'. Capitals decide."""
    named = {match[2] for match in _KIN_NAMED.finditer(text)} | {match[1] for match in _FOR.finditer(text)}
    return {name for name in named if name.lower() not in _NOT_NAMES}


def theme(text: str) -> str:
    """What a song or verse is to be about, said back: 'the last train home', 'your old truck', or ''."""
    match = _THEME.search(text)
    if match is None:
        return ""
    found = _THEME_END.sub("", match[1]).strip(" '\"")
    found = turned(found)
    return found if 1 < len(found) <= 60 else ""


def retell(text: str) -> str:
    """A clause that tells a fan what they said: 'you told me your sister is leaving', or '' where there is nothing.

    Questions, greetings and talk about the artist are not worth telling back.
    """
    for sentence in re.split(r"(?<=[.!;])\s+|\n+", " ".join(text.split())[:400]):
        clause = sentence.strip(" .!;,")
        if clause and not clause.endswith("?"):
            told = _asked_for(clause) or _told(clause)
            if told:
                return told
    return ""


def _asked_for(clause: str) -> str:
    wish = _WISH.match(clause)
    if wish is None or not wish.end() or not _ORDERED.search(clause):
        return ""
    asked = re.sub(r",?\s*\b(it'?s|this is) for\b", ", for", clause[wish.end() :])
    asked = re.sub(r"[, ]+(?:please|pls|thanks|lol)$", "", asked, flags=re.IGNORECASE)
    return f"you asked me for {turned(asked)}" if len(asked.split()) > 2 else ""


def _told(clause: str) -> str:
    start = _TOLD.match(clause)
    if start is None:
        return ""
    said = clause[start.end() :]
    if not 3 <= len(said.split()) <= 24 or _OF_US.search(said) or _ORDERED.search(said):
        return ""
    return f"you told me {turned(said)}"


def turned(text: str) -> str:
    """First person to second: 'my truck and I' -> 'your truck and you'. The other way round for 'you'."""
    words = text.replace("’", "'").split()
    out: list[str] = []
    for place, word in enumerate(words):
        core = word.strip(".,!?;:'\"").lower()
        flipped = _FLIPS.get(core)
        if core == "was" and not (place and words[place - 1].lower() in ("i", "i,")):
            flipped = None
        if core == "am" and not (place and words[place - 1].lower() == "i"):
            flipped = None
        out.append(word.lower().replace(core, flipped, 1) if flipped else word)
    return " ".join(out)
