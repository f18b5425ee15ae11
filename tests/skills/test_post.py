from __future__ import annotations

from pathlib import Path

import pytest

from skills.address import Address
from skills.database import Database
from skills.library import Library
from skills.post import Inbox, Post, PostBook, PostError

TERMINAL = Address("terminal")
CLIP = Post("song-1:clip", TERMINAL, "Here it is.", Path("/songs/song-1/clip.mp3"))


def books(folder: Path) -> tuple[PostBook, Inbox]:
    database = Database(f"sqlite:///{folder / 'requests.sqlite'}")
    inbox = Inbox(database, Library(Path("/songs")))
    return PostBook(database, {"terminal": inbox}), inbox


def test_a_post_reaches_its_address_once_however_often_it_is_delivered(tmp_path: Path) -> None:
    posts, inbox = books(tmp_path)
    assert posts.deliver(CLIP)
    assert not posts.deliver(CLIP)
    assert not books(tmp_path)[0].deliver(CLIP), "another process knows of it as well"
    assert inbox.take(TERMINAL) == [CLIP]
    assert inbox.take(TERMINAL) == []


def test_a_kill_between_the_place_and_the_book_shows_nothing_twice(tmp_path: Path) -> None:
    posts, inbox = books(tmp_path)
    inbox.post(CLIP)  # the place took it, and the process died before the book was written
    assert posts.deliver(CLIP)
    assert inbox.take(TERMINAL) == [CLIP]


def test_posts_are_shown_in_order_and_only_at_their_address(tmp_path: Path) -> None:
    posts, inbox = books(tmp_path)
    elsewhere = Address("terminal", "other")
    for number, address in enumerate((TERMINAL, elsewhere, TERMINAL)):
        posts.deliver(Post(f"n{number}", address, str(number)))
    assert [post.text for post in inbox.take(TERMINAL)] == ["0", "2"]
    assert [post.text for post in inbox.take(elsewhere)] == ["1"]


def test_an_address_that_nothing_posts_to_is_an_error_that_names_what_there_is(tmp_path: Path) -> None:
    posts, _ = books(tmp_path)
    with pytest.raises(PostError, match=r"'mastodon' \(configured: terminal\)"):
        posts.deliver(Post("n", Address("mastodon", "rust"), "hello"))


@pytest.mark.parametrize("text", ["terminal", "", ":x", "no stage:x"])
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address looks like"):
        Address.parse(text)


@pytest.mark.parametrize("text", ["terminal:", "discord:1/2", "mastodon:@rust@example.org", "web:a:b"])
def test_an_address_survives_being_text(text: str) -> None:
    assert str(Address.parse(text)) == text
