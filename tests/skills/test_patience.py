"""What the worker does when a step fails, on a worker in this process: waits, sets aside, apologises, stops."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from persona.crashes import postgres
from persona.crashes.scenes import left_by_version_1
from skills import patience
from skills.address import Address
from skills.book import OWED, RequestBook, RequestStatus
from skills.brief import Brief, BriefError
from skills.database import Database
from skills.keeper import JUMP, Clock, Keeper
from skills.library import Library
from skills.places.errors import NotYet
from skills.post import Inbox, Place, Post, PostBook, PostError
from skills.song import Progress, Step, Studio
from skills.worker import Worker, rounds
from tests.skills.made_song import made_song

TERMINAL = Address("terminal")
AT_MOST = 60.0  # seconds for anything that is waited for


class Words:
    """What the artist says, told apart."""

    def announce(self, request: Any, song: Any) -> str:
        return "done"

    def keep(self, request: Any, song: Any) -> None: ...

    def apologise(self, request: Any) -> str:
        return "sorry"

    def apologise_late(self, request: Any) -> str:
        return "sorry, too late"


class Room:
    """A worker whose only step of making is the one given, with the book that it serves."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.database = Database(database or f"sqlite:///{folder / 'requests.sqlite'}")
        self.book = RequestBook(self.database)
        self.inbox = Inbox(self.database, Library(folder / "songs"))
        self.folder = folder

    @contextmanager
    def working(
        self, making: Step, deadline: float = 3600.0, place: Place | None = None, clock: Clock | None = None
    ) -> Iterator[None]:
        posts = PostBook(self.database, {"terminal": place or self.inbox})
        known = {"library": Library(self.folder / "songs"), "voice": "hum", "artist": "Rust"}
        studio: Any = type("Empty", (), known)()  # no step here asks for more
        worker = Worker(
            self.book,
            self.folder / "lock",
            studio,
            posts,
            Words(),
            deadline=deadline,
            making={"lyrics": making},
        )
        if clock is not None:
            worker.clock = clock
        worker.start()
        try:
            yield
        finally:
            worker.close()

    def order(self, theme: str = "rain") -> str:
        return self.book.order("sam", TERMINAL, Brief(theme), f"about {theme}").request.id

    def until(self, request: str, condition: Callable[[RequestStatus], bool]) -> RequestStatus:
        deadline = time.monotonic() + AT_MOST
        while time.monotonic() < deadline:
            if condition(status := self.book.status(request)):
                return status
            time.sleep(0.05)
        raise AssertionError(f"still {self.book.status(request)} after {AT_MOST} s")

    def ended(self, request: str) -> RequestStatus:
        return self.until(request, lambda status: not status.open)

    def heard(self) -> list[str]:
        return [post.text for post in self.inbox.take(TERMINAL)]


def makes(studio: Studio, song: str, progress: Progress) -> float:
    """The only step of making, done: half a second of noise with everything that belongs to a song."""
    made_song(studio.library, song)
    clip = {"mp3": "clip.mp3", "seconds": 0.5, "lufs": -14.0, "true_peak_db": -1.0}
    (studio.library.folder(song) / "clip.json").write_text(json.dumps(clip))
    return 0.5


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.book.close()


def test_what_cannot_be_made_is_set_aside_and_runs_again_from_the_step_that_failed(room: Room) -> None:
    calls: list[str] = []

    def hopeless(studio: Studio, song: str, progress: Progress) -> float:
        calls.append(song)
        raise BriefError("nobody can sing that")

    request = room.order()
    with room.working(hopeless):
        status = room.ended(request)
        assert (status.state, status.error) == ("failed", "lyrics: BriefError")
        assert [each.request.id for each in room.book.set_aside()] == [request]
        assert room.heard() == ["sorry"]
        room.book.retry(request)
        room.ended(request)
        assert calls == [request, request]
        assert room.heard() == [], "the same apology is made once"


