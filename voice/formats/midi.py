"""Score <-> MIDI with lyrics (in UTF-8), by mido.

A syllable that its word goes on after is written with a hyphen at its end ('lone-', 'some'); a note without a lyric
carries on the syllable before. Karaoke files, whose words end with a space instead, are read too. Marks that MIDI
lacks (slurs, fermatas, pronunciations ...) are text events, which other programs pass over.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from voice.formats.limits import checked, one_voice, read_bytes
from voice.formats.marks import (
    VELOCITY,
    chord_name,
    marked,
    note_marks,
    read_chord_name,
    read_song_marks,
    song_marks,
)
from voice.formats.musicxml_write import fifths
from voice.score import (
    TICKS_PER_QUARTER,
    Chord,
    Key,
    MetreMark,
    Note,
    Score,
    ScoreError,
    Section,
    Syllabic,
    TempoMark,
)

_MOST_BYTES = 2 << 20
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
_OURS = "troubadour "
_DRUMS = 9
_T = TypeVar("_T")
_NEAR = TICKS_PER_QUARTER // 8  # a lyric this near to a note belongs to it


def to_midi(score: Score) -> bytes:
    """A Standard MIDI file of format 1: tempo, metre, key, sections and chords; then the voice."""
    from mido import Message, MetaMessage, MidiFile

    voice: list[tuple[int, int, Any]] = [(0, 0, MetaMessage("track_name", name="Voice"))]
    velocity = VELOCITY["mf"]
    for note in score.notes:
        velocity = VELOCITY[note.dynamic] if note.dynamic else velocity
        if marks := note_marks(note):
            voice.append(
                (note.tick, 2, MetaMessage("text", text=_OURS + json.dumps(marks, ensure_ascii=False)))
            )
        if note.syllable is not None:
            voice.append((note.tick, 3, MetaMessage("lyrics", text=_lyric(note))))
        loud = min(127, velocity + 12 * note.accent)
        voice.append((note.tick, 4, Message("note_on", note=note.pitch, velocity=loud)))
        voice.append((note.end, 1, Message("note_off", note=note.pitch)))
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER, charset="utf-8")
    file.tracks += [conductor(score), track_of(voice)]
    out = BytesIO()
    file.save(file=out)
    return out.getvalue()


def conductor(score: Score) -> Any:
    """The track without notes: title, tempo, metre, key, sections and chords."""
    from mido import MetaMessage, bpm2tempo

    song: list[tuple[int, int, Any]] = [
        (0, 0, MetaMessage("track_name", name=score.title)),
        (0, 1, MetaMessage("text", text=_OURS + song_marks(score))),
        (
            0,
            1,
            MetaMessage(
                "key_signature", key=(_MAJOR if score.key.mode == "major" else _MINOR)[fifths(score) + 7]
            ),
        ),
    ]
    song += [
        (m.tick, 2, MetaMessage("time_signature", numerator=m.beats, denominator=m.unit)) for m in score.metre
    ]
    song += [(t.tick, 3, MetaMessage("set_tempo", tempo=bpm2tempo(t.bpm))) for t in score.tempo]
    song += [(s.tick, 4, MetaMessage("marker", text=s.name)) for s in score.sections]
    song += [(tick, 5, MetaMessage("text", text=f"chord {name}")) for tick, name in _chord_texts(score)]
    return track_of(song)


def track_of(timed: list[tuple[int, int, Any]]) -> Any:
    """A track from (tick, what comes first at that tick, message)."""
    from mido import MidiTrack

    track, at = MidiTrack(), 0
    for tick, _, message in sorted(timed, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - at))
        at = tick
    return track


def from_midi(data: bytes, name: str = "the file") -> Score:
    """Raises ScoreError on what is not MIDI, or has no words to sing."""
    song = _Song()
    for track in _tracks(data, name, song):
        _gather(track, song)
    notes = _sung(song, name)
    marks = song.own
    end = max([*song.ends, *(note.end for note in notes)])
    metre = _starting(sorted(song.metre.items()), (4, 4))
    sections = sorted(song.sections.items())
    section_ends = [tick for tick, _ in sections[1:]] + [end]
    return checked(
        Score(
            title=song.title,
            notes=notes,
            tempo=tuple(TempoMark(tick, bpm) for tick, bpm in _starting(sorted(song.tempo.items()), 120.0)),
            metre=tuple(MetreMark(tick, *beats) for tick, beats in metre),
            key=song.key or Key(0, "major"),
            chords=tuple(_chords(song.chords, end)),
            sections=marks.get("sections")
            or tuple(
                Section(t, e - t, n) for (t, n), e in zip(sections, section_ends, strict=False) if e > t
            ),
            swing=marks.get("swing", 0.5),
            language=marks.get("language", "en"),
        ),
        name,
    )


def read_midi(path: Path) -> Score:
    return from_midi(read_bytes(path, _MOST_BYTES), path.name)


def write_midi(score: Score, path: Path) -> None:
    path.write_bytes(to_midi(score))


@dataclass
class _Song:
    """What was met while the tracks were read; all ticks are ours."""

    title: str = ""
    own: dict[str, Any] = field(default_factory=dict)
    key: Key | None = None
    tempo: dict[int, float] = field(default_factory=dict)
    metre: dict[int, tuple[int, int]] = field(default_factory=dict)
    sections: dict[int, str] = field(default_factory=dict)
    chords: dict[int, str] = field(default_factory=dict)
    lyrics: list[tuple[int, str]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    marks: dict[int, Any] = field(default_factory=dict)
    parts: dict[tuple[int, int], list[Note]] = field(default_factory=lambda: defaultdict(list))
    ends: list[int] = field(default_factory=list)
    tracks: int = 0


def _tracks(data: bytes, name: str, song: _Song) -> Iterator[list[tuple[int, Any]]]:
    """Each track as (tick of ours, message)."""
    from mido import MidiFile

    try:
        file = MidiFile(file=BytesIO(data), charset="latin1", clip=True)
    except Exception as error:  # mido raises whatever the damage led it to
        raise ScoreError(
            f"{name} is not a MIDI file, or is damaged: {error or type(error).__name__}"
        ) from error
    if not 0 < file.ticks_per_beat < 0x8000:
        raise ScoreError(f"{name} counts time in film frames; save it with ticks to the quarter note")
    for track in file.tracks:
        at, timed = 0, []
        for message in track:
            at += message.time
            timed.append((round(at * TICKS_PER_QUARTER / file.ticks_per_beat), message))
        yield timed


def _gather(track: list[tuple[int, Any]], song: _Song) -> None:
    sounding: dict[tuple[int, int], int] = {}
    for tick, message in track:
        kind = message.type
        if kind == "note_on" and message.velocity:
            sounding.setdefault((message.channel, message.note), tick)
        elif kind in ("note_on", "note_off"):
            start = sounding.pop((message.channel, message.note), None)
            if start is not None and tick > start and message.channel != _DRUMS:
                song.parts[song.tracks, message.channel].append(Note(start, tick - start, message.note))
        elif kind == "set_tempo" and message.tempo:
            song.tempo[tick] = _bpm(message.tempo)
        elif kind == "time_signature" and message.numerator:
            song.metre[tick] = (message.numerator, message.denominator)
        elif kind == "key_signature" and tick == 0:
            song.key = _key(message.key)
        elif kind == "track_name" and song.tracks == 0:
            song.title = _text(message.name)
        elif kind in ("lyrics", "text", "marker"):
            _read_text(kind, tick, _text(message.text), song)
    song.tracks += 1


def _read_text(kind: str, tick: int, text: str, song: _Song) -> None:
    if kind == "marker":
        song.sections[tick] = text
    elif kind == "lyrics":
        song.lyrics.append((tick, text))
    elif text.startswith(_OURS):
        if tick == 0 and not song.own and (own := read_song_marks(text.removeprefix(_OURS))):
            song.own = own
            return
        try:
            song.marks[tick] = json.loads(text.removeprefix(_OURS))
        except ValueError:
            return
    elif text.startswith("chord "):
        song.chords[tick] = text.removeprefix("chord ").strip()
        song.ends.append(tick)
    elif not text.startswith("@"):
        song.texts.append((tick, text))


def _sung(song: _Song, name: str) -> tuple[Note, ...]:
    """The notes of the track and channel that the words belong to, with their syllables."""
    if not song.parts:
        raise ScoreError(f"{name} has no notes to sing")
    words = song.lyrics or song.texts
    syllables = _syllables(words, exact=bool(song.own))
    if not syllables:
        raise ScoreError(f"{name} has notes but no words: add lyrics to the melody's track")
    ticks = [tick for tick, _, _ in syllables]
    lines = {place: one_voice(notes) for place, notes in song.parts.items()}
    best = max(lines.values(), key=lambda line: (len(_near(line, ticks)), -len(line)))
    given = _near(best, ticks)
    scratch = Score(song.title, best[:0], metre=_metre_marks(song))
    found: dict[int, tuple[str, Syllabic]] = {}
    for tick, text, syllabic in syllables:
        if tick not in given:
            continue
        at = given[tick]
        if at in found:
            bar, beat = scratch.bar(best[at].tick)
            both = f'"{found[at][0]}" and "{text}"'
            raise ScoreError(
                f"bar {bar}, beat {beat:g}: {both} stand on one note; give each syllable a note of its own"
            )
        found[at] = (text, syllabic)
    return tuple(_notes(best, found, song.marks))


def _notes(
    line: tuple[Note, ...], words: dict[int, tuple[str, Syllabic]], marks: dict[int, Any]
) -> Iterator[Note]:
    """The line from its first syllable on; what stands before it is an instrument's."""
    first = min(words, default=0)
    for i, heard in enumerate(line[first:], first):
        note = heard
        if i in words:
            text, syllabic = words[i]
            note = dataclasses.replace(note, syllable=text, syllabic=syllabic)
        yield marked(note, marks.get(note.tick))


