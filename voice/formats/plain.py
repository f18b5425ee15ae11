"""Score <-> our own JSON."""

from __future__ import annotations

from pathlib import Path

from voice.formats.limits import checked, read_bytes
from voice.score import Score, ScoreError


def read_json(path: Path) -> Score:
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScoreError(f"{path.name} is not UTF-8 text") from error
    try:
        return checked(Score.from_json(text), path.name)
    except (RecursionError, ValueError, OverflowError, TypeError, ZeroDivisionError) as error:
        if isinstance(error, ScoreError):
            raise
        raise ScoreError(f"{path.name} is not a score in Troubadour's JSON: {error}") from error


def write_json(score: Score, path: Path) -> None:
    path.write_text(score.to_json(), encoding="utf-8")
