"""Score <-> Synthesizer V Studio's SVP (JSON). '-' stands on melismas; what SVP has no field for is a key of our own.

Written directly from the format that the editor itself writes: the one converter library that knows it asks for
thirty packages (Chinese and Japanese dictionaries among them) and writes Mandarin as the language. It reads our files
back in the tests.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from voice.formats.limits import MOST_NOTES, checked, one_voice, read_bytes
from voice.formats.musicxml_write import bars
from voice.formats.wordwise import SILENT, aside_fields, kept_aside, lyrics_of, metre_by_bars, read_kept, sung
from voice.score import TICKS_PER_QUARTER, Note, Score, ScoreError, TempoMark

BLICKS = 705_600_000 // TICKS_PER_QUARTER  # Synthesizer V's unit of time, to our tick
_VERSION = 119  # of the format, as Synthesizer V Studio 1.8 to 1.11 write it
_CURVES = "pitchDelta vibratoEnv loudness tension breathiness voicing gender toneShift".split()
_OURS = "troubadour"


def to_svp(score: Score) -> str:
    """The score as a project of one English track; the singer is chosen in the editor."""
    group = str(uuid.uuid5(uuid.NAMESPACE_URL, f"troubadour:{score.title}"))
    starts = [start for start, _ in bars(score)]
    notes = [_written(n, lyric) for n, lyric in zip(score.notes, lyrics_of(score, "-"), strict=True)]
    reference = {
        "groupID": group, "blickAbsoluteBegin": 0, "blickAbsoluteEnd": -1, "blickOffset": 0, "pitchOffset": 0,
        "isInstrumental": False, "mute": False, "dictionary": "",
        "systemPitchDelta": {"mode": "cubic", "points": []},
        "database": {
            "name": "", "language": "english", "phoneset": "arpabet", "languageOverride": "english",
            "phonesetOverride": "arpabet", "backendType": "", "version": "-2",
        },
        "voice": {"vocalModeInherited": True, "vocalModePreset": "", "vocalModeParams": {}},
    }  # fmt: skip
    track = {
        "name": "Voice", "dispColor": "ff7db235", "dispOrder": 0, "renderEnabled": True,
        "mixer": {"gainDecibel": 0.0, "pan": 0.0, "mute": False, "solo": False, "display": True},
        "mainGroup": {
            "name": "main", "uuid": group, "notes": notes, "vocalModes": {},
            "parameters": {name: {"mode": "cubic", "points": []} for name in _CURVES},
        },
        "mainRef": reference, "groups": [],
    }  # fmt: skip
    project = {
        "version": _VERSION,
        "time": {
            "meter": [
                {"index": starts.index(m.tick), "numerator": m.beats, "denominator": m.unit}
                for m in score.metre if m.tick in starts
            ],
            "tempo": [{"position": t.tick * BLICKS, "bpm": t.bpm} for t in score.tempo],
        },
        "library": [], "tracks": [track],
        "renderConfig": {
            "destination": "./", "filename": score.title or "song", "numChannels": 1,
            "aspirationFormat": "noAspiration",
            "bitDepth": 24, "sampleRate": 48000, "exportMixDown": True, "exportPitch": False,
        },
        _OURS: {"title": score.title, "aside": kept_aside(score, "-")},
    }  # fmt: skip
    return json.dumps(project, ensure_ascii=False)


def from_svp(data: bytes, name: str = "the project") -> Score:
    """Raises ScoreError on what is not an SVP project, or has no words to sing."""
    try:
        project = json.loads(data.rstrip(b"\0").decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ScoreError(f"{name} is not an SVP project: {error}") from error
    if not isinstance(project, dict) or not isinstance(project.get("tracks"), list):
        raise ScoreError(f"{name} is not an SVP project: it has no tracks")
    try:
        return checked(_score(project, name), name)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, ZeroDivisionError) as error:
        if isinstance(error, ScoreError):
            raise
        raise ScoreError(f"{name} is a damaged SVP project: {error!r}") from error


def read_svp(path: Path) -> Score:
    return from_svp(read_bytes(path), path.name)


def write_svp(score: Score, path: Path) -> None:
    path.write_bytes(to_svp(score).encode() + b"\0")  # the editor ends its files so


def _written(note: Note, lyric: str) -> dict[str, Any]:
    return {
        "musicalType": "singing", "onset": note.tick * BLICKS, "duration": note.ticks * BLICKS, "lyrics": lyric,
        "phonemes": "", "accent": "", "pitch": note.pitch, "detune": 0, "instantMode": False, "attributes": {},
    }  # fmt: skip


def _score(project: dict[str, Any], name: str) -> Score:
    library = {group["uuid"]: group for group in project.get("library") or []}
    tracks = [list(_groups(track, library)) for track in project["tracks"]]
    chosen = max(tracks, key=lambda groups: sum(len(g["notes"]) for g, _, _ in groups), default=[])
    if sum(len(group["notes"]) for group, _, _ in chosen) > MOST_NOTES:
        raise ScoreError(f"{name} has too many notes: {MOST_NOTES} at most can be sung at once")
    noted = project.get(_OURS)
    ours: dict[str, Any] = noted if isinstance(noted, dict) else {}
    kept = read_kept(ours.get("aside"))
    found, lyrics = [], {}
    for group, offset, higher in chosen:
        for raw in group["notes"]:
            lyric = str(raw.get("lyrics") or "").strip()
            start = round((offset + int(raw["onset"])) / BLICKS)
            end = round((offset + int(raw["onset"]) + int(raw["duration"])) / BLICKS)
            if lyric not in SILENT and not lyric.startswith(".") and end > start >= 0:  # '.l' names phonemes
                found.append(Note(start, end - start, int(raw["pitch"]) + higher))
                lyrics[start] = lyric
    signs = [(int(m["index"]), int(m["numerator"]), int(m["denominator"])) for m in project["time"]["meter"]]
    metre = metre_by_bars(signs)
    tempos = {round(int(t["position"]) / BLICKS): float(t["bpm"]) for t in project["time"]["tempo"]}
    tempos.setdefault(0, 120.0)
    return Score(
        title=str(ours.get("title") or Path(name).stem),
        notes=sung(one_voice(found), lyrics, kept.get("notes"), metre, name),
        tempo=tuple(TempoMark(tick, bpm) for tick, bpm in sorted(tempos.items())),
        metre=metre,
        **aside_fields(kept),
    )


def _groups(track: dict[str, Any], library: dict[str, Any]) -> Any:
    """(group of notes, blicks later, semitones higher) of everything that a track sings."""
    yield track["mainGroup"], int(track.get("mainRef", {}).get("blickOffset") or 0), 0
    for reference in track.get("groups") or []:
        group = library.get(reference.get("groupID"))
        if group and not reference.get("isInstrumental"):
            yield group, int(reference.get("blickOffset") or 0), int(reference.get("pitchOffset") or 0)
