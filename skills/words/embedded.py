"""The embedded author: a song chosen from the written material, put together so that it makes sense as one.

All lines of a song come from one scene (one singer, one listener, one situation), a verse goes from an opening
image to a turn, and what is chosen is what lies nearest to the brief in meaning. Same brief, same seed, same song.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skills.brief import Brief
from skills.words.check import key, line_faults
from skills.words.forms import Plan, Scheme
from skills.words.material import Kind, Scene, Unit, common, scenes
from skills.words.moods import feelings
from skills.words.prosody import last_word, rhyme_sound, rhymes, words_of

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

JITTER = 0.10  # of a unit's fit: how far the seed may stray from the nearest
SCENE_JITTER = 0.05
FAR = 0.33  # a theme whose nearest scene is further than this is sung of as a thing
SMALL = frozenset(
    """a an the and or but of to in on at by for with from up out my your our his her their its this that it is
    are was be i you he she we they me him them us about who whose how when where what all some any no not so too
    very really just please song songs blues love""".split()
)


@dataclass(frozen=True)
class Draft:
    """A written song: the lines of each stanza with the scheme that they follow, its title and its hook."""

    title: str
    stanzas: tuple[tuple[str, Scheme, tuple[str, ...]], ...]
    hook: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for _, _, lines in self.stanzas for line in lines)


class NothingLeft(Exception):
    """The scene has no unused lines that fit the plan."""


@dataclass
class _Page:
    """What is on the page so far; a unit is tried against it."""

    brief: Brief
    plan: Plan
    rng: random.Random
    spent: Collection[str]
    thing: str = ""
    said: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    units: set[Unit] = field(default_factory=set)
    named: bool = False
    shown: bool = False
    title: str = ""


@dataclass(frozen=True)
class _Wish:
    """The brief as it is compared with the material."""

    vectors: NDArray[np.float32]  # [n, 384]: the theme, then each thing to mention
    avoid: NDArray[np.float32]  # [m, 384]
    words: frozenset[str]
    avoid_words: frozenset[str]
    moods: frozenset[str]


class EmbeddedAuthor:
    """Writes from skills/words/material. `embed` gives unit vectors for texts: [n] texts -> [n, 384]."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def write(self, brief: Brief, plan: Plan, seed: int, used: Collection[str] = ()) -> Draft:
        """A song to `plan`, without a line of `used` as long as the material has others."""
        rng = random.Random(f"{seed}|{brief.theme}|{brief.mood}|{brief.dedication}")
        spent = {key(line) for line in used}
        wish = self._wish(brief)
        ranked, thing = self._ranked(brief, wish, rng)
        for barred in (spent, set[str]()):
            for scene in ranked:
                for room in (plan, plan.eased):
                    try:
                        return self._song(scene, wish, _Page(brief, room, rng, barred, thing=thing))
                    except NothingLeft:
                        continue
        raise NothingLeft(f"the material holds no song of the form {plan.form.name!r}")

    def couplets(
        self, brief: Brief, plan: Plan, seed: int, used: Collection[str] = ()
    ) -> Iterator[tuple[str, ...]]:
        """Pairs of rhymed lines for the brief, the fittest first: what mends a song of another author."""
        rng = random.Random(f"{seed}|mend|{brief.theme}")
        wish = self._wish(brief)
        ranked, thing = self._ranked(brief, wish, rng)
        for scene in [*ranked, common()]:
            page = _Page(brief, plan, rng, {key(line) for line in used}, thing=thing)
            units = [
                unit for unit in scene.of("open", "turn") if not unit.takes_name and not unit.takes_thing
            ]
            for unit in self._sorted(units, wish, page):
                yield from self._fits(unit, page, ("a", "a"))

    def _song(self, scene: Scene, wish: _Wish, page: _Page) -> Draft:
        stanzas = _Stanzas(self, scene, wish, page)
        parts = [stanzas.make(i, name) for i, name in enumerate(page.plan.stanzas)]
        hook = stanzas.hook_line or stanzas.response
        return Draft(title=_title(page, scene, hook, parts), stanzas=tuple(parts), hook=hook)

    def _wish(self, brief: Brief) -> _Wish:
        texts = [brief.theme or "a song from the heart", *brief.mentions]
        return _Wish(
            vectors=self._embed(texts),
            avoid=self._embed(list(brief.avoid)) if brief.avoid else np.zeros((0, 384), np.float32),
            words=_stems(" ".join(texts)),
            avoid_words=_stems(" ".join(brief.avoid)),
            moods=feelings(brief.mood),
        )

    def _ranked(self, brief: Brief, wish: _Wish, rng: random.Random) -> tuple[list[Scene], str]:
        """The scenes, the fittest first, and the thing to sing of by name ('' if the scene says it all)."""
        all_scenes = scenes()
        self._learn([_topic(scene) for scene in all_scenes])
        fits = []
        for scene in all_scenes:
            vector = self._vectors[_topic(scene)]
            theme, *mentioned = (float(wanted @ vector) for wanted in wish.vectors)
            near = theme + 0.15 * max(mentioned, default=0.0)
            near += 0.25 * min(2, len(_stems(" ".join(scene.words)) & wish.words)) ** 0.5
            near += 0.12 * bool(scene.moods & wish.moods)
            near += 0.08 * bool(brief.dedication and "you" in scene.person)
            if wish.avoid_words & _stems(" ".join(scene.words) + " " + scene.theme):
                near -= 1.0
            near -= 0.5 * max((max(0.0, float(v @ vector) - 0.3) for v in wish.avoid), default=0.0)
            fits.append((near + rng.uniform(0, SCENE_JITTER), scene))
        fits.sort(key=lambda pair: -pair[0])
        ranked, things = [scene for _, scene in fits], list(brief.mentions)
        if brief.theme and fits[0][0] < FAR + 0.12 * bool(wish.moods):
            things.insert(0, as_thing(brief.theme))
            ranked.insert(0, common())
        return ranked, things[0] if things else ""

    def _sorted(self, units: Sequence[Unit], wish: _Wish, page: _Page) -> list[Unit]:
        """The units by fit to the brief, variety and chance."""
        self._learn([unit.plain for unit in units])

        def fit(unit: Unit) -> float:
            vector = self._vectors[unit.plain]
            stems = _stems(unit.plain)
            near = float(wish.vectors[0] @ vector) + 0.12 * min(2, len(stems & wish.words))
            near -= 0.06 * len(stems & page.said) + 0.5 * len(stems & wish.avoid_words)
            return near + page.rng.uniform(0, JITTER)

        return [unit for _, unit in sorted(((fit(unit), unit) for unit in units), key=lambda pair: -pair[0])]

    def _fits(self, unit: Unit, page: _Page, marks: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The unit's ways of being written that may stand on the page, slots filled."""
        if unit in page.units:
            return
        for version in unit.versions(page.rng):
            for lines in _filled(version, unit, page):
                if all(_stands(line, mark, page) for line, mark in zip(lines, marks, strict=True)):
                    yield lines

    def _learn(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embed(new), strict=True))


