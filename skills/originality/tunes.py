"""The old tunes that songs are compared with: one small file, written by bench/index_tunes.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

INDEX = Path(__file__).parent / "tunes.npz"

Melody = list[tuple[int, int]]  # (MIDI number, length in any unit), in order


@dataclass(frozen=True)
class OldTune:
    """`use`: 'learnt' by the melody model, 'held out' of it, or 'like a learnt one'. Lengths in 48ths of a bar."""

    name: str
    use: str
    melody: Melody


def save_tunes(rows: Sequence[tuple[str, str, list[int], list[int]]]) -> None:
    """rows: (name, use, pitches, lengths)."""
    np.savez_compressed(
        INDEX,
        names=np.array("\n".join(row[0].replace("\n", " ") for row in rows)),
        uses=np.array("\n".join(row[1] for row in rows)),
        ends=np.cumsum([len(row[2]) for row in rows]).astype(np.int32),
        pitches=np.concatenate([np.array(row[2], np.int8) for row in rows]),
        lengths=np.concatenate([np.array(row[3], np.uint8) for row in rows]),
    )


@cache
def old_tunes() -> tuple[OldTune, ...]:
    with np.load(INDEX) as raw:
        names, uses = str(raw["names"]).split("\n"), str(raw["uses"]).split("\n")
        ends, pitches, lengths = raw["ends"], raw["pitches"], raw["lengths"]
    notes = list(zip(pitches.tolist(), lengths.tolist(), strict=True))
    starts = [0, *ends[:-1].tolist()]
    return tuple(
        OldTune(name, use, notes[a:b])
        for name, use, a, b in zip(names, uses, starts, ends.tolist(), strict=True)
    )
