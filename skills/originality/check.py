"""The check of one song against what there is: its findings lie in originality.json of the song's folder."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skills.files import write_text_whole
from skills.library import Library
from skills.lyrics import Lyrics
from skills.originality.compare import Likeness, known_phrases, melody_likeness, words_likeness
from voice.score import Score, ScoreError

NAME = "originality.json"


def check_melody(library: Library, song: str, score: Score, writings: int) -> Likeness:
    """`writings`: how often the tune was written until now; 0 where a person gave it."""
    found = melody_likeness(score, dict(_scores(library, song)))
    _keep(library.folder(song), "melody", found, writings)
    return found


def check_words(library: Library, song: str, lyrics: Lyrics, writings: int) -> Likeness:
    """The owner's own phrases lie in phrases.txt beside the library."""
    phrases = known_phrases(library.root.parent / "phrases.txt")
    found = words_likeness(lyrics, dict(_lyrics(library, song)), phrases)
    _keep(library.folder(song), "words", found, writings)
    return found


def findings(folder: Path) -> dict[str, Any]:
    """What was found, by 'melody' and 'words'; {} where nothing was compared."""
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _keep(folder: Path, kind: str, found: Likeness, writings: int) -> None:
    kept = findings(folder) | {kind: {**dataclasses.asdict(found), "writings": writings}}
    write_text_whole(folder / NAME, json.dumps(kept, ensure_ascii=False, indent=1))


def _others(library: Library, song: str) -> Iterator[str]:
    """Other songs; versions of this one are no others."""
    root = _root(song)
    yield from (other for other in library.ids() if _root(other) != root)


def _root(song: str) -> str:
    return re.sub(r"-v\d+$", "", song)


def _scores(library: Library, song: str) -> Iterator[tuple[str, Score]]:
    for other in _others(library, song):
        try:
            yield other, Score.from_json((library.root / other / "score.json").read_text("utf-8"))
        except (OSError, ScoreError):
            continue  # not composed yet, or damaged: nothing to compare with


def _lyrics(library: Library, song: str) -> Iterator[tuple[str, Lyrics]]:
    for other in _others(library, song):
        try:
            yield other, library.read_lyrics(other)
        except (OSError, ValueError, KeyError, TypeError):
            continue
