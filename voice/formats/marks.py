"""What MIDI and USTX have no word for, kept beside the notes so that a score comes back as it was."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

from voice.score import Dynamic, Hairpin, Note, Score, Section

_FIELDS = ("phonemes", "slurred", "accent", "fermata", "breath_after", "dynamic", "hairpin")
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Note)}
_WORDS = {"dynamic": get_args(Dynamic), "hairpin": get_args(Hairpin)}
_TYPES = {name: str if name == "phonemes" or name in _WORDS else bool for name in _FIELDS}
VELOCITY = {"pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112}


def note_marks(note: Note) -> dict[str, Any]:
    """The note's marks that are not the default."""
    return {name: getattr(note, name) for name in _FIELDS if getattr(note, name) != _DEFAULTS[name]}


def marked(note: Note, marks: Any) -> Note:
    """`note` with the marks of `note_marks`; anything else in `marks` is ignored."""
    if not isinstance(marks, dict):
        return note
    good: dict[str, Any] = {n: v for n, v in marks.items() if n in _TYPES and isinstance(v, _TYPES[n])}
    known = {n: v for n, v in good.items() if n not in _WORDS or v in _WORDS[n]}
    return dataclasses.replace(note, **known)


def song_marks(score: Score) -> str:
    """The song's marks as JSON: swing, language, sections."""
    sections = [[s.tick, s.ticks, s.name] for s in score.sections]
    return json.dumps(
        {"swing": score.swing, "language": score.language, "sections": sections}, ensure_ascii=False
    )


def read_song_marks(text: str) -> dict[str, Any]:
    """The fields of Score that `song_marks` wrote; {} if they were edited into something else."""
    try:
        raw = json.loads(text)
        sections = tuple(Section(int(tick), int(ticks), str(name)) for tick, ticks, name in raw["sections"])
        return {"swing": float(raw["swing"]), "language": str(raw["language"]), "sections": sections}
    except (ValueError, KeyError, TypeError):
        return {}


def chord_name(root: int, quality: str) -> str:
    return ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")[root] + quality


def read_chord_name(text: str) -> tuple[int, str] | None:
    """'Bbm7' -> (10, 'm7'); None for 'N.C.' and what is no chord of ours."""
    letters = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    if text[:1] not in letters:
        return None
    alter = {"#": 1, "b": -1}.get(text[1:2], 0)
    quality = text[2:] if alter else text[1:]
    if quality not in ("", "m", "7", "m7", "maj7", "dim", "sus4", "6", "9"):
        return None
    return (letters[text[0]] + alter) % 12, quality
