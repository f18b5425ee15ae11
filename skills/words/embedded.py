"""The embedded author: a song chosen from the written material, put together so that it makes sense as one.

All lines of a song come from one scene (one singer, one listener, one situation), a verse goes from an opening
image to a turn, and what is chosen is what lies nearest to the brief in meaning. Same brief, same seed, same song.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from skills.brief import Brief
from skills.words.check import key
from skills.words.draft import Draft, Written, scheme_of, title_case
from skills.words.fit import Embed, Fit, Wish
from skills.words.forms import Plan, Scheme
from skills.words.material import Kind, Scene, Unit, common
from skills.words.page import Page, rhyme_apart
from skills.words.prosody import count_syllables, words_of
from skills.words.wishes import Wishes, as_thing, head, says, shorter, sings

NEAREST = 12  # scenes that are tried before lines of earlier songs may come back
TRIES = 24  # songs that are begun before something less is asked for
ENOUGH = 8  # of them, where only what the song is about is not said by its name
SUNG = 7  # syllables of a dedication that may find a line
_A_NAME, _A_THING = 100, 10  # what it counts if a song does not sing it; the topic counts 1
_PATCHES: dict[str, tuple[Kind, ...]] = {"a": ("open", "turn"), "H": ("hook",), "R": ("response",)}
_REPEATED = ("R", "=1")
_LOOSE = frozenset(
    "a an the my your on in at to of for with and but or that i i'm i've it's is was were got".split()
)


class NothingLeft(Exception):
    """The scene has no unused lines that fit."""


class EmbeddedAuthor:
    """Writes from skills/words/material. `embed` gives unit vectors for texts: [n] texts -> [n, 384]."""

    def __init__(self, embed: Embed) -> None:
        self._fit = Fit(embed)

    def write(self, brief: Brief, plan: Plan, seed: int, used: Collection[str] = ()) -> Draft:
        """A song to `plan` that sings what was asked for. A line of `used` comes back only where nothing else fits."""
        rng = random.Random(f"{seed}|{brief.theme}|{brief.mood}|{brief.dedication}")
        wish, scenes = self._fit.read(brief, rng)
        spent = frozenset(key(line) for line in used)
        best: tuple[int, Draft] | None = None
        for level in _levels(wish.asked, spent):
            for number, one in enumerate(itertools.islice(_tries(level, wish, scenes), TRIES)):
                if best and best[0] < _A_THING and number >= ENOUGH:
                    break
                found = self._tried(brief, plan, rng, wish, scenes, one)
                if found is None:
                    continue
                lacks = _lack(wish.asked, level.name, found)
                if lacks == 0:
                    return found
                if best is None or lacks < best[0]:
                    best = lacks, found
            if best and best[0] < _A_THING:
                return best[1]
        if best is None:
            raise NothingLeft(f"the material holds no song of the form {plan.form.name!r}")
        return best[1]

    def _tried(
        self, brief: Brief, plan: Plan, rng: random.Random, wish: Wish, scenes: Sequence[Scene], one: _Try
    ) -> Draft | None:
        neighbours = _neighbours(one.scene, scenes)
        for room in (plan, plan.eased):
            page = Page(room, rng, one.spent, one.name, list(one.things), wish.asked.topic, wish.unwanted)
            try:
                return _Song(self._fit, one.scene, neighbours, wish, page, one.loose).write(brief)
            except NothingLeft:
                continue
        return None

    def patches(
        self,
        brief: Brief,
        plan: Plan,
        seed: int,
        used: Collection[str],
        marks: str,
        thing: str = "",
        named: bool = True,
    ) -> Iterator[tuple[str, ...]]:
        """Lines that belong together, the fittest first: they mend a song of another author.

        `marks` as in a form's scheme: 'aa' a couplet, 'Hh...' a hook and its answers, 'R' a response. A couplet
        sings the `thing`, if there is one, and the name of the brief if it is to be `named`.
        """
        rng = random.Random(f"{seed}|mend|{brief.theme}")
        wish, scenes = self._fit.read(brief, rng)
        name = wish.asked.name if marks == "aa" and named else ""
        page = Page(plan, rng, frozenset(key(line) for line in used), name, [thing] if thing else [])
        kinds = _PATCHES[marks[0]]
        if thing:
            carriers = [
                unit for unit in common().of(*kinds) if unit.takes_thing and unit.takes_name == bool(name)
            ]
            for unit in rng.sample(carriers, len(carriers)):
                yield from (lines for lines in page.ways(unit, marks) if page.gain(lines) == page.owed)
            return
        shared = (
            [unit for unit in common().of(*kinds) if unit.takes_name and not unit.takes_thing] if name else []
        )
        for scene in scenes:
            own = [unit for unit in scene.of(*kinds) if not unit.takes_thing]
            for unit in self._fit.sort([*own, *shared], wish, page.said, rng):
                sung = dataclasses.replace(unit, lines=unit.lines[: len(marks)])
                if len(sung.lines) == len(marks):
                    yield from page.ways(sung, marks)


class _Song:
    """Writes one song from one scene, stanza by stanza."""

    def __init__(
        self, fit: Fit, scene: Scene, neighbours: Sequence[Scene], wish: Wish, page: Page, loose: bool
    ) -> None:
        self._fit, self._scene, self._wish, self._page = fit, scene, wish, page
        self._neighbours = neighbours
        plan = page.plan
        self._schemes = [plan.form.stanzas[name] for name in plan.stanzas]
        self._couplets_left = sum(
            _couplets(options[0]) for name, options in zip(plan.stanzas, self._schemes, strict=True)
        )
        self._loose = loose or self._couplets_left > 1 or scene is common()
        page.things = _bundled(page.things, self._couplets_left - bool(page.name))
        marks = {mark for options in self._schemes for mark in options[0]}
        self._hook = self._pick_hook() if "H" in marks else ()
        self._response = self._pick(("response",), ("R",))[0] if "R" in marks else ""
        self._answers = 0

    def write(self, brief: Brief) -> Draft:
        stanzas: list[Written] = []
        for number, (name, options) in enumerate(zip(self._page.plan.stanzas, self._schemes, strict=True)):
            again = next((stanza for stanza in stanzas if stanza.name == name == "chorus"), None)
            stanzas.append(again or self._stanza(number, name, options))
        hook = self._hook[0] if self._hook else self._response
        return Draft(_title(self._page.title, brief.theme, hook or stanzas[0].lines[0]), tuple(stanzas), hook)

    def _stanza(self, number: int, name: str, options: Sequence[Scheme]) -> Written:
        scheme = options[0]
        order: tuple[Kind, ...] = (
            ("open", "turn") if number % 2 == 0 and name != "bridge" else ("turn", "open")
        )
        lines: tuple[str, ...]
        if len(options) > 1:
            lines = self._verse(order)
            scheme = scheme_of(lines, options)
        elif "=1" in scheme:
            first, last = self._couplet(("aab",))
            lines = (first, first, last)
        elif "R" in scheme:
            first, last = self._couplet(order)
            lines = (first, self._response, last, self._response)
        elif scheme == ("a", "a"):
            lines = self._couplet(order[:1])
        elif "a" in scheme:
            lines = (*self._couplet(order[:1]), self._answer(), self._hook[0])
        else:
            lines = tuple(self._hook[0] if mark == "H" else self._answer() for mark in scheme)
        return Written(name, scheme, lines)

    def _verse(self, order: tuple[Kind, ...]) -> tuple[str, ...]:
        """Four lines that were written together, or an opening and a turn."""
        whole = len(self._scene.of("verse"))
        free = self._couplets_left - self._page.owed >= 2
        if free and self._page.rng.random() < whole / (whole + 2.0):
            try:
                lines = self._pick(("verse",), "abcd")
            except NothingLeft:
                pass
            else:
                self._couplets_left -= 2
                return lines
        opening = self._couplet(("open",) if self._scene.of("open") else order)
        return (*opening, *self._couplet(("turn",), apart=opening))

    def _couplet(self, kinds: tuple[Kind, ...], apart: Sequence[str] = ()) -> tuple[str, ...]:
        """Two rhymed lines; where no more couplets are left than wishes, such that say what the fan asked for."""
        left = self._couplets_left
        self._couplets_left -= 1
        page = self._page
        if page.owed >= left:
            for units, wanted in self._wished(kinds, both=left == 1 and page.owed > 1):
                for unit in units:
                    for lines in page.ways(unit, ("a", "a")):
                        if page.gain(lines) >= wanted:
                            return page.write(unit, lines)
            if page.name and left == 1:
                raise NothingLeft("no line is left that names whom the song is for")
        return self._pick(kinds, ("a", "a"), apart)

    def _wished(self, kinds: tuple[Kind, ...], both: bool) -> Iterator[tuple[list[Unit], int]]:
        """Groups of couplets that may say the name or the thing, and how much they must say; the scene's own first."""
        page = self._page
        own = self._fit.sort(self._scene.of(*kinds), self._wish, page.said, page.rng)
        shared = page.rng.sample(common().of(*kinds), len(common().of(*kinds)))  # they fit all songs alike
        names = [unit for unit in own if (unit.takes_name or unit.may_address) and not unit.takes_thing]
        if both:
            yield names, page.owed
            yield [unit for unit in (*own, *shared) if unit.takes_name and unit.takes_thing], page.owed
        if page.name:
            yield names, 1
        if page.things:
            yield [unit for unit in own if says(unit.plain, page.things[0])], 1
        if page.name and self._loose:
            yield [unit for unit in shared if unit.takes_name and not unit.takes_thing], 1
        yield [unit for unit in shared if unit.takes_thing and not unit.takes_name], 1

    def _pick(
        self, kinds: tuple[Kind, ...], marks: Sequence[str], apart: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Unused lines of the scene; a long song that has sung them all goes on in a scene near it."""
        page = self._page
        begun = len(page.units) > 1
        for scene, kind in itertools.product((self._scene, *(self._neighbours if begun else ())), kinds):
            topical = scene is common()
            units = [
                unit for unit in scene.of(kind) if not unit.takes_name and (topical or not unit.takes_thing)
            ]
            units += common().of(kind) if kind == "response" and not topical else ()
            for unit in self._fit.sort(units, self._wish, page.said, page.rng):
                for lines in page.ways(unit, marks):
                    if rhyme_apart(lines, apart):
                        return page.write(unit, lines)
        raise NothingLeft(f"no {kinds[0]} of {self._scene.about!r} is left")

    def _pick_hook(self) -> tuple[str, ...]:
        """A hook and as many of the lines that answer it as the plan sings."""
        page, plan = self._page, self._page.plan
        once = set(plan.stanzas) if "chorus" in plan.stanzas else plan.stanzas
        answers = sum(plan.form.stanzas[name][0].count("h") for name in once)
        for unit in self._fit.sort(self._scene.of("hook"), self._wish, page.said, page.rng):
            sung = dataclasses.replace(unit, lines=unit.lines[: 1 + answers])
            for lines in page.ways(sung, "H" + "h" * (len(sung.lines) - 1)):
                return page.write(sung, lines)
        raise NothingLeft(f"no hook of {self._scene.about!r} is left")

    def _answer(self) -> str:
        """The next of the lines that answer the hook."""
        self._answers += 1
        return self._hook[1 + (self._answers - 1) % (len(self._hook) - 1)]


def _neighbours(scene: Scene, ranked: Sequence[Scene]) -> list[Scene]:
    """The scenes that a long song may go on in: of the same theme, then the nearest that feel alike."""
    same = [other for other in ranked if other.theme == scene.theme and other is not scene]
    alike = [other for other in ranked[:NEAREST] if other.theme != scene.theme and other.moods & scene.moods]
    return [*same, *alike[:2]]


@dataclass(frozen=True)
class _Level:
    """What a song has to sing at least, and the keys of lines that it may not."""

    name: str
    things: tuple[str, ...]
    spent: frozenset[str]


@dataclass(frozen=True)
class _Try(_Level):
    """A level with the scene to write from; `loose`: the name may stand in a line that would suit any song."""

    scene: Scene
    loose: bool


def _levels(asked: Wishes, spent: frozenset[str]) -> Iterator[_Level]:
    """From all that was asked for to less: long things and names by fewer words, and then lines sung before."""
    name = re.split(r" (?:at|from|in|on|of|who) ", asked.name)[0]
    short = tuple(shorter(thing) for thing in asked.things)
    names = [
        full for full in dict.fromkeys((asked.name, name)) if full == name or count_syllables(full) <= SUNG
    ]
    for barred in (spent, frozenset[str]()):
        for called, things in itertools.product(names, dict.fromkeys((asked.things, short))):
            yield _Level(called, things, barred)


def _tries(level: _Level, wish: Wish, scenes: Sequence[Scene]) -> Iterator[_Try]:
    """Where the song is looked for, the best first.

    A name is sung in a line of the scene; if the scene has no place for it, in one that would suit any song. What the
    song is about gets a couplet of its own if the scene does not say it by itself.
    """
    asked, first = wish.asked, scenes[0]
    # when the nearest scene is used up, one that feels like it comes before one that is merely near
    nearest = sorted(scenes[:NEAREST], key=lambda scene: not scene.moods & first.moods)
    same = [scene for scene in nearest[:4] if scene.theme == first.theme]

    def at(scene: Scene, loose: bool, owed: bool = False) -> _Try:
        topic = (asked.topic,) if owed and asked.topic and scene is not common() else ()
        things = tuple(dict.fromkeys((*level.things, *topic)))
        return _Try(level.name, things, level.spent, scene, loose)

    yield from (at(scene, False, wish.apart) for scene in (first, first, *same))
    yield at(first, True, wish.apart)
    yield from (at(scene, True, wish.apart) for scene in nearest)
    yield from (at(scene, True) for scene in scenes[NEAREST:])


def _lack(asked: Wishes, name: str, draft: Draft) -> int:
    """How far the song is from what was asked for; the name may be the level's shorter one."""
    text = " / ".join(draft.lines)
    lacks = _A_NAME if name and not sings(text, name) else 0
    lacks += _A_THING * sum(not says(text, shorter(thing)) for thing in asked.things)
    return lacks + bool(asked.topic and not says(text, head(asked.topic)))


def _bundled(things: Sequence[str], couplets: int) -> list[str]:
    """The things in as many groups as there are couplets for them: 'the dog and the porch'."""
    room = max(1, couplets)
    groups = [things[i::room] for i in range(min(room, len(things)))]
    return [" and ".join(group) for group in groups]


def _couplets(scheme: Scheme) -> int:
    """The couplets that a stanza takes from its scene besides the hook's lines."""
    own = [mark for mark in scheme if mark not in _REPEATED and mark.lower() != "h"]
    return len(own) // 2


def _title(marked: str, theme: str, line: str) -> str:
    if marked:
        return title_case(marked)
    named = words_of(theme)
    if 1 <= len(named) <= 5 and as_thing(theme):
        return title_case(" ".join(named))
    said = list(words_of(re.split(r"[,;:]", line)[0])[:5])
    while len(said) > 1 and said[-1].lower() in _LOOSE:
        said.pop()
    return title_case(" ".join(said))