def _near(line: tuple[Note, ...], ticks: list[int]) -> dict[int, int]:
    """Lyric's tick -> index of the note that begins there, or nearly."""
    from bisect import bisect_left

    starts = [note.tick for note in line]
    found = {}
    for tick in ticks:
        i = bisect_left(starts, tick)
        near = [(abs(starts[j] - tick), j) for j in (i - 1, i) if 0 <= j < len(starts)]
        if near and min(near)[0] <= _NEAR:
            found[tick] = min(near)[1]
    return found


def _syllables(words: list[tuple[int, str]], exact: bool) -> list[tuple[int, str, Syllabic]]:
    """(tick, syllable, where in its word) of lyric events, whichever way the file marks the ends of words."""
    raw = [(tick, re.sub(r"[\\/\r\n]+", " ", text)) for tick, text in sorted(words, key=lambda word: word[0])]
    raw = [
        (tick, text)
        for tick, text in raw
        if text.strip() and text.strip() not in ("-", "_", "+", "+~", "*", "ー")
    ]
    hyphens = exact or any(text.endswith("-") for _, text in raw)
    spaces = not hyphens and any(text.strip() != text for _, text in raw)
    found: list[tuple[int, str, Syllabic]] = []
    inside = False
    for i, (tick, text) in enumerate(raw):
        if hyphens:
            goes_on = text.endswith("-")
        else:
            after = raw[i + 1][1] if i + 1 < len(raw) else " "
            goes_on = spaces and not text.endswith(" ") and not after.startswith(" ")
        syllabic: Syllabic = ("middle" if inside else "begin") if goes_on else ("end" if inside else "single")
        found.append((tick, (text[:-1] if hyphens and goes_on else text).strip(), syllabic))
        inside = goes_on
    return found


