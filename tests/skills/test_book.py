"""The request book on both engines: turns, limits, priorities, and what is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona.crashes import postgres
from skills.address import Address
from skills.book import DOUBLE_CLICK, RequestBook, TooManyRequests
from skills.brief import Brief, BriefError
from skills.database import Database, DatabaseError
from skills.keeper import SILENCE, Clock, Keeper

TERMINAL = Address("terminal")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with postgres.server() as address:
            yield address
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'requests.sqlite'}")
    return Database(postgres.new_database(request.getfixturevalue("server")))


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def book(database: Database, clock: Hands) -> Iterator[RequestBook]:
    book = RequestBook(database, now=clock)
    yield book
    book.close()


def order(book: RequestBook, fan: str, *themes: str) -> list[str]:
    return [book.order(fan, TERMINAL, Brief(theme), f"message about {theme}").request.id for theme in themes]


def line(book: RequestBook) -> list[str]:
    """Whose request stands where, first to last."""
    return [f"{status.request.fan} {status.request.brief.theme}" for status in book.open_requests()]


def test_a_fans_first_stands_before_anothers_second(book: RequestBook) -> None:
    order(book, "sam", "one", "two", "three")
    order(book, "ann", "four", "five")
    assert line(book) == ["sam one", "ann four", "sam two", "ann five", "sam three"]
    assert [status.ahead for status in book.open_requests()] == [0, 1, 2, 3, 4]
    assert book.of_fan("ann")[0].ahead == 3


def test_who_comes_later_is_not_before_what_was_waiting_its_turn(book: RequestBook) -> None:
    first, second, *_ = order(book, "sam", "one", "two", "three", "four")
    for served in (first, second):
        book.cancel(served)  # its turn is over
    order(book, "ann", "five", "six")
    assert line(book) == ["sam three", "ann five", "sam four", "ann six"]


def test_an_operators_request_is_first_and_so_is_one_that_is_owed(book: RequestBook) -> None:
    order(book, "sam", "one", "two")
    book.owe("ann")
    order(book, "ann", "owed", "usual")
    book.order("desk", TERMINAL, Brief("urgent"), "k", first=True)
    assert line(book) == ["desk urgent", "ann owed", "sam one", "ann usual", "sam two"]
    book.raise_to_front(book.of_fan("sam")[0].request.id)
    assert line(book)[:2] == ["sam two", "desk urgent"]


def test_a_double_click_is_one_song_and_a_second_wish_is_another(book: RequestBook, clock: Hands) -> None:
    def press(key: str, fan: str = "sam") -> str:
        return book.order(fan, TERMINAL, Brief("rain"), key).request.id

    first = press("press-1")
    clock.time += DOUBLE_CLICK / 2
    assert press("press-2") == first == press("press-1")
    assert press("press-3", fan="ann") != first
    clock.time += DOUBLE_CLICK
    assert press("press-4") != first
    assert len(book.of_fan("sam")) == 2


def test_a_fan_has_so_many_songs_a_day_and_the_same_message_counts_once(database: Database) -> None:
    book = RequestBook(database, a_day=2)
    order(book, "sam", "one", "one", "two")
    with pytest.raises(TooManyRequests, match="2 songs in a day"):
        order(book, "sam", "three")
    order(book, "ann", "one")
    book.cancel(book.of_fan("sam")[0].request.id)
    order(book, "sam", "three")  # what was taken back was not had
    assert len(book.of_fan("sam")) == 3
    book.close()


def test_a_cancelled_request_can_be_run_again_and_a_waiting_one_cannot(book: RequestBook) -> None:
    [song] = order(book, "sam", "one")
    with pytest.raises(BriefError, match="queued: only what failed or was cancelled"):
        book.retry(song)
    book.cancel(song)
    assert line(book) == []
    assert book.retry(song).state == "queued"
    assert line(book) == ["sam one"]


def test_a_drained_queue_takes_orders_and_says_so(book: RequestBook) -> None:
    assert not book.drained
    book.drain()
    assert book.drained
    assert book.status(order(book, "sam", "one")[0]).state == "queued"
    book.drain(on=False)
    assert not book.drained


def test_tries_are_counted_and_a_death_is_told_from_an_error(book: RequestBook) -> None:
    assert book.tries.begin("song", "sing").died == 0
    book.tries.note("song", "sing", "the disk is full")
    after_error = book.tries.begin("song", "sing")
    assert (after_error.tried, after_error.died, after_error.reason) == (2, 0, "the disk is full")
    assert book.tries.begin("song", "sing").died == 1, "nothing was noted: the process died at it"
    book.tries.renew("song")
    assert book.tries.of("song") == ()


def test_an_address_that_is_no_database_is_refused() -> None:
    with pytest.raises(DatabaseError, match="sqlite:/// or postgresql://"):
        Database("mysql://somewhere")


def test_a_worker_that_is_no_more_heard_of_loses_its_work_to_the_living(server: str) -> None:
    book = RequestBook(Database(postgres.new_database(server)))
    [song] = order(book, "sam", "one")
    dead, alive = (Keeper(book, name, "2", Clock(), 3600.0, active={song}) for name in ("dead", "alive"))
    dead.appear()
    alive.appear()
    book.database.write(
        "update dbos.workflow_status set status = 'PENDING', executor_id = 'dead', application_version = '2'"
    )
    alive.beat()
    assert book.status(song).state == "at work", "it was heard of a moment ago"
    book.database.write("update workers set seen = seen - :long where executor = 'dead'", long=2 * SILENCE)
    alive.beat()
    assert book.status(song).state == "queued"
    assert book.database.read("select executor from workers") == [("alive",)]
    alive.leave()
    book.close()
