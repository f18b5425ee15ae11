"""Forms: how many lines, how they rhyme, how long each may be, and the plan that fits the asked seconds."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files

import yaml

from skills.brief import BriefError

SONG_SECONDS = 45.0  # from here on it is a song, with an intro and an ending of its own
SECONDS_A_SYLLABLE = 0.3  # sung faster than this, the voice was not understood
ONE_BAR_SYLLABLES = 8
DEFAULT_BPM = 92.0
DEFAULT_FORM = "verse-chorus"

Scheme = tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A form of forms.yaml; the file says what its fields mean."""

    name: str
    about: str
    syllables: tuple[int, int]
    beats: tuple[int, int]
    bars: tuple[int, ...]
    frame: int
    stanzas: dict[str, tuple[Scheme, ...]]
    plans: tuple[tuple[str, ...], ...]
    response: tuple[int, int] = (3, 7)

    @property
    def has_hook(self) -> bool:
        return any(mark in "HR" for schemes in self.stanzas.values() for mark in schemes[0])


@dataclass(frozen=True)
class Plan:
    """The stanzas of one song: their names in order, and `bars` of 4/4 for each line."""

    form: Form
    stanzas: tuple[str, ...]
    bars: int

    @property
    def lines(self) -> int:
        return sum(len(self.form.stanzas[name][0]) for name in self.stanzas)

    def syllables(self, mark: str = "a") -> tuple[int, int]:
        """The fewest and the most syllables of a line with this mark."""
        low, high = self.form.response if mark == "R" else self.form.syllables
        return low, min(high, ONE_BAR_SYLLABLES) if self.bars == 1 else high


@functools.cache
def forms() -> dict[str, Form]:
    raw = yaml.safe_load(files(__package__).joinpath("forms.yaml").read_text("utf-8"))
    return {name: _form(name, **fields) for name, fields in raw.items()}


def load_form(name: str) -> Form:
    """Raises BriefError for a form that there is not."""
    try:
        return forms()[name]
    except KeyError:
        raise BriefError(f"There is no form called {name!r}; I know {', '.join(sorted(forms()))}.") from None


def make_plan(form: Form, seconds: float, bpm: float) -> Plan:
    """The plan whose length at `bpm` comes nearest to `seconds`, its lines slow enough to be understood."""
    plans = [Plan(form, stanzas, bars) for stanzas in form.plans for bars in form.bars]
    bar = 240.0 / bpm
    longest = min(form.syllables[1], ONE_BAR_SYLLABLES)
    slow_enough = [plan for plan in plans if plan.bars > 1 or bar >= longest * SECONDS_A_SYLLABLE]
    return min(slow_enough or plans, key=lambda plan: (abs(plan_seconds(plan, seconds, bpm) - seconds), plan.lines))


def plan_seconds(plan: Plan, seconds: float, bpm: float) -> float:
    """How long the plan lasts, in seconds, with its intro and ending."""
    frame = 1 if seconds <= SONG_SECONDS else plan.form.frame
    return (plan.lines * plan.bars + frame) * 240.0 / bpm


def _form(
    name: str,
    *,
    about: str,
    syllables: list[int],
    beats: list[int],
    bars: list[int],
    frame: int,
    stanzas: dict[str, list[list[str]]],
    plans: list[list[str]],
    response: list[int] | None = None,
) -> Form:
    low, high = response or [3, 7]
    return Form(
        name=name,
        about=about,
        syllables=(syllables[0], syllables[1]),
        beats=(beats[0], beats[1]),
        bars=tuple(bars),
        frame=frame,
        stanzas={key: tuple(tuple(scheme) for scheme in schemes) for key, schemes in stanzas.items()},
        plans=tuple(tuple(plan) for plan in plans),
        response=(low, high),
    )
