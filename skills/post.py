"""Post: a thing delivered to an address, once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from skills.address import Address
from skills.database import Database


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


class TerminalInbox:
    """The terminal's place: posts wait here until a chat in the terminal shows them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def post(self, post: Post) -> None:
        with self._table() as table:
            table.execute(
                "insert or ignore into inbox values (?, ?, ?, ?, 0)",
                (post.nonce, str(post.address), post.text, str(post.clip or "")),
            )

    def take(self, address: Address) -> list[Post]:
        """Posts not yet shown, oldest first; they count as shown from now on."""
        with self._table() as table:
            rows = table.execute(
                "update inbox set shown = 1 where address = ? and shown = 0 returning rowid, nonce, text, clip",
                (str(address),),
            ).fetchall()
        return [
            Post(nonce, address, text, Path(clip) if clip else None) for _, nonce, text, clip in sorted(rows)
        ]

    def of_request(self, request: str) -> list[Post]:
        """The posts of one request, whether another chat has shown them or not; they count as shown from now on."""
        with self._table() as table:
            rows = table.execute(
                "update inbox set shown = 1 where substr(nonce, 1, ?) = ? returning rowid, nonce, address, text, clip",
                (len(request) + 1, f"{request}:"),
            ).fetchall()
        return [
            Post(nonce, Address.parse(address), text, Path(clip) if clip else None)
            for _, nonce, address, text, clip in sorted(rows)
        ]

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        schema = (
            "create table if not exists inbox "
            "(nonce text primary key, address text, text text, clip text, shown integer)"
        )
        with book(self.path, schema) as connection:
            yield connection


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
