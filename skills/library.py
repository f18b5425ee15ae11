"""Library: where songs lie, one folder each, under their id.

A song's folder holds song.json (brief, seed, credits, timings, versions), lyrics.json and score.json (what the
next step reads), take.json (phoneme and note timings), lyrics.lrc, score.musicxml, score.mid, stems/*.wav, cover.png
and clip.mp3 / clip.ogg; what a person gave (lyrics, a score) lies under given/. Every file is written whole or not at
all. Where many machines make songs the folders are copies of those in a store (skills/store.py): `folder` gives one to
read in, `held` one to write in.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skills.brief import Brief
from skills.files import write_text_whole
from skills.lyrics import Line, Lyrics, Stanza, Syllable
from skills.store import Store
from voice.score import Score
from voice.take import Take

ROOM_FOR_A_SONG = 200_000_000  # bytes; stems of a three-minute song with their temporary copies
COMPARED = ("song.json", "lyrics.json", "score.json", "ledger.jsonl")  # what is read of all songs at once
SHORT = 3  # words of a line that may stand in any number of songs
SONG_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class LibraryError(OSError):
    """The library cannot take or give a song; the message says what to do."""


@dataclass(frozen=True)
class Song:
    """What song.json says of a song. `seconds`, `lufs` and the rest are None until the clip is made."""

    id: str
    brief: Brief
    seed: int
    made: str  # ISO date and time, UTC
    title: str = ""
    clip: str = ""  # file name in the folder
    seconds: float | None = None
    lufs: float | None = None
    true_peak_db: float | None = None
    timings: dict[str, float] = field(default_factory=dict)  # seconds by step
    adjusted: tuple[str, ...] = ()
    credits: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    voice: str = ""
    expression: dict[str, float] = field(default_factory=dict)  # knobs that are not the voice's own
    take: int = 0  # counts other takes of the same score
    version_of: str = ""  # the song that this one is a version of
    changes: tuple[str, ...] = ()  # what is different from it, in words
    originality: dict[str, Any] = field(default_factory=dict)  # what was found; how often it was written

    @property
    def sung_with(self) -> int:
        """The seed of the singing."""
        return self.seed + self.take


def song_id(brief: Brief, seed: int, key: str = "") -> str:
    """A readable, stable id: the theme's first words and a hash of the brief, the seed and `key`."""
    words = re.sub(r"[^a-z0-9]+", "-", brief.theme.lower()).strip("-")[:40].strip("-") or "song"
    digest = hashlib.sha256(repr((dataclasses.astuple(brief), seed, key)).encode()).hexdigest()[:10]
    return f"{words}-{digest}"


