"""MusicXML (plain or .mxl) -> Score, by music21; repeats are played out, each time with its own verse.

Files are a stranger's: a size limit before and after unzipping, and no entities of their own (a document type
may be named, as MusicXML's own is, but its external parts are never fetched: expat does not load them).
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import warnings
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

from voice.formats.limits import MOST_BYTES, checked, one_voice, read_bytes
from voice.formats.musicxml_write import KINDS
from voice.score import (
    TICKS_PER_QUARTER,
    Chord,
    Dynamic,
    Hairpin,
    Key,
    MetreMark,
    Mode,
    Note,
    Score,
    ScoreError,
    Section,
    Syllabic,
    TempoMark,
)

_DYNAMICS: dict[str, Dynamic] = {
    "pppp": "pp", "ppp": "pp", "pp": "pp", "p": "p", "mp": "mp",
    "mf": "mf", "f": "f", "ff": "ff", "fff": "ff", "ffff": "ff",
}  # fmt: skip
_HAIRPINS: tuple[Hairpin, ...] = get_args(Hairpin)
# music21's names of chords that a lead sheet of ours has no word for -> the nearest that it has.
_QUALITIES = {kind: quality for quality, kind in KINDS.items()} | {
    "dominant-seventh": "7", "half-diminished-seventh": "dim", "half-diminished": "dim", "diminished-seventh": "dim",
    "minor-sixth": "m", "minor-ninth": "m7", "major-ninth": "maj7", "dominant-ninth": "9", "dominant-11th": "9",
    "dominant-13th": "9", "minor-11th": "m7", "minor-13th": "m7", "minor-major-seventh": "m",
    "suspended-second": "sus4", "suspended-fourth-seventh": "sus4",
    "augmented": "", "augmented-seventh": "7", "power": "",
}  # fmt: skip


# music21 counts such numbers out one by one: a key of two thousand million sharps takes it for ever.
_ABSURD = re.compile(
    r"<(?:duration|divisions|beats|beat-type|octave|alter|normal-notes|actual-notes|per-minute)>\s*-?[\d.]*"
    r"(?:\d{9}|\d[eE]\+?\d)|<fifths>\s*[+-]?\d{2}|<beats>\s*\d{3}|<beat-type>\s*\d{4}|<repeat[^>]*times\s*=\s*[\"']\d{3}"
)


def from_musicxml(data: bytes, name: str = "the score") -> Score:
    """Raises ScoreError on what is not MusicXML, or has nothing to sing."""
    text = _decoded(_unzipped(data, name) if data[:2] == b"PK" else data, name)
    if re.search(r"<!\s*(ENTITY|ELEMENT|ATTLIST)", text):
        raise ScoreError(f"{name} defines XML entities of its own; scores need none, so it is not read")
    if "<score-partwise" not in text and "<score-timewise" not in text:
        raise ScoreError(f"{name} is not MusicXML: it has no <score-partwise>")
    if absurd := _ABSURD.search(text):
        raise ScoreError(f"{name} has a number that no score needs: {absurd[0][:60]}")
    try:
        return checked(_score(_parsed(text), name), name)
    except ScoreError:
        raise
    except ET.ParseError as error:
        raise ScoreError(f"{name} is not well-formed XML: {error}") from error
    except Exception as error:  # music21 raises whatever a strange file leads it to
        raise ScoreError(f"{name} cannot be read as MusicXML: {error or type(error).__name__}") from error


def _decoded(data: bytes, name: str) -> str:
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)", data)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if declared and encoding == "utf-8-sig" and declared.group(1).lower() not in (b"utf-8", b"utf8"):
        encoding = declared.group(1).decode()
    try:
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", data.decode(encoding))  # it is text now, in no encoding
    except (UnicodeDecodeError, LookupError) as error:
        raise ScoreError(f"{name} is not in the encoding that it names ({encoding})") from error


def read_musicxml(path: Path) -> Score:
    return from_musicxml(read_bytes(path), path.name)


def _unzipped(data: bytes, name: str) -> bytes:
    """The score inside an .mxl archive, as its META-INF/container.xml names it."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            inside = [entry.filename for entry in archive.infolist()]
            wanted = next(
                (n for n in inside if n.endswith((".xml", ".musicxml")) and "META-INF" not in n), ""
            )
            if "META-INF/container.xml" in inside:
                with archive.open("META-INF/container.xml") as file:
                    named = re.search(rb'full-path="([^"]+)"', file.read(1 << 16))
                if named and named.group(1).decode("utf-8", "replace") in inside:
                    wanted = named.group(1).decode()
            if not wanted:
                raise ScoreError(f"{name} is an archive without a score in it")
            with archive.open(wanted) as file:
                text = file.read(MOST_BYTES + 1)
    except ScoreError:
        raise
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError
    ) as error:  # fmt: skip
        raise ScoreError(f"{name} is a damaged .mxl archive: {error}") from error
    if len(text) > MOST_BYTES:
        raise ScoreError(f"{name} unpacks to more than {MOST_BYTES >> 20} MB: it cannot be a song's score")
    return text