def test_what_passes_is_tried_again_and_a_fault_of_ours_a_few_times(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "AWAY", replace(patience.AWAY, pause=0.01))
    for kind in ("UNFORESEEN", "ROOM", "BUSY"):
        monkeypatch.setattr(patience, kind, replace(getattr(patience, kind), pause=0.01))
    full, locked = OSError(28, "No space left on device"), sqlite3.OperationalError("database is locked")
    errors = iter([ConnectionError(), full, locked, KeyError("x")])

    def unsteady(studio: Studio, song: str, progress: Progress) -> float:
        raise next(errors)

    request = room.order()
    with room.working(unsteady):
        status = room.ended(request)
    [tries] = [each for each in status.tries if each.step == "lyrics"]
    assert (tries.tried, tries.died) == (4, 0)
    assert status.error == "lyrics: KeyError"
    assert room.heard() == ["sorry"]


def test_a_request_that_killed_the_worker_each_time_is_poison(room: Room) -> None:
    def never(studio: Studio, song: str, progress: Progress) -> float:
        raise AssertionError("it is not begun once more")

    request = room.order()
    for _ in range(patience.DIED.tries + 1):
        room.book.tries.begin(request, "lyrics")  # as five workers did that were not heard of again
    with room.working(never):
        assert "the worker died each of the" in room.ended(request).error
    assert room.heard() == ["sorry"]


def test_a_request_beyond_its_deadline_is_apologised_for_and_the_next_comes_first(room: Room) -> None:
    over = threading.Event()

    def slow(studio: Studio, song: str, progress: Progress) -> float:
        over.wait(AT_MOST)
        raise BriefError("too slow to matter")

    with room.working(slow, deadline=4.0):
        at_work = room.order("one")
        room.until(at_work, lambda status: any(each.step == "lyrics" for each in status.tries))
        waiting = room.order("two")
        late = room.ended(waiting)
        over.set()
        room.ended(at_work)
    assert (late.state, late.error) == ("failed", "its deadline passed")
    assert "sorry, too late" in room.heard()
    assert room.book.status(room.order("three")).turn == OWED
    assert room.book.status(room.order("four")).turn != OWED


def test_cancelling_stops_what_is_at_work(room: Room) -> None:
    stopped: list[bool] = []

    def endless(studio: Studio, song: str, progress: Progress) -> float:
        try:
            for _ in range(int(AT_MOST / 0.05)):
                progress("lyrics", 0.5)
                time.sleep(0.05)
        except BaseException:  # ours, or the request book's own (no Exception), whichever notices first
            stopped.append(True)
            raise
        return 0.0

    request = room.order()
    with room.working(endless):
        room.until(request, lambda status: "lyrics" in status.progress)
        room.book.cancel(request)
        deadline = time.monotonic() + AT_MOST
        while not stopped and time.monotonic() < deadline:
            time.sleep(0.05)
    assert stopped
    assert room.book.status(request).state == "cancelled"
    assert room.heard() == []


def test_what_another_version_began_is_begun_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(studio: Studio, song: str, progress: Progress) -> float:
        raise BriefError("it ran")

    request = room.order()
    room.database.write(
        "update workflow_status set application_version = '0', status = 'PENDING', executor_id = 'gone'"
    )
    with room.working(fails):
        assert room.ended(request).error == "lyrics: BriefError"


def test_what_the_first_version_of_the_workflow_left_is_made_by_the_present_one(tmp_path: Path) -> None:
    left_by_version_1(tmp_path)
    room = Room(tmp_path)
    begun, queued = [status.request.id for status in room.book.open_requests()]
    with room.working(makes):
        assert [room.ended(each).state for each in (begun, queued)] == ["done", "done"]
    assert room.heard() == ["done", "done"]
    room.book.close()


def test_errors_are_waited_for_by_their_kind() -> None:
    kinds = {
        ConnectionRefusedError(): patience.AWAY,
        NotYet("later", 7.0): patience.AWAY,
        PostError("never"): patience.HOPELESS,
        OSError(28, "No space left on device"): patience.ROOM,
        BriefError("no"): patience.HOPELESS,
        ZeroDivisionError(): patience.UNFORESEEN,
    }
    assert {error: patience.patience_for(error) for error in kinds} == kinds
    assert patience.AWAY.wait(1, asked=700.0) == 700.0, "as long as the other side asked"
    pauses = [patience.AWAY.wait(tried) for tried in range(1, patience.AWAY.tries + 1)]
    assert pauses[:3] == [2.0, 4.0, 8.0]
    assert pauses[-2:] == [patience.AWAY.longest, None]


