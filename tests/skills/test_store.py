"""The library in a store: what one machine made is there on another, and gone when it is forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from skills.brief import Brief
from skills.forgetting import keep_only_the_sound
from skills.kit import export, open_desk
from skills.library import Library
from skills.patience import AWAY, patience_for
from skills.provenance import ledger
from skills.store import Store, StoreError
from tests.s3 import s3_server
from tests.secrets import SIGN
from tests.skills.made_song import made_song

SONG = "last-train"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


class Machines:
    """Libraries that share nothing but a prefix of the store; every look is a fresh one."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.endpoint, self.folder, self.stores = endpoint, folder, list[Store]()

    def library(self, name: str) -> Library:
        store = Store(f"s3://songs/{self.folder.name}", self.endpoint, f"key-{SIGN}", f"store-{SIGN}")
        self.stores.append(store)
        return Library(self.folder / name, store)

    def time_passes(self) -> None:
        for store in self.stores:
            store._looked.clear()


@pytest.fixture
def machines(endpoint: str, tmp_path: Path) -> Machines:
    return Machines(endpoint, tmp_path)


def begun(library: Library, song: str = SONG) -> Path:
    library.open(Brief("the last train"), 7, song)
    return library.root / song


def test_a_song_that_one_machine_made_is_exported_and_its_ledger_read_on_another(
    machines: Machines, tmp_path: Path
) -> None:
    one, two = machines.library("one"), machines.library("two")
    with one.held(SONG) as folder:
        made_song(one)
        ledger.append(folder, "asked", "person", words={"theme": "the last train"})
    assert [song.id for song in two.songs()] == [SONG]
    assert not (two.root / SONG / "clip.mp3").exists(), "what is compared of all songs is their texts"
    [lrc] = export(open_desk(two, SONG), ["lrc"], tmp_path / "out")
    assert lrc.read_bytes()
    assert ledger.head(two.folder(SONG)) == ledger.head(one.folder(SONG))
    assert two.used_lines("another") == one.used_lines("another") != frozenset()


def test_a_step_that_runs_again_elsewhere_goes_on_with_what_was_sent_not_with_what_was_not(
    machines: Machines,
) -> None:
    one, two = machines.library("one"), machines.library("two")
    begun(one)
    with one.held(SONG) as folder:
        (folder / "score.json").write_text("sent")
    with pytest.raises(RuntimeError, match="killed"), one.held(SONG) as folder:
        (folder / "take.json").write_text("never sent")
        raise RuntimeError("killed")
    with two.held(SONG) as folder:
        assert (folder / "score.json").read_text() == "sent"
        assert not (folder / "take.json").exists()
        (folder / "take.json").write_text("of the second")
    with one.held(SONG) as folder:
        assert (folder / "take.json").read_text() == "of the second"


def test_what_did_not_change_is_not_sent_again_and_what_was_deleted_goes_there_too(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines.library("one"), machines.library("two")
    with one.held(SONG) as folder:
        begun(one)
        (folder / "stems").mkdir()
        (folder / "stems" / "vocal.wav").write_bytes(bytes(1000))
        (folder / ".torn.wav").write_bytes(b"half")
    assert (two.folder(SONG, stems=True) / "stems" / "vocal.wav").stat().st_size == 1000
    assert not (two.root / SONG / ".torn.wav").exists()
    assert one.store is not None
    with monkeypatch.context() as patched:
        patched.setattr(one.store._bucket, "put_file", None)  # would fail if it were called
        with one.held(SONG):
            pass
    one.lighten(SONG)
    assert not (one.root / SONG / "stems").exists()
    with one.held(SONG, stems=False) as folder:
        (folder / "song.json").unlink()
    machines.time_passes()
    assert sorted(path.name for path in two.folder(SONG, stems=True).rglob("*.*")) == ["vocal.wav"]


def test_a_forgotten_song_leaves_its_sound_in_the_store_and_nothing_on_other_machines(
    machines: Machines,
) -> None:
    one, two = machines.library("one"), machines.library("two")
    with one.held(SONG) as folder:
        made_song(one)
        (folder / "clip.mp3").write_bytes(_sound())
        one.write(dataclasses.replace(one.read(SONG), clip="clip.mp3", title="For Zanzibarine"))
    assert two.read(SONG).title == "For Zanzibarine"
    kept = keep_only_the_sound(one, SONG)
    machines.time_passes()
    assert two.ids() == [kept]
    assert not (two.root / SONG).exists()
    assert (two.folder(kept) / "clip.mp3").stat().st_size > 1000
    assert not [
        path for path in two.root.rglob("*") if path.is_file() and b"Zanzibarine" in path.read_bytes()
    ]
    one.delete(kept)
    assert one.store is not None
    assert one.store.songs() == set()


def test_a_store_that_cannot_be_reached_is_waited_for_and_the_sentence_says_what_to_look_at(
    machines: Machines,
) -> None:
    nobody = Library(machines.folder, Store("s3://songs/x", "http://127.0.0.1:9", "key", "hush"))
    with pytest.raises(StoreError, match=r"does it answer.*STORE__URL") as caught:
        nobody.folder(SONG)
    assert patience_for(caught.value) is AWAY
    assert "hush" not in str(caught.value)
    with pytest.raises(StoreError, match="bucket"):
        Library(machines.folder, Store("s3://no-such-bucket/x", machines.endpoint, "key", "hush")).ids()
    with pytest.raises(StoreError, match="no address of a store"):
        Store("s3://")


def _sound() -> bytes:
    import io

    import numpy as np
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, 0.1 * np.sin(np.arange(48_000) / 20), 48_000, format="MP3")
    return out.getvalue()