def _lyric(note: Note) -> str:
    text = note.syllable or ""
    if note.syllabic in ("begin", "middle"):
        return text + "-"
    return text + " " if text.endswith("-") else text


def _chord_texts(score: Score) -> Iterator[tuple[int, str]]:
    for i, chord in enumerate(score.chords):
        yield chord.tick, chord_name(chord.root, chord.quality)
        end = chord.tick + chord.ticks
        if i + 1 == len(score.chords) or score.chords[i + 1].tick > end:
            yield end, "N.C."


def _chords(names: dict[int, str], end: int) -> Iterator[Chord]:
    ordered = sorted(names.items())
    for (tick, name), until in zip(ordered, [tick for tick, _ in ordered[1:]] + [end], strict=False):
        read = read_chord_name(name)
        if read and until > tick:
            yield Chord(tick, until - tick, *read)


def _metre_marks(song: _Song) -> tuple[MetreMark, ...]:
    return tuple(MetreMark(tick, *beats) for tick, beats in _starting(sorted(song.metre.items()), (4, 4)))


def _starting(marks: list[tuple[int, _T]], default: _T) -> list[tuple[int, _T]]:
    """`marks` with one at tick 0."""
    return marks if marks and marks[0][0] == 0 else [(0, default), *marks]


def _bpm(tempo: int) -> float:
    """Microseconds a quarter -> beats a minute, as the round figure that was meant if there is one."""
    exact = 60e6 / tempo
    meant = round(exact, 2)
    return meant if meant and round(60e6 / meant) == tempo else exact


def _key(name: str) -> Key:
    minor = name.endswith("m")
    tonic = read_chord_name(name.removesuffix("m"))
    return Key(tonic[0] if tonic else 0, "minor" if minor else "major")


def _text(raw: str) -> str:
    """mido's latin-1 reading -> UTF-8 where it is that, else what Windows wrote."""
    data = raw.encode("latin1", "replace")
    try:
        return data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip("\0")