class Library:
    """Songs under one root folder; with a `store`, copies of those in it."""

    def __init__(self, root: Path, store: Store | None = None) -> None:
        self.root, self.store = root, store

    def folder(self, song: str, stems: bool = False) -> Path:
        """The folder of a song id, to be read in; from a store with its stems only where asked.

        Raises LibraryError on text that is no id (it is used as a path), StoreError.
        """
        folder = self._path(song)
        if self.store is not None:
            self.store.freshen(folder, stems)
        return folder

    @contextmanager
    def held(self, song: str, stems: bool = True) -> Iterator[Path]:
        """The folder of a song id, to be written in: what was done to it is in the store when the block has ended."""
        folder = self._path(song)
        if self.store is None:
            yield folder
            return
        with self.store.held(folder, stems):
            yield folder

    def delete(self, song: str) -> None:
        """With all that is of it, here and in the store."""
        folder = self._path(song)
        if self.store is not None:
            self.store.delete(folder)
        elif folder.is_dir():
            shutil.rmtree(folder)

    def lighten(self, song: str) -> None:
        """A song is made: where a store has its stems, the copy need not."""
        if self.store is not None:
            self.store.lighten(self._path(song))

    def ids(self) -> list[str]:
        """Every song, finished or not."""
        if self.store is not None:
            self.store.catch_up(self.root, COMPARED, self._finished)
        return sorted(path.parent.name for path in self.root.glob("*/song.json"))

    def _path(self, song: str) -> Path:
        if not SONG_ID.fullmatch(song):
            raise LibraryError(f"{song!r} is not a song's id; `troubadour library list` shows them")
        return self.root / song

    def _finished(self, folder: Path) -> bool:
        try:
            return bool(self._read(folder).clip)
        except LibraryError:
            return False

    def open(self, brief: Brief, seed: int, song: str) -> Song:
        """Begins a song: checks that there is room, makes its folder and its first song.json (kept if there)."""
        self.check_room()
        with self.held(song) as folder:
            if (folder / "song.json").exists():
                return self._read(folder)
            fresh = Song(song, brief, seed, datetime.now(UTC).isoformat(timespec="seconds"))
            self.write(fresh)
        return fresh

    def check_room(self) -> None:
        """Raises LibraryError where the folder cannot be written or the disk is nearly full."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError
            probe = self.root / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise LibraryError(
                f"songs cannot be written to {self.root} ({error.strerror or 'permission denied'}): "
                "choose another folder (--out, or TROUBADOUR_DATA_DIR) or make this one writable"
            ) from error
        free = shutil.disk_usage(self.root).free
        if free < ROOM_FOR_A_SONG:
            raise LibraryError(
                f"only {free // 1_000_000} MB are free at {self.root}, and a song needs "
                f"{ROOM_FOR_A_SONG // 1_000_000}: free some space or choose another folder"
            )

    def read(self, song: str) -> Song:
        return self._read(self.folder(song))

    def versions_before(self, song: Song) -> list[str]:
        """The songs that this one is a version of, the nearest first, as far as they are still there."""
        before, there = [song.id], set(self.ids())
        while song.version_of in there and song.version_of not in before:
            before.append(song.version_of)
            song = self.read(song.version_of)
        return before[1:]

    def _read(self, folder: Path) -> Song:
        try:
            raw: dict[str, Any] = json.loads((folder / "song.json").read_text("utf-8"))
            lists = {name: tuple(raw.get(name, ())) for name in ("adjusted", "changes")}
            return Song(**{**raw, "brief": Brief.from_json(raw["brief"]), **lists})
        except FileNotFoundError:
            raise LibraryError(
                f"there is no song {folder.name!r} in {self.root}; `troubadour library list` shows them"
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryError(f"{folder / 'song.json'} is damaged ({error}); remake the song") from error

    def write(self, song: Song) -> None:
        text = json.dumps(dataclasses.asdict(song), ensure_ascii=False, indent=1)
        write_text_whole(self._path(song.id) / "song.json", text + "\n")

    def songs(self) -> Iterator[Song]:
        """Finished songs, oldest first. Folders that hold none are passed over."""
        found = []
        for name in self.ids():
            try:
                song = self._read(self.root / name)
            except LibraryError:
                continue
            if song.clip:
                found.append(song)
        yield from sorted(found, key=lambda song: (song.made, song.id))

    def clip(self, song: Song) -> Path:
        return self.folder(song.id) / song.clip

    def write_lyrics(self, song: str, lyrics: Lyrics) -> None:
        write_text_whole(self._path(song) / "lyrics.json", lyrics_to_json(lyrics))

    def give(self, song: str, name: str, text: str) -> None:
        """Lays down what a person gave for a song: the step that would write file `name` takes it as it is."""
        write_text_whole(self._path(song) / "given" / name, text)

    def take_given(self, song: str, name: str) -> bool:
        """Takes what a person gave as file `name`. False: nobody gave any."""
        given = self._path(song) / "given" / name
        if given.is_file():
            write_text_whole(self._path(song) / name, given.read_text("utf-8"))
        return given.is_file()

    def read_lyrics(self, song: str) -> Lyrics:
        return lyrics_from_json((self.folder(song) / "lyrics.json").read_text("utf-8"))

    def used_lines(self, song: str) -> frozenset[str]:
        """Every line that another song of this library sings, lower case: none is sung twice.

        Short responses ('yes, Lord') belong to everybody.
        """
        lines: set[str] = set()
        for other in self.ids():
            if other == song:
                continue
            try:
                lyrics = lyrics_from_json((self.root / other / "lyrics.json").read_text("utf-8"))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            lines.update(line.text.lower() for line in lyrics.lines if len(line.words) > SHORT)
        return frozenset(lines)


def lyrics_to_json(lyrics: Lyrics) -> str:
    return json.dumps(dataclasses.asdict(lyrics), ensure_ascii=False)


def lyrics_from_json(text: str) -> Lyrics:
    raw = json.loads(text)
    stanzas = tuple(
        Stanza(
            stanza["name"],
            tuple(
                Line(
                    line["text"],
                    tuple(line["words"]),
                    tuple(Syllable(**syllable) for syllable in line["syllables"]),
                    line["rhyme"],
                    line.get("bars", 2),
                )
                for line in stanza["lines"]
            ),
        )
        for stanza in raw["stanzas"]
    )
    return Lyrics(raw["title"], raw["form"], stanzas, raw["hook"])


def read_score(folder: Path) -> Score:
    return Score.from_json((folder / "score.json").read_text("utf-8"))


def read_take(folder: Path) -> Take:
    """The take's timings, without its audio (which is stems/vocal.wav)."""
    return Take.from_timings_json((folder / "take.json").read_text("utf-8"))
