"""Forms: how many lines, how they rhyme, how long each may be, and the plan that fits the asked seconds."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from importlib.resources import files

import yaml

from skills.brief import BriefError

SECONDS_A_SYLLABLE = 0.3  # sung faster than this, the voice was not understood
REST = 0.84  # seconds of a line that its held last note and the breath after it take
A_LINE = 8  # syllables that a line must have room for
RING = 1.0  # seconds that the last chord rings on
DEFAULT_FORM = "verse-chorus"  # suits every style
ROOMY = "8-bar"  # has room for most couplets in a snippet

Scheme = tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A form of forms.yaml; the file says what its fields mean."""

    name: str
    about: str
    syllables: tuple[int, int]
    beats: tuple[int, int]
    bars: tuple[int, ...]
    stanzas: dict[str, tuple[Scheme, ...]]
    plans: tuple[tuple[str, ...], ...]
    suits: tuple[str, ...] = ()
    response: tuple[int, int] = (3, 7)

    @property
    def has_hook(self) -> bool:
        return any(mark in "HR" for schemes in self.stanzas.values() for mark in schemes[0])


@dataclass(frozen=True)
class Plan:
    """A song's stanzas in order; `bars` of 4/4 for each line and the `most` syllables that it has time for."""

    form: Form
    stanzas: tuple[str, ...]
    bars: int
    most: int

    @property
    def lines(self) -> int:
        return sum(len(self.form.stanzas[name][0]) for name in self.stanzas)

    @property
    def eased(self) -> Plan:
        """The same plan without regard to how much time a line has: the tune may slow down for it."""
        return dataclasses.replace(self, most=99)

    def syllables(self, mark: str = "a") -> tuple[int, int]:
        """The fewest and the most syllables of a line with this mark."""
        low, high = self.form.response if mark == "R" else self.form.syllables
        return low, min(high, self.most)


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


def suited_form(style: str, seed: int) -> str:
    """The form for a brief that names none: by turns the default and those that suit the style."""
    suited = [name for name, form in forms().items() if style in form.suits]
    return [DEFAULT_FORM, *suited][seed % (1 + len(suited))]


def make_plan(form: Form, seconds: float, tempo: tuple[float, float], frame: int) -> Plan:
    """The plan that comes nearest to `seconds` at a tempo of that range, its lines slow enough to be understood.

    `frame` counts the bars of intro and ending. Of plans that fit alike, the one with most lines.
    """
    slowest, fastest = tempo

    def misfit(plan: Plan) -> tuple[float, int]:
        bars = plan.lines * plan.bars + frame
        short, long = (bars * 240.0 / bpm + RING for bpm in (fastest, slowest))
        return round(max(short - seconds, seconds - long, 0.0), 1), -plan.lines

    plans = [Plan(form, stanzas, bars, _room(bars, slowest)) for stanzas in form.plans for bars in form.bars]
    return min([plan for plan in plans if plan.most >= A_LINE] or plans, key=misfit)


def _room(bars: int, bpm: float) -> int:
    """The syllables that can be sung and understood in a line of so many bars; from the third on the band answers."""
    sung = min(bars, 2)
    return min(8 * sung, int((sung * 240.0 / bpm - REST) / SECONDS_A_SYLLABLE) + 1)


def _form(
    name: str,
    *,
    about: str,
    syllables: list[int],
    beats: list[int],
    bars: list[int],
    stanzas: dict[str, list[list[str]]],
    plans: list[list[str]],
    suits: list[str] | None = None,
    response: list[int] | None = None,
) -> Form:
    low, high = response or [3, 7]
    return Form(
        name=name,
        about=about,
        syllables=(syllables[0], syllables[1]),
        beats=(beats[0], beats[1]),
        bars=tuple(bars),
        stanzas={key: tuple(tuple(scheme) for scheme in schemes) for key, schemes in stanzas.items()},
        plans=tuple(tuple(plan) for plan in plans),
        suits=tuple(suits or ()),
        response=(low, high),
    )