def _parsed(text: str) -> Any:
    """music21's score with its repeats played out, at sounding pitch."""
    from music21 import musicxml
    from music21.exceptions21 import Music21Exception

    importer: Any = musicxml.xmlToM21.MusicXMLImporter()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about layout details that are not sung
        importer.xmlText = text
        importer.parseXMLText()
        music = importer.stream
        _mark_spanned(music)
        music.toSoundingPitch(inPlace=True)
        if not re.search(r"<repeat|<segno|<coda|dacapo|dalsegno|[dD]\.\s?[sScC]\.|[dD]a [cC]apo", text):
            return music  # to play out repeats copies all
        try:
            return music.expandRepeats()
        except Music21Exception:
            return music  # repeat signs that lead nowhere: as written


def _ticks(quarters: Fraction | float) -> int:
    return round(Fraction(quarters).limit_denominator(65_536) * TICKS_PER_QUARTER)


def _score(music: Any, name: str) -> Score:
    from music21 import harmony, key, meter, tempo

    parts = [part for part in music.parts if part.recurse().notes]
    if not parts:
        raise ScoreError(f"{name} has no notes to sing")
    part = max(parts, key=lambda p: sum(bool(n.lyrics) for n in p.recurse().notes))
    lead_in, metre = _metre(part, meter)
    own = _own(music)
    notes = _notes(part, lead_in, name)
    everything = music.flatten()
    marks = sorted(
        {lead_in + _ticks(m.offset): m for m in everything.getElementsByClass(tempo.MetronomeMark)}.items()
    )
    tempos = [TempoMark(tick, round(float(m.getQuarterBPM()), 6)) for tick, m in marks if m.getQuarterBPM()]
    if not tempos or tempos[0].tick > 0:
        tempos.insert(0, TempoMark(0, tempos[0].bpm if tempos and tempos[0].tick <= lead_in else 100.0))
        tempos = [t for i, t in enumerate(tempos) if i != 1 or t.bpm != tempos[0].bpm]
    bars_end = max([_bar_end(part) + lead_in, *(note.end for note in notes)])
    chords = list(
        _chords(
            [c for p in music.parts for c in p.flatten().getElementsByClass(harmony.ChordSymbol)],
            lead_in,
            bars_end,
        )
    )
    first = next(iter(everything.getElementsByClass(key.KeySignature)), None)
    return Score(
        title=str(music.metadata.bestTitle or "") if music.metadata else "",
        notes=notes,
        tempo=tuple(tempos),
        metre=metre,
        key=_key(first),
        chords=tuple(chords),
        sections=own.get("sections") or tuple(_sections(everything, lead_in, bars_end)),
        swing=own.get("swing", 0.5),
        language=own.get("language", "en"),
    )


def _own(music: Any) -> dict[str, Any]:
    """What our writer left in <miscellaneous>: swing, language, the exact sections."""
    for field, text in music.metadata.all() if music.metadata else ():
        if field != "troubadour":
            continue
        try:
            raw = json.loads(str(text))
            sections = tuple(Section(int(t), int(n), str(s)) for t, n, s in raw["sections"])
            return {"swing": float(raw["swing"]), "language": str(raw["language"]), "sections": sections}
        except (ValueError, KeyError, TypeError):
            break  # edited by hand: the signs in the score itself remain
    return {}


def _bar_end(part: Any) -> int:
    from music21 import stream

    last = part.getElementsByClass(stream.Measure).last()
    return (
        _ticks(last.offset + max(last.barDuration.quarterLength, last.duration.quarterLength)) if last else 0
    )