def test_a_jump_of_the_clock_makes_nobody_late() -> None:
    wall, steady = [1000.0], [0.0]
    clock = Clock(lambda: wall[0], lambda: steady[0])
    wall[0] += 10 * JUMP + 5
    steady[0] += 5
    assert not clock.late(ordered=990.0, deadline=60.0), "five seconds passed, whatever the clock says"
    assert not clock.late(ordered=wall[0], deadline=60.0)
    wall[0] += 61
    steady[0] += 61
    assert clock.late(ordered=990.0, deadline=60.0)
    assert clock.late(ordered=wall[0] - 61, deadline=60.0), "ordered after the jump"
    wall[0] -= 10 * JUMP
    assert clock.look() < 0
    assert not clock.late(ordered=990.0 + 5 * JUMP, deadline=60.0)


def test_steps_that_need_only_what_is_done_go_side_by_side() -> None:
    needs = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
    assert rounds(needs, needs) == [["a"], ["b", "c"], ["d"]]
    with pytest.raises(ValueError, match="need each other"):
        rounds({"a": ("b",), "b": ("a",)}, ("a", "b"))


def test_what_was_cut_off_is_picked_up_again(room: Room) -> None:
    request = room.order()
    room.database.write("update workflow_status set status = 'PENDING', executor_id = 'us'")
    keeper = Keeper(room.book, "us", "2", Clock(), 3600.0, active=set())
    for _ in range(10):
        keeper.pick_up()
    assert room.book.status(request).state == "queued"


def test_a_place_that_is_dead_for_a_while_shows_the_song_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "AWAY", replace(patience.AWAY, pause=0.01))
    answers = iter([NotYet("closed", 0.01), NotYet("closed", 0.01)])

    class Dead:
        def post(self, post: Post) -> None:
            if error := next(answers, None):
                raise error
            room.inbox.post(post)

    request = room.order()
    with room.working(makes, place=Dead()):
        assert room.ended(request).state == "done"
    [tries] = [each for each in room.book.status(request).tries if each.step == "post"]
    assert tries.tried == 3
    assert room.heard() == ["done"]


def test_under_a_clock_that_is_set_back_three_days_a_stopped_request_goes_on(room: Room) -> None:
    past = Clock(wall=lambda: time.time() - 3 * 86400)
    begun = threading.Event()

    def endless(studio: Studio, song: str, progress: Progress) -> float:
        begun.set()
        while True:
            progress("lyrics", 0.5)
            time.sleep(0.02)

    request = room.order()
    with room.working(endless):
        assert begun.wait(AT_MOST)
    assert room.book.status(request).open
    room.book.now = room.book.tries.now = past.wall
    with room.working(makes, clock=past):
        assert room.ended(request).state == "done"
        assert room.ended(room.order("snow")).state == "done"
    assert room.heard() == ["done", "done"]


@pytest.mark.slow
def test_a_database_that_dies_in_a_step_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    try:
        with postgres.cluster() as cluster:
            _dies_in_a_step(Room(tmp_path, postgres.new_database(cluster.address)), cluster)
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))


def _dies_in_a_step(room: Room, cluster: postgres.Cluster) -> None:
    begun, once = threading.Event(), threading.Lock()

    def outlives(studio: Studio, song: str, progress: Progress) -> float:
        if once.acquire(blocking=False):
            cluster.die()
            begun.set()  # only now: who asks before would still find it up
            back = threading.Timer(2.0, cluster.start)
            back.start()
        return makes(studio, song, progress)

    first, second = room.order("one"), room.order("two")
    with room.working(outlives):
        assert begun.wait(AT_MOST)
        until_up = time.monotonic() + AT_MOST
        while time.monotonic() < until_up:
            try:
                room.book.open_requests()
                break
            except Exception:  # it is down
                time.sleep(0.2)
        assert [room.ended(each).state for each in (first, second)] == ["done", "done"]
    assert room.heard() == ["done", "done"]
    room.book.close()
