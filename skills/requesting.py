"""What the artist can do for a fan who talks with it: take an order, tell how it goes, write a few lines.

Plain functions; skills/tools.py puts a LangChain tool over each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skills.address import Address
from skills.book import RequestBook, RequestStatus
from skills.brief import Brief
from skills.library import Library, LibraryError

if TYPE_CHECKING:
    from skills.words import Author


@dataclass(frozen=True)
class Asker:
    """Who asks, where, and in which message. Comes from the encounter, never from the model.

    `key` is the message's id: the same message asks once, however often it is delivered.
    """

    fan: str
    address: Address
    key: str


@dataclass(frozen=True)
class Receipt:
    """A request that is durable now. `ahead` requests come before it; `set_aside`: what the song will not follow."""

    request: str
    theme: str
    dedication: str
    ahead: int
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class SongNews:
    """How a fan's request goes. `title` and `clip` (a path) are there once it is done."""

    request: str
    theme: str
    state: str
    ahead: int
    step: str
    title: str = ""
    clip: str = ""


def anyone(asker: Asker, brief: Brief) -> None:
    """Where nobody set limits."""


@dataclass(frozen=True)
class Skills:
    """What the skills work with. `seconds`: a song's length when the fan asks for none.

    `permit` may raise BriefError with the reason why this asker gets no such song here and now (a stage's limits).
    """

    book: RequestBook
    library: Library
    author: Callable[[], Author]
    seconds: float = 20.0
    permit: Callable[[Asker, Brief], None] = anyone


def request_song(skills: Skills, asker: Asker, brief: str) -> Receipt:
    """Writes a request down and says at once where it stands. Raises BriefError with what to do about the brief."""
    from skills.reading import read_brief, set_aside

    receipt = order(skills, asker, read_brief(brief, Brief("", seconds=skills.seconds)))
    return replace(receipt, set_aside=set_aside(brief))


def order(
    skills: Skills,
    asker: Asker,
    wanted: Brief,
    version_of: str = "",
    change: Mapping[str, Any] | None = None,
) -> Receipt:
    """Writes down a request whose brief is clear already, or for a version of a song with a change.

    Raises BriefError where the asker's limits forbid it.
    """
    skills.permit(asker, wanted)
    status = skills.book.order(
        asker.fan, asker.address, wanted, asker.key, version_of=version_of, change=change
    )
    return Receipt(status.request.id, wanted.theme, wanted.dedication, status.ahead)


def song_status(skills: Skills, asker: Asker) -> list[SongNews]:
    """The fan's requests, newest first."""
    return [_news(skills.library, status) for status in skills.book.of_fan(asker.fan)]


def write_lyrics(skills: Skills, asker: Asker, brief: str) -> str:
    """Lyrics as text, without a song being made. Raises BriefError."""
    from skills import words
    from skills.reading import read_brief

    wanted = replace(read_brief(brief, Brief("", seconds=skills.seconds)), form="verse-chorus")
    seed = int.from_bytes(hashlib.sha256(asker.key.encode()).digest()[:4], "big")
    return words.write_lyrics(wanted, seed, skills.author(), skills.library.used_lines("")).text


def _news(library: Library, status: RequestStatus) -> SongNews:
    request, title, clip = status.request, "", ""
    if status.state == "done":
        try:
            song = library.read(request.id)
            title, clip = song.title, str(library.clip(song))
        except LibraryError:  # made, and deleted since: the request is still told of
            title = request.brief.theme
    return SongNews(request.id, request.brief.theme, status.state, status.ahead, status.step, title, clip)
