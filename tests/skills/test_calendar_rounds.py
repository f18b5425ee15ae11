"""What the rounds make of a calendar. The clock is the test's; book and guard are real, and a place takes note."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from skills.address import Address
from skills.brief import Brief
from skills.calendar.book import CalendarBook, Planned
from skills.calendar.entry import CalendarError, Entry
from skills.calendar.occasions import Occasion, occasion
from skills.calendar.rounds import CalendarPlace, Nothing, Rounds, Wish, Words, nonce_of
from skills.database import Database
from skills.library import Library, Song
from skills.places.errors import NotYet, Perhaps
from skills.post import Post, PostBook, PostError
from tests.skills.entries import BERLIN, an_entry


class Pub:
    """A place that takes note of what it is told; `troubles` are raised first, one a post."""

    def __init__(self) -> None:
        self.heard: list[Post] = []
        self.troubles: list[Exception] = []

    def post(self, post: Post) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.heard.append(post)


@dataclasses.dataclass
class Scribe:
    """A writer that writes what the test says."""

    says: Words | Wish | Nothing = dataclasses.field(default_factory=lambda: Words("Low and slow."))
    never: str = "never say this"
    wrote: list[str] = dataclasses.field(default_factory=list)

    def write(self, planned: Planned) -> Words | Wish | Nothing:
        self.wrote.append(planned.id)
        return self.says

    def caption(self, planned: Planned, song: Song) -> str:
        return f"Here is {song.title}."

    def wrong(self, text: str) -> str:
        return "said what it should not" if self.never in text else ""


class Town:
    """A calendar with a clock of its own. A new Town over the same folder is a process that begins anew."""

    def __init__(self, folder: Path, *entries: Entry, at: str = "2026-11-02 11:00") -> None:
        self.now = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
        self.book = CalendarBook(Database(f"sqlite:///{folder / 'requests.sqlite'}"), self._clock)
        self.pub, self.scribe, self.entries = Pub(), Scribe(), entries
        self.library = Library(folder / "songs")
        self.ordered: list[tuple[str, Brief]] = []
        self.posts = PostBook(self.book.database, {"pub": self.pub, "calendar": CalendarPlace(self.book)})
        self.rounds = Rounds(
            self.book, lambda: self.entries, self.scribe, lambda e, id, b: self.ordered.append((id, b)),
            self.posts, self.library,
        )  # fmt: skip

    def _clock(self) -> float:
        return self.now.timestamp()

    def go(self, until: str = "", step: float = 300.0) -> None:
        """Goes round every `step` seconds until a time, or twice at once."""
        end = datetime.fromisoformat(until).replace(tzinfo=BERLIN) if until else self.now
        while self.now < end:
            self.now = min(self.now + timedelta(seconds=step), end)
            self.rounds.round()
        self.rounds.round()
        self.rounds.round()

    @property
    def heard(self) -> list[str]:
        return [post.text.splitlines()[0] for post in self.pub.heard]

    @property
    def states(self) -> list[str]:
        return [planned.state for planned in reversed(self.book.latest(99))]


def test_it_speaks_when_it_is_time_once_and_says_what_it_is(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(tags=["blues"], link="https://example.org"))
    town.go("2026-11-02 11:59")
    assert town.pub.heard == []
    town.go("2026-11-03 11:00")
    assert [post.text for post in town.pub.heard] == [
        "Low and slow.\n\nhttps://example.org #blues\n\nWritten by an AI."
    ]


def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    Town(tmp_path, an_entry()).go("2026-11-02 12:00")
    again = Town(tmp_path, an_entry(), at="2026-11-02 12:01")
    again.go("2026-11-02 18:00")
    assert again.heard == []
    again = Town(tmp_path, an_entry(), at="2026-11-03 12:20")  # within the grace
    again.go()
    assert len(again.heard) == 1


@pytest.mark.parametrize(("missed", "made"), [("skip", 0), ("once", 1)])
def test_after_a_fortnight_away_there_is_no_flood(tmp_path: Path, missed: str, made: int) -> None:
    entry = an_entry(cron="0 */2 * * *", missed=missed)
    Town(tmp_path, entry).go()
    later = Town(tmp_path, entry, at="2026-11-16 11:00")
    later.go("2026-11-16 11:30")
    assert len(later.heard) == made
    later.go("2026-11-16 12:30")
    assert len(later.heard) == made + 1, "and then it goes on as ever"


def test_what_is_late_waits_for_the_end_of_the_quiet_hours_and_what_is_run_in_them_does_not(
    tmp_path: Path,
) -> None:
    entry = an_entry(missed="once", quiet=("22:30", "07:30"))
    Town(tmp_path, entry).go()
    back = Town(tmp_path, entry, at="2026-11-03 02:00")
    back.go("2026-11-03 07:25")
    assert (back.heard, back.states) == ([], ["ready"])
    back.go("2026-11-03 07:35")
    assert len(back.heard) == 1
    night = Town(tmp_path / "night", entry, at="2026-11-03 23:00")
    night.book.add(Occasion(entry, night.now, night.now))
    night.go()
    assert len(night.heard) == 1


def test_a_calendar_that_is_new_makes_nothing_up_for_the_time_before(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(missed="once"), at="2026-11-02 15:00")
    town.go("2026-11-02 16:00")
    assert town.heard == []


def test_a_clock_that_was_years_ahead_does_not_silence_it(tmp_path: Path) -> None:
    Town(tmp_path, an_entry(), at="2031-01-01 10:00").go()
    town = Town(tmp_path, an_entry())
    town.go("2026-11-02 12:10")
    assert len(town.heard) == 1


def test_two_processes_that_go_round_together_say_it_once(tmp_path: Path) -> None:
    one, two = Town(tmp_path, an_entry()), Town(tmp_path, an_entry())
    for town in (one, two):
        town.go()
    for _ in range(3):
        for town in (one, two):
            town.now = datetime(2026, 11, 2, 12, 1, tzinfo=BERLIN)
            town.rounds.round()
    assert len(one.heard) + len(two.heard) == 1
    assert len(one.scribe.wrote) + len(two.scribe.wrote) == 1


def test_a_process_that_died_in_the_middle_is_gone_on_for(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry())
    town.book.add(occasion(an_entry(), town.now))
    [planned] = town.book.open()
    assert town.book.hold(planned)  # and dies
    town.go()
    assert town.heard == []
    town.go("2026-11-02 11:03")
    assert len(town.heard) == 1


def test_a_draft_waits_for_a_yes(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(approve=True))
    town.go("2026-11-02 13:00")
    assert town.heard == []
    [draft] = town.book.drafts()
    town.book.approve(draft.id, "Other words.")
    town.go("2026-11-02 13:01")
    assert town.heard == ["Other words."]
    with pytest.raises(CalendarError, match="is posted: only a draft"):
        town.book.approve(draft.id)


def test_a_draft_that_is_rejected_or_forgotten_is_never_posted(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(approve=True, expires=20))
    town.go("2026-11-02 13:00")
    town.book.reject(town.book.drafts()[0].id)
    town.go("2026-11-04 11:00", step=600)
    assert town.states == ["rejected", "expired"]
    assert town.heard == []


def test_what_the_guard_is_against_is_not_posted(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry())
    town.scribe.says = Words("never say this")
    town.go("2026-11-02 13:00")
    assert (town.heard, town.states) == ([], ["failed"])
    assert "the guard" in town.book.latest(1)[0].note


def test_where_there_is_nothing_to_say_nothing_is_said(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry())
    town.scribe.says = Nothing("a quiet week")
    town.go("2026-11-02 13:00")
    assert (town.heard, town.states) == ([], ["skipped"])


def test_every_address_has_its_own_fate(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(where=("pub:a", "pub:b", "pub:c", "nowhere:d")))
    town.pub.troubles = [PostError("the token is refused"), NotYet("busy", 300), Perhaps("it may be there")]
    town.go("2026-11-02 12:01")
    assert {where: fate.state for where, fate in town.book.latest(1)[0].posts.items()} == {
        "pub:a": "failed", "pub:b": "waiting", "pub:c": "perhaps", "nowhere:d": "failed",
    }  # fmt: skip
    assert town.heard == []
    town.go("2026-11-02 12:04")
    assert town.heard == [], "it waits as long as it was asked to"
    town.go("2026-11-02 12:10")
    assert [str(post.address) for post in town.pub.heard] == ["pub:b"]
    [planned] = town.book.latest(1)
    assert planned.state == "posted"
    assert "pub:a: the token is refused" in planned.note
    assert "pub:c: it may be there" in planned.note


def test_a_place_that_is_long_away_is_given_up_in_the_end(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry())
    town.pub.troubles = [NotYet("away", 1.0)] * 1000
    town.go("2026-11-02 16:00", step=120)
    assert (town.heard, town.states) == ([], ["failed"])


def a_song(library: Library) -> Song:
    song = dataclasses.replace(
        library.open(Brief("rain"), 1, "rain-0123456789"), title="Rain", clip="clip.mp3"
    )
    library.write(song)
    (library.folder(song.id) / "clip.mp3").write_bytes(b"sound")
    return song


def test_a_snippet_is_ordered_once_and_goes_on_when_it_is_sung(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(where=("pub:a", "pub:b")))
    town.scribe.says = Wish(Brief("rain"))
    town.go("2026-11-02 12:30")
    [(id, brief)] = town.ordered
    assert (brief.theme, town.states, town.heard) == ("rain", ["singing"], [])
    song = a_song(town.library)
    clip = town.library.clip(song).absolute()
    for _ in range(2):  # the worker delivers it where it was ordered to, perhaps once more after a crash
        town.posts.deliver(Post(f"{song.id}:clip", Address("calendar", id), "Here.", clip))
        CalendarPlace(town.book).post(Post(f"{song.id}:clip", Address("calendar", id), "Here.", clip))
    town.go("2026-11-02 12:31")
    assert town.heard == ["Here is Rain."] * 2
    assert {post.clip for post in town.pub.heard} == {clip}
    assert len({post.nonce for post in town.pub.heard}) == 2
    assert [planned.song for planned in town.book.published()] == []  # a thought is no publication


def test_a_snippet_that_could_not_be_sung_is_not_posted(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry())
    town.scribe.says = Wish(Brief("rain"))
    town.go("2026-11-02 12:30")
    [(id, _)] = town.ordered
    town.posts.deliver(Post("rain:apology", Address("calendar", id), "I am sorry."))
    town.go("2026-11-02 12:31")
    assert (town.heard, town.states) == ([], ["failed"])


def test_a_snippet_that_somebody_took_out_of_the_queue_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(expires=20))
    town.scribe.says = Wish(Brief("rain"))
    town.go("2026-11-03 11:00", step=600)
    assert (town.heard, town.states) == ([], ["expired"])


def test_a_song_is_only_public_where_the_artist_published_it(tmp_path: Path) -> None:
    town = Town(tmp_path, an_entry(what="snippet", themes=("rain",)))
    town.scribe.says = Words("Here.", a_song(town.library).id)
    a_song_of_a_fan = town.library.open(Brief("for Maya only"), 2, "maya-0123456789")
    town.go("2026-11-02 12:30")
    assert [planned.song for planned in town.book.published()] == ["rain-0123456789"]
    assert a_song_of_a_fan.id not in {planned.song for planned in town.book.published()}


def test_nonces_differ_by_occasion_and_address_and_say_what_they_are_of() -> None:
    one = nonce_of("verse@20261102T1100Z", Address("pub", "a"), clip=True)
    assert one.endswith(":clip")
    assert nonce_of("verse@20261102T1100Z", Address("pub", "b"), clip=True) != one
    assert nonce_of("verse@20261103T1100Z", Address("pub", "a"), clip=True) != one


def test_a_calendar_that_cannot_be_read_does_not_end_the_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    town, looked = Town(tmp_path, an_entry()), threading.Semaphore(0)

    def broken() -> Sequence[Entry]:
        looked.release()
        raise CalendarError("it cannot be read")

    monkeypatch.setattr("skills.calendar.rounds.BEAT", 0.01)
    town.rounds.entries = broken
    town.rounds.start()
    assert looked.acquire(timeout=10)
    assert looked.acquire(timeout=10), "it went round again"
    town.rounds.stop()
