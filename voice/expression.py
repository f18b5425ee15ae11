"""Expression: how a score is sung, as numbers from 0 to 1, constant or as curves over the score's ticks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voice.score import Score

Curve = float | tuple[tuple[int, float], ...]  # one value, or (tick, value) points joined by straight lines
Floats = NDArray[np.float64]


class ExpressionError(ValueError):
    """An expression that cannot be; the message names the knob."""


@dataclass(frozen=True)
class Expression:
    """Knobs from 0 (none) to 1 (as far as it stays singing). The defaults are a plain, warm reading.

    breath: air in the tone, and how loud breaths between phrases are.
    rasp: a rough, rusty edge; the folds' cycles alternate in length and strength, more on loud notes.
    vibrato: depth, 1 is 80 cents to either side. vibrato_rate: 0 is 4.5 Hz, 1 is 7 Hz.
    scoop: how far below phrase starts, leaps and accents begin, 1 is 250 cents.
    fall: how far the pitch drops as a phrase's last note is let go, 1 is 400 cents.
    portamento: how long the glide between tied notes is, 0 is 30 ms, 1 is 230 ms.
    dynamics: how much loudness follows the marks and swells on long notes.
    consonants: strength of consonants: longer and louder.
    looseness: how far from the beat syllables may begin, 1 is 35 ms (standard deviation).
    imperfection: moves drift of pitch, uneven vibrato, scoops, timing and level together, by the seed.
    """

    breath: Curve = 0.15
    rasp: Curve = 0.0
    vibrato: Curve = 0.35
    vibrato_rate: Curve = 0.4
    scoop: Curve = 0.2
    fall: Curve = 0.1
    portamento: Curve = 0.2
    dynamics: Curve = 0.5
    consonants: Curve = 0.5
    looseness: float = 0.0
    imperfection: float = 0.25

    def __post_init__(self) -> None:
        for name, curve in self.knobs().items():
            points = ((0, curve),) if isinstance(curve, int | float) else curve
            if not points or any(not 0 <= value <= 1 for _, value in points):
                raise ExpressionError(f"expression: {name} goes from 0 to 1, not {curve}")
            if any(b[0] <= a[0] for a, b in itertools.pairwise(points)):
                raise ExpressionError(f"expression: the points of {name} must go forward in time")

    def knobs(self) -> dict[str, Curve]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @staticmethod
    def of(values: Mapping[str, object]) -> Expression:
        """From plain data, as a voice file holds it. Raises ExpressionError on a knob that there is not."""
        known = {field.name for field in dataclasses.fields(Expression)}
        for name in values:
            if name not in known:
                raise ExpressionError(
                    f"expression: there is no {name!r}; there are {', '.join(sorted(known))}"
                )
        knobs = {
            name: tuple((int(t), float(v)) for t, v in value)
            if isinstance(value, list | tuple)
            else float(value)  # type: ignore[arg-type]
            for name, value in values.items()
        }
        return Expression(**knobs)  # type: ignore[arg-type]

    def in_time(self, score: Score) -> Callable[[str, ArrayLike], Floats]:
        """A reader of knobs by seconds: `knob("rasp", times)` -> the values at those times."""
        curves: dict[str, tuple[Floats, Floats]] = {}
        for name, curve in self.knobs().items():
            points = ((0, curve),) if isinstance(curve, int | float) else curve
            curves[name] = (
                np.array([score.seconds(tick) for tick, _ in points]),
                np.array([value for _, value in points], float),
            )

        def knob(name: str, seconds: ArrayLike) -> Floats:
            return np.asarray(np.interp(np.asarray(seconds, float), *curves[name]))

        return knob
