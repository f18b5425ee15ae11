"""Melody: a pitch for every syllable, by beam search over what tunes do and what the words and chords ask."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skills.style import Tune
from skills.tune.harmony import chord_tones
from skills.tune.model import Event, Model, interval_of
from voice.score import Chord

BEAM = 20
# What a step of so many semitones costs before any context: sung lines move by step, leaps are events.
INTERVAL_COST = {0: 1.1, 1: 0.75, 2: 0.3, 3: 0.75, 4: 1.15, 5: 1.6, 6: 4.5, 7: 2.2, 8: 3.4, 9: 3.2, 12: 3.4}
TOO_WIDE = 6.0
NOT_IN_CHORD = 2.4
NOT_AT_REST = 6.0
LEARNED, RULED = 0.45, 0.65  # how much the model of old tunes counts, and the rules
UNHEARD = 0.002  # the model's least probability: blue notes are rare in old tunes, not wrong
LONG = 0.45  # seconds


@dataclass(frozen=True)
class Spot:
    """A syllable that waits for its pitch.

    `seconds` it lasts; `weight` of its stress; `strong`: on a beat; `strength` of that place (0-2);
    `chord` under it; `guide`: the pitch that
    the line's model has here (an A that returns as A'), or None; `place`: 0..1 in the line.
    """

    seconds: float
    weight: float
    strong: bool
    chord: Chord
    place: float
    last: bool = False
    guide: int | None = None
    strength: int = 1


@dataclass(frozen=True)
class Phrase:
    """What a line's tune aims for: `heights` above or below the middle of the range at its start, peak and end.

    `rests_on`: pitch classes that may end it.
    """

    start: float
    peak: float
    peak_at: float
    end: float
    rests_on: frozenset[int]

    def height(self, place: float) -> float:
        if place < self.peak_at:
            return self.start + (self.peak - self.start) * place / max(self.peak_at, 1e-6)
        return self.peak + (self.end - self.peak) * (place - self.peak_at) / max(1 - self.peak_at, 1e-6)


@dataclass(frozen=True)
class Setting:
    """What holds for the whole song: the style's tune layer, the tonic and the range sung in."""

    tune: Tune
    tonic: int
    low: int
    high: int

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def pitches(self) -> list[int]:
        return [p for p in range(self.low, self.high + 1) if (p - self.tonic) % 12 in self.tune.scale]


# (pitches before, the spot, pitches that it may have) -> what moving to each costs
MoveCosts = Callable[[Sequence[int], Spot, Sequence[int]], Sequence[float]]


def sing_line(
    spots: Sequence[Spot],
    phrase: Phrase,
    setting: Setting,
    rng: np.random.Generator,
    before: int | None,
    move_costs: MoveCosts,
) -> tuple[list[int], float]:
    """Pitches for a line and their cost, the cheapest found under this rng's noise. `before`: the pitch before it."""
    pitches = setting.pitches()
    noise = rng.gumbel(0, 0.45, (len(spots), len(pitches)))
    beam: list[tuple[float, list[int]]] = [(0.0, [] if before is None else [before])]
    skip = 0 if before is None else 1
    for i, spot in enumerate(spots):
        own = [
            place_cost(pitch, spot, phrase, setting) - float(noise[i, k]) for k, pitch in enumerate(pitches)
        ]
        grown: list[tuple[float, list[int]]] = []
        for cost, path in beam:
            moves = move_costs(path, spot, pitches) if path else [0.0] * len(pitches)
            grown += [(cost + own[k] + moves[k], [*path, pitch]) for k, pitch in enumerate(pitches)]
        grown.sort(key=lambda item: item[0])
        beam = _different_endings(grown)
    cost, path = beam[0]
    return path[skip:], cost


def _different_endings(grown: Sequence[tuple[float, list[int]]]) -> list[tuple[float, list[int]]]:
    """The best paths, at most three that end on the same two pitches: a beam of one mind finds nothing new."""
    kept: list[tuple[float, list[int]]] = []
    seen: dict[tuple[int, ...], int] = {}
    for cost, path in grown:
        ending = tuple(path[-2:])
        if seen.get(ending, 0) < 3:
            seen[ending] = seen.get(ending, 0) + 1
            kept.append((cost, path))
        if len(kept) == BEAM:
            break
    return kept


