"""Score <-> OpenUtau's USTX (YAML). '+~' stands on melismas; what USTX has no field for is in the part's comment.

Written directly: the converter libraries that know USTX ask for thirty packages, and write a phonemizer that
cannot read English words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.formats.hints import hinted
from voice.formats.limits import MOST_NOTES, checked, one_voice, read_bytes
from voice.formats.musicxml_write import bars
from voice.formats.wordwise import SILENT, aside_fields, kept_aside, lyrics_of, metre_by_bars, read_kept, sung
from voice.score import TICKS_PER_QUARTER, MetreMark, Note, Score, ScoreError, TempoMark

_MOST_BYTES = 8 << 20
_PHONEMIZER = "OpenUtau.Core.DiffSinger.DiffSingerEnglishPhonemizer"


def to_ustx(score: Score) -> str:
    """The score as an OpenUtau project of one track, for an English DiffSinger voice."""
    import yaml

    notes = [
        _written(note, lyric)
        for note, lyric in zip(score.notes, hinted(score, lyrics_of(score, "+~")), strict=True)
    ]
    part = {
        "name": "Voice", "comment": kept_aside(score, "+~"), "track_no": 0, "position": 0,
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


def _written(note: Note, lyric: str) -> dict[str, Any]:
    return {
        "position": note.tick, "duration": note.ticks, "tone": note.pitch, "lyric": lyric,
        "pitch": {"data": [{"x": -40, "y": 0, "shape": "io"}, {"x": 40, "y": 0, "shape": "io"}], "snap_first": True},
        "vibrato": {"length": 0, "period": 175, "depth": 25, "in": 10, "out": 10, "shift": 0, "drift": 0},
        "phoneme_expressions": [], "phoneme_overrides": [],
    }  # fmt: skip


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
    kept = read_kept(chosen[0].get("comment"))
    raw_tempos = project.get("tempos") or [{"position": 0, "bpm": project.get("bpm") or 120}]
    tempos = {round(int(t.get("position") or 0) * scale): float(t["bpm"]) for t in raw_tempos}
    tempos.setdefault(0, float(project.get("bpm") or 120))
    return Score(
        title=str(project.get("name") or ""),
        notes=sung(notes, lyrics, kept.get("notes"), metre, name),
        tempo=tuple(TempoMark(tick, bpm) for tick, bpm in sorted(tempos.items())),
        metre=metre,
        **aside_fields(kept),
    )


def _metre(project: dict[str, Any]) -> tuple[MetreMark, ...]:
    raw = project.get("time_signatures") or [
        {
            "bar_position": 0,
            "beat_per_bar": project.get("beat_per_bar", 4),
            "beat_unit": project.get("beat_unit", 4),
        }
    ]
    return metre_by_bars(
        [(int(s.get("bar_position") or 0), int(s["beat_per_bar"]), int(s["beat_unit"])) for s in raw]
    )


def _notes(parts: list[dict[str, Any]], scale: float) -> tuple[tuple[Note, ...], dict[int, str]]:
    """The notes that sound, and the lyric at each tick."""
    found, lyrics = [], {}
    for part in parts:
        offset = int(part.get("position") or 0)
        for raw in part["notes"]:
            lyric = str(raw.get("lyric") if raw.get("lyric") is not None else "").strip()
            start = round((offset + int(raw["position"])) * scale)
            end = round((offset + int(raw["position"]) + int(raw["duration"])) * scale)
            if lyric in SILENT or end <= start or start < 0:
                continue
            found.append(Note(start, end - start, int(raw["tone"])))
            lyrics[start] = lyric
    return one_voice(found), lyrics
