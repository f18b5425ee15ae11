"""The journal: what was begun at social places, what is known of its end, and what a second attempt can go on with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from skills.post import book

SCHEMA = (
    "create table if not exists attempts (nonce text primary key, address text, begun real, open integer, "
    "notes text, link text, done real)"
)


@dataclass(frozen=True)
class Attempt:
    """`begun`: when the first one was, seconds since 1970. `open`: the end of the last one is not known."""

    begun: float
    open: bool
    notes: dict[str, Any]


class Journal:
    """Durable before anything is sent: after a kill it is known that a post may have been made."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path, self.now = path, now

    def begin(self, nonce: str, address: str) -> Attempt:
        """What is known of earlier attempts; from here on this one is open."""
        with self._table() as table:
            table.execute(
                "insert or ignore into attempts values (?, ?, ?, 0, '{}', '', null)",
                (nonce, address, self.now()),
            )
            begun, was_open, notes = table.execute(
                "select begun, open, notes from attempts where nonce = ?", (nonce,)
            ).fetchone()
            table.execute("update attempts set open = 1 where nonce = ?", (nonce,))
        return Attempt(begun, bool(was_open), json.loads(notes))

    def note(self, nonce: str, notes: dict[str, Any]) -> None:
        """Keeps what a second attempt can use, such as the id of a file that was uploaded."""
        with self._table() as table:
            table.execute("update attempts set notes = ? where nonce = ?", (json.dumps(notes), nonce))

    def refused(self, nonce: str) -> None:
        """The place did not take it: that much is known."""
        with self._table() as table:
            table.execute("update attempts set open = 0 where nonce = ?", (nonce,))

    def done(self, nonce: str, link: str) -> None:
        with self._table() as table:
            table.execute(
                "update attempts set open = 0, link = ?, done = ? where nonce = ?", (link, self.now(), nonce)
            )

    def link(self, nonce: str) -> str | None:
        """Where a post can be seen ('' where the place gives no link); None where it was not made."""
        with self._table() as table:
            row = table.execute(
                "select link from attempts where nonce = ? and done is not null", (nonce,)
            ).fetchone()
        return str(row[0]) if row else None

    def wait(self, address: str, posts: int, per: float) -> float:
        """Seconds until one more post keeps to `posts` in `per` seconds at this address; 0: now."""
        with self._table() as table:
            row = table.execute(
                "select done from attempts where address = ? and done > ? order by done desc limit 1 offset ?",
                (address, self.now() - per, posts - 1),
            ).fetchone()
        return max(0.0, float(row[0]) + per - self.now()) if row else 0.0

    @contextmanager
    def _table(self) -> Iterator[Connection]:
        with book(self.path, SCHEMA) as connection:
            yield connection
