"""The bench of originality: planted copies of old tunes among held-out ones; how many are found, how many cried wolf.

A melody is PHRASE notes long. False alarms are held-out tunes (which the index used here does not hold). Old tunes
went under many names: a held-out stretch that shares KIN moves in a row with an indexed tune is the same tune, or its
kin, and is counted by itself. Copies are stretches of tunes that the index holds: transposed; with another rhythm;
ornamented; or QUOTED notes of one inside a held-out melody, transposed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skills.originality.align import Line, Shelf, Worth
from skills.originality.tunes import Melody, old_tunes

PHRASE = 40  # notes, as many as a snippet of 20 s sings
QUOTED = 24
KIN = 12  # moves in a row; the chance of it between two melodies that have nothing to do with each other is small
ORNAMENTS = 0.2  # of the notes get one


@dataclass(frozen=True)
class Scored:
    """One melody: its `kind`, and the bits of its closest tune without and with rhythm."""

    kind: str
    melody: float
    phrase: float


def planted(count: int, seed: int = 1) -> list[Scored]:
    """`count` melodies of each kind, scored against the tunes that were not held out."""
    rng = random.Random(seed)
    known = [tune.melody for tune in old_tunes() if tune.use == "learnt" and len(tune.melody) >= PHRASE]
    held = [tune.melody for tune in old_tunes() if tune.use == "held out" and len(tune.melody) >= PHRASE]
    lines = [Line.of(tune.melody) for tune in old_tunes() if tune.use == "learnt"]
    shelf = Shelf(lines, Worth.of(lines))
    kinds: dict[str, Callable[[], Melody]] = {
        "held-out tune": lambda: _part(rng.choice(held), PHRASE, rng),
        "transposed": lambda: _moved(_part(rng.choice(known), PHRASE, rng), rng),
        "other rhythm": lambda: _in_other_rhythm(_part(rng.choice(known), PHRASE, rng), rng),
        "ornamented": lambda: _ornamented(_part(rng.choice(known), PHRASE, rng), rng),
        "quoted in part": lambda: _quoting(rng.choice(held), rng.choice(known), rng),
    }
    scored, runs = [], set().union(*(_runs(line) for line in lines))
    for kind, make in kinds.items():
        for _ in range(count):
            line = Line.of(make())
            kin = kind == "held-out tune" and bool(_runs(line) & runs)
            scored.append(
                Scored(
                    "held-out kin" if kin else kind,
                    shelf.closest(line).bits,
                    shelf.closest(line, rhythm=True).bits,
                )
            )
    return scored


def _runs(line: Line) -> set[bytes]:
    moves = np.diff(line.pitches).astype(np.int8)
    if len(moves) < KIN:
        return set()
    return {run.tobytes() for run in np.lib.stride_tricks.sliding_window_view(moves, KIN)}


def _part(tune: Melody, notes: int, rng: random.Random) -> Melody:
    first = rng.randrange(len(tune) - notes + 1)
    return tune[first : first + notes]


def _moved(melody: Melody, rng: random.Random) -> Melody:
    by = rng.randrange(1, 12)
    return [(pitch + by, length) for pitch, length in melody]


def _in_other_rhythm(melody: Melody, rng: random.Random) -> Melody:
    return [(pitch, rng.choice([3, 6, 6, 12, 12, 18, 24])) for pitch, _ in melody]


def _ornamented(melody: Melody, rng: random.Random) -> Melody:
    """A neighbour after some notes, in their time."""
    out: Melody = []
    for pitch, length in melody:
        if rng.random() < ORNAMENTS and length > 1:
            out += [(pitch, length - length // 2), (pitch + rng.choice([-2, -1, 1, 2]), length // 2)]
        else:
            out.append((pitch, length))
    return out


def _quoting(around: Melody, quoted: Melody, rng: random.Random) -> Melody:
    frame = _part(around, PHRASE - QUOTED, rng)
    half = len(frame) // 2
    return [*frame[:half], *_moved(_part(quoted, QUOTED, rng), rng), *frame[half:]]
