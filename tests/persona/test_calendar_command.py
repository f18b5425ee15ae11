"""`troubadour calendar`, as an operator types it: the real program, in a process of its own where it goes round."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from persona.cli import main
from persona.settings import read_settings
from persona.wiring import House
from skills.address import Address
from skills.calendar.occasions import occasion, upcoming

CALENDAR = """
zone: Europe/Berlin
where: ["terminal:"]
entries:
  thought: {what: thought, cron: 0 12 * * *, approve: true}
  hello: {what: announcement, date: 2036-12-24 18:00, text: We play tonight.}
"""


def told(said: str) -> Any:
    return json.loads(said)


@pytest.fixture
def home(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    (own_folders / "calendar.yaml").write_text(CALENDAR)
    monkeypatch.setenv("TROUBADOUR_CALENDAR__FILE", str(own_folders / "calendar.yaml"))
    return House(read_settings())


Typed = Callable[..., str]


@pytest.fixture
def troubadour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """What the program says: on standard output, or on standard error where it `fails`."""

    def typed(*words: str, answers: str = "", fails: bool = False) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["troubadour", "calendar", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said, trouble = capsys.readouterr()
        assert (status != 0) == fails, trouble
        return trouble if fails else said

    return typed


def a_draft(home: House) -> str:
    [thought, _] = home.posting.calendar.read()
    came = occasion(thought, datetime(2026, 11, 2, 11, tzinfo=UTC))
    home.posting.book.add(came)
    home.posting.book.move(home.posting.book.get(came.id), "draft", text="Low and slow.")
    return came.id


def test_list_and_next_show_what_comes(home: House, troubadour: Typed) -> None:
    shown = troubadour("list")
    assert "0 12 * * * Europe/Berlin (after approval)" in " ".join(shown.split())
    [first, second] = told(troubadour("next", "-n", "2", "--json"))["next"]
    assert {first["what"], second["what"]} == {"thought"}
    assert {row["id"] for row in told(troubadour("next", "-n", "9", "--json"))["next"]} > {
        first["id"],
        second["id"],
    }
    entries = home.posting.calendar.read()
    assert (
        second["id"]
        == [each.id for each, _ in zip(upcoming(entries[0], datetime.now(UTC)), range(2), strict=False)][1]
    )


@pytest.mark.slow
def test_run_makes_it_now_and_a_draft_goes_out_after_a_yes(home: House, troubadour: Typed) -> None:
    draft = run("thought")
    assert (draft["state"], draft["posts"]) == ("draft", {})
    assert " AI" in draft["text"]
    assert [each["id"] for each in told(troubadour("approve", "--json"))["drafts"]] == [draft["id"]]
    assert "will be posted" in troubadour("approve", answers="y\n")
    posted = run("hello")  # whoever goes round brings out what was approved as well
    assert posted["state"] == "posted"
    assert home.posting.book.get(draft["id"]).state in ("ready", "posted")
    said = [post.text for post in home.inbox.take(Address("terminal"))]
    assert any(text.startswith("We play tonight.") for text in said)


def run(entry: str) -> Any:
    """`troubadour calendar run`, in a process of its own: it goes round, as a worker does."""
    words = [Path(sys.executable).with_name("troubadour"), "calendar", "run", entry, "--json"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return told(done.stdout)


def test_no_is_no(home: House, troubadour: Typed) -> None:
    draft = a_draft(home)
    assert "Low and slow." in troubadour("approve", answers="n\n")
    assert home.posting.book.get(draft).state == "draft"
    troubadour("reject", draft)
    assert told(troubadour("show", draft, "--json"))["state"] == "rejected"
    assert "only a draft" in troubadour("approve", draft, "--yes", fails=True)


def test_other_words_pass_the_guard_too(home: House, troubadour: Typed) -> None:
    draft = a_draft(home)
    said = troubadour(
        "approve", draft, "--yes", "--text", "I was born in a small town and I have two kids.", fails=True
    )
    assert "the guard stopped these words" in said
    troubadour("approve", draft, "--yes", "--text", "Higher and faster.")
    assert home.posting.book.get(draft).text == "Higher and faster.\n\nWritten by an AI."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "dance"), "the calendar has no entry 'dance'; it has: thought, hello"),
        (("show", "x"), "there is no occasion 'x'"),
        (("approve", "--text", "a"), "other words are for one draft"),
    ],
)
def test_mistakes_are_one_sentence(home: House, troubadour: Typed, words: tuple[str, ...], said: str) -> None:
    found = troubadour(*words, fails=True)
    assert said in found
    assert len(found.splitlines()) == 1


def test_a_calendar_that_cannot_be_read_says_which_line_of_it(
    home: House, troubadour: Typed, own_folders: Path
) -> None:
    (own_folders / "calendar.yaml").write_text("entries: {a: {what: thought, cron: often}}")
    assert "a: cron: 'often' is no cron expression" in troubadour("list", fails=True)
