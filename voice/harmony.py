"""Harmony: a second part to a sung line, above or below it, with its words and in its time.

Every note of the lead is answered by one a third to a sixth away, out of the chord where there is one and out of the
key where not. The part as a whole is the cheapest path: chord notes where the line dwells, thirds and sixths before
fourths and fifths, small steps, no parallel fifths, and all within the reach of whoever sings it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Literal

from voice.reach import propose_key
from voice.score import FERMATA, TICKS_PER_QUARTER, Chord, Note, Score, ScoreError, Section, TempoMark
from voice.voices import Range, Voice, load_voice, shipped

Side = Literal["below", "above"]

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
CHORDS = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11),
    "dim": (0, 3, 6), "sus4": (0, 5, 7), "6": (0, 4, 7, 9), "9": (0, 2, 4, 7, 10),
}  # fmt: skip
# What an interval costs, by semitones from the lead.
INTERVALS = {3: 0.0, 4: 0.0, 8: 0.6, 9: 0.6, 5: 1.0, 7: 1.2, 6: 2.5, 10: 2.5, 2: 3.0, 12: 2.0}
OFF_CHORD = 2.0  # a note that is not in the chord, for a quarter or longer
RUBS = 2.0  # more, if it lies a semitone above a note of the chord
OFF_KEY = 2.5  # in neither the chord nor the key
STEP = 0.25  # for each semitone that the part moves more than the lead
LEAP = 0.3  # for each semitone past a fourth
PARALLEL = 2.0  # two fifths, or two octaves, one after the other
UNREACHED = 3.0  # for each semitone outside the reach


def harmony(
    lead: Score, side: Side = "below", reach: Range | None = None, within: Sequence[Section] | None = None
) -> Score:
    """The part `side` of the lead, note for note; within those sections only, if any are given.

    reach: the comfortable range of whoever sings it. Raises ScoreError if nothing of the lead lies in the sections.
    """
    notes = list(lead.notes) if within is None else _whole_words(lead.notes, within)
    if not notes:
        raise ScoreError("there is nothing to harmonise: no whole word of the lead lies in those sections")
    sign = 1 if side == "above" else -1
    best: list[tuple[float, tuple[int, ...]]] = []
    before: Note | None = None
    for note in notes:
        chord = lead.chord_at(note.tick)
        nexts: list[tuple[float, tuple[int, ...]]] = []
        for interval, price in INTERVALS.items():
            pitch = note.pitch + sign * interval
            own = price + _fit(lead, note, pitch, chord) + _reached(pitch, reach)
            if before is None:
                nexts.append((own, (pitch,)))
                continue
            moves = [(cost + _move(before, note, path[-1], pitch), path) for cost, path in best]
            cost, path = min(moves)
            nexts.append((own + cost, (*path, pitch)))
        best, before = nexts, note
    part = [dataclasses.replace(n, pitch=p) for n, p in zip(notes, min(best)[1], strict=True)]
    tempo = lead.tempo if within is None else _waiting(lead, notes)
    return dataclasses.replace(lead, title=f"{lead.title} ({side})".strip(), notes=tuple(part), tempo=tempo)


def harmonist(
    lead: Score, side: Side, but: Collection[str] = (), within: Sequence[Section] | None = None
) -> Voice:
    """The shipped voice, none of `but`, for which a part on that side of the lead lies best."""
    voices = [load_voice(name) for name in shipped() if name not in but]
    return min(
        voices,
        key=lambda v: (
            propose_key(harmony(lead, side, v.comfortable, within), v.comfortable, farthest=0).outside
        ),
    )


def _fit(lead: Score, note: Note, pitch: int, chord: Chord | None) -> float:
    """How ill a pitch suits the chord and the key, the more the longer it lasts."""
    dwells = min(1.0, note.ticks / TICKS_PER_QUARTER)
    tones = {(chord.root + step) % 12 for step in CHORDS[chord.quality]} if chord else set()
    scale = {(lead.key.tonic + step) % 12 for step in SCALES[lead.key.mode]}
    if pitch % 12 in tones:
        return 0.0
    cost = 0.0 if pitch % 12 in scale else OFF_KEY
    if chord:
        cost += dwells * (OFF_CHORD + (RUBS if (pitch - 1) % 12 in tones else 0.0))
    return cost


def _reached(pitch: int, reach: Range | None) -> float:
    return UNREACHED * max(0, reach.low - pitch, pitch - reach.high) if reach else 0.0


def _move(before: Note, note: Note, start: int, end: int) -> float:
    lead, own = note.pitch - before.pitch, end - start
    cost = STEP * max(0, abs(own) - abs(lead)) + LEAP * max(0, abs(own) - 5)
    same = abs(before.pitch - start) % 12 == abs(note.pitch - end) % 12 in (0, 7)
    return cost + (PARALLEL if same and lead else 0.0)


def _whole_words(notes: Sequence[Note], within: Sequence[Section]) -> list[Note]:
    """The notes of every word that lies in the sections with all its notes."""
    words: list[list[Note]] = []
    for note in notes:
        goes_on = note.syllable is None or note.syllabic in ("middle", "end")
        words[-1].append(note) if goes_on and words else words.append([note])
    inside = [(section.tick, section.tick + section.ticks) for section in within]
    return [
        note
        for word in words
        if any(a <= word[0].tick and word[-1].end <= b for a, b in inside)
        for note in word
    ]


def _waiting(lead: Score, kept: Sequence[Note]) -> tuple[TempoMark, ...]:
    """The tempo, slower where a note that is not sung here stands under a fermata in the lead."""
    bpm_at = {mark.tick: mark.bpm for mark in lead.tempo}
    for note in lead.notes:
        if not note.fermata or note in kept:
            continue
        after = [bpm for tick, bpm in sorted(bpm_at.items()) if tick <= note.end][-1]
        before = [bpm for tick, bpm in sorted(bpm_at.items()) if tick <= note.tick][-1]
        inside = {tick: bpm for tick, bpm in bpm_at.items() if note.tick < tick < note.end}
        bpm_at |= {tick: bpm / FERMATA for tick, bpm in {note.tick: before, **inside}.items()}
        bpm_at[note.end] = after
    return tuple(TempoMark(tick, bpm) for tick, bpm in sorted(bpm_at.items()))
