"""Plan: how fast, and how many bars, so that a song lasts as long as was asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from skills.style import Style

UNDERSTOOD = 0.3  # seconds a syllable; faster singing is not understood
LAST_NOTE = 0.42  # seconds at least for the end of a line
BREATH = 0.42  # seconds of rest between two lines
RING = 1.0  # seconds that the last chord rings on after its bar
WHOLE = 75.0  # seconds; from here on a song has time for more than a bar of intro and ending
WHOLE_INTRO, WHOLE_ENDING = 4, 2  # bars
LONG_INTRO = 9.0  # seconds that an intro may take
TOLERANCE = 0.17  # of the length asked for; the promise is .2


@dataclass(frozen=True)
class Plan:
    """`line_bars`: bars of every line in order; `seconds`: length of the audio with its ring."""

    bpm: float
    intro_bars: int
    ending_bars: int
    line_bars: tuple[int, ...]

    @property
    def bars(self) -> int:
        return self.intro_bars + sum(self.line_bars) + self.ending_bars

    @property
    def seconds(self) -> float:
        return self.bars * 240.0 / self.bpm + RING


def sung_bars(style: Style, mood: str, seconds: float, bpm: float | None = None) -> tuple[int, int]:
    """The fewest and the most bars of sung lines that fit in `seconds` with an intro and an ending."""
    low, high = (bpm, bpm) if bpm else style.groove.tempo[style.pace(mood)]
    extra = style.groove.intro_bars + style.groove.ending_bars
    fewest = math.ceil((seconds * (1 - TOLERANCE) - RING) * low / 240.0) - extra
    most = math.floor((seconds * (1 + TOLERANCE) - RING) * high / 240.0) - min(extra, 1)
    return max(1, fewest), max(1, most)


def plan(
    style: Style,
    mood: str,
    seconds: float,
    bars: Sequence[int],
    syllables: Sequence[int],
    bpm: float | None = None,
    scales: Sequence[float] = (1.0, 0.5, 2.0),
) -> Plan:
    """The tempo and the bars with which lines of `bars` and `syllables` last about `seconds`.

    The cheapest of all tempos, frames and halved or doubled lines: it leaves the mood's pace, gives up the
    ending or crowds the words only where the length cannot be had otherwise.
    """
    low, high = style.groove.tempo[style.pace(mood)]
    slowest = min(first for first, _ in style.groove.tempo.values())
    fastest = max(last for _, last in style.groove.tempo.values())
    intro, ending = style.groove.intro_bars, style.groove.ending_bars
    frames = {(intro + 1, ending), (intro, ending), (intro, 0), (min(1, intro), 0), (0, 0)}
    if seconds >= WHOLE and intro:
        intro, ending = max(intro, WHOLE_INTRO), max(ending, WHOLE_ENDING)
        frames |= {(intro, ending), (intro // 2, ending)}
    tempos = [bpm] if bpm else [slowest + 0.5 * i for i in range(int(2 * (fastest - slowest)) + 1)]
    best: tuple[float, Plan] | None = None
    for scale in scales:
        lines = tuple(max(round(count * scale), 1) for count in bars)
        for frame in sorted(frames):
            for tempo in tempos:
                made = Plan(tempo, *frame, lines)
                cost = (
                    _length_cost(made.seconds / seconds)
                    + 5 * max(0.0, low - tempo, tempo - high) / low
                    + (0.3 * (intro - frame[0]) / max(1, intro) if frame[0] <= intro else 0.08)
                    + 0.15 * (ending - frame[1])
                    + 0.05 * max(0.0, frame[0] * 240.0 / tempo - LONG_INTRO)
                    + (0.0 if scale == 1.0 else 0.3)
                    + _hurry_cost(made, syllables)
                )
                if best is None or cost < best[0]:
                    best = (cost, made)
    assert best is not None
    return best[1]


def _length_cost(share: float) -> float:
    """Cost of lasting `share` of what was asked: little within the promise, a wall beyond it."""
    off = abs(share - 1)
    return off + 40 * max(0.0, off - TOLERANCE)


def _hurry_cost(made: Plan, syllables: Sequence[int]) -> float:
    """Cost of lines whose syllables come faster than they can be understood, with a breath between lines."""
    cost = 0.0
    for bars, count in zip(made.line_bars, syllables, strict=True):
        singing = bars * 240.0 / made.bpm - BREATH - LAST_NOTE
        each = singing / max(1, count - 1)
        cost += 6 * max(0.0, UNDERSTOOD - each) / UNDERSTOOD + (5.0 if each < 0.21 else 0.0)
    return cost / len(syllables)