def _metre(part: Any, meter: Any) -> tuple[int, tuple[MetreMark, ...]]:
    """(ticks of silence that fill up a pick-up bar, the metre). A short or long bar gets a metre of its own."""
    from music21 import stream

    bars: list[tuple[int, int, MetreMark]] = []  # length, what it should be, its sign
    lead_in, beats, unit = 0, 4, 4
    measures = list(part.getElementsByClass(stream.Measure))
    for i, measure in enumerate(measures):
        sign = next(iter(measure.getElementsByClass(meter.TimeSignature)), None)
        if sign is not None:
            beats, unit = sign.numerator, sign.denominator
        whole = beats * 4 * TICKS_PER_QUARTER // unit
        after = measures[i + 1].offset if i + 1 < len(measures) else None
        length = whole if after is None else _ticks(after) - _ticks(measure.offset)
        if i == 0 and 0 < length < whole:
            lead_in, length = whole - length, whole
        tick = (_ticks(measure.offset) + lead_in) if i else 0
        if bars and length < whole and bars[-1][0] < bars[-1][1] and bars[-1][0] + length == whole:
            bars[-1] = (whole, whole, bars[-1][2])  # a bar that a repeat sign divides
        elif length:
            bars.append((length, whole, MetreMark(tick, beats, unit)))
    marks: list[MetreMark] = []
    for length, whole, sign in bars:
        here = sign if length == whole else MetreMark(sign.tick, *_odd_bar(length))
        if not marks or (marks[-1].beats, marks[-1].unit) != (here.beats, here.unit):
            marks.append(here)
    return lead_in, tuple(marks) or (MetreMark(0, 4, 4),)


