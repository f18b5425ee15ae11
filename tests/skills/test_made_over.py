"""A fan may order a version of a song: a request like any other, whose song takes over what did not change."""

from pathlib import Path

from skills.brief import Brief
from skills.library import Library
from skills.provenance import ledger
from skills.reuse import take_over
from skills.song import Progress, Studio
from tests.skills.made_song import made_song
from tests.skills.test_patience import TERMINAL, Room, makes, room

__all__ = ["room"]


def test_another_take_is_a_version_that_keeps_the_band_and_says_who_asked(room: Room, tmp_path: Path) -> None:
    library = Library(tmp_path / "songs")
    song, kept = made_song(library), []

    def sings(studio: Studio, version: str, progress: Progress) -> float:
        for name in ("lyrics.json", "score.json"):
            assert library.take_given(version, name)
        kept.extend(step for step in ("sing", "band") if take_over(library, version, step))
        return makes(studio, version, progress)

    wish = {"version_of": song, "change": {"take": True}}
    order = room.book.order("sam", TERMINAL, Brief("rain"), "pressed", **wish)
    again = room.book.order("sam", TERMINAL, Brief("rain"), "pressed twice", **wish)
    assert order.request == again.request
    with room.working(sings):
        assert room.ended(order.request.id).state == "done"
    version = library.read(order.request.id)
    assert (version.version_of, version.changes) == (song, ("another take",))
    assert kept == ["band"]
    asked = [entry for entry in ledger.read(library.folder(version.id)) if entry.what == "asked"]
    assert asked[-1].words["by"] == "sam"


def test_an_order_with_another_change_is_another_request_and_the_book_keeps_the_change(room: Room) -> None:
    first, second = (
        room.book.order("sam", TERMINAL, Brief("rain"), key, version_of="train", change=change)
        for key, change in (("1", {"key": "+2"}), ("2", {"tempo": 100.8}))
    )
    assert first.request.id != second.request.id
    assert room.book.status(first.request.id).request.change == {"key": "+2"}
