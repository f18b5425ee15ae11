"""Score: the one truth of a song's music. Every export, the singer and the band are made from it.

Time is counted in ticks, 480 to a quarter note (what MIDI and USTX use; thirds and 32nds are exact).
The notation is straight; `swing` bends the eighths when ticks become seconds.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

TICKS_PER_QUARTER = 480
FERMATA = 1.75  # times its length that a note under a fermata is held; all that follows waits

Mode = Literal["major", "minor"]
Syllabic = Literal["single", "begin", "middle", "end"]
Dynamic = Literal["pp", "p", "mp", "mf", "f", "ff"]
Hairpin = Literal["crescendo", "diminuendo"]


class ScoreError(ValueError):
    """A score that cannot be; the message names the bar and the word, and says what to do."""


@dataclass(frozen=True)
class TempoMark:
    """From `tick` on, `bpm` quarter notes a minute."""

    tick: int
    bpm: float


@dataclass(frozen=True)
class MetreMark:
    """From `tick` on (a bar line), bars of `beats` / `unit`."""

    tick: int
    beats: int
    unit: int


@dataclass(frozen=True)
class Key:
    """`tonic` is a pitch class, 0 = C ... 11 = B."""

    tonic: int
    mode: Mode


@dataclass(frozen=True)
class Chord:
    """`root` is a pitch class; `quality` one of '', 'm', '7', 'm7', 'maj7', 'dim', 'sus4', '6', '9'."""

    tick: int
    ticks: int
    root: int
    quality: str


@dataclass(frozen=True)
class Section:
    """A named stretch of the song ('verse', 'chorus', 'intro', 'turnaround' ...)."""

    tick: int
    ticks: int
    name: str


@dataclass(frozen=True)
class Note:
    """A sung note. `pitch` is a MIDI number (60 = middle C).

    `syllable` is its text as written ('train', 'lone-' is written 'lone'), or None where the syllable of
    the note before goes on (melisma). `syllabic` says where it stands in its word. `phonemes`, if given,
    overrides the pronunciation (Kokoro's IPA symbols, stress marks included). Under a `hairpin` loudness moves
    throughout the note; notes that follow each other under one are one hairpin, until a note has a dynamic.
    """

    tick: int
    ticks: int
    pitch: int
    syllable: str | None = None
    syllabic: Syllabic = "single"
    phonemes: str | None = None
    slurred: bool = False
    accent: bool = False
    fermata: bool = False
    breath_after: bool = False
    dynamic: Dynamic | None = None
    hairpin: Hairpin | None = None

    @property
    def end(self) -> int:
        return self.tick + self.ticks


@dataclass(frozen=True)
class Score:
    """A song's lead sheet: the sung line, its words, chords, key, tempo and form.

    `notes` are in order and do not overlap; `swing` is the share of a beat that its first eighth takes
    (.5 straight, .667 triplet swing).
    """

    title: str
    notes: tuple[Note, ...]
    tempo: tuple[TempoMark, ...] = (TempoMark(0, 90.0),)
    metre: tuple[MetreMark, ...] = (MetreMark(0, 4, 4),)
    key: Key = Key(0, "major")
    chords: tuple[Chord, ...] = ()
    sections: tuple[Section, ...] = ()
    swing: float = 0.5
    language: str = "en"

    def __post_init__(self) -> None:
        if not self.tempo or self.tempo[0].tick != 0 or not self.metre or self.metre[0].tick != 0:
            raise ScoreError("a score needs a tempo and a metre at its start")
        if any(mark.bpm <= 0 for mark in self.tempo):
            raise ScoreError("a tempo must be above 0 beats a minute")
        if not 0.5 <= self.swing <= 0.8:
            raise ScoreError(f"swing is a share of the beat from .5 to .8, not {self.swing}")
        for note in self.notes:
            if note.ticks <= 0 or note.tick < 0:
                raise ScoreError(f"{self.where(note)}: a note must last and must not start before the song")
        for before, after in itertools.pairwise(self.notes):
            if after.tick < before.end:
                raise ScoreError(f"{self.where(after)}: the note starts before the one before has ended")
        if self.notes and self.notes[0].syllable is None:
            raise ScoreError(f"{self.where(self.notes[0])}: the first note needs a syllable to sing")

    @property
    def ticks(self) -> int:
        """Where the last note, chord or section ends."""
        ends = [note.end for note in self.notes]
        ends += [chord.tick + chord.ticks for chord in self.chords]
        ends += [section.tick + section.ticks for section in self.sections]
        return max(ends, default=0)

    @property
    def hairpins(self) -> list[tuple[int, int]]:
        """The first and the last note of each, as places in `notes`."""
        found: list[tuple[int, int]] = []
        for i, note in enumerate(self.notes):
            if not note.hairpin:
                continue
            first, last = found[-1] if found else (-1, -1)
            if last == i - 1 >= 0 and self.notes[last].hairpin == note.hairpin and not note.dynamic:
                found[-1] = (first, i)
            else:
                found.append((i, i))
        return found

    def seconds(self, tick: float) -> float:
        """The time of `tick` in seconds from the start; tempo map, swing and fermatas applied."""
        counted = self._counted(tick)
        held = sum(max(0.0, min(counted, end) - start) for start, end in self._fermatas)
        return counted + (FERMATA - 1) * held

    def _counted(self, tick: float) -> float:
        bent = self._swung(tick)
        elapsed = 0.0
        for mark, following in itertools.zip_longest(self.tempo, self.tempo[1:]):
            until = bent if following is None else min(bent, following.tick)
            elapsed += max(0.0, until - mark.tick) / TICKS_PER_QUARTER * 60.0 / mark.bpm
        return elapsed

    @cached_property
    def _fermatas(self) -> tuple[tuple[float, float], ...]:
        """(start, end) of each note under a fermata, as it would be counted."""
        return tuple((self._counted(n.tick), self._counted(n.end)) for n in self.notes if n.fermata)

    def bar(self, tick: int) -> tuple[int, float]:
        """The bar (from 1) and the beat in it (from 1, in units of the metre) at `tick`."""
        bars = 0
        for mark, following in itertools.zip_longest(self.metre, self.metre[1:]):
            length = mark.beats * TICKS_PER_QUARTER * 4 // mark.unit
            if following is None or tick < following.tick:
                whole, rest = divmod(tick - mark.tick, length)
                return bars + whole + 1, 1 + rest * mark.unit / (4 * TICKS_PER_QUARTER)
            bars += -(-(following.tick - mark.tick) // length)
        raise AssertionError("a score has a metre")

    def where(self, note: Note) -> str:
        """'bar 3, "train"': the place of a note in words, for messages."""
        bar, beat = self.bar(note.tick)
        word = f', "{note.syllable}"' if note.syllable else ""
        return f"bar {bar}, beat {beat:g}{word}"

    def transposed(self, semitones: int) -> Score:
        return dataclasses.replace(
            self,
            notes=tuple(dataclasses.replace(n, pitch=n.pitch + semitones) for n in self.notes),
            chords=tuple(dataclasses.replace(c, root=(c.root + semitones) % 12) for c in self.chords),
            key=dataclasses.replace(self.key, tonic=(self.key.tonic + semitones) % 12),
        )

    def chord_at(self, tick: int) -> Chord | None:
        i = bisect_right([chord.tick for chord in self.chords], tick) - 1
        return self.chords[i] if i >= 0 and tick < self.chords[i].tick + self.chords[i].ticks else None

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Score:
        """Raises ScoreError on text that is not a score."""
        try:
            raw: dict[str, Any] = json.loads(text)
            return Score(
                **{
                    **raw,
                    "notes": tuple(Note(**n) for n in raw["notes"]),
                    "tempo": tuple(TempoMark(**t) for t in raw.get("tempo", [{"tick": 0, "bpm": 90.0}])),
                    "metre": tuple(
                        MetreMark(**m) for m in raw.get("metre", [{"tick": 0, "beats": 4, "unit": 4}])
                    ),
                    "key": Key(**raw.get("key", {"tonic": 0, "mode": "major"})),
                    "chords": tuple(Chord(**c) for c in raw.get("chords", [])),
                    "sections": tuple(Section(**s) for s in raw.get("sections", [])),
                }
            )
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            raise ScoreError(f"this is not a score in Troubadour's JSON: {error}") from error

    def _swung(self, tick: float) -> float:
        if self.swing == 0.5:
            return tick
        beat, inside = divmod(tick, TICKS_PER_QUARTER)
        half, turn = TICKS_PER_QUARTER / 2, TICKS_PER_QUARTER * self.swing
        first, second = min(inside, half) / half, max(0.0, inside - half) / half
        return beat * TICKS_PER_QUARTER + first * turn + second * (TICKS_PER_QUARTER - turn)
