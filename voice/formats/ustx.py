"""Score <-> OpenUtau's USTX (YAML). A word stands on its first note, '+' on its other syllables, '+~' on melismas.

Written directly: the converter libraries that know USTX ask for thirty packages, and write a phonemizer that
cannot read English words. How the composer divided the words, and marks that USTX lacks, are kept in the part's
comment, and hold as long as the note they stand for is where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voice.formats.limits import MOST_NOTES, checked, one_voice, read_bytes
from voice.formats.marks import chord_name, marked, note_marks, read_chord_name, read_song_marks, song_marks
from voice.formats.musicxml_write import bars
from voice.score import TICKS_PER_QUARTER, Chord, Key, MetreMark, Note, Score, ScoreError, Syllabic, TempoMark

_MOST_BYTES = 8 << 20
_MELISMA = ("+~", "+*", "-", "ー")
_SILENT = ("R", "r", "SP", "AP", "rest", "br", "")
_PHONEMIZER = "OpenUtau.Core.DiffSinger.DiffSingerEnglishPhonemizer"


def to_ustx(score: Score) -> str:
    """The score as an OpenUtau project of one track, for an English DiffSinger voice."""
    import yaml

    notes = [_written(note, lyric) for note, lyric in zip(score.notes, _lyrics(score), strict=True)]
    part = {
        "name": "Voice", "comment": _comment(score), "track_no": 0, "position": 0,
        "duration": max(score.ticks, TICKS_PER_QUARTER), "notes": notes, "curves": [],
    }  # fmt: skip
    track = {
        "singer": "", "phonemizer": _PHONEMIZER, "renderer_settings": {"renderer": "DIFFSINGER"}, "track_name": "Voice",
        "track_color": "Blue", "mute": False, "solo": False, "volume": 0, "pan": 0, "track_expressions": [],
        "voice_color_names": [""],
    }  # fmt: skip
    starts = [start for start, _ in bars(score)]
    project = {
        "name": score.title, "comment": "", "output_dir": "Vocal", "cache_dir": "UCache", "ustx_version": "0.6",
        "resolution": TICKS_PER_QUARTER, "bpm": score.tempo[0].bpm, "beat_per_bar": score.metre[0].beats,
        "beat_unit": score.metre[0].unit, "expressions": {},
        "time_signatures": [
            {"bar_position": starts.index(m.tick), "beat_per_bar": m.beats, "beat_unit": m.unit}
            for m in score.metre if m.tick in starts
        ],
        "tempos": [{"position": t.tick, "bpm": t.bpm} for t in score.tempo],
        "tracks": [track], "voice_parts": [part], "wave_parts": [],
    }  # fmt: skip
    return str(yaml.safe_dump(project, allow_unicode=True, sort_keys=False, width=200))


def from_ustx(data: bytes, name: str = "the project") -> Score:
    """Raises ScoreError on what is not a USTX project, or has no words to sing."""
    import yaml

    try:
        project = yaml.load(data.decode("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ScoreError(f"{name} is not a USTX project: {str(error).splitlines()[0]}") from error
    if not isinstance(project, dict) or not isinstance(project.get("voice_parts"), list):
        raise ScoreError(f"{name} is not a USTX project: it has no voice parts")
    try:
        return checked(_score(project, name), name)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, ZeroDivisionError) as error:
        if isinstance(error, ScoreError):
            raise
        raise ScoreError(f"{name} is a damaged USTX project: {error!r}") from error


def read_ustx(path: Path) -> Score:
    return from_ustx(read_bytes(path, _MOST_BYTES), path.name)


def write_ustx(score: Score, path: Path) -> None:
    path.write_text(to_ustx(score), encoding="utf-8")


def _lyrics(score: Score) -> Iterator[str]:
    """OpenUtau's lyric of each note; a word is on its first note, whole."""
    for i, note in enumerate(score.notes):
        if note.syllable is None:
            yield "+~"
        elif note.syllabic in ("middle", "end") and i:
            yield "+"
        else:
            yield _word(score.notes, i)


