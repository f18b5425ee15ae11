"""Reach: which notes of a score lie outside a range, and in which key they would not."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass

from voice.score import Key, Score
from voice.voices import Range

NAMES = ("C", "C#", "D", "E flat", "E", "F", "F#", "G", "A flat", "A", "B flat", "B")
FARTHEST = 12  # semitones that a proposal goes, up or down


@dataclass(frozen=True)
class KeyProposal:
    """The score moved by `semitones` into `key`: its lowest and highest note then, and the seconds still outside."""

    semitones: int
    key: Key
    low: int
    high: int
    outside: float

    def __str__(self) -> str:
        if not self.semitones:
            return f"{key_name(self.key)} suits this voice as it is"
        way = "up" if self.semitones > 0 else "down"
        size = abs(self.semitones)
        rest = "" if self.outside == 0 else f", all but {self.outside:.1f} s of it"
        return (
            f"it would lie well in {key_name(self.key)}, {size} semitone{'s' * (size > 1)} {way} "
            f"({note_name(self.low)} to {note_name(self.high)}{rest})"
        )


def propose_key(score: Score, comfortable: Range, farthest: int = FARTHEST) -> KeyProposal:
    """The smallest move, of at most `farthest` semitones, that brings the most seconds of the score into the range."""
    sounding: defaultdict[int, float] = defaultdict(float)
    for note in score.notes:
        sounding[note.pitch] += score.seconds(note.end) - score.seconds(note.tick)

    def outside(by: int) -> float:
        return sum(s for p, s in sounding.items() if not comfortable.low <= p + by <= comfortable.high)

    by = min(range(-farthest, farthest + 1), key=lambda by: (round(outside(by), 3), abs(by), by))
    key = dataclasses.replace(score.key, tonic=(score.key.tonic + by) % 12)
    return KeyProposal(by, key, min(sounding) + by, max(sounding) + by, outside(by))


def outside_notes(score: Score, comfortable: Range, extreme: Range) -> list[str]:
    """A sentence for each note outside the comfortable range: they are sung as written."""
    said = []
    for note in score.notes:
        if not comfortable.low <= note.pitch <= comfortable.high:
            beyond = "" if extreme.low <= note.pitch <= extreme.high else ", beyond what this voice can reach"
            side = "above" if note.pitch > comfortable.high else "below"
            said.append(
                f"{score.where(note)}: {note_name(note.pitch)} lies {side} the comfortable range{beyond}; "
                "it was sung as written"
            )
    return said


def note_name(pitch: int) -> str:
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def key_name(key: Key) -> str:
    return f"{NAMES[key.tonic]} {key.mode}"
