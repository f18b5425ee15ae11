"""A brief read out of plain chat words: "a slow blues about the last train home, it's for Maya, 30 seconds".

What is recognised is cut out of the text, piece by piece, and what then follows 'about' is the theme.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from skills import asking
from skills.brief import Brief, BriefError
from skills.style import list_styles, load_style, moods
from skills.words.moods import FEELINGS
from skills.words.wishes import common_words

LONGEST = 600  # characters of a brief that are read
TOO_LONG = 2000  # from here on nobody meant it as a brief
SECONDS = (10.0, 240.0)
BPM = (40.0, 220.0)
SNIPPET, SONG = 20.0, 150.0  # seconds
THINGS = 4  # mentions at most

_PACE_MOODS = {"slow": "slow", "mid": "steady", "up": "fast"}
_NAME = r"[A-ZÀ-Þ][a-zA-Zà-ÿ'’\-]*[a-zà-ÿ]"
_NAMES = rf"{_NAME}(?: {_NAME}){{0,2}}(?:(?:, | and | & ){_NAME})?"
_ASIDE = (
    r"(?:[Ii]t(?:['’]s| is| should be)|[Tt]his (?:one )?(?:is|one['’]s)|[Tt]hat['’]s|[Mm]ake it"
    r"|[Dd]edicate(?:d)?(?: (?:it|this))?|[Dd]edication)"
)
_CROWDS = (
    r"(?:the|all the|my|our)(?: whole| [a-z]+)? (?:family|guys|girls|boys|team|crew|gang|band|folks|people|kids"
    r"|regulars|night shift)(?: (?:at|from|in|on|of) (?:the )?\w+(?: \w+)?)?"
    r"|every(?:one|body) (?:at|in|on|who) [\w ]{3,40}"
)
_STOP = r"(?=[.,;:!?¦\n]| and (?!the )| but |$)"
_NO = (
    r"(?i)(?:\b(?:and |but |please )*(?:don['’]?t|do not|never) (?:mention|sing about|talk about|say|use)"
    r"|\bwithout (?:mentioning|saying|using|any)\b|\bwithout(?= the words?)"
    r"|\bavoid(?:ing)?|\bleave out|\bnothing about|\bnot about"
    r"|\bno mention of|(?<=[,.;¦] )(?:but |and |please )*no(?= [a-z]))"
    r"\s+(?:the words? )?([^.,;:!?¦\n]{2,60}?)(?=[.,;:!?¦\n]| but | please|$)"
)
_YES = (
    r"(?i)\b(?:and |but |please )*(?:mention(?:s|ing)?|includ(?:e|es|ing)|don['’]t forget"
    r"|be sure to (?:mention|include)|make sure (?:to mention|you mention|it mentions)SECOND)"
    r"\s+([^.;:!?¦\n]{2,80}?)(?=[.;:!?¦\n]|, (?:it['’]s )?for\b|$)",
    r"(?i)\bwith ([^.,;:!?¦\n]{2,60}?) in it\b",
    r"(?i)\bput ([^.,;:!?¦\n]{2,60}?) in(?:to)? (?:it|the song)\b",
    r"(?i)\b(?:she|he|they|who) (?:really |always |just )?(?:loves?|loved|likes?|liked|adores?|adored)"
    r" ([^.;:!?¦\n]{2,60}?)(?=[.;:!?¦\n]|$)",
)
_SECOND_ABOUT = (
    r"|something about|a (?:line|word) about|talk about"  # a mention, if 'about' named the theme before
)
_AND = r",\s*(?:and\s+)?|\s+and\s+(?=(?:my|his|her|the|our|their|a|an)\b)|\s+and\s+"
_NO_MATTER = (  # what somebody says who was asked and leaves it open
    r"(?i)(?:just )?(?:surprise me|anything|whatever|something|you (?:choose|pick|decide)|up to you|dunno|no idea"
    r"|i (?:don['’]?t|do not) (?:know|care|mind))(?: you (?:like|want)| at all| is fine)?(?:,.*)?$"
)
_FELT = "|".join(sorted({*FEELINGS} - {"love", "party"}))


def read_brief(text: str, defaults: Brief | None = None) -> Brief:
    """The brief that `text` asks for; what it does not say comes from `defaults`.

    Raises BriefError, with what to do, for text that is empty, has no words, is not in Latin letters, or is
    longer than `TOO_LONG` characters. Of a longer brief the first `LONGEST` characters are read.
    """
    words, clean = asking.given_words(asking.cleaned(text))
    if not clean and not words:
        raise BriefError(
            "Tell me what the song should be about: a person, a place, a feeling. One sentence is plenty."
        )
    if len(clean) > TOO_LONG:
        raise BriefError(
            f"That's {len(clean):,} characters, and a song has room for a few pictures. "
            f"Tell me what it's about in {LONGEST} characters or fewer."
        )
    letters = [c for c in clean + words if c.isalpha()]
    if not letters:
        raise BriefError(
            "I can't read a song out of signs alone. Say in a few words what it should be about."
        )
    if sum(map(asking.is_latin, letters)) < 0.6 * len(letters):
        raise BriefError(
            "I sing in English only. Tell me in English, in Latin letters, what the song should be about."
        )
    if len(clean) > LONGEST:
        clean = clean[: LONGEST + 1].rsplit(" ", 1)[0]
    return _with_defaults(_Reader(asking.latin_part(clean), words).read(), defaults)


def set_aside(text: str) -> tuple[str, ...]:
    """What of the text the song will not follow, as sentences for the fan; () if it follows all of it."""
    words, clean = asking.given_words(asking.cleaned(text))
    said, known = [], list_styles()
    if len(clean) > LONGEST:
        said.append(f"I read the first {LONGEST} characters of that and left out the rest.")
    unknown = {style: names for style, names in asking.vocabulary().styles.items() if style not in known}
    unknown |= {style: [style] for style in asking.vocabulary().other_styles if style not in known}
    asked = [style for style, names in unknown.items() if asking.find_style(clean, names)]
    if asked:
        said.append(f"I don't play {asked[0].replace('-', ' ')} yet; I play {', '.join(known)}.")
    foreign = re.search(rf"(?i)\bin ({'|'.join(asking.vocabulary().languages)})\b", clean)
    if foreign:
        said.append(f"I can't sing in {foreign[1].capitalize()} yet, so it will be in English.")
    if asking.is_profane(f"{clean} {words}"):
        said.append("Some of those words I don't sing, so I left them out.")
    return tuple(said)


@dataclass
class _Reader:
    """Reads one text; every step cuts out what it understood and leaves a '¦'."""

    text: str
    words: str = ""
    kin: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Brief:
        self.text = re.sub(rf"(?i)\bin (?:{'|'.join(asking.vocabulary().languages)})\b", "¦", self.text)
        self._read_length()
        self._read_bpm()
        self._read_form()
        self._read_avoid()
        self._read_mentions()
        self._read_dedication()
        self._read_style()
        pace = self._read_pace()
        self._read_mood()
        self._settle_pace(pace)
        return Brief(theme=self._theme(), words=self.words, **self.found)

    def _cut(self, pattern: str) -> re.Match[str] | None:
        match = re.search(pattern, self.text)
        if match:
            self._replace(match, "¦")
        return match

    def _replace(self, match: re.Match[str], by: str) -> None:
        self.text = f"{self.text[: match.start()]} {by} {self.text[match.end() :]}"

    def _read_length(self) -> None:
        number = (
            r"(\d+(?:\.\d+)?|" + "|".join(sorted(asking.vocabulary().numbers, key=len, reverse=True)) + ")"
        )
        lead = r"(?i)(?:\b(?:about|around|roughly|for|make it|of|lasting) +)?\b"
        minutes = r"(?:[ -]and[ -]a[ -]half)?[ -]*(?:minutes?|mins?|min)\b(?: and a half)?(?: long)?"
        if self._cut(lead + r"half a minute\b(?: long)?"):
            self._set_seconds(30)
        elif match := self._cut(lead + number + minutes):
            self._set_seconds(60 * (asking.number(match[1]) + 0.5 * ("half" in match[0].lower())))
        elif match := self._cut(lead + number + r"[ -]*(?:seconds?|secs?|s)\b(?: long)?"):
            self._set_seconds(asking.number(match[1]))
        elif self._cut(r"(?i)\b(?:full|whole|complete|entire)(?:[ -]length)? (?=song|track|tune|version)"):
            self._set_seconds(SONG)
        elif self._cut(r"(?i)\b(?:short|quick|little|tiny) (?=song|track|tune|clip|snippet)"):
            self._set_seconds(SNIPPET)

    def _set_seconds(self, seconds: float) -> None:
        self.found["seconds"] = float(min(max(seconds, SECONDS[0]), SECONDS[1]))

    def _read_bpm(self) -> None:
        if match := self._cut(r"(?i)(?:at )?\b(\d{2,3}) ?(?:bpm|beats (?:a|per) minute)\b"):
            self.found["bpm"] = float(min(max(float(match[1]), BPM[0]), BPM[1]))

    def _read_form(self) -> None:
        for form, pattern in asking.vocabulary().forms.items():
            # 'about a ballad' is a theme, 'a ballad about' a form
            if re.search(rf"(?i){pattern}", self._head() if form == "aaba" else self.text):
                self.found["form"] = form
                if form != "aaba":
                    self._cut(rf"(?i)(?:in |as )?(?:an? )?(?:{pattern})(?: form)?")
                return

    def _read_avoid(self) -> None:
        things: list[str] = []
        while match := self._cut(_NO):
            things += asking.listed(match[1], r"\s+(?:and|or|nor)\s+")
        if things:
            self.found["avoid"] = tuple(things[:THINGS])

    def _read_mentions(self) -> None:
        things: list[str] = []
        second = _SECOND_ABOUT if self.text.lower().count("about") > 1 else ""
        for pattern in _YES:
            while match := self._cut(pattern.replace("SECOND", second)):
                plain = re.sub(r"(?i)\b(?:too|as well|please|somewhere)\b", "", match[1])
                things += asking.listed(plain, _AND)
        clean = [thing for thing in things if not asking.is_profane(thing)]
        if clean:
            self.found["mentions"] = tuple(clean[:THINGS])

    def _read_dedication(self) -> None:
        named = self._cut(
            rf"(?i:,?(?: and)? (?:his|her|their|whose|the) names?(?: is| are| was|['’]s)) ({_NAMES})"
        )
        self._read_for()
        if named:  # 'for a friend, his name is Eddie' is one person
            self._dedicate(named[1])

    def _read_for(self) -> None:
        if not self._read_own() and not self._read_crowd():
            self._read_named()

    def _read_own(self) -> bool:
        """'for my friend Sam', 'for my mom's 60th birthday' (the birthday stays: it is the theme)."""
        people = "|".join(asking.vocabulary().kin + asking.vocabulary().others)
        match = re.search(
            rf"(?:{_ASIDE}[ :]+)?(?:[Ff]or|[Tt]o) (my|our) ((?:[a-z0-9\-]+ ){{0,3}}?)({people})(?:-in-law)?\b"
            rf"(?:,? (?:called |named )?({_NAMES})(?=[^\w'’]|['’]s\b|$)(?!,? (?:is|please)\b)"
            rf"|, the ({_NAMES}))?(['’]s(?= \w))?",
            self.text,
        )
        if not match:
            return False
        whose, which, who, name, team, owner = match.groups()
        name = name or team
        owned = owner and "about" not in self.text
        self._replace(match, f"about {whose} {which}{name or who}{owner}" if owned else "¦")
        self.kin = who
        self._dedicate(name or asking.called(who, which))
        return True

    def _read_crowd(self) -> bool:
        match = self._cut(rf"(?:{_ASIDE}[ :]+)?\b[Ff]or ({_CROWDS}){_STOP}")
        if match:
            self._dedicate(match[1])
        return bool(match)

    def _read_named(self) -> None:
        for pattern in (
            rf"(?:{_ASIDE}[ :]+)?\b(?:[Ff]or|[Tt]o) (?:my|our|the) (?:[a-z\-]+ ){{1,3}}({_NAMES})(?=[^\w'’]|$)",
            rf"(?<!dog )(?<!cat )(?<!horse )\b(?:named|called) ({_NAMES})(?=[^\w'’]|$)",
            rf"{_ASIDE}[ :]+(?:for |to )?({_NAMES})",
            rf"\b[Ff]or (?P<whom>an? [a-z][a-z ]+), ({_NAMES})(?=[^\w'’]|$)",
            rf"(?:\b[Ff]or|\b(?:song|ode|tribute|letter|dedicated) to) ({_NAMES})(?=['’]s\b)",
            rf"(?:\b[Ff]or|\b(?:song|ode|tribute|letter|dedicated) to) ({_NAMES})(?=[^\w'’]|$)",
            rf"{_ASIDE}[ :]+(?:for|to) ([a-zà-ÿ][a-zà-ÿ'\-]+){_STOP}",
            rf"\bfor ([a-zà-ÿ][a-zà-ÿ'\-]+)\s*{_STOP}",
        ):
            match = re.search(pattern, self.text)
            name = match[match.lastindex or 0] if match else ""
            if (
                not match
                or name.split()[0].lower() in asking.vocabulary().not_names
                or asking.is_profane(name)
                or name in common_words() - set(asking.vocabulary().kin)  # 'a prayer for rain'
            ):
                continue
            before, rest = self.text[: match.start()], self.text[match.end() :]
            about = re.search(r"(?i)\babout\b", self.text)
            if whom := match.groupdict().get("whom"):  # 'for a friend in recovery, Tom'
                self.text = f"{before} {'¦' if about else f'about {whom}'} ¦ {rest}"
            elif rest.startswith(("'s ", "’s ")):  # 'for Ana's wedding' keeps the wedding as the theme
                self.text = f"{before} ¦ {rest[2:]}" if about else f"{before} about {name}{rest}"
            else:
                self.text = f"{before} ¦ {rest}"
            self._dedicate(" ".join(w if w in ("and", "&") else w[:1].upper() + w[1:] for w in name.split()))
            return

    def _dedicate(self, name: str) -> None:
        if name and not asking.is_profane(name):
            self.found["dedication"] = re.sub(r"['’]s$", "", name.strip(" ,")).replace(" & ", " and ")

    def _read_style(self) -> None:
        known = list_styles()
        found = [
            (match.start(), style, match[0])
            for style, names in asking.vocabulary().styles.items()
            for name in names
            if style in known and (match := asking.find_style(self.text, [name]))
        ]
        found.sort(key=lambda item: (item[0], -len(item[2])))
        styles = list(dict.fromkeys(style for _, style, _ in found))[:2]
        if styles:
            self.found["style"] = "+".join(styles)
        for _, _, text in found:
            self.text = re.sub(rf"(?i)\b{re.escape(text.strip())}\b", "¦", self._head()) + self._tail()

    def _head(self) -> str:
        return re.split(r"(?i)(?=\babout\b)", self.text, maxsplit=1)[0]

    def _tail(self) -> str:
        return self.text[len(self._head()) :]

    def _read_pace(self) -> str:
        """'slow', 'mid', 'up' or '', said before the theme or in an aside after it."""
        for pace, pattern in asking.vocabulary().paces.items():
            for part in (self._head(), *re.findall(r"[,.;¦][^,.;¦]*", self._tail())):
                if re.search(rf"(?i)\b(?:{pattern})\b", part):
                    self._cut(rf"(?i)(?:, *)?(?:\bmake it |\bplay it )?\b(?:{pattern})\b")
                    return pace
        return ""

    def _read_mood(self) -> None:
        known, paces = set(moods()), {"slow", "fast", "up", "mid", "blue", "down", "free", "wild"}
        for part, allowed in ((self._head(), known | set(FEELINGS)), (self._tail(), known)):
            for word in re.findall(r"[a-z]+", part.lower()):
                if word in allowed and word not in paces:
                    self.found["mood"] = word if word in known else FEELINGS[word]
                    return

    def _settle_pace(self, pace: str) -> None:
        """A tempo word becomes the mood, or, where the mood goes otherwise, beats a minute."""
        if not pace or "bpm" in self.found:
            return
        mood = self.found.get("mood", "")
        style = load_style(self.found.get("style") or "blues")
        if not mood:
            self.found["mood"] = _PACE_MOODS[pace]
        elif style.pace(mood) != pace:
            low, high = next(tempo for name, tempo in style.groove.tempo.items() if name == pace)
            self.found["bpm"] = (low + high) / 2

    def _theme(self) -> str:
        if match := re.search(
            r"(?i)\b(?:about|on the subject of|regarding|titled|called)\s+([^¦.!?;\n]+)", self.text
        ):
            theme = match[1]
        else:
            parts = re.split(r"[¦.!?;,\n]", self.text)
            asked = [
                asking.without_asking(part) for part in parts if re.search(r"(?i)\b(?:song|tune)\b", part)
            ]
            theme = max(asked, key=len, default="") or max(map(asking.without_asking, parts), key=len)
        theme = re.split(
            r"(?i),\s*(?:please|thanks|thank you|make it|it['’]s|and make|something|nice)\b", theme
        )[0]
        theme = " ".join(word for word in theme.strip(" ,-–—:\"'“”").split() if not asking.is_profane(word))
        idle = (
            r"(?i)^(?:how about|maybe|just|for|and)\s+"
            r"|\s+(?:please|thanks|instead|for me|and|or|but|in|with|as|for|to|the)$"
        )
        theme = re.sub(idle, "", theme).strip(" ,'\"")
        styles = "|".join(style for names in asking.vocabulary().styles.values() for style in names)
        styles += "|".join(("|whole song|for nobody", *asking.vocabulary().forms))
        aside = rf"(?:,| and)\s*(?:{_FELT})|,\s*(?:{styles})"
        theme = re.sub(rf"(?i)(?:{aside})+$", "", theme).strip(" ,")
        if re.match(_NO_MATTER, theme):
            theme = ""
        return theme or (f"my {self.kin}" if self.kin else "")


def _with_defaults(brief: Brief, defaults: Brief | None) -> Brief:
    if defaults is None:
        return brief
    plain = Brief(theme="")
    unsaid = {
        item.name: getattr(defaults, item.name)
        for item in dataclasses.fields(Brief)
        if item.name != "words" and getattr(brief, item.name) == getattr(plain, item.name)
    }
    return dataclasses.replace(brief, **unsaid)