def _word(notes: tuple[Note, ...], first: int) -> str:
    text = ""
    for i, note in enumerate(notes[first:]):
        if note.syllable is None:
            continue
        if i and note.syllabic not in ("middle", "end"):
            break
        text += note.syllable
        if note.syllabic in ("single", "end"):
            break
    return text


def _written(note: Note, lyric: str) -> dict[str, Any]:
    return {
        "position": note.tick, "duration": note.ticks, "tone": note.pitch, "lyric": lyric,
        "pitch": {"data": [{"x": -40, "y": 0, "shape": "io"}, {"x": 40, "y": 0, "shape": "io"}], "snap_first": True},
        "vibrato": {"length": 0, "period": 175, "depth": 25, "in": 10, "out": 10, "shift": 0, "drift": 0},
        "phoneme_expressions": [], "phoneme_overrides": [],
    }  # fmt: skip


def _comment(score: Score) -> str:
    """What USTX has no field for. A note is found again by its tick and its lyric."""
    notes = {}
    for note, lyric in zip(score.notes, _lyrics(score), strict=True):
        kept = {"lyric": lyric, "syllable": note.syllable, "syllabic": note.syllabic, **note_marks(note)}
        notes[str(note.tick)] = kept
    chords = [[c.tick, c.ticks, chord_name(c.root, c.quality)] for c in score.chords]
    key = [score.key.tonic, score.key.mode]
    return json.dumps(
        {"song": song_marks(score), "key": key, "chords": chords, "notes": notes}, ensure_ascii=False
    )


