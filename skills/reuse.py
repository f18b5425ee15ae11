"""Reuse: a version of a song takes over from the song before it what would only be made again as it was.

What a step reads, as a hash, decides: what takes long is singing, backing and the band, and each reads a part of the
score only, so that new words leave the band as it is and new chords leave the voice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from skills.backing import STEM, backing_parts
from skills.files import written_whole
from skills.library import Library, LibraryError, Song, read_score
from skills.style import style_of
from voice.score import Score


def what_is_sung(song: Song, score: Score) -> Any:
    bare = dataclasses.replace(score, title="", chords=(), sections=())
    return bare.to_json(), song.voice, song.sung_with, dict(song.expression)


def what_backs(song: Song, score: Score) -> Any:
    parts = backing_parts(score, style_of(song.brief), song.voice)
    return [(part.name, part.voice, part.score.to_json()) for part in parts], song.sung_with


def what_is_played(song: Song, score: Score) -> Any:
    places = [(note.tick, note.ticks) for note in score.notes]  # the band fills the gaps between them
    bare = dataclasses.replace(score, title="", notes=(), language="")
    return bare.to_json(), places, song.brief.style, song.seed


READS: Mapping[str, Callable[[Song, Score], Any]] = {
    "sing": what_is_sung,
    "backing": what_backs,
    "band": what_is_played,
}


def made_by(step: str, folder: Path) -> list[Path]:
    """The files of a song's folder that a step, or the backing singers in it, made."""
    if step == "sing":
        return [folder / "stems" / "vocal.wav", folder / "take.json"]
    backing = sorted((folder / "stems").glob(f"{STEM}*.wav"))
    if step == "backing":
        return backing
    others = {*backing, folder / "stems" / "vocal.wav"}
    return sorted(path for path in (folder / "stems").glob("*.wav") if path not in others)


def take_over(library: Library, song: str, step: str) -> bool:
    """Takes the step's files from the song that this one is a version of, if it read the same. False: make them."""
    now = library.read(song)
    if step not in READS or not now.version_of:
        return False
    try:
        old = library.read(now.version_of)
    except LibraryError:  # forgotten since
        return False
    before, here = library.folder(now.version_of, stems=True), library.folder(song)
    files = made_by(step, before)
    if not files or not all(path.is_file() for path in files):
        return False
    if _digest(READS[step](old, read_score(before))) != _digest(READS[step](now, read_score(here))):
        return False
    for path in files:
        with written_whole(here / path.relative_to(before)) as temporary:
            temporary.unlink()
            try:
                os.link(path, temporary)  # files are replaced and never changed in place: both may share one
            except OSError:
                shutil.copyfile(path, temporary)
    return True


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
