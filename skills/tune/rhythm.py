"""Rhythm: where in its bars each syllable of a line begins and when the line ends.

The best placing is found by dynamic programming over the slots of the bars: stressed syllables want beats,
light ones want to pass between them, notes want a singable length, a comma wants room after it. Noise on the
costs makes each candidate another reading of the same line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skills.lyrics import Line
from skills.style import Tune
from skills.tune.harmony import BAR
from skills.tune.plan import BREATH, LAST_NOTE
from skills.tune.prosody import STRESSED, pauses, weights
from voice.score import TICKS_PER_QUARTER, Score, TempoMark

SIXTEENTH = TICKS_PER_QUARTER // 4
EIGHTH = TICKS_PER_QUARTER // 2
SLOW_EIGHTH = 0.36  # seconds; from here on an eighth is felt as a beat of its own
SHORTEST = 0.16  # seconds; nothing shorter is understood
CROWDED = 6.0  # syllables a bar; from here on they go in sixteenths
NATURAL = 0.36  # seconds from syllable to syllable in unhurried singing
SPREAD = 0.4  # of its logarithm
FIRM = 50.0  # what a stressed syllable of a hook costs off the beat: more than all else in its line


@dataclass(frozen=True)
class Rhythm:
    """`onsets` of the syllables and the `end` of the last, in ticks from the line's first bar line."""

    onsets: tuple[int, ...]
    end: int
    cost: float


@dataclass(frozen=True)
class Window:
    """Where a line may be sung: ticks from its first bar line. `bars` it owns; `earliest` is 0 or before it."""

    bars: int
    earliest: int
    latest: int
    pulse: int = TICKS_PER_QUARTER