def _kept(part: dict[str, Any]) -> dict[str, Any]:
    try:
        kept = json.loads(part.get("comment") or "{}")
    except (ValueError, TypeError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _score(project: dict[str, Any], name: str) -> Score:
    scale = TICKS_PER_QUARTER / float(project.get("resolution") or TICKS_PER_QUARTER)
    parts = [part for part in project["voice_parts"] if part.get("notes")]
    if not parts:
        raise ScoreError(f"{name} has no notes to sing")
    tracks: dict[int, list[dict[str, Any]]] = {}
    for part in parts:
        tracks.setdefault(int(part.get("track_no") or 0), []).append(part)
    chosen = max(tracks.values(), key=lambda some: sum(len(part["notes"]) for part in some))
    if sum(len(part["notes"]) for part in chosen) > MOST_NOTES:
        raise ScoreError(f"{name} has too many notes: {MOST_NOTES} at most can be sung at once")
    metre = _metre(project)
    notes, lyrics = _notes(chosen, scale)
    kept = _kept(chosen[0])
    own = read_song_marks(str(kept.get("song", "")))
    raw_tempos = project.get("tempos") or [{"position": 0, "bpm": project.get("bpm") or 120}]
    tempos = {round(int(t.get("position") or 0) * scale): float(t["bpm"]) for t in raw_tempos}
    tempos.setdefault(0, float(project.get("bpm") or 120))
    return Score(
        title=str(project.get("name") or ""),
        notes=_sung(notes, lyrics, kept.get("notes"), metre, name),
        tempo=tuple(TempoMark(tick, bpm) for tick, bpm in sorted(tempos.items())),
        metre=metre,
        key=_key(kept.get("key")),
        chords=tuple(_chords(kept.get("chords"))),
        **own,
    )


def _metre(project: dict[str, Any]) -> tuple[MetreMark, ...]:
    raw = project.get("time_signatures") or [
        {
            "bar_position": 0,
            "beat_per_bar": project.get("beat_per_bar", 4),
            "beat_unit": project.get("beat_unit", 4),
        }
    ]
    marks: list[MetreMark] = []
    bar = 0
    for sign in sorted(raw, key=lambda sign: int(sign.get("bar_position") or 0)):
        at, beats, unit = (
            int(sign.get("bar_position") or 0),
            int(sign["beat_per_bar"]),
            int(sign["beat_unit"]),
        )
        tick = (
            marks[-1].tick + (at - bar) * marks[-1].beats * 4 * TICKS_PER_QUARTER // marks[-1].unit
            if marks
            else 0
        )
        marks.append(MetreMark(tick, beats, unit))
        bar = at
    return tuple(marks)


def _notes(parts: list[dict[str, Any]], scale: float) -> tuple[tuple[Note, ...], dict[int, str]]:
    """The notes that sound, and the lyric at each tick."""
    found, lyrics = [], {}
    for part in parts:
        offset = int(part.get("position") or 0)
        for raw in part["notes"]:
            lyric = str(raw.get("lyric") if raw.get("lyric") is not None else "").strip()
            start = round((offset + int(raw["position"])) * scale)
            end = round((offset + int(raw["position"]) + int(raw["duration"])) * scale)
            if lyric in _SILENT or end <= start or start < 0:
                continue
            found.append(Note(start, end - start, int(raw["tone"])))
            lyrics[start] = lyric
    return one_voice(found), lyrics


def _sung(
    notes: tuple[Note, ...], lyrics: dict[int, str], kept: Any, metre: tuple[MetreMark, ...], name: str
) -> tuple[Note, ...]:
    """The notes with their syllables: as our comment remembers them, else each word divided by rule."""
    out: list[Note] = []
    for first, count in _words(notes, lyrics):
        group = notes[first : first + count]
        remembered = [_remembered(note, lyrics, kept) for note in group]
        if all(remembered):
            out += [note for note in remembered if note]
            continue
        where = Score(name, (), metre=metre).where(group[0])
        out += _divided(group, [lyrics[note.tick] for note in group], where)
    return tuple(out)


def _words(notes: tuple[Note, ...], lyrics: dict[int, str]) -> Iterator[tuple[int, int]]:
    """(first note, number of notes) of each word."""
    first = 0
    for i in range(1, len(notes) + 1):
        if i == len(notes) or not (
            lyrics[notes[i].tick].startswith("+") or lyrics[notes[i].tick] in _MELISMA
        ):
            if i > first:
                yield first, i - first
            first = i


def _remembered(note: Note, lyrics: dict[int, str], kept: Any) -> Note | None:
    import dataclasses

    raw = kept.get(str(note.tick)) if isinstance(kept, dict) else None
    if not isinstance(raw, dict) or raw.get("lyric") != lyrics[note.tick]:
        return None
    syllable, syllabic = raw.get("syllable"), raw.get("syllabic")
    if not isinstance(syllable, str | None) or syllabic not in ("single", "begin", "middle", "end"):
        return None
    return marked(dataclasses.replace(note, syllable=syllable, syllabic=syllabic), raw)


def _divided(group: tuple[Note, ...], lyrics: list[str], where: str) -> list[Note]:
    """A word on its notes: 'lonesome', '+', '+~' -> lone-, some, (melisma)."""
    import dataclasses

    from voice.syllables import split

    carries = [i for i, lyric in enumerate(lyrics) if lyric not in _MELISMA]
    word = lyrics[0].split("[")[0].strip()  # 'word[phonemes]' is OpenUtau's hint
    if not carries or carries[0] != 0 or not word or word.startswith("+"):
        raise ScoreError(f"{where}: '{lyrics[0]}' carries on a word, but none stands before it")
    texts = [syllable.text for syllable in split(word)]
    # More notes than syllables: the last syllable goes on; fewer: the singer will name the word and the bar.
    if len(texts) > len(carries):
        texts = [*texts[: len(carries) - 1], "".join(texts[len(carries) - 1 :])]
    placed = dict(zip(carries, texts, strict=False))
    out = []
    for i, note in enumerate(group):
        if i not in placed:
            out.append(note)
            continue
        n = carries.index(i)
        syllabic: Syllabic = "single"
        if len(texts) > 1:
            syllabic = "begin" if n == 0 else "end" if n == len(texts) - 1 else "middle"
        out.append(dataclasses.replace(note, syllable=placed[i], syllabic=syllabic))
    return out


def _key(raw: Any) -> Key:
    try:
        return Key(int(raw[0]) % 12, "minor" if raw[1] == "minor" else "major")
    except (TypeError, ValueError, IndexError, KeyError):
        return Key(0, "major")


def _chords(raw: Any) -> Iterator[Chord]:
    for item in raw if isinstance(raw, list) else ():
        read = read_chord_name(str(item[2])) if isinstance(item, list) and len(item) == 3 else None
        if read and int(item[1]) > 0:
            yield Chord(int(item[0]), int(item[1]), *read)
