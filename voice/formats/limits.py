"""Bounds on what is read from a stranger's file, and the checks that every read score passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from voice.score import Note, Score, ScoreError

MEGABYTE = 1 << 20
MOST_BYTES = 16 * MEGABYTE  # a four-hour opera in MusicXML
MOST_NOTES = 20_000
MOST_SECONDS = 3600.0
_UNITS = (1, 2, 4, 8, 16, 32, 64)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The file's bytes. Raises ScoreError if it cannot be read, is empty or is larger than `most`."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ScoreError(f"{path.name} cannot be read: {error.strerror or error}") from error
    if not data:
        raise ScoreError(f"{path.name} is empty")
    if len(data) > most:
        raise ScoreError(f"{path.name} is larger than {most // MEGABYTE} MB: it cannot be a song's score")
    return data


def checked(score: Score, name: str) -> Score:
    """`score`, if there is something in it that a voice could sing. Raises ScoreError."""
    if not score.notes:
        raise ScoreError(f"{name} has no notes to sing")
    if len(score.notes) > MOST_NOTES:
        raise ScoreError(f"{name} has {len(score.notes)} notes: {MOST_NOTES} at most can be sung at once")
    if any(mark.beats < 1 or mark.unit not in _UNITS or mark.tick < 0 for mark in score.metre):
        raise ScoreError(f"{name} has a time signature that cannot be counted")
    if any(not 5 <= mark.bpm <= 1000 for mark in score.tempo):
        raise ScoreError(f"{name} has a tempo outside 5 to 1000 beats a minute")
    for note in score.notes:
        if not all(isinstance(number, int) for number in (note.tick, note.ticks, note.pitch)):
            raise ScoreError(f"{name}: ticks and pitches are whole numbers, not as in {note}")
        if not 0 <= note.pitch <= 127:
            raise ScoreError(
                f"{score.where(note)}: there is no pitch {note.pitch}; MIDI numbers go from 0 to 127"
            )
        if note.syllable is not None and len(note.syllable) > 60:
            raise ScoreError(
                f"{score.where(note)[:60]}...: a syllable of {len(note.syllable)} letters cannot be sung"
            )
    if score.seconds(score.ticks) > MOST_SECONDS:
        raise ScoreError(
            f"{name} lasts {score.seconds(score.ticks) / 60:.0f} minutes: an hour at most can be sung"
        )
    return score


def one_voice(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Notes in order, one at a time: of those that begin together the highest, each cut off by the next."""
    kept: list[Note] = []
    for note in sorted(notes, key=lambda n: (n.tick, -n.pitch)):
        if kept and kept[-1].tick == note.tick:
            continue
        if kept and kept[-1].end > note.tick:
            kept[-1] = dataclasses.replace(kept[-1], ticks=note.tick - kept[-1].tick)
        kept.append(note)
    return tuple(kept)
