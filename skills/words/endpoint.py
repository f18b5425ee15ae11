"""The endpoint author: a language model writes to the form, and only the lines that fail go back to it.

Every line is checked (syllables, stress, rhyme, hook, words that can be sung, earlier songs). After `ROUNDS`
corrections the lines that still fail are written again, with what rhymes with them, from the embedded author's
material; where more than half of them fail, the song is the embedded author's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

import structlog

from skills.brief import Brief
from skills.words.check import Fault, check_lines
from skills.words.draft import Draft, Written, scheme_of, title_case
from skills.words.embedded import EmbeddedAuthor
from skills.words.forms import Plan, Scheme
from skills.words.prosody import words_of
from skills.words.wishes import says, shorter, sings, stems, wishes_of

log = structlog.get_logger()

Ask = Callable[[str, str, int], str]  # (system, user, characters at the most) -> what the model says

ROUNDS = 4  # times that failing lines are sent back
IDLE = 2  # of them in a row that mend nothing: a model that does not learn is not asked on
ROOM = (
    200,
    120,
)  # characters of an answer at the most: once and for each line of the song; sixty a line are needed
KEPT = 0.5  # of the lines that must stand as the model wrote them; couplets from many scenes make no song
PATCHES = 60  # couplets and hooks that are tried where the model's lines cannot stay

_SYSTEM = """You write lyrics for a blues and soul singer. Plain words, one honest image, a wry turn. The lines of a \
verse make sense one after another, in one scene, with one speaker. Every rhyme is a perfect rhyme of two different \
words. Never borrow a line from a song that exists. Answer with the numbered lines that you are asked for and \
nothing else."""


class EndpointAuthor:
    """Writes with a language model. `ask` is one answer of it; `sayable(text)` whether words may be sung.

    Where it raises, the song that a fan was promised is written from the material instead, and the log says why.
    """

    def __init__(
        self, ask: Ask, mender: EmbeddedAuthor, sayable: Callable[[str], bool] = lambda text: True
    ) -> None:
        self._ask, self._mender, self._sayable = ask, mender, sayable

    def write(self, brief: Brief, plan: Plan, seed: int, used: Collection[str] = ()) -> Draft:
        """A song to `plan` in which every line passes the check, or the embedded author's where nothing can be kept."""
        sheet = _Sheet(plan, brief, used)
        try:
            title = self._asked(sheet)
        except Exception as error:  # whatever a model's client raises: it is not ours to know
            log.warning(
                "the model could not write lyrics; the written material does", cause=type(error).__name__
            )
            return self._mender.write(brief, plan, seed, used)
        faulty = {fault.line for fault in sheet.faults()}
        hopeless = len(faulty) > (1 - KEPT) * len(sheet.texts)
        if hopeless or ((faulty or sheet.unsung()) and not self._mend(sheet, brief, seed, used)):
            return self._mender.write(brief, plan, seed, used)
        if not self._sayable("\n".join(sheet.texts)):
            log.warning("the model's lyrics say what is not sung here; the written material does")
            return self._mender.write(brief, plan, seed, used)
        return sheet.draft(title)

    def _asked(self, sheet: _Sheet) -> str:
        """Fills the sheet by the model, failing lines sent back; returns the title."""
        longest = ROOM[0] + ROOM[1] * len(
            sheet.texts
        )  # asked for a few lines, some models write the song again
        title = sheet.read(self._ask(_SYSTEM, sheet.order(), longest), range(len(sheet.texts)))
        fewest, idle = len(sheet.texts) * 9, 0
        for _ in range(ROUNDS):
            faults = sheet.faults() + sheet.wishes()
            idle = 0 if len(faults) < fewest else idle + 1
            fewest = min(fewest, len(faults))
            if not faults or idle == IDLE:
                break
            failing = list(dict.fromkeys(fault.line for fault in faults))  # in the correction's order
            sheet.read(self._ask(_SYSTEM, sheet.correction(faults), longest), failing)
        return title

    def _mend(self, sheet: _Sheet, brief: Brief, seed: int, used: Collection[str]) -> bool:
        """Writes what rhymes with a failing line again from the material, and a couplet for each unsung thing.

        False if it cannot be mended so.
        """
        for thing in sheet.unsung():
            slot, named = sheet.couplet()
            marks = sheet.marks_with(slot) if slot is not None else ""
            ways = (
                self._mender.patches(brief, sheet.plan, seed, used, marks, thing, named)
                if marks
                else iter(())
            )
            patch = next(ways, None)
            if slot is None or patch is None:
                return False
            sheet.replace(slot, patch)
        sources: dict[str, Iterator[tuple[str, ...]]] = {}
        for _ in range(PATCHES):
            faults = sheet.faults()
            if not faults:
                return not sheet.unsung()
            marks = sheet.marks_with(faults[0].line)
            if marks not in sources:
                sources[marks] = self._mender.patches(brief, sheet.plan, seed, used, marks)
            patch = next(sources[marks], None)
            if patch is None:
                return False
            sheet.replace(faults[0].line, patch)
        return not sheet.faults() and not sheet.unsung()


