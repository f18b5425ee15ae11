"""The guard's book: whom it has told that it is an AI, who said that they are young, and how often it stepped in.

Incidents are counted by day, place, topic and layer. Neither words nor names are kept with them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from persona.guard.rules import Verdict
from skills.address import Address

AGAIN = timedelta(hours=3)  # of a running conversation, after which it says once more what it is
GROWN_UP = 18

SCHEMA = """
create table if not exists told (fan text, address text, at real not null, primary key (fan, address));
create table if not exists young (fan text primary key, born_after integer not null);
create table if not exists incidents (
    day text, place text, intent text, topic text, why text, count integer not null default 0,
    primary key (day, place, intent, topic, why));
"""


@dataclass(frozen=True)
class Incidents:
    """How often, on one day in one place ('terminal:', 'discord:<guild>'), the guard stepped in for one reason."""

    day: str
    place: str
    intent: str
    topic: str
    why: str
    count: int


class GuardBook:
    """Safe to use from any thread; several processes may share the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, threading.Lock()
        with self._open() as book:
            book.execute("pragma journal_mode = wal")
            book.executescript(SCHEMA)

    def due(self, fan: str, address: Address, now: datetime) -> str:
        """Which notice this fan should hear here: 'first', 'again', or '' for none."""
        with self._open() as book:
            row = book.execute(
                "select at from told where fan = ? and address = ?", (fan, str(address))
            ).fetchone()
        if row is None:
            return "first"
        return "again" if now.timestamp() - row[0] >= AGAIN.total_seconds() else ""

    def told(self, fan: str, address: Address, now: datetime) -> None:
        with self._open() as book:
            book.execute("insert or replace into told values (?, ?, ?)", (fan, str(address), now.timestamp()))

    def said_age(self, fan: str, age: int, now: datetime) -> None:
        """A fan said how old they are. Kept only as the year after which they were born, and only if young."""
        with self._open() as book:
            if age < GROWN_UP:
                book.execute("insert or replace into young values (?, ?)", (fan, now.year - age - 1))
            else:
                book.execute("delete from young where fan = ?", (fan,))

    def is_young(self, fan: str, now: datetime) -> bool:
        with self._open() as book:
            row = book.execute("select born_after from young where fan = ?", (fan,)).fetchone()
        return row is not None and now.year - row[0] <= GROWN_UP

    def count(self, verdict: Verdict, place: str, now: datetime) -> None:
        why = verdict.why.split()[0]  # 'judged .52' is told to the log, and counted as 'judged'
        with self._open() as book:
            book.execute(
                "insert into incidents values (?, ?, ?, ?, ?, 1) on conflict do update set count = count + 1",
                (now.date().isoformat(), place, verdict.intent, verdict.topic, why),
            )

    def incidents(self, since: datetime, place: str | None = None) -> Sequence[Incidents]:
        """Newest day first."""
        where, values = "day >= ?", [since.date().isoformat()]
        if place is not None:
            where, values = where + " and place = ?", [*values, place]
        with self._open() as book:
            rows = book.execute(
                f"select * from incidents where {where} order by day desc, count desc",  # noqa: S608 - our own words
                values,
            ).fetchall()
        return [Incidents(*row) for row in rows]

    def forget(self, fan: str) -> int:
        """Everything about a fan; how many rows went."""
        with self._open() as book:
            gone = book.execute("delete from told where fan = ?", (fan,)).rowcount
            return gone + book.execute("delete from young where fan = ?", (fan,)).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, or not at all."""
        with self._lock, closing(sqlite3.connect(self._path, timeout=30)) as book, book:
            book.execute("pragma secure_delete = on")
            yield book
