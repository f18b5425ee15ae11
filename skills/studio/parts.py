"""The band's parts as MIDI, for a musician's desk: straight notation as in the score, velocities as played."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from skills.studio.arrange import BandPart
from voice.score import TICKS_PER_QUARTER, Score

DRUMS = 9  # General MIDI's channel for them, counted from 0
PROGRAMS = {  # General MIDI's sound nearest to each of libsonare's instruments, counted from 0
    "acoustic-piano": 0, "e-piano": 4, "marimba": 12, "organ": 16, "harmonica": 22, "steel-guitar": 25,
    "electric-guitar": 27, "bass-acoustic": 32, "bass-fingered": 33, "bass-picked": 34, "sub-bass": 38, "violin": 40,
    "viola": 41, "contrabass": 43, "pluck": 45, "choir-aah": 52, "concert-flute": 73, "square-lead": 80, "saw": 81,
    "warm-pad": 89,
}  # fmt: skip


def part_midi(part: BandPart, score: Score) -> bytes:
    """One part with the song's tempo, metre and key: a Standard MIDI file of format 1."""
    from mido import Message, MetaMessage, MidiFile

    from voice.formats.midi import conductor, track_of

    channel = DRUMS if part.part.role == "drums" else 0
    program = PROGRAMS.get(part.part.instrument, 0)
    events: list[tuple[int, int, Any]] = [
        (0, 0, MetaMessage("track_name", name=part.name)),
        (0, 1, Message("program_change", channel=channel, program=program)),
    ]
    for note in part.notes:
        end = note.tick + max(1, note.ticks)
        on = Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        events += [(note.tick, 3, on), (end, 2, Message("note_off", channel=channel, note=note.pitch))]
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER, charset="utf-8")
    file.tracks += [conductor(score), track_of(events)]
    out = BytesIO()
    file.save(file=out)
    return out.getvalue()