class _Sheet:
    """The song's lines by number, one number for a line that returns."""

    def __init__(self, plan: Plan, brief: Brief, used: Collection[str]) -> None:
        self.plan, self.brief, self.used = plan, brief, used
        self.asked = wishes_of(brief)
        self.schemes: list[Scheme] = [plan.form.stanzas[name][0] for name in plan.stanzas]
        self.slots: list[int] = []  # for each line of the song, the number of the text that it sings
        self.marks: list[str] = []  # for each text, its mark in the scheme
        self.groups: list[str] = []  # for each text, the name of its rhyme group
        chorus: list[int] | None = None
        returning: dict[str, int] = {}
        for number, (name, scheme) in enumerate(zip(plan.stanzas, self.schemes, strict=True)):
            if name == "chorus" and chorus is not None:
                self.slots += chorus
                continue
            slots: list[int] = []
            for mark in scheme:
                if mark == "=1":
                    slots.append(slots[0])
                elif mark in returning:
                    slots.append(returning[mark])
                else:
                    slots.append(len(self.marks))
                    self.marks.append(mark)
                    self.groups.append(
                        "hook" if mark in "Hh" else "response" if mark == "R" else f"{number}{mark}"
                    )
                    if mark in "HR":
                        returning[mark] = slots[-1]
            self.slots += slots
            if name == "chorus":
                chorus = slots
        self.texts: list[str] = [""] * len(self.marks)

    @property
    def lines(self) -> list[str]:
        return [self.texts[slot] for slot in self.slots]

    def faults(self) -> list[Fault]:
        """The faults of the texts, by text; a line that returns is faulted once."""
        name = [self.asked.name] if self.asked.name else []
        found: dict[tuple[int, str], Fault] = {}
        for fault in check_lines(self.lines, self.plan, self.used, name):
            slot = self.slots[fault.line]
            found.setdefault((slot, fault.reason), Fault(slot, fault.reason))
        return sorted(found.values(), key=lambda fault: fault.line)

    def order(self) -> str:
        """What the model is asked for at first."""
        brief = self.brief
        wishes = [f"Write a song about {brief.theme or 'whatever is closest to your heart'}."]
        if brief.mood:
            wishes.append(f"Mood: {brief.mood}.")
        if brief.style:
            wishes.append(f"Style: {brief.style}.")
        if name := self.asked.name:
            wishes.append(f"It is for {name}: say '{name}' in one line.")
        if things := self.asked.things:
            wishes.append(f"Sing of: {', '.join(things)}.")
        if brief.avoid:
            wishes.append(f"Leave out: {', '.join(brief.avoid)}.")
        lines = [f"{i + 1}. {self._place(i)}" for i in range(len(self.marks))]
        return (
            " ".join(wishes)
            + f"\nThe form is {self.plan.form.name}: {self.plan.form.about}. Write {len(lines)} lines and before them "
            "'Title: ...', each line as 'number. text':\n" + "\n".join(lines)
        )

    def correction(self, faults: Sequence[Fault]) -> str:
        """What goes back: the song so far and, line by line, what has to change and why."""
        song = "\n".join(f"{i + 1}. {text or '(missing)'}" for i, text in enumerate(self.texts))
        wrong: dict[int, list[str]] = {}
        for fault in faults:
            wrong.setdefault(fault.line, []).append(fault.reason)
        orders = "\n".join(f"{i + 1}. {self._place(i)} Now: {'; '.join(why)}." for i, why in wrong.items())
        return f"The song so far:\n{song}\n\nWrite only these lines again, each as 'number. text':\n{orders}"

    def read(self, answer: str, asked: Sequence[int]) -> str:
        """Takes the lines that were asked for out of an answer; returns the title, if it names one.

        By their numbers; where a model has forgotten those, in their order.
        """
        title, plain, numbers = "", list[str](), False
        for raw in answer.splitlines():
            line = raw.strip().strip("*_`").strip()
            if named := re.match(r"(?i)title\s*:\s*(.+)", line):
                title = named[1].strip(" \"'*.")
            elif numbered := re.match(r"(\d{1,3})\s*[.):]\s*(.+)", line):
                numbers, slot = True, int(numbered[1]) - 1
                if 0 <= slot < len(self.texts):
                    self.texts[slot] = _tidy(numbered[2])
            elif line and line[0] not in "[(#<" and line[-1] != ":":  # no heading
                plain.append(_tidy(line))
        if not numbers and len(plain) >= len(asked):
            for slot, text in zip(asked, dict.fromkeys(plain), strict=False):
                self.texts[slot] = text
        return title

    def unsung(self) -> list[str]:
        """The things that the fan asked for and no line sings, long ones by their last word."""
        text = " / ".join(self.texts)
        return [thing for thing in self.asked.things if not says(text, shorter(thing))]

    def couplet(self) -> tuple[int | None, bool]:
        """The last two rhymed lines that hold nothing asked for, and whether, if there are none, they hold the name."""
        pairs = [
            i
            for i, mark in enumerate(self.marks)
            if mark.islower() and mark != "h" and len(self._mates(i)) == 2
        ]
        wanted = (self.asked.name, *self.asked.things)
        said = {i: " / ".join(self.texts[mate] for mate in self._mates(i)) for i in pairs}
        free = [
            i for i in pairs if not any(one and (sings(said[i], one) or says(said[i], one)) for one in wanted)
        ]
        named = bool(self.asked.name) and not free
        options = free or pairs
        return (options[-1] if options else None), named

    def wishes(self) -> list[Fault]:
        """What the fan asked for and the song does not do yet."""
        found = [Fault(len(self.texts) - 1, f"the song should sing of {thing}") for thing in self.unsung()]
        for thing in self.brief.avoid:
            found += [
                Fault(i, f"it sings of {thing}, which the fan wants left out")
                for i, text in enumerate(self.texts)
                if stems(thing) & stems(text)
            ]
        return found

    def marks_with(self, slot: int) -> str:
        """The marks of the text and of all that rhymes with it, in their order: 'aa', 'Hhh', 'R'."""
        marks = "".join(self.marks[mate] for mate in self._mates(slot))
        return "H" + "h" * (len(marks) - 1) if "H" in marks else marks.replace("b", "a")

    def replace(self, slot: int, texts: Sequence[str]) -> None:
        """Puts other texts in the place of the text and what rhymes with it, a hook's own line first."""
        mates = sorted(self._mates(slot), key=lambda mate: self.marks[mate] != "H")
        for mate, text in zip(mates, texts, strict=True):
            self.texts[mate] = text

    def _mates(self, slot: int) -> list[int]:
        return [i for i, group in enumerate(self.groups) if group == self.groups[slot]]

    def draft(self, title: str) -> Draft:
        stanzas, start, lines = [], 0, self.lines
        for name in self.plan.stanzas:
            options = self.plan.form.stanzas[name]
            texts = tuple(lines[start : start + len(options[0])])
            start += len(texts)
            stanzas.append(Written(name, scheme_of(texts, options), texts))
        hook = next((self.texts[i] for i, mark in enumerate(self.marks) if mark in "HR"), "")
        named = title if 0 < len(words_of(title)) <= 8 else " ".join(words_of(hook or self.texts[0])[:6])
        return Draft(title=title_case(named), stanzas=tuple(stanzas), hook=hook)

    def _place(self, slot: int) -> str:
        """What one line has to be."""
        mark, group = self.marks[slot], self.groups[slot]
        low, high = self.plan.syllables(mark)
        size = f"{low} to {high} syllables"
        mates = [i for i in range(slot) if self.groups[i] == group and mark != "R"]
        if mark == "H":
            return f"(the hook, which will come back; {size})"
        if mark == "R":
            return f"(the answer that comes after every line; {size})"
        rhyme = f"; rhymes with line {mates[0] + 1}" if mates else ""
        return f"({size}{rhyme})"


def _tidy(text: str) -> str:
    """A model's line without its brackets, quotes and notes on syllables."""
    text = re.sub(r"\s*\((?:\d+ syllables?|hook|answer)[^)]*\)\s*$", "", text.strip(), flags=re.IGNORECASE)
    return text.strip(' "“”*_`/').rstrip(",;")
