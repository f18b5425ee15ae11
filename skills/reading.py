"""A brief read out of plain chat words: "a slow blues about the last train home, it's for Maya, 30 seconds".

What is recognised is cut out of the text, piece by piece, and what then follows 'about' is the theme.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from skills.brief import Brief, BriefError
from skills.style import list_styles, load_style, moods
from skills.words.check import profanity
from skills.words.moods import FEELINGS

LONGEST = 600  # characters of a brief that are read
TOO_LONG = 2000  # from here on nobody meant it as a brief
LONGEST_WORDS = 3000  # characters of given words
SECONDS = (10.0, 240.0)
BPM = (40.0, 220.0)
SNIPPET, SONG = 20.0, 150.0  # seconds
THINGS = 4  # mentions at most

_STYLES = {
    "blues": "blues bluesy delta-blues 12-bar-blues",
    "soul": "soul soul-ballad soulful r&b rnb motown",
    "gospel": "gospel spiritual church-choir",
    "country": "country country-and-western honky-tonk bluegrass americana",
    "folk": "folk folksy folk-song acoustic singer-songwriter",
    "rock": "rock rock-and-roll rock-n-roll rocker hard-rock",
    "lo-fi": "lofi lo-fi chillhop chill lo-fi-hip-hop",
    "electronica": "electronica electronic edm techno synth synthwave house",
    "classical": "classical orchestral orchestra chamber baroque",
}
_OTHER_STYLES = "reggae metal jazz rap hip-hop pop punk disco funk ska salsa bossa-nova latin opera trap drill k-pop grunge indie"
_FORMS = {
    "aab": r"(?:12|twelve)[ -]bar|\baab\b",
    "8-bar": r"(?:8|eight)[ -]bar",
    "call-response": r"call[ -](?:and|&)[ -]response|call-response|\bwork song\b",
    "aaba": r"\baaba\b|\bballad\b",
    "verse-chorus": r"verse(?:s)?(?: and(?: a)? |[ -])chorus|with a (?:chorus|hook)",
}
_PACES = {
    "slow": r"slow(?:ly)?(?: and slow| tempo)?|down-?tempo",
    "mid": r"mid-?tempo|medium tempo",
    "up": r"fast|up-?tempo|quick tempo",
}
_PACE_MOODS = {"slow": "slow", "mid": "steady", "up": "fast"}
_NUMBERS = dict(
    zip(
        "a an one two three four five six seven eight nine ten fifteen twenty thirty forty forty-five fifty sixty ninety".split(),
        (1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 40, 45, 50, 60, 90),
        strict=True,
    )
)
_KIN = (
    "mom mum mam mama mommy mother dad daddy papa pa pop father stepdad stepmom grandma grandmother granny nana gran oma "
    "grandpa grandfather granddad opa uncle aunt auntie"
).split()
_OTHERS = (
    "wife husband girlfriend boyfriend partner fiance fiancee fiancé fiancée daughter son kid kids child children baby brother "
    "sister cousin niece nephew friend friends buddy bestie boss teacher neighbor neighbour dog cat team band bandmates "
    "coworker coworkers colleague colleagues class crew family parents parent roommate love"
).split()
_CALLED = {"mother": "Mother", "father": "Father", "grandmother": "Grandma", "grandfather": "Grandpa"}
_LANGUAGES = "spanish french german italian portuguese russian chinese japanese korean arabic hindi polish dutch swedish turkish".split()

_NAME = r"[A-ZÀ-Þ][a-zA-Zà-ÿ'’\-]*[a-zà-ÿ]"
_NAMES = rf"{_NAME}(?: {_NAME}){{0,2}}(?:(?:, | and | & ){_NAME})?"
_NOT_NAMES = frozenset(
    """a an the my your our his her their this that these those me us you it fun free sure real once now ever everyone
    everybody anyone someone today tonight tomorrow work dinner lunch breakfast christmas halloween easter valentine
    monday tuesday wednesday thursday friday saturday sunday birthday wedding love life school good two three four
    thirty twenty sixty one least about karaoke guitar piano dancing sleeping driving lovers people children kids
    example instance starters real whom what which who when sale all them him her men women and or i""".split()
)
_ASIDE = r"(?:[Ii]t(?:['’]s| is| should be)|[Tt]his (?:one )?(?:is|one['’]s)|[Tt]hat['’]s|[Mm]ake it|[Dd]edicate(?:d)?(?: (?:it|this))?|[Dd]edication)"
_CROWDS = (
    r"(?:the|all the|my|our) (?:guys|girls|boys|team|crew|gang|band|folks|people|kids|night shift|regulars)"
    r"(?: (?:at|from|in|on|of) (?:the )?\w+)?|every(?:one|body) (?:at|in|on|who) [\w ]{3,24}"
)
_STOP = r"(?=[.,;:!?¦\n]| and (?!the )| but |$)"


def read_brief(text: str, defaults: Brief | None = None) -> Brief:
    """The brief that `text` asks for; what it does not say comes from `defaults`.

    Raises BriefError, with what to do, for text that is empty, has no words, is not in Latin letters, or is
    longer than `TOO_LONG` characters. Of a longer brief the first `LONGEST` characters are read.
    """
    clean = _cleaned(text)
    if not clean:
        raise BriefError(
            "Tell me what the song should be about: a person, a place, a feeling. One sentence is plenty."
        )
    words, clean = _given_words(clean)
    if len(clean) > TOO_LONG:
        raise BriefError(
            f"That's {len(clean):,} characters, and a song has room for a few pictures. "
            f"Tell me what it's about in {LONGEST} characters or fewer."
        )
    if len(clean) > LONGEST:
        clean = clean[: LONGEST + 1].rsplit(" ", 1)[0]
    letters = [c for c in clean + words if c.isalpha()]
    if not letters:
        raise BriefError(
            "I can't read a song out of signs alone. Say in a few words what it should be about."
        )
    if sum(_latin(c) for c in letters) < 0.6 * len(letters):
        raise BriefError(
            "So far I sing in English only. Tell me in English, in Latin letters, what the song should be about."
        )
    found = _Reader(_latin_part(clean), words).read()
    return _with_defaults(found, defaults)


def missing(brief: Brief) -> tuple[str, ...]:
    """The fields that the fan has not spoken of, the ones most worth asking for first."""
    if brief.words:
        return tuple(name for name in ("mood", "style") if not getattr(brief, name))
    return tuple(name for name in ("theme", "mood", "style", "dedication") if not getattr(brief, name))


def set_aside(text: str) -> tuple[str, ...]:
    """What of the text the song will not follow, as sentences for the fan; () if it follows all of it."""
    words, clean = _given_words(_cleaned(text))
    lower = clean.lower()
    said = []
    if len(clean) > LONGEST:
        said.append(f"I read the first {LONGEST} characters of that and left out the rest.")
    known = list_styles()
    asked = [name for name, names in _STYLES.items() if name not in known and _styled(lower, names.split())]
    asked += [name for name in _OTHER_STYLES.split() if _styled(lower, [name])]
    if asked:
        said.append(f"I don't play {asked[0].replace('-', ' ')} yet; I play {', '.join(known)}.")
    for language in _LANGUAGES:
        if re.search(rf"\bin {language}\b", lower):
            said.append(f"I can't sing in {language.capitalize()} yet, so it will be in English.")
    if any(word in profanity() for word in re.findall(r"[a-z'-]+", f"{lower} {words.lower()}")):
        said.append("Some of those words I don't sing, so I left them out.")
    return tuple(said)


@dataclass
class _Reader:
    """Reads one text; every `_read_` step cuts out what it understood and leaves a '¦'."""

    text: str
    words: str = ""
    kin: str = ""
    found: dict[str, object] = field(default_factory=dict)

    def read(self) -> Brief:
        self.text = re.sub(r"(?i)\bin (?:%s)\b" % "|".join(_LANGUAGES), "¦", self.text)
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
        theme = self._theme()
        return Brief(theme=theme, words=self.words, **self.found)  # type: ignore[arg-type]

    def _cut(self, pattern: str) -> re.Match[str] | None:
        match = re.search(pattern, self.text)
        if match:
            self.text = f"{self.text[: match.start()]} ¦ {self.text[match.end() :]}"
        return match

    def _read_length(self) -> None:
        number = r"(\d+(?:\.\d+)?|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
        lead = r"(?i)(?:\b(?:about|around|roughly|for|make it|of|lasting) +)?"
        if match := self._cut(
            lead
            + rf"\b{number}(?:[ -]and[ -]a[ -]half)?[ -]*(?:minutes?|mins?|min)\b(?: and a half)?(?: long)?"
        ):
            value = _number(match[1]) + 0.5 * ("half" in match[0].lower())
            self._set_seconds(60 * value)
        elif self._cut(lead + r"\bhalf a minute\b(?: long)?"):
            self._set_seconds(30)
        elif match := self._cut(lead + rf"\b{number}[ -]*(?:seconds?|secs?|s)\b(?: long)?"):
            self._set_seconds(_number(match[1]))
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
        head = re.split(r"(?i)\babout\b", self.text)[0]
        for form, pattern in _FORMS.items():
            if re.search(rf"(?i){pattern}", head if form == "aaba" else self.text):
                self.found["form"] = form
                if form != "aaba":
                    self._cut(rf"(?i)(?:in |as )?(?:an? )?(?:{pattern})(?: form)?")
                return

    def _read_avoid(self) -> None:
        things: list[str] = []
        pattern = (
            r"(?i)(?:\b(?:and |but |please )*(?:don['’]?t|do not|never) (?:mention|sing about|talk about|say|use)"
            r"|\bwithout (?:mentioning |saying |any )?|\bavoid(?:ing)?|\bleave out|\bnothing about|\bnot about|\bno mention of"
            r"|(?<=[,.;¦] )(?:but |and |please )*no(?= [a-z]))"
            r"\s+(?:the word )?([^.,;:!?¦\n]{2,60}?)(?=[.,;:!?¦\n]| but | please|$)"
        )
        while match := self._cut(pattern):
            things += _listed(match[1], r"\s+(?:and|or|nor)\s+")
        if things:
            self.found["avoid"] = tuple(things[:THINGS])

    def _read_mentions(self) -> None:
        things: list[str] = []
        second = (
            r"|something about|a (?:line|word) about|talk about"
            if self.text.lower().count("about") > 1
            else ""
        )
        patterns = (
            r"(?i)\b(?:and |but |please )*(?:mention(?:s|ing)?|includ(?:e|es|ing)|don['’]t forget|be sure to (?:mention|include)|"
            r"make sure (?:to mention|you mention|it mentions)"
            + second
            + r")\s+([^.;:!?¦\n]{2,80}?)(?=[.;:!?¦\n]|$)",
            r"(?i)\bwith ([^.,;:!?¦\n]{2,60}?) in it\b",
            r"(?i)\bput ([^.,;:!?¦\n]{2,60}?) in(?:to)? (?:it|the song)\b",
            r"(?i)\b(?:she|he|they|who) (?:really |always |just )?(?:loves?|loved|likes?|liked|adores?|adored) ([^.;:!?¦\n]{2,60}?)(?=[.;:!?¦\n]|$)",
        )
        for pattern in patterns:
            while match := self._cut(pattern):
                things += _listed(
                    re.sub(r"(?i)\b(?:too|as well|please|somewhere)\b", "", match[1]),
                    r",\s*(?:and\s+)?|\s+and\s+(?=(?:my|his|her|the|our|their|a|an)\b)|\s+and\s+",
                )
        clean = [thing for thing in things if not _profane(thing)]
        if clean:
            self.found["mentions"] = tuple(clean[:THINGS])

    def _read_dedication(self) -> None:
        kin = "|".join(_KIN + _OTHERS)
        # "for my friend Sam", "for my mom's 60th birthday" (the birthday stays: it is the theme)
        own = (
            rf"(?:{_ASIDE}[ :]+)?(?:[Ff]or|[Tt]o) (?:my|our) ((?:[a-z0-9\-]+ ){{0,3}}?)({kin})\b,?"
            rf"(?: (?:called |named )?({_NAMES}))?(['’]s)?"
        )
        if match := re.search(own, self.text):
            if match[4] and re.match(r"['’]s? *(?:\w+ ){0,3}\w", self.text[match.end() - 2 :]):
                owned = self.text[match.start() : match.end()]
                rest = (
                    self.text[: match.start()]
                    + "about "
                    + re.sub(rf"^(?:{_ASIDE}[ :]+)?(?:[Ff]or|[Tt]o) ", "", owned)
                )
                self.text = (
                    rest + self.text[match.end() :]
                    if "about" not in self.text
                    else f"{self.text[: match.start()]} ¦ {self.text[match.end() :]}"
                )
            else:
                self.text = f"{self.text[: match.start()]} ¦ {self.text[match.end() :]}"
            self.kin = match[2]
            self._dedicate(match[3] or _called(match[2], match[1]))
            return
        if match := re.search(rf"(?:{_ASIDE}[ :]+)?\b[Ff]or ({_CROWDS}){_STOP}", self.text):
            self.text = f"{self.text[: match.start()]} ¦ {self.text[match.end() :]}"
            self._dedicate(match[1])
            return
        for pattern in (
            rf"(?:{_ASIDE}[ :]+)?\b(?:[Ff]or|[Tt]o) (?:my|our|the) (?:[a-z\-]+ ){{1,3}}({_NAMES})(?=[^\w'’]|$)",
            rf"{_ASIDE}[ :]+(?:for |to )?({_NAMES})(?:['’]s\b)?",
            rf"\b(?:[Ff]or|[Tt]o) ({_NAMES})(?=['’]s\b)",
            rf"\b(?:[Ff]or|[Tt]o) ({_NAMES})(?=[^\w'’]|$)",
            rf"{_ASIDE}[ :]+(?:for|to) ([a-zà-ÿ][a-zà-ÿ'\-]+){_STOP}",
            rf"\bfor ([a-zà-ÿ][a-zà-ÿ'\-]+)\s*{_STOP}",
        ):
            match = re.search(pattern, self.text)
            if (
                match
                and match[1].split()[0].lower() not in _NOT_NAMES | set(FEELINGS)
                and not _profane(match[1])
            ):
                # 'for Ana's wedding' names Ana and keeps the wedding as the theme
                follows = self.text[match.end() :]
                about = (
                    ""
                    if re.search(r"(?i)\babout\b", self.text) or not follows.startswith(("'s", "’s"))
                    else f"about {match[1]}"
                )
                self.text = f"{self.text[: match.start()]} {about or '¦'}{'' if about else ' '}{follows if about else follows.removeprefix(chr(39) + 's')}"
                self._dedicate(
                    " ".join(w if w in ("and", "&") else w[:1].upper() + w[1:] for w in match[1].split())
                )
                return

    def _dedicate(self, name: str) -> None:
        if name and not _profane(name):
            self.found["dedication"] = re.sub(r"['’]s$", "", name.strip(" ,")).replace(" & ", " and ")

    def _read_style(self) -> None:
        known = list_styles()
        found: list[tuple[int, str, str]] = []
        for style, names in _STYLES.items():
            for name in names.split():
                if style in known and (match := _styled(self.text.lower(), [name])):
                    found.append((match.start(), style, match[0]))
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
        for pace, pattern in _PACES.items():
            for part in (self._head(), *re.findall(r"[,.;¦][^,.;¦]*", self._tail())):
                if re.search(rf"(?i)\b(?:{pattern})\b", part):
                    self._cut(
                        rf"(?i)(?:, *)?(?:\bmake it |\bplay it )?(?<=[\W])?\b(?:{pattern})\b"
                    ) if part != self._tail() else None
                    return pace
        return ""

    def _read_mood(self) -> None:
        known = set(FEELINGS) | set(moods())
        head, tail = self._head(), self._tail()
        for part, allowed in ((head, known), (tail, set(moods()))):
            for word in re.findall(r"[a-z]+", part.lower()):
                if word in allowed and word not in (
                    "slow",
                    "fast",
                    "up",
                    "mid",
                    "blue",
                    "down",
                    "free",
                    "wild",
                ):
                    self.found["mood"] = word if word in moods() else FEELINGS[word]
                    return

    def _settle_pace(self, pace: str) -> None:
        """A tempo word becomes the mood, or, where the mood goes otherwise, beats a minute."""
        if not pace or "bpm" in self.found:
            return
        mood = str(self.found.get("mood", ""))
        style = load_style(str(self.found.get("style") or "blues"))
        if not mood:
            self.found["mood"] = _PACE_MOODS[pace]
        elif style.pace(mood) != pace:
            low, high = style.groove.tempo[pace]  # type: ignore[index]
            self.found["bpm"] = (low + high) / 2

    def _theme(self) -> str:
        text = self.text
        if match := re.search(
            r"(?i)\b(?:about|on the subject of|regarding|titled|called)\s+([^¦.!?;\n]+)", text
        ):
            theme = match[1]
        else:
            pieces = [piece for part in re.split(r"[¦.!?;,\n]", text) if (piece := _without_asking(part))]
            theme = max(pieces, key=len, default="")
        theme = re.split(
            r"(?i),\s*(?:please|thanks|thank you|make it|it['’]s|and make|something|nice)\b", theme
        )[0]
        theme = " ".join(word for word in theme.strip(" ,-–—:\"'“”").split() if not _profane(word))
        theme = re.sub(
            r"(?i)^(?:how about|maybe|just)\s+|\s+(?:please|thanks|for me|and|or|in|with|as|for|to|the)$",
            "",
            theme,
        ).strip(" ,'\"")
        theme = re.sub(
            rf"(?i),?\s*\b(?:and )?(?:{'|'.join(sorted({*FEELINGS, *moods()} - {'blue', 'free', 'love', 'party'}))})$",
            "",
            theme,
        ).strip(" ,")
        if not theme and self.kin:
            theme = f"my {self.kin}"
        return theme


def _with_defaults(brief: Brief, defaults: Brief | None) -> Brief:
    if defaults is None:
        return brief
    plain = Brief(theme="")
    unsaid: Mapping[str, object] = {
        item.name: getattr(defaults, item.name)
        for item in dataclasses.fields(Brief)
        if getattr(brief, item.name) == getattr(plain, item.name) and item.name not in ("words",)
    }
    return dataclasses.replace(brief, **unsaid)  # type: ignore[arg-type]


def _cleaned(text: str) -> str:
    """The text without links, pings and emoji, its quotes straight."""
    text = re.sub(r"https?://\S+|<a?:\w+:\d+>|<[@#][!&]?\d+>", " ", text)
    text = "".join(c if c.isalnum() or c.isspace() or c in "'’\"“”.,;:!?&/-–—()%$" else " " for c in text)
    return re.sub(r"[ \t]+", " ", text).strip()


def _given_words(text: str) -> tuple[str, str]:
    """(the words that the fan wants sung, the rest of the text)."""
    match = re.search(
        r"(?is)\b(?:sing|use|take|with|set|here are)?\s*(?:these|this|the following|my(?: own)?|the)?\s*"
        r"\b(?:words|lyrics|lines|text|poem)\s*(?:to music)?\s*(?:are)?\s*:\s*(.+)$",
        text,
    )
    if not match:
        return "", text
    return match[1].strip().strip('"“”')[:LONGEST_WORDS].strip(), text[: match.start()].strip(" ,.;:")


def _latin(letter: str) -> bool:
    return letter < "ɐ"


def _latin_part(text: str) -> str:
    return "".join(c if _latin(c) or not c.isalpha() else " " for c in text)


def _number(text: str) -> float:
    return float(_NUMBERS[text.lower()]) if text.lower() in _NUMBERS else float(text)


def _profane(text: str) -> bool:
    return any(word in profanity() for word in re.findall(r"[a-z'-]+", text.lower()))


def _styled(lower: str, names: list[str]) -> re.Match[str] | None:
    """A style's name where it means the style: before 'about', or after 'in', 'as', 'with', 'style', 'make it'."""
    head, about, tail = lower.partition(" about ")
    for name in names:
        said = re.escape(name).replace(r"\-", "[ -]")
        if match := re.search(rf"\b{said}\b", head):
            return match
        after = rf"(?:\b(?:in|as|with|like|style|meets|plus|make it|mixed with)\b(?: an?| some| the style of)?|[,.;¦]) *(?:\w+ )?{said}\b"
        if about and (match := re.search(after, tail)):
            return re.search(rf"\b{said}\b", lower[len(head) + len(about) :])
    return None


