"""The journal: what was begun at social places, what is known of its end, and what a second attempt can go on with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skills.database import Database


@dataclass(frozen=True)
class Attempt:
    """`begun`: when the first one was, seconds since 1970. `open`: the end of the last one is not known."""

    begun: float
    open: bool
    notes: dict[str, Any]


class Journal:
    """Durable before anything is sent: after a kill it is known that a post may have been made."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self.database, self.now = database, now

    def begin(self, nonce: str, address: str) -> Attempt:
        """What is known of earlier attempts; from here on this one is open."""
        self.database.write(
            "insert into attempts values (:nonce, :address, :now, 0, '{}', '', null) on conflict (nonce) do nothing",
            nonce=nonce, address=address, now=self.now(),
        )  # fmt: skip
        [(begun, was_open, notes)] = self.database.read(
            "select begun, open, notes from attempts where nonce = :nonce", nonce=nonce
        )
        self.database.write("update attempts set open = 1 where nonce = :nonce", nonce=nonce)
        return Attempt(float(begun), bool(was_open), json.loads(notes))

    def note(self, nonce: str, notes: dict[str, Any]) -> None:
        """Keeps what a second attempt can use, such as the id of a file that was uploaded."""
        self.database.write(
            "update attempts set notes = :notes where nonce = :nonce", notes=json.dumps(notes), nonce=nonce
        )

    def refused(self, nonce: str) -> None:
        """The place did not take it: that much is known."""
        self.database.write("update attempts set open = 0 where nonce = :nonce", nonce=nonce)

    def done(self, nonce: str, link: str) -> None:
        self.database.write(
            "update attempts set open = 0, link = :link, done = :now where nonce = :nonce",
            link=link, now=self.now(), nonce=nonce,
        )  # fmt: skip

    def link(self, nonce: str) -> str | None:
        """Where a post can be seen ('' where the place gives no link); None where it was not made."""
        rows = self.database.read(
            "select link from attempts where nonce = :nonce and done is not null", nonce=nonce
        )
        return str(rows[0][0]) if rows else None

    def wait(self, address: str, posts: int, per: float) -> float:
        """Seconds until one more post keeps to `posts` in `per` seconds at this address; 0: now."""
        rows = self.database.read(
            "select done from attempts where address = :address and done > :since "
            "order by done desc limit 1 offset :posts",
            address=address, since=self.now() - per, posts=posts - 1,
        )  # fmt: skip
        return max(0.0, float(rows[0][0]) + per - self.now()) if rows else 0.0