def place_cost(pitch: int, spot: Spot, phrase: Phrase, setting: Setting) -> float:
    """What this pitch costs in this place, whatever came before."""
    degree = (pitch - setting.tonic) % 12
    cost = -0.5 * math.log(setting.tune.scale[degree])
    chord = chord_tones(spot.chord)
    fits = pitch % 12 in chord or degree in setting.tune.blue
    if spot.strong and not fits:
        cost += NOT_IN_CHORD * (0.5 + 0.5 * spot.weight) * min(1.0, spot.seconds / 0.35)
    elif not fits:
        cost += 0.5 * min(1.0, spot.seconds / 0.5)
    if (
        spot.seconds > 0.3
        and pitch % 12 not in chord
        and (pitch - 1) % 12 in chord
        and degree not in setting.tune.blue
    ):
        cost += 1.2  # a semitone above a chord tone bites when it is held
    if spot.last and pitch % 12 not in phrase.rests_on:
        cost += NOT_AT_REST
    if spot.guide is not None:
        cost += 0.9 * min(4, abs(pitch - spot.guide))
    away = pitch - (setting.middle + phrase.height(spot.place))
    cost += 0.08 * away**2 if spot.guide is None else 0.005 * away**2
    edge = min(pitch - setting.low, setting.high - pitch)
    return cost + (0.8 if edge < 1 else 0.25 if edge < 2 else 0.0)


def step_cost(interval: int, before: int, weight: float) -> float:
    """What going `interval` semitones costs by rules alone, after an interval `before` (0 at a start)."""
    cost = INTERVAL_COST.get(abs(interval), TOO_WIDE)
    if abs(interval) >= 5 and weight < 0.5:
        cost += 0.6  # leaps belong to words that carry weight
    if abs(before) >= 5 and (interval * before > 0 or abs(interval) > 4):
        cost += 2.0  # a leap is answered by steps back
    return cost


def learned_moves(setting: Setting, model: Model) -> MoveCosts:
    """Costs that also know what old tunes do next here; rules keep them singable (fiddles leap more than voices)."""
    minor = setting.tune.mode == "minor" or setting.tune.scale.get(3, 0) > setting.tune.scale.get(4, 0)
    mode = "minor" if minor else "major"
    known: dict[tuple[object, ...], list[float]] = {}

    def steps(
        path: Sequence[int], history: tuple[int, ...], spot: Spot, pitches: Sequence[int]
    ) -> list[float]:
        third = 3 if spot.chord.quality in ("m", "m7", "dim") else 4
        degree, root = ((p - setting.tonic) % 12 for p in (path[-1], spot.chord.root))
        likely = model.with_chord(
            Event(mode, degree, history, spot.strength, spot.seconds > LONG, (root, third))
        )
        before = history[-1] if history else 0
        return [
            LEARNED * -math.log(max(likely[interval_of(p - path[-1])], UNHEARD))
            + RULED * step_cost(p - path[-1], before, spot.weight)
            for p in pitches
        ]

    def costs(path: Sequence[int], spot: Spot, pitches: Sequence[int]) -> list[float]:
        history = tuple(interval_of(b - a) for a, b in itertools.pairwise(path[-3:]))
        chord = spot.chord
        key = (
            path[-1], history, spot.strength, spot.seconds > LONG, spot.weight < 0.5, chord.root, chord.quality
        )  # fmt: skip
        if key not in known:
            known[key] = steps(path, history, spot, pitches)
        again = returning(path)
        return [cost + RULED * again.get(p, 0.0) for cost, p in zip(known[key], pitches, strict=True)]

    return costs


def returning(path: Sequence[int]) -> dict[int, float]:
    """What it costs to come back to a pitch just sung: no drone, no seesaw; a tune goes somewhere."""
    recent = path[-7:]
    costs = {pitch: 0.35 * (recent.count(pitch) - 1) for pitch in recent}
    if len(path) >= 3 and path[-1] == path[-2] == path[-3]:
        costs[path[-1]] += 1.2
    if len(path) >= 2 and path[-2] != path[-1]:
        costs[path[-2]] += 0.25  # to and fro
    return costs
