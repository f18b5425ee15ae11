"""The durable request, with the real worker process, the real singer and the real band."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skills.address import Address
from skills.book import RequestBook, RequestStatus
from skills.brief import Brief
from skills.database import Database
from skills.library import Library
from skills.post import Inbox

TERMINAL = Address("terminal")
BRIEF = Brief("the last train home", style="blues", dedication="Maya", seconds=15)
A_SONG_TAKES = 240  # seconds at the very most, on two busy cores


@pytest.fixture
def book(own_folders: Path) -> Iterator[RequestBook]:
    data = own_folders / "data"
    data.mkdir()
    book = RequestBook(Database(f"sqlite:///{data / 'requests.sqlite'}"))
    yield book
    book.close()


@contextmanager
def worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`troubadour worker` with this test's settings; ended at the latest with the test."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("troubadour"), "worker"], stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def until(
    book: RequestBook,
    request: str,
    condition: Callable[[RequestStatus], bool],
    process: subprocess.Popen[bytes],
    log: Path,
) -> RequestStatus:
    deadline = time.monotonic() + A_SONG_TAKES
    while time.monotonic() < deadline:
        status = book.status(request)
        if condition(status):
            return status
        assert status.open, f"{status.error}; {log.read_text()}"
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"still {status} after {A_SONG_TAKES} s; {log.read_text()}")


@pytest.mark.slow
@pytest.mark.parametrize("step", ["sing", "mix"])
def test_killed_in_the_middle_it_goes_on_where_it_was_and_posts_once(
    book: RequestBook, own_folders: Path, step: str
) -> None:
    log, data = own_folders / "worker.log", own_folders / "data"
    request = book.order("terminal:sam", TERMINAL, BRIEF, "message-1").request.id
    folder = Library(data / "songs").folder(request)

    with worker(log) as process:
        until(
            book, request, lambda status: step in status.progress and status.progress[step] < 1, process, log
        )
        process.kill()
        process.wait()
    assert not (folder / "clip.json").exists(), "it was killed before the song was done"
    written = {name: (folder / name).stat().st_mtime_ns for name in ("lyrics.json", "score.json")}
    lyrics = (folder / "lyrics.json").read_bytes()

    with worker(log) as process:
        done = until(book, request, lambda status: not status.open, process, log)
    assert done.state == "done", done.error
    assert {name: (folder / name).stat().st_mtime_ns for name in written} == written, (
        "done steps are not done again"
    )
    assert (folder / "lyrics.json").read_bytes() == lyrics
    song = Library(data / "songs").read(request)
    [post] = Inbox(book.database, Library(data / "songs")).take(TERMINAL)
    assert post.clip == Library(data / "songs").clip(song).absolute()
    assert post.clip.stat().st_size > 100_000
    assert not list(folder.rglob(".*")), "no torn temporary file is left behind"


def test_a_request_waits_durably_and_the_same_message_asks_once(book: RequestBook) -> None:
    first = book.order("terminal:sam", TERMINAL, BRIEF, "message-1")
    again = book.order("terminal:sam", TERMINAL, BRIEF, "message-1")
    other = book.order("terminal:sam", TERMINAL, Brief("rain on a tin roof", seconds=15), "message-2")
    assert first.request == again.request
    assert (first.ahead, other.ahead) == (0, 1)
    assert other.state == "queued"
    fresh = RequestBook(Database(book.database.url))  # as another process sees it
    assert [status.request for status in fresh.of_fan("terminal:sam")] == [other.request, first.request]
    assert fresh.of_fan("terminal:ann") == []
    fresh.close()


def test_a_cancelled_request_is_not_open_any_more(book: RequestBook) -> None:
    request = book.order("terminal:sam", TERMINAL, BRIEF, "message-1").request.id
    book.cancel(request)
    assert book.status(request).state == "cancelled"
    assert book.open_requests() == []


def test_a_request_that_nobody_made_is_a_key_error(book: RequestBook) -> None:
    with pytest.raises(KeyError):
        book.status("nobody-asked")
