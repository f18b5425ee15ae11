"""Which reader and writer belongs to which ending. Their libraries are imported when one is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from voice.apart import ApartError, Bounds, apart
from voice.score import Score, ScoreError

BOUNDS = Bounds(memory=3_000_000_000, cpu=60, patience=120.0)  # an hour of MusicXML takes half of each


def read_score(path: str | Path) -> Score:
    """The score in a MusicXML, MIDI, USTX, SVP or JSON file, read in a process of its own. Raises ScoreError."""
    file = Path(path)
    if file.is_dir():
        raise ScoreError(f"{file.name} is a folder: name a score in it")
    if not file.exists():
        raise ScoreError(f"there is no file {file}")
    _reader(file)  # an ending that nobody reads is no reason to start a process
    try:
        told = json.loads(apart("voice.formats.child", [str(file.absolute())], BOUNDS))
    except ApartError as error:
        raise ScoreError(f"{file.name} cannot be read within bounds: {error}") from error
    if "trouble" in told:
        raise ScoreError(told["trouble"])
    return Score.from_json(told["score"])


def parse(file: Path) -> Score:
    """The same in this process, for files of our own. Raises ScoreError."""
    return _reader(file)(file)


def write_score(score: Score, path: str | Path) -> None:
    """Writes `score` as the ending of `path` says. Raises ScoreError for an ending that is not known."""
    file = Path(path)
    _writer(file)(score, file)


def _reader(file: Path) -> Callable[[Path], Score]:
    match file.suffix.lower():
        case ".musicxml" | ".xml" | ".mxl":
            from voice.formats.musicxml_read import read_musicxml

            return read_musicxml
        case ".mid" | ".midi" | ".kar":
            from voice.formats.midi import read_midi

            return read_midi
        case ".ustx":
            from voice.formats.ustx import read_ustx

            return read_ustx
        case ".svp":
            from voice.formats.svp import read_svp

            return read_svp
        case ".json":
            from voice.formats.plain import read_json

            return read_json
    raise _unknown(file)


def _writer(file: Path) -> Callable[[Score, Path], None]:
    match file.suffix.lower():
        case ".musicxml" | ".xml" | ".mxl":
            from voice.formats.musicxml_write import write_musicxml

            return write_musicxml
        case ".mid" | ".midi":
            from voice.formats.midi import write_midi

            return write_midi
        case ".ustx":
            from voice.formats.ustx import write_ustx

            return write_ustx
        case ".svp":
            from voice.formats.svp import write_svp

            return write_svp
        case ".json":
            from voice.formats.plain import write_json

            return write_json
    raise _unknown(file)


def _unknown(file: Path) -> ScoreError:
    ending = f"'{file.suffix}'" if file.suffix else "no ending"
    return ScoreError(f"{file.name} has {ending}: scores are .musicxml, .mxl, .mid, .ustx, .svp or .json")