def _listed(text: str, joint: str) -> list[str]:
    things = [
        re.sub(r"(?i)^(?:and|the word|that|a mention of)\s+", "", thing.strip(" ,'\""))
        for thing in re.split(joint, text)
    ]
    return [thing for thing in things if 1 < len(thing) <= 40]


def _called(kin: str, attributes: str) -> str:
    """How someone is named in a song: a mother by her title, a wife as 'my wife'."""
    if kin in _KIN:
        return _CALLED.get(kin, kin.capitalize())
    best = "best " if "best" in attributes.split() else ""
    return f"my {best}{kin}"


_ASKING = frozenset(
    """hey hi hello please pls could can would will you i i'd we want need like love to write make sing do give create
    compose get have let's lets me us a an the some another one something for with and it it's is of that in as so really
    very kind sort style mood tempo bit little nice good great cool new my our yo ok okay rust breaking up be should this
    just maybe tonight today know what surprise anything whatever thanks thank on by about how short quick""".split()
)
_SONGS = frozenset("song songs tune track ditty number piece music clip".split())


def _without_asking(text: str) -> str:
    """What is left of a request when the asking is taken away from its ends; '' if nothing was said."""
    words = [word for word in text.strip(" ,'\"-").split() if word.lower().strip(",'\"") not in _SONGS]

    def idle(word: str) -> bool:
        plain = word.lower().strip(",'\"-")
        return (
            plain in _ASKING or plain in FEELINGS or plain in moods() or not plain.isascii() or len(plain) < 2
        )

    while words and idle(words[-1]):
        words.pop()
    asked = text.lower()
    asks = (
        re.search(r"\b(?:song|tune|sing|write|make|give|compose|track|please|want|hey|hi|can|could)\b", asked)
        is not None
    )
    while words and (idle(words[0]) if asks else words[0].lower() in ("a", "an", "some", "with")):
        words.pop(0)
    kept = " ".join(words).strip(" ,'\"-")
    return kept if re.search(r"[a-zA-Z]{3}", kept) else ""
