"""What comes next in old tunes: a variable-order model of intervals, and how notes stand over chords.

Trained by bench/train_melody.py on 18th and 19th century tunes (its ledger: bench/melody_ledger.tsv). Orders are
blended after Witten and Bell (1991): a context that was seen with few different followers is trusted more.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MODEL = Path(__file__).parent / "model.json.gz"
WIDEST = 12  # semitones; wider intervals count as this wide
FEWEST = 6  # times that a context must have been seen to be kept
# What each order of the model looks at, from the widest to the narrowest context.
CONTEXTS = (
    (),
    ("degree",),
    ("degree", "strength"),
    ("degree", "strength", "h1"),
    ("degree", "strength", "h1", "h2"),
)


def interval_of(semitones: int) -> int:
    return max(-WIDEST, min(WIDEST, semitones))


@dataclass(frozen=True)
class Event:
    """What is known before a note: `degree` of the note before it (semitones above the tonic), the intervals that
    led there, how `strong` (0-2) the new note's place is, if it is `long`, and its `chord` (root above the tonic,
    its third)."""

    mode: str
    degree: int
    history: tuple[int, ...]
    strength: int
    long: bool
    chord: tuple[int, int]

    def context(self, order: int) -> str:
        parts = [self.mode[2]]  # 'j' or 'n'
        for field in CONTEXTS[order]:
            if field == "degree":
                parts.append(str(self.degree))
            elif field == "strength":
                parts.append(f"{self.strength}{'l' if self.long else 's'}")
            else:
                back = int(field[1])
                parts.append(str(self.history[-back]) if len(self.history) >= back else "^")
        return " ".join(parts)

    def chord_context(self) -> str:
        return f"{self.chord[1]} {self.strength}{'l' if self.long else 's'}"

    def plain_context(self) -> str:
        """The same without regard to where the note stands."""
        return f"{self.chord[1]}"

    def over_chord(self, interval: int) -> int:
        """The new note above the chord's root, 0..11."""
        return (self.degree + interval - self.chord[0]) % 12


class Model:
    """Probabilities of intervals. `contexts`: counts of intervals by context; `chord`: of notes over a chord."""

    def __init__(
        self, contexts: Mapping[str, Mapping[int, int]], chord: Mapping[str, Mapping[int, int]]
    ) -> None:
        self.contexts, self.chord = contexts, chord
        self._known: dict[tuple[str, ...], dict[int, float]] = {}
        self._lifted: dict[tuple[str, str], list[float]] = {}

    def intervals(self, event: Event, order: int = len(CONTEXTS) - 1) -> dict[int, float]:
        """P(interval) before `event`, by contexts up to `order`; sums to 1."""
        key = tuple(event.context(o) for o in range(order + 1))
        if key not in self._known:
            likely = dict.fromkeys(range(-WIDEST, WIDEST + 1), 1 / (2 * WIDEST + 1))
            for context in key:
                seen = self.contexts.get(context)
                if seen:
                    total, kinds = sum(seen.values()), len(seen)
                    likely = {i: (seen.get(i, 0) + kinds * p) / (total + kinds) for i, p in likely.items()}
            self._known[key] = likely
        return self._known[key]

    def with_chord(self, event: Event) -> dict[int, float]:
        """P(interval) with the chord taken in: lifted where a note stands on such a place oftener than elsewhere."""
        lifts = self._lifts(event.chord_context(), event.plain_context())
        pulled = {i: p * lifts[event.over_chord(i)] for i, p in self.intervals(event).items()}
        norm = sum(pulled.values())
        return {interval: p / norm for interval, p in pulled.items()}

    def _lifts(self, here: str, anywhere: str) -> list[float]:
        """How much oftener a note stands on each of the 12 places over its chord `here` than `anywhere`."""
        if (here, anywhere) not in self._lifted:
            shares = []
            for seen in (self.chord[here], self.chord[anywhere]):
                total = sum(seen.values()) + 12
                shares.append([(seen.get(over, 0) + 1) / total for over in range(12)])
            self._lifted[here, anywhere] = [a / b for a, b in zip(*shares, strict=True)]
        return self._lifted[here, anywhere]

    def to_plain(self) -> dict[str, Any]:
        return {"contexts": self.contexts, "chord": self.chord}


@cache
def load_model() -> Model:
    """The trained model that comes with Troubadour."""
    raw = json.loads(gzip.decompress(MODEL.read_bytes()))
    return Model(
        *(
            {k: {int(i): n for i, n in v.items()} for k, v in raw[name].items()}
            for name in ("contexts", "chord")
        )
    )
