"""Post: a thing delivered to an address, once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from skills.address import Address
from skills.database import Database
from skills.library import Library


class PostError(RuntimeError):
    """A post that could not be made; the message says why."""


@dataclass(frozen=True)
class Post:
    """`nonce` is stable across retries, so that a place which knows it can drop a repeat."""

    nonce: str
    address: Address
    text: str
    clip: Path | None = None


class Place(Protocol):
    """One kind of stage that can be posted to, by its address. A repeat of a nonce must not show twice."""

    def post(self, post: Post) -> None: ...


class PostBook:
    """Remembers which posts were made, so that a step which runs again after a crash makes none twice.

    Between a place taking a post and this book writing it down lies a moment: a kill in it makes the post again,
    with the same nonce, and the place drops it (Place says how).
    """

    def __init__(self, database: Database, places: Mapping[str, Place]) -> None:
        self.database, self.places = database, places

    def deliver(self, post: Post) -> bool:
        """Posts unless it was posted before; returns whether it did so now. Raises PostError."""
        place = self.places.get(post.address.stage)
        if place is None:
            known = ", ".join(sorted(self.places)) or "none"
            raise PostError(f"nothing here posts to {post.address.stage!r} (configured: {known})")
        if self.database.read("select 1 from posts where nonce = :nonce", nonce=post.nonce):
            return False
        place.post(post)
        self.database.write(
            "insert into posts values (:nonce, :address, :at) on conflict (nonce) do nothing",
            nonce=post.nonce, address=str(post.address), at=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        return True


class Inbox:
    """The place of the stages that have a process of their own, the terminal and Discord: posts wait here until that
    process shows them. Whoever posts may be another machine: a clip is kept as what it is called in the library."""

    def __init__(self, database: Database, library: Library) -> None:
        self.database, self.library = database, library

    def post(self, post: Post) -> None:
        clip = f"{post.clip.parent.name}/{post.clip.name}" if post.clip else ""
        self.database.write(
            f"insert into inbox values (:nonce, :address, :text, :clip, {self.database.clock}, 0) "  # noqa: S608
            "on conflict (nonce) do nothing",
            nonce=post.nonce, address=str(post.address), text=post.text, clip=clip,
        )  # fmt: skip

    def waiting(self, stage: str) -> list[Post]:
        """Posts for any address of a stage that nobody has taken yet, oldest first."""
        return self._posts("select {} from inbox where address like :start and shown = 0", start=f"{stage}:%")

    def take(self, address: Address) -> list[Post]:
        """Posts not yet shown, oldest first; they count as shown from now on."""
        return self._posts(
            "update inbox set shown = 1 where address = :address and shown = 0 returning {}",
            address=str(address),
        )

    def take_one(self, nonce: str) -> None:
        self.database.write("update inbox set shown = 1 where nonce = :nonce", nonce=nonce)

    def of_request(self, request: str) -> list[Post]:
        """The posts of one request, whether another chat has shown them or not; they count as shown from now on."""
        return self._posts(
            "update inbox set shown = 1 where nonce like :start returning {}", start=f"{request}:%"
        )

    def _posts(self, sql: str, **values: Any) -> list[Post]:
        with self.database.transaction() as connection:
            statement = self.database.sql(sql.format("at, nonce, address, text, clip"))
            rows = connection.execute(statement, values).fetchall()
        return [
            Post(nonce, Address.parse(address), text, (self.library.root / clip).absolute() if clip else None)
            for _, nonce, address, text, clip in sorted(tuple(row) for row in rows)
        ]


@contextmanager
def book(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A small SQLite book whose commits survive a kill; several processes may write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        with connection:
            connection.execute(schema)
            yield connection