class _Stanzas:
    """Writes the stanzas of one song from one scene, in order."""

    def __init__(self, author: EmbeddedAuthor, scene: Scene, wish: _Wish, page: _Page) -> None:
        self.author, self.scene, self.wish, self.page = author, scene, wish, page
        self.hook: tuple[str, ...] = ()
        self.response = ""
        self.chorus: tuple[str, Scheme, tuple[str, ...]] | None = None
        self.answers = 0
        schemes = [page.plan.form.stanzas[name][0] for name in page.plan.stanzas]
        if any("H" in scheme for scheme in schemes):
            self.hook = self._hook()
        if any("R" in scheme for scheme in schemes):
            self.response = self._pick(("response",), ("R",), free=True)[0]
        self.slots = sum(
            _couplets(name, scheme) for name, scheme in zip(page.plan.stanzas, schemes, strict=True)
        )
        self.slot = 0

    @property
    def hook_line(self) -> str:
        return self.hook[0] if self.hook else ""

    def make(self, number: int, name: str) -> tuple[str, Scheme, tuple[str, ...]]:
        options = self.page.plan.form.stanzas[name]
        scheme = options[0]
        lines: tuple[str, ...]
        if name == "chorus" and self.chorus:
            return self.chorus
        if len(options) > 1:
            lines, scheme = self._verse(name, options)
        elif scheme == ("a", "a"):
            lines = self._couplet(("turn",) if name == "bridge" else ("open",))
        elif scheme == ("a", "=1", "a"):
            first, answer = self._couplet(("aab",))
            lines = (first, first, answer)
        elif "R" in scheme:
            first, second = self._couplet(("open", "turn") if number % 2 == 0 else ("turn", "open"))
            lines = (first, self.response, second, self.response)
        elif scheme == ("a", "a", "h", "H"):
            first, second = self._couplet(("open",) if number % 2 == 0 else ("turn", "open"))
            lines = (first, second, self._answer(), self.hook_line)
        else:  # tag and chorus: the hook and what answers it
            pair = [(self.hook_line, self._answer()) for _ in range(len(scheme) // 2)]
            lines = tuple(line for two in pair for line in two)
        made = (name, scheme, lines)
        if name == "chorus":
            self.chorus = made
        return made

    def _verse(self, name: str, options: Sequence[Scheme]) -> tuple[tuple[str, ...], Scheme]:
        """Four lines that were written together, or an opening and a turn."""
        page = self.page
        needs = self._needs()
        if (
            not needs
            and self.slots - self.slot > 2 * bool(self._owed())
            and page.rng.random() < self._whole_share()
        ):
            try:
                lines = self._pick(("verse",), "abcd")
                self.slot += 2
                return lines, _scheme_of(lines, options)
            except NothingLeft:
                pass
        first = self._couplet(("open",) if name != "bridge" else ("turn", "open"))
        second = self._couplet(("turn",))
        return (*first, *second), options[0]

    def _whole_share(self) -> float:
        whole = len(self.scene.of("verse"))
        return whole / (whole + 2.0)

    def _owed(self) -> int:
        """How many of the fan's wishes (the name, the thing) no line has met yet."""
        page = self.page
        return int(bool(page.brief.dedication) and not page.named) + int(bool(page.thing) and not page.shown)

    def _needs(self) -> bool:
        """Whether the next couplet has to meet a wish, because no more are left than wishes."""
        return self._owed() >= self.slots - self.slot

    def _couplet(self, kinds: tuple[Kind, ...]) -> tuple[str, ...]:
        owed = self._owed()
        left = self.slots - self.slot
        self.slot += 1
        if owed and (left <= owed or (owed and self.slot > 1) or left == 1):
            both = owed == 2 and left == 1
            return self._wished(kinds, both)
        return self._pick(kinds, ("a", "a"))

    def _wished(self, kinds: tuple[Kind, ...], both: bool) -> tuple[str, ...]:
        """A couplet that says the name, or the thing, or both."""
        page = self.page
        name_owed = bool(page.brief.dedication) and not page.named
        thing_owed = bool(page.thing) and not page.shown
        groups: list[list[Unit]] = []
        own = self.scene.of(*kinds)
        shared = common().of("aab") if "aab" in kinds else common().of("open", "turn")
        if both:
            groups.append([unit for unit in (*own, *shared) if unit.takes_name and unit.takes_thing])
        if thing_owed:
            head = _stems(page.thing)
            groups.append([unit for unit in own if head and head <= _stems(unit.plain)])
            groups.append([unit for unit in (*own, *shared) if unit.takes_thing and not unit.takes_name])
        if name_owed:
            groups.append(
                [unit for unit in own if (unit.takes_name or unit.may_address) and not unit.takes_thing]
            )
            groups.append([unit for unit in shared if unit.takes_name and not unit.takes_thing])
        for group in groups:
            for unit in self.author._sorted(group, self.wish, page):
                for lines in self.author._fits(unit, page, ("a", "a")):
                    return self._put(unit, lines)
        raise NothingLeft("no line is left that says what the fan asked for")

    def _pick(self, kinds: tuple[Kind, ...], marks: Sequence[str], free: bool = False) -> tuple[str, ...]:
        page = self.page
        for kind in kinds:
            units = [
                unit
                for unit in self.scene.of(kind)
                if not unit.takes_name and (self.scene is common() or not unit.takes_thing)
            ]
            if kind == "response":
                units += common().of(kind)
            for unit in self.author._sorted(units, self.wish, page):
                for lines in self.author._fits(unit, page, marks):
                    return self._put(unit, lines)
        raise NothingLeft(f"no {kinds[0]} of {self.scene.about!r} is left")

    def _put(self, unit: Unit, lines: tuple[str, ...]) -> tuple[str, ...]:
        page = self.page
        page.units.add(unit)
        page.ends |= {last_word(line) for line in lines}
        for line in lines:
            page.said |= _stems(line)
        text = key(" ".join(lines))
        page.named = page.named or (bool(page.brief.dedication) and key(page.brief.dedication) in text)
        page.shown = page.shown or (bool(page.thing) and _stems(page.thing) <= _stems(text))
        page.title = page.title or _marked(unit, lines)
        return lines

    def _hook(self) -> tuple[str, ...]:
        """A hook and its answers."""
        page = self.page
        for unit in self.author._sorted(self.scene.of("hook"), self.wish, page):
            for lines in self.author._fits(unit, page, "H" + "h" * (len(unit.lines) - 1)):
                return self._put(unit, lines)
        raise NothingLeft(f"no hook of {self.scene.about!r} is left")

    def _answer(self) -> str:
        self.answers += 1
        return self.hook[1 + (self.answers - 1) % (len(self.hook) - 1)]


def _filled(version: tuple[str, ...], unit: Unit, page: _Page) -> Iterator[tuple[str, ...]]:
    """The lines with name and thing put in; where the name may be called out, first so, if it is still owed."""
    name = page.brief.dedication
    callable_name = bool(re.fullmatch(r"[A-ZÀ-Þ][\w'’.-]*(?: [A-ZÀ-Þ][\w'’.-]*){0,2}", name))
    if unit.takes_name and (not name or (unit.addresses and not callable_name)):
        return
    if unit.takes_thing and not page.thing:
        return
    lines = [line.replace("{name}", name).replace("{thing}", page.thing) for line in version]
    plain = tuple(_capital(line.lstrip("~")) for line in lines)
    if callable_name and not page.named:
        for i, line in enumerate(lines):
            if line.startswith("~"):
                yield (*plain[:i], f"{name}, {_small(line[1:])}", *plain[i + 1 :])
    yield plain


def _stands(line: str, mark: str, page: _Page) -> bool:
    """Whether the line may be sung here: the form's metre, not sung before, not ending as another line does."""
    if key(line) in page.spent or last_word(line) in page.ends:
        return False
    beat_range = (1, 4) if mark == "R" else page.plan.form.beats
    return not line_faults(line, page.plan.syllables(mark), beat_range)


def _scheme_of(lines: Sequence[str], options: Sequence[Scheme]) -> Scheme:
    """The first of the schemes that the lines' rhymes follow."""
    ends = [last_word(line) for line in lines]
    for scheme in options:
        pairs = [(i, j) for i in range(4) for j in range(i) if scheme[i] == scheme[j]]
        if all(rhymes(ends[i], ends[j]) for i, j in pairs):
            return scheme
    return options[0]


def _couplets(name: str, scheme: Scheme) -> int:
    """How many couplets the stanza takes from the scene."""
    if "h" in scheme:
        return 1 if "a" in scheme else 0
    return len([mark for mark in scheme if mark not in ("R", "=1")]) // 2


def _title(page: _Page, scene: Scene, hook: str, parts: Sequence[tuple[str, Scheme, tuple[str, ...]]]) -> str:
    if page.title:
        return title_case(page.title)
    theme = [word for word in words_of(page.brief.theme) if word]
    if 1 <= len(theme) <= 5:
        return title_case(" ".join(theme))
    clause = re.split(r"[,;:]", hook or parts[0][2][0])[0]
    return title_case(" ".join(words_of(clause)[:6]))


def title_case(text: str) -> str:
    """'the last train home' -> 'The Last Train Home'."""
    small = frozenset("a an the of to in on at by for and but or with from".split())
    words = text.strip(" ,.;:!?-").split()
    cased = [w if i and w.lower() in small else w[:1].upper() + w[1:] for i, w in enumerate(words)]
    return " ".join(cased)


def _marked(unit: Unit, lines: tuple[str, ...]) -> str:
    """The unit's title as it stands in the chosen lines."""
    marked = re.sub(r"\[([^\]]+)\]", lambda either: either[1].split("|")[0], unit.title)
    return marked if marked and "{" not in marked else ""


def _topic(scene: Scene) -> str:
    return f"{scene.theme}: {scene.about}"


def _stems(text: str) -> frozenset[str]:
    """The words that carry meaning, without their plural and past endings."""
    found = set()
    for word in re.findall(r"[a-zà-ÿ]+", text.lower().replace("'s", "").replace("’s", "")):
        if word not in SMALL and len(word) > 2:
            found.add(re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word.rstrip("s"))
    return frozenset(found)


def as_thing(theme: str) -> str:
    """What a far theme is about, as something to name: 'how I lost my old keys' -> 'my old keys'."""
    words = words_of(theme)
    if len(words) <= 4:
        return " ".join(words)
    named = re.search(
        r"\b((?:my|our|his|her|their|your|the|a|an|this) (?:[\w'-]+ ){0,2}[\w'-]+)", " ".join(words)
    )
    return named[1] if named else " ".join(words[-2:])


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def _small(line: str) -> str:
    return line if re.match(r"I\b|[A-Z]\w* [A-Z]", line) else line[:1].lower() + line[1:]


def same_sound(line: str) -> str:
    """The rhyme sound that a line ends on."""
    return rhyme_sound(last_word(line))