def _odd_bar(length: int) -> tuple[int, int]:
    """A metre for a bar of `length` ticks, in the largest unit that fits."""
    for unit in (4, 8, 16, 32, 64):
        beats, rest = divmod(length, 4 * TICKS_PER_QUARTER // unit)
        if not rest:
            return beats, unit
    return max(1, round(length / (TICKS_PER_QUARTER / 16))), 64


def _notes(part: Any, lead_in: int, name: str) -> tuple[Note, ...]:
    from music21 import chord, harmony, stream

    dynamics = _dynamics(part)
    passes: Counter[int] = Counter()
    found: list[Note] = []
    tied: list[bool] = []
    for measure in part.getElementsByClass(stream.Measure):
        passes[measure.number] += 1
        for item in _lead_voice(measure):
            if isinstance(item, harmony.Harmony) or not item.duration.quarterLength:
                continue  # chord symbols and grace notes are not sung
            single = max(item.notes, key=lambda n: n.pitch.midi) if isinstance(item, chord.Chord) else item
            if not hasattr(single, "pitch"):
                continue
            start = item.getOffsetInHierarchy(part)
            note = Note(
                tick=lead_in + _ticks(start),
                ticks=_ticks(start + item.duration.quarterLength) - _ticks(start),
                pitch=round(single.pitch.ps),
                slurred="slurred" in item.groups,
                hairpin=next((kind for kind in _HAIRPINS if kind in item.groups), None),
                **_words(item, passes[measure.number], f"bar {measure.number}"),
                **_marks(item),
            )
            if note.ticks <= 0:
                continue
            goes_on = single.tie is not None and single.tie.type in ("stop", "continue")
            tied.append(
                goes_on and bool(found) and found[-1].end == note.tick and found[-1].pitch == note.pitch
            )
            found.append(note)
    merged = one_voice(_untied(found, tied))
    if merged and not any(note.syllable for note in merged):
        raise ScoreError(f"{name} has notes but no words: write the lyrics under the notes (or 'la')")
    return tuple(_with_dynamics(merged, dynamics, lead_in))


def _lead_voice(measure: Any) -> list[Any]:
    """The bar's sung notes: of several voices the one with the most words, else the first."""
    voices = list(measure.voices)
    source = max(voices, key=lambda v: sum(bool(n.lyrics) for n in v.notes)) if voices else measure
    return list(source.notes)


def _untied(notes: list[Note], tied: list[bool]) -> list[Note]:
    """Tied notes made one."""
    out: list[Note] = []
    for note, joined in zip(notes, tied, strict=True):
        if joined and note.syllable is None:
            before = out[-1]
            out[-1] = dataclasses.replace(
                before,
                ticks=before.ticks + note.ticks,
                fermata=before.fermata or note.fermata,
                breath_after=before.breath_after or note.breath_after,
                hairpin=before.hairpin or note.hairpin,
            )
        else:
            out.append(note)
    return out


def _words(item: Any, verse: int, where: str) -> dict[str, Any]:
    """The note's syllable in the verse of this time round, and its pronunciation if one is written."""
    sung = [lyric for lyric in item.lyrics if lyric.identifier != "phonemes" and (lyric.text or "").strip()]
    phonemes = next((lyric.text for lyric in item.lyrics if lyric.identifier == "phonemes"), None)
    chosen = next((lyric for lyric in sung if lyric.number == verse), sung[0] if sung else None)
    if chosen is None or chosen.text.strip() in ("_", "-", "—"):
        return {"phonemes": phonemes}
    if chosen.isComposite and len([c for c in chosen.components if (c.text or "").strip()]) > 1:
        words = " and ".join(f'"{c.text}"' for c in chosen.components)
        raise ScoreError(f"{where}: {words} stand on one note; give each syllable a note of its own")
    syllabic: Syllabic = chosen.syllabic if chosen.syllabic in ("begin", "middle", "end") else "single"
    return {"syllable": chosen.text.strip(), "syllabic": syllabic, "phonemes": phonemes}


def _marks(item: Any) -> dict[str, Any]:
    from music21 import articulations, expressions

    return {
        "accent": any(
            isinstance(a, articulations.Accent | articulations.StrongAccent) for a in item.articulations
        ),
        "breath_after": any(
            isinstance(a, articulations.BreathMark | articulations.Caesura) for a in item.articulations
        ),
        "fermata": any(isinstance(e, expressions.Fermata) for e in item.expressions),
    }


def _mark_spanned(music: Any) -> None:
    """Puts notes into groups, which copies keep: hairpins', and 'slurred' if a slur joins them to the note before."""
    from music21 import dynamics, spanner

    kinds = {spanner.Slur: "slurred", dynamics.Crescendo: "crescendo", dynamics.Diminuendo: "diminuendo"}
    for part in music.parts:
        sung = [n for n in part.recurse().notes if n.duration.quarterLength]
        place = {id(n): i for i, n in enumerate(sung)}
        for kind, group in kinds.items():
            for span in part.recurse().getElementsByClass(kind):
                ends = [place[id(n)] for n in span.getSpannedElements() if id(n) in place]
                first = min(ends, default=0) + (group == "slurred")
                for note in sung[first : max(ends) + 1] if ends else ():
                    note.groups.append(group)


def _dynamics(part: Any) -> list[tuple[int, Dynamic]]:
    from music21 import dynamics

    marks = [
        (_ticks(d.getOffsetInHierarchy(part)), d.value)
        for d in part.recurse().getElementsByClass(dynamics.Dynamic)
    ]
    return sorted((tick, _DYNAMICS[value]) for tick, value in marks if value in _DYNAMICS)


def _with_dynamics(notes: tuple[Note, ...], marks: list[tuple[int, Dynamic]], lead_in: int) -> Iterator[Note]:
    """A dynamic belongs to the first note at or after it."""
    waiting = list(marks)
    for note in notes:
        due = None
        while waiting and waiting[0][0] + lead_in <= note.tick:
            due = waiting.pop(0)[1]
        yield dataclasses.replace(note, dynamic=due) if due else note


def _chords(symbols: list[Any], lead_in: int, end: int) -> Iterator[Chord]:
    by_tick = {lead_in + _ticks(symbol.getOffsetInHierarchy(symbol.activeSite)): symbol for symbol in symbols}
    for (tick, symbol), following in itertools.zip_longest(sorted(by_tick.items()), sorted(by_tick)[1:]):
        until = following if following is not None else end
        if symbol.chordKind == "none" or until <= tick or symbol.root() is None:
            continue
        quality = _QUALITIES.get(symbol.chordKind, "m" if "minor" in symbol.chordKind else "")
        yield Chord(tick, until - tick, int(symbol.root().pitchClass), quality)


def _sections(everything: Any, lead_in: int, end: int) -> Iterator[Section]:
    from music21 import expressions

    marks = sorted(
        (lead_in + _ticks(m.offset), str(m.content))
        for m in everything.getElementsByClass(expressions.RehearsalMark)
    )
    for (tick, text), following in itertools.zip_longest(marks, [tick for tick, _ in marks[1:]]):
        if (until := following if following is not None else end) > tick:
            yield Section(tick, until - tick, text)


def _key(sign: Any) -> Key:
    from music21 import key

    if sign is None:
        return Key(0, "major")
    named = sign if isinstance(sign, key.Key) else sign.asKey("major")
    mode: Mode = "minor" if named.mode in ("minor", "dorian", "phrygian", "aeolian") else "major"
    return Key(int(named.tonic.pitchClass), mode)
