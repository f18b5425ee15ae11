"""A song that is there already, as small as it can be, and a place over one outlet."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skills.brief import Brief
from skills.database import Database
from skills.library import Library
from skills.lyrics import Line, Lyrics, Stanza
from skills.places.journal import Journal

LINES = ("the last train is gone", "and the platform hums along")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The clip of a finished song with a cover and a video. The bytes are no sound: no place here listens."""
    library = Library(tmp_path / "songs")
    song = library.open(Brief("the last train"), 7, "the-last-train-0123456789")
    library.write(dataclasses.replace(song, title="Last Train Gone", clip="clip.mp3", seconds=21.4))
    library.write_lyrics(
        song.id, Lyrics("Last Train Gone", "verse", (Stanza("verse", tuple(_line(text) for text in LINES)),))
    )
    folder = library.folder(song.id)
    (folder / "clip.mp3").write_bytes(b"ID3 sound")
    (folder / "clip-square.mp4").write_bytes(b"\0\0\0\x18ftypmp42 film")
    (folder / "cover.png").write_bytes(b"\x89PNG picture")
    return folder / "clip.mp3"


def _line(text: str) -> Line:
    return Line(text, tuple(text.split()), (), "a")


def a_journal(folder: Path, now: Callable[[], float] = time.time) -> Journal:
    return Journal(Database(f"sqlite:///{folder / 'requests.sqlite'}"), now)
