"""Score -> MusicXML 4.0 (partwise), written directly so that every tick is kept.

A note that crosses a bar line or has no sign of its own becomes tied notes; `<duration>` counts ticks. What
MusicXML has no word for (the exact swing, the language) goes into `<miscellaneous>`.
"""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voice.score import TICKS_PER_QUARTER, Chord, Note, Score

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile full-path="score.musicxml" '
    'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>\n'
)
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# The letter, counted from the tonic of the major key with this signature, that each semitone above it is written on.
_DEGREES = {"major": (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6), "minor": (0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6)}
_FIFTHS = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)  # of the major key on each pitch class
KINDS = {
    "": "major", "m": "minor", "7": "dominant", "m7": "minor-seventh", "maj7": "major-seventh", "dim": "diminished",
    "sus4": "suspended-fourth", "6": "major-sixth", "9": "dominant-ninth",
}  # fmt: skip


@dataclass(frozen=True)
class _Sign:
    """A note value: its length in ticks, its name, dots, and whether it is one of a triplet."""

    ticks: int
    name: str
    dots: int
    triplet: bool


def _signs() -> list[_Sign]:
    names = ("whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th")
    found = []
    for power, name in enumerate(names):
        whole = 4 * TICKS_PER_QUARTER >> power
        found.append(_Sign(whole, name, 0, False))
        if whole % 2 == 0:
            found.append(_Sign(whole * 3 // 2, name, 1, False))
        if whole * 2 % 3 == 0:
            found.append(_Sign(whole * 2 // 3, name, 0, True))
    return sorted(found, key=lambda sign: -sign.ticks)


_SIGNS = _signs()


@dataclass(frozen=True)
class _Piece:
    """A part of a note (or of a rest, if `note` is None) within one bar. `first`, `last`: of its note."""

    tick: int
    ticks: int
    sign: _Sign
    note: Note | None
    first: bool
    last: bool


def to_musicxml(score: Score) -> str:
    """The score as MusicXML text."""
    root = ET.Element("score-partwise", version="4.0")
    _identification(root, score)
    part = ET.SubElement(root, "part", id="P1")
    pieces = list(_pieces(score))
    slurs = _slurs(score)
    hairpin_ends = {score.notes[last] for _, last in score.hairpins}
    for number, (start, length) in enumerate(bars(score), 1):
        measure = ET.SubElement(part, "measure", number=str(number))
        _attributes(measure, score, start)
        events = [event for event in _events(score) if start <= event[0] < start + length]
        inside = [piece for piece in pieces if start <= piece.tick < start + length]
        for piece in inside:
            for tick, element in [e for e in events if piece.tick <= e[0] < piece.tick + piece.ticks]:
                if tick > piece.tick:
                    offset = ET.Element("offset")
                    offset.text = str(tick - piece.tick)
                    element.insert(_offset_place(element), offset)
                measure.append(element)
            measure.append(_note(piece, score, slurs))
            if piece.last and piece.note in hairpin_ends:
                measure.append(_direction(ET.Element("wedge", type="stop", number="1")))
    ET.indent(root)
    return _HEAD + ET.tostring(root, encoding="unicode") + "\n"


def bars(score: Score) -> Iterator[tuple[int, int]]:
    """(start, length) in ticks of each bar up to the score's end; at least one."""
    for mark, following in itertools.zip_longest(score.metre, score.metre[1:]):
        length = mark.beats * TICKS_PER_QUARTER * 4 // mark.unit
        end = following.tick if following else max(score.ticks, mark.tick + 1)
        for start in range(mark.tick, end, length):
            yield start, min(length, end - start) if following else length


def fifths(score: Score) -> int:
    """The key signature: sharps above 0, flats below."""
    tonic = score.key.tonic if score.key.mode == "major" else (score.key.tonic + 3) % 12
    return _FIFTHS[tonic]


def spelled(pitch_class: int, score: Score) -> tuple[str, int]:
    """(letter, sharps) of a pitch class in the score's key: blue thirds and sevenths are flat, leading notes sharp."""
    major = score.key.tonic if score.key.mode == "major" else (score.key.tonic + 3) % 12
    letters = "CDEFGAB"
    tonic = "FCGDAEB"[(fifths(score) + 1) % 7]
    degree = _DEGREES[score.key.mode][(pitch_class - major) % 12]
    letter = letters[(letters.index(tonic) + degree) % 7]
    alter = (pitch_class - _LETTERS[letter] + 6) % 12 - 6
    if abs(alter) < 2:
        return letter, alter
    plain = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}
    return (plain[pitch_class], 0) if pitch_class in plain else (plain[pitch_class - 1], 1)


def _pieces(score: Score) -> Iterator[_Piece]:
    spans: list[tuple[int, int, Note | None]] = []
    at = 0
    for note in score.notes:
        if note.tick > at:
            spans.append((at, note.tick, None))
        spans.append((note.tick, note.end, note))
        at = note.end
    edges = list(bars(score))
    last_edge = edges[-1][0] + edges[-1][1]
    if at < last_edge:
        spans.append((at, last_edge, None))
    bar_starts = [start for start, _ in edges]
    for start, end, sung in spans:
        cuts = [start, *(b for b in bar_starts if start < b < end), end]
        values = [value for a, b in itertools.pairwise(cuts) for value in _values(a, b - a)]
        for i, (tick, ticks, sign) in enumerate(values):
            yield _Piece(tick, ticks, sign, sung, i == 0, i == len(values) - 1)


def _values(tick: int, ticks: int) -> Iterator[tuple[int, int, _Sign]]:
    """Note values that fill `ticks`, the longest first; a rest too small to write lengthens the last."""
    while ticks:
        sign = next((sign for sign in _SIGNS if sign.ticks <= ticks), _SIGNS[-1])
        left = ticks - sign.ticks
        length = ticks if left < _SIGNS[-1].ticks else sign.ticks
        yield tick, length, sign
        tick, ticks = tick + length, ticks - length


def _slurs(score: Score) -> dict[Note, list[str]]:
    """Which notes begin and which end a slur; a slurred note is tied by it to the note before."""
    ends: dict[Note, list[str]] = {}
    for i, note in enumerate(score.notes):
        following = score.notes[i + 1].slurred if i + 1 < len(score.notes) else False
        slurred = note.slurred and i > 0
        if slurred and not following:
            ends.setdefault(note, []).append("stop")
        if following and not slurred:
            ends.setdefault(note, []).append("start")
    return ends


def _identification(root: ET.Element, score: Score) -> None:
    ET.SubElement(ET.SubElement(root, "work"), "work-title").text = score.title
    identification = ET.SubElement(root, "identification")
    encoding = ET.SubElement(identification, "encoding")
    ET.SubElement(encoding, "software").text = "Troubadour"
    extra = {
        "swing": score.swing,
        "language": score.language,
        "sections": [[s.tick, s.ticks, s.name] for s in score.sections],
    }
    field = ET.SubElement(
        ET.SubElement(identification, "miscellaneous"), "miscellaneous-field", name="troubadour"
    )
    field.text = json.dumps(extra, ensure_ascii=False)
    part_list = ET.SubElement(root, "part-list")
    ET.SubElement(ET.SubElement(part_list, "score-part", id="P1"), "part-name").text = "Voice"


def _attributes(measure: ET.Element, score: Score, start: int) -> None:
    metre = next((mark for mark in score.metre if mark.tick == start), None)
    if start and metre is None:
        return
    attributes = ET.SubElement(measure, "attributes")
    if not start:
        ET.SubElement(attributes, "divisions").text = str(TICKS_PER_QUARTER)
        key = ET.SubElement(attributes, "key")
        ET.SubElement(key, "fifths").text = str(fifths(score))
        ET.SubElement(key, "mode").text = score.key.mode
    if metre:
        time = ET.SubElement(attributes, "time")
        ET.SubElement(time, "beats").text = str(metre.beats)
        ET.SubElement(time, "beat-type").text = str(metre.unit)
    if not start:
        low = score.notes and sorted(note.pitch for note in score.notes)[len(score.notes) // 2] < 55
        clef = ET.SubElement(attributes, "clef")
        ET.SubElement(clef, "sign").text, ET.SubElement(clef, "line").text = ("F", "4") if low else ("G", "2")


def _events(score: Score) -> list[tuple[int, ET.Element]]:
    """What stands above the staff, in order of time: sections, tempo, dynamics, chords."""
    found: list[tuple[int, ET.Element]] = []
    for section in score.sections:
        rehearsal = ET.Element("rehearsal")
        rehearsal.text = section.name
        found.append((section.tick, _direction(rehearsal)))
    for tempo in score.tempo:
        metronome = ET.Element("metronome")
        ET.SubElement(metronome, "beat-unit").text = "quarter"
        ET.SubElement(metronome, "per-minute").text = f"{tempo.bpm!r}"
        direction = _direction(metronome)
        sound = ET.SubElement(direction, "sound", tempo=f"{tempo.bpm!r}")
        if tempo.tick == 0 and score.swing != 0.5:
            swing = ET.SubElement(sound, "swing")
            ET.SubElement(swing, "first").text = str(round(score.swing * 60))
            ET.SubElement(swing, "second").text = str(60 - round(score.swing * 60))
            ET.SubElement(swing, "swing-type").text = "eighth"
        found.append((tempo.tick, direction))
    for note in score.notes:
        if note.dynamic:
            dynamics = ET.Element("dynamics")
            ET.SubElement(dynamics, note.dynamic)
            found.append((note.tick, _direction(dynamics)))
    for first, _ in score.hairpins:
        note = score.notes[first]
        found.append((note.tick, _direction(ET.Element("wedge", type=str(note.hairpin), number="1"))))
    for chord, following in itertools.zip_longest(score.chords, score.chords[1:]):
        found.append((chord.tick, _harmony(chord, score)))
        if following is None or following.tick > chord.tick + chord.ticks:
            found.append((chord.tick + chord.ticks, _no_chord()))
    return sorted(found, key=lambda event: event[0])


def _direction(content: ET.Element) -> ET.Element:
    direction = ET.Element("direction", placement="above")
    ET.SubElement(direction, "direction-type").append(content)
    return direction


def _offset_place(element: ET.Element) -> int:
    """Where <offset> must stand: after the direction types or the chord, before <sound>."""
    return next((i for i, child in enumerate(element) if child.tag == "sound"), len(element))


def _harmony(chord: Chord, score: Score) -> ET.Element:
    harmony = ET.Element("harmony")
    letter, alter = spelled(chord.root, score)
    root = ET.SubElement(harmony, "root")
    ET.SubElement(root, "root-step").text = letter
    if alter:
        ET.SubElement(root, "root-alter").text = str(alter)
    ET.SubElement(harmony, "kind", text=chord.quality).text = KINDS.get(chord.quality, "major")
    return harmony


def _no_chord() -> ET.Element:
    harmony = ET.Element("harmony")
    ET.SubElement(ET.SubElement(harmony, "root"), "root-step", text="").text = "C"
    ET.SubElement(harmony, "kind", text="N.C.").text = "none"
    return harmony


def _note(piece: _Piece, score: Score, slurs: dict[Note, list[str]]) -> ET.Element:
    element = ET.Element("note")
    note = piece.note
    if note is None:
        ET.SubElement(element, "rest")
    else:
        letter, alter = spelled(note.pitch % 12, score)
        pitch = ET.SubElement(element, "pitch")
        ET.SubElement(pitch, "step").text = letter
        if alter:
            ET.SubElement(pitch, "alter").text = str(alter)
        ET.SubElement(pitch, "octave").text = str((note.pitch - alter) // 12 - 1)
    ET.SubElement(element, "duration").text = str(piece.ticks)
    ties = [] if note is None else ["stop"] * (not piece.first) + ["start"] * (not piece.last)
    for tie in ties:
        ET.SubElement(element, "tie", type=tie)
    ET.SubElement(element, "voice").text = "1"
    ET.SubElement(element, "type").text = piece.sign.name
    for _ in range(piece.sign.dots):
        ET.SubElement(element, "dot")
    if piece.sign.triplet:
        modification = ET.SubElement(element, "time-modification")
        ET.SubElement(modification, "actual-notes").text = "3"
        ET.SubElement(modification, "normal-notes").text = "2"
    if note is not None:
        _notations(element, piece, note, ties, slurs.get(note, []))
        if piece.first:
            _lyrics(element, note, score)
    return element


def _notations(element: ET.Element, piece: _Piece, note: Note, ties: list[str], slurs: list[str]) -> None:
    notations = ET.Element("notations")
    for tie in ties:
        ET.SubElement(notations, "tied", type=tie)
    for slur in slurs:
        if piece.last if slur == "stop" else piece.first:
            ET.SubElement(notations, "slur", type=slur, number="1")
    marks = ["accent"] * (note.accent and piece.first) + ["breath-mark"] * (note.breath_after and piece.last)
    if marks:
        articulations = ET.SubElement(notations, "articulations")
        for mark in marks:
            ET.SubElement(articulations, mark)
    if note.fermata and piece.last:
        ET.SubElement(notations, "fermata", type="upright")
    if len(notations):
        element.append(notations)


def _lyrics(element: ET.Element, note: Note, score: Score) -> None:
    if note.syllable is not None:
        lyric = ET.SubElement(element, "lyric", number="1")
        ET.SubElement(lyric, "syllabic").text = note.syllabic
        ET.SubElement(lyric, "text").text = note.syllable
        after = score.notes.index(note) + 1
        if (
            note.syllabic in ("single", "end")
            and after < len(score.notes)
            and score.notes[after].syllable is None
        ):
            ET.SubElement(lyric, "extend")
    if note.phonemes:
        lyric = ET.SubElement(element, "lyric", number="2", name="phonemes")
        ET.SubElement(lyric, "syllabic").text = "single"
        ET.SubElement(lyric, "text").text = note.phonemes


def write_musicxml(score: Score, path: Path) -> None:
    """Plain MusicXML, or the compressed .mxl if the name ends so."""
    text = to_musicxml(score)
    if path.suffix.lower() != ".mxl":
        path.write_text(text, encoding="utf-8")
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("score.musicxml", text)
