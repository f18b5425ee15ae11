"""`troubadour queue`, on a real book, without a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from persona.cli import app
from skills.address import Address
from skills.book import RequestBook
from skills.brief import Brief, BriefError
from skills.database import Database


@pytest.fixture
def book(own_folders: Path) -> Iterator[RequestBook]:
    book = RequestBook(Database(f"sqlite:///{own_folders / 'data' / 'requests.sqlite'}"))
    for fan, theme in (("terminal:sam", "rain"), ("terminal:sam", "snow"), ("discord:7", "hail")):
        book.order(fan, Address("terminal"), Brief(theme), theme)
    yield book
    book.close()


def queue(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["queue", *words, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_queue_is_listed_in_its_order_and_one_request_is_shown_whole(book: RequestBook) -> None:
    rows = queue("list")["requests"]
    assert [(row["fan"], row["theme"], row["ahead"]) for row in rows] == [
        ("terminal:sam", "rain", 0), ("discord:7", "hail", 1), ("terminal:sam", "snow", 2),
    ]  # fmt: skip
    shown = queue("show", rows[1]["id"])
    assert (shown["state"], shown["theme"], shown["tries"]) == ("queued", "hail", [])
    assert shown["ordered"]
    text = CliRunner().invoke(app, ["queue", "list"]).stdout
    assert "2 ahead" in text


def test_cancelled_run_again_and_put_first(book: RequestBook) -> None:
    snow = book.of_fan("terminal:sam")[0].request.id
    assert queue("cancel", snow)["requests"][0]["state"] == "cancelled"
    with pytest.raises(BriefError, match="not queued or at work any more"):
        queue("cancel", snow)
    assert queue("retry", snow)["requests"][0]["state"] == "queued"
    assert queue("first", snow)["requests"][0]["ahead"] == 0
    assert queue("retry", "--all")["requests"] == [], "nothing was set aside"


def test_drained_until_it_is_ended(book: RequestBook) -> None:
    assert queue("drain") == {"drained": True, "queued": 3, "at_work": 0}
    assert queue("list")["drained"]
    assert queue("drain", "--end")["drained"] is False
    assert not book.drained


def test_a_request_that_nobody_ordered_is_said_to_be_so(book: RequestBook) -> None:
    with pytest.raises(BriefError, match="nobody ordered 'nothing'; `troubadour queue list` shows"):
        queue("show", "nothing")
    with pytest.raises(BriefError, match="which one"):
        queue("retry")
