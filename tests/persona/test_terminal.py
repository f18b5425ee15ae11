"""The terminal stage with a scripted artist; the real one talks in test_cli.py."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from persona.encounter import Encounter
from persona.stages.terminal import TERMINAL, TerminalStage
from skills.book import RequestBook
from skills.brief import Brief
from skills.database import Database
from skills.library import Library
from skills.post import Inbox, Post


class Parrot:
    """Says back what it hears, and does what the test wants meanwhile."""

    name, greeting = "Parrot", "Hello."

    def __init__(self, meanwhile: Callable[[Encounter], None] = lambda _: None) -> None:
        self.heard: list[str] = []
        self.meanwhile = meanwhile

    async def answer(self, encounter: Encounter) -> AsyncIterator[str]:
        self.heard.append(encounter.message.text)
        self.meanwhile(encounter)
        for piece in ("You said: ", encounter.message.text[:6], encounter.message.text[6:]):
            yield piece

    async def close(self) -> None:
        self.heard.append("(closed)")


class House:
    def __init__(self, folder: Path, parrot: Parrot) -> None:
        self.book = RequestBook(Database(f"sqlite:///{folder / 'requests.sqlite'}"))
        self.library = Library(folder / "songs")
        self.inbox = Inbox(self.book.database, self.library)
        self.parrot = parrot
        self.stage = TerminalStage(parrot, self.book, self.library, self.inbox)

    def hear(self, monkeypatch: pytest.MonkeyPatch, given: bytes) -> bool:
        monkeypatch.setattr(
            sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8", errors="surrogateescape")
        )
        try:
            return self.stage.run(interactive=False)
        finally:
            self.book.close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, Parrot())


def test_lines_of_a_pipe_are_answered_in_order(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.hear(monkeypatch, b"hello there\n\n  \nhow are you\n")
    assert house.parrot.heard == ["hello there", "how are you", "(closed)"]
    said = capsys.readouterr().out
    assert said.index("Parrot: You said: hello there") < said.index("Parrot: You said: how are you")


def test_bytes_that_are_no_text_lose_neither_the_message_nor_the_chat(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.hear(monkeypatch, b"my dog h\xffi\nstill here\n")
    assert house.parrot.heard == ["my dog h\N{REPLACEMENT CHARACTER}i", "still here", "(closed)"]


def test_quit_ends_the_chat_and_unknown_commands_are_named(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.hear(monkeypatch, b"/dance\n/help\n/quit\nnever heard\n")
    assert house.parrot.heard == ["(closed)"]
    said = capsys.readouterr().out
    assert "/dance is not a command here" in said
    assert "/songs" in said


def test_posts_that_came_while_nobody_was_here_are_shown_once_and_are_not_this_chats_clip(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.inbox.post(Post("old-song:clip", TERMINAL, "Here is the old one.", Path("/songs/a-song/old.mp3")))
    assert house.hear(monkeypatch, b"hello\n")
    said = capsys.readouterr().out
    assert said.count("/songs/a-song/old.mp3") == 1
    assert not said.rstrip().endswith("old.mp3")


def ordered(house: House, encounter: Encounter, brief: Brief) -> str:
    return house.book.order(encounter.fan.id, TERMINAL, brief, encounter.message.id).request.id


def test_a_song_that_does_not_come_fails_a_script_and_its_apology_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def order_and_fail(encounter: Encounter) -> None:
        request = ordered(house, encounter, Brief("rain"))
        house.inbox.post(Post(f"{request}:apology", TERMINAL, "It broke on me."))
        house.stage._watch_one = lambda status: None  # type: ignore[method-assign]  # it has ended by now

    house = House(tmp_path, Parrot(order_and_fail))
    assert not house.hear(monkeypatch, b"a song about rain\n")
    assert "It broke on me." in capsys.readouterr().out


def test_another_chat_that_showed_our_post_first_takes_nothing_from_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def order_and_make(encounter: Encounter) -> None:
        request = ordered(house, encounter, Brief("rain"))
        house.inbox.post(Post(f"{request}:clip", TERMINAL, "Here it is.", Path("/songs/a-song/new.mp3")))
        assert house.inbox.take(TERMINAL), "the other chat"
        house.stage._watch_one = lambda status: None  # type: ignore[method-assign]

    house = House(tmp_path, Parrot(order_and_make))
    assert house.hear(monkeypatch, b"a song about rain\n")
    assert capsys.readouterr().out.rstrip().splitlines()[-1].endswith("/songs/a-song/new.mp3")


def test_a_deleted_song_is_told_of_and_ends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = house.book.order(house.stage.fan.id, TERMINAL, Brief("rain"), "message-1").request.id
    monkeypatch.setattr(RequestBook, "of_fan", lambda self, fan: [_done(self.status(request))], raising=True)
    assert house.hear(monkeypatch, b"/songs\nhello\n")
    assert "rain: no longer in the library" in capsys.readouterr().out
    assert house.parrot.heard == ["hello", "(closed)"]


def _done(status: object) -> object:
    import dataclasses

    return dataclasses.replace(status, state="done")  # type: ignore[type-var]