class Clock:
    """Seconds between two notated ticks at a tempo and swing, the way Score counts them."""

    def __init__(self, bpm: float, swing: float) -> None:
        empty = Score("", (), tempo=(TempoMark(0, bpm),), swing=swing)
        self._beat = [empty.seconds(tick) for tick in range(TICKS_PER_QUARTER + 1)]
        self.bpm, self.swing = bpm, swing

    def seconds(self, tick: int) -> float:
        beat, inside = divmod(tick, TICKS_PER_QUARTER)
        return beat * self._beat[-1] + self._beat[inside]

    def ticks(self, seconds: float) -> int:
        """Ticks that last at least `seconds`, in whole sixteenths."""
        return -int(-seconds * self.bpm / 60 * 4 // 1) * SIXTEENTH


def felt_pulse(clock: Clock) -> int:
    """Ticks of the beat that one would tap: the quarter, in slow songs the eighth (a pulse of .36 s or more)."""
    return EIGHTH if clock.seconds(TICKS_PER_QUARTER) / 2 >= SLOW_EIGHTH else TICKS_PER_QUARTER


def strength(tick: int, pulse: int) -> float:
    """How strong a place in the bar is: 1 on the first beat, .6 and more on a pulse, less between them."""
    inside = tick % BAR
    if inside % TICKS_PER_QUARTER == 0:
        return (1.0, 0.75, 0.92, 0.75)[inside // TICKS_PER_QUARTER]
    if inside % EIGHTH == 0:
        return 0.6 if pulse == EIGHTH else 0.25
    return 0.0


def is_strong(tick: int, pulse: int = TICKS_PER_QUARTER) -> bool:
    """On a beat."""
    return tick % pulse == 0


def window(bars: int, syllables: int, clock: Clock, first: bool, last: bool, may_begin_early: bool) -> Window:
    """The ticks that a line of `bars` bars may use, leaving the next line its pick-up and the singer a breath."""
    reach = EIGHTH * (1 if bars == 1 else 2)
    earliest = -reach if may_begin_early or not first else 0
    latest = bars * BAR - (0 if last else reach + clock.ticks(BREATH))
    pulse = felt_pulse(clock) if syllables / bars > CROWDED else TICKS_PER_QUARTER
    return Window(bars, earliest, latest, pulse)


def fits(line: Line, bars: int, clock: Clock, taste: Tune, firm: bool = False) -> bool:
    """Whether the line's syllables go into so many bars, wherever in the song it stands; if `firm`, with a beat for
    each stressed one."""
    if not line.syllables:
        return True
    place = window(bars, len(line.syllables), clock, first=True, last=False, may_begin_early=False)
    plain = np.random.default_rng(0)
    found = place_syllables(weights(line), pauses(line), place, clock, plain, taste, firm=firm)
    return found is not None and not (firm and found.cost >= FIRM)


def place_syllables(
    heavy: Sequence[float],
    waits: Sequence[bool],
    place: Window,
    clock: Clock,
    rng: np.random.Generator,
    taste: Tune,
    like: Rhythm | None = None,
    firm: bool = False,
) -> Rhythm | None:
    """One reading of the line, the cheapest under this rng's noise; None where the syllables do not fit.

    `firm`: its stressed syllables stand on beats, come what may (a hook's).
    """
    slots = np.arange(place.earliest, place.latest - clock.ticks(LAST_NOTE) + 1, SIXTEENTH)
    count = len(heavy)
    if count == 0 or len(slots) < count:
        return None
    times = np.array([clock.seconds(int(slot)) for slot in slots])
    gaps = times[None, :] - times[:, None]  # [from, to], seconds
    slot_cost = _slot_costs(slots, place, rng, like)
    stress = [_stress_costs(slots, weight, taste.syncopation, place.pulse, firm) for weight in heavy]
    total = np.full((count, len(slots)), np.inf)
    came_from = np.zeros((count, len(slots)), dtype=int)
    total[0] = slot_cost + stress[0] + _entry(slots, heavy, taste.pickup)
    wishes = _wishes(heavy, waits, rng)
    for i in range(1, count):
        ways = total[i - 1][:, None] + _gap_costs(gaps, wishes[i - 1])
        came_from[i] = ways.argmin(axis=0)
        total[i] = ways.min(axis=0) + slot_cost + stress[i]
    total[-1] += _close(slots, place)
    best = int(total[-1].argmin())
    if not np.isfinite(total[-1, best]):
        return None
    cost, path = float(total[-1, best]), [best]
    for i in range(count - 1, 0, -1):
        path.append(int(came_from[i, path[-1]]))
    onsets = tuple(int(slots[k]) for k in reversed(path))
    return Rhythm(onsets, _line_end(onsets[-1], place, clock, rng), cost)


def _slot_costs(
    slots: NDArray[np.int_], place: Window, rng: np.random.Generator, like: Rhythm | None
) -> NDArray[np.float64]:
    """What each slot costs any syllable: odd sixteenths are for short lines only; a tune to be like pulls."""
    cost = rng.normal(0, 0.25, len(slots))
    odd = slots % EIGHTH != 0
    cost[odd] += 0.35 if place.bars == 1 else 1.2
    if like is not None:
        cost[np.isin(slots, like.onsets)] -= 1.2
    return cost


def _stress_costs(
    slots: NDArray[np.int_], weight: float, syncopation: float, pulse: int, firm: bool
) -> NDArray[np.float64]:
    strengths = np.array([strength(int(slot), pulse) for slot in slots])
    off_beat = strengths < 0.5
    cost = np.where(off_beat, weight**2 * (4.0 - 3.0 * syncopation), -0.4 * weight * strengths)
    cost += np.where(off_beat, 0.0, (1 - weight) * strengths * 0.75)
    return cost + np.where(off_beat, FIRM, 0.0) if firm and weight >= STRESSED else cost


def _wishes(heavy: Sequence[float], waits: Sequence[bool], rng: np.random.Generator) -> list[float]:
    """Seconds that each syllable would like: words of weight longer, one of them dwelt on, commas with a pause."""
    hurry = float(np.exp(rng.normal(0, 0.15)))
    weighty = [i for i, weight in enumerate(heavy[:-1]) if weight >= 0.9]
    dwelt = weighty[int(rng.integers(len(weighty)))] if weighty else -1
    wishes = []
    for i, weight in enumerate(heavy):
        wish = NATURAL * hurry * (1.2 if weight >= 0.9 else 0.9)
        wishes.append(wish * (1.7 if waits[i] else 1.6 if i == dwelt else 1.0))
    return wishes


def _gap_costs(gaps: NDArray[np.float64], wish: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = 0.5 * (np.log(gaps / wish) / SPREAD) ** 2
    return np.where(gaps < SHORTEST, np.inf, cost)


def _entry(slots: NDArray[np.int_], heavy: Sequence[float], pickup: float) -> NDArray[np.float64]:
    """A line begins near its bar line: before it with light syllables, on or after it with a stressed one."""
    cost = 0.9 * np.maximum(0, slots) / TICKS_PER_QUARTER
    if heavy[0] >= 0.9:
        return np.where(slots < 0, 2.0, cost)
    return np.where(slots < 0, 0.6 * (1 - pickup), cost)


def _close(slots: NDArray[np.int_], place: Window) -> NDArray[np.float64]:
    """The last syllable likes the middle of its bars, where the answer can begin."""
    middle = place.bars * BAR // 2
    return 0.25 * np.abs(slots - middle) / TICKS_PER_QUARTER


def _line_end(onset: int, place: Window, clock: Clock, rng: np.random.Generator) -> int:
    """The last note lasts .6 to 1.3 seconds where there is room, to a slot."""
    wish = onset + clock.ticks(float(rng.uniform(0.65, 1.3)))
    wish = -(-wish // EIGHTH) * EIGHTH
    return int(max(min(wish, place.latest), onset + clock.ticks(LAST_NOTE)))
