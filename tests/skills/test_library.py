from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from skills.brief import Brief
from skills.files import written_whole
from skills.library import Library, LibraryError, song_id
from skills.lyrics import Line, Lyrics, Stanza, Syllable

TRAIN = Brief("the last train home", dedication="Maya", mentions=("rain",))
WORDS = ("last", "train", "home", "tonight")
LINE = Line(
    "Last train home tonight", WORDS, tuple(Syllable(word, i, 1) for i, word in enumerate(WORDS)), "A"
)
SHORT = Line("Yes, Lord", ("yes", "Lord"), (Syllable("Yes", 0, 1), Syllable("Lord", 1, 1)), "A")
LYRICS = Lyrics("Last Train", "aab", (Stanza("verse", (LINE, SHORT)),))


def test_a_song_is_read_as_it_was_written(tmp_path: Path) -> None:
    library = Library(tmp_path)
    song = library.open(TRAIN, 7, song_id(TRAIN, 7))
    done = dataclasses.replace(
        song, clip="clip.mp3", seconds=20.5, timings={"sing": 9.0}, adjusted=("sung an octave up",)
    )
    library.write(done)
    assert library.read(song.id) == done
    assert list(library.songs()) == [done]


def test_an_unfinished_song_is_not_listed_and_opening_it_again_keeps_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    first = library.open(TRAIN, 7, "a-song")
    assert list(library.songs()) == []
    assert library.open(Brief("another theme"), 8, "a-song") == first


def test_lyrics_come_back_whole_and_their_lines_count_as_used_by_other_songs(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.open(TRAIN, 7, "a-song")
    library.write_lyrics("a-song", LYRICS)
    assert library.read_lyrics("a-song") == LYRICS
    assert library.used_lines("another") == {"last train home tonight"}
    assert library.used_lines("a-song") == frozenset()


def test_the_id_is_readable_and_tells_briefs_seeds_and_keys_apart() -> None:
    ids = {song_id(TRAIN, 7), song_id(TRAIN, 8), song_id(TRAIN, 7, "message-1"), song_id(Brief("rain"), 7)}
    assert len(ids) == 4
    assert song_id(TRAIN, 7).startswith("the-last-train-home-")
    assert Library(Path()).folder(song_id(Brief("雨 🌧"), 1)).name.startswith("song-")


@pytest.mark.parametrize("bad", ["../elsewhere", "/etc/passwd", "", "A B", "a" * 200])
def test_text_that_is_no_id_never_becomes_a_path(tmp_path: Path, bad: str) -> None:
    with pytest.raises(LibraryError, match="library list"):
        Library(tmp_path).read(bad)


def test_a_missing_and_a_damaged_song_are_said_to_be_so(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(LibraryError, match="there is no song"):
        library.read("nobody-sang-this")
    library.open(TRAIN, 7, "a-song")
    (tmp_path / "a-song" / "song.json").write_text('{"id": "a-song"')
    with pytest.raises(LibraryError, match="damaged"):
        library.read("a-song")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(LibraryError, match="choose another folder"):
        Library(in_the_way / "songs").open(TRAIN, 7, "a-song")


def test_a_full_disk_is_noticed_before_the_work_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1_000_000))  # type: ignore[attr-defined]
    with pytest.raises(LibraryError, match="only 1 MB are free"):
        Library(tmp_path).open(TRAIN, 7, "a-song")


def test_a_write_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "song.json"
    path.write_text("whole")

    def torn() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("ha")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        torn()
    assert path.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["song.json"]
