"""Tombstones: that something was forgotten, without saying what. Whoever holds a name can ask whether it lies here.

A backup, a worker in the middle of a song and a conversation in another process learn by them what is to go.
Names are kept as keyed hashes; the key lies beside them, so this guards against reading, not against trying a name.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from skills.post import book

SCHEMA = "create table if not exists stones (number integer primary key, kind text, mark text, at text)"
KEY = "key"


@dataclass(frozen=True)
class Stone:
    """`kind`: 'fan' (all of a fan), 'talk' (a fan's conversations), 'song' (which leaves its
    sound) or 'clip' (which leaves nothing); mark: the hash of its name."""

    number: int
    kind: str
    mark: str
    at: str


class Tombstones:
    """In a file of the data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def bury(self, kind: str, names: Iterable[str], at: str) -> None:
        with self._table() as table:
            key = _key(table)
            rows = [(kind, _mark(key, name), at) for name in names]
            table.executemany("insert into stones (kind, mark, at) values (?, ?, ?)", rows)

    def after(self, number: int) -> list[Stone]:
        """The stones set after this one, oldest first."""
        if not self.path.exists():
            return []
        with self._table() as table:
            rows = table.execute(
                "select number, kind, mark, at from stones where number > ? and kind != ? order by number",
                (number, KEY),
            ).fetchall()
        return [Stone(*row) for row in rows]

    def lying(self, stones: Iterable[Stone], kinds: Iterable[str], names: Iterable[str]) -> list[str]:
        """Those of the names that have one of these stones."""
        marks = {stone.mark for stone in stones if stone.kind in kinds}
        if not marks:
            return []
        with self._table() as table:
            key = _key(table)
        return [name for name in dict.fromkeys(names) if _mark(key, name) in marks]

    def copy_to(self, other: Tombstones) -> list[Stone]:
        """Gives another file what it lacks of ours; returns that."""
        there = {(stone.kind, stone.mark, stone.at) for stone in other.after(0)}
        news = [stone for stone in self.after(0) if (stone.kind, stone.mark, stone.at) not in there]
        with self._table() as table:
            key = _key(table)
        with other._table() as table:
            table.execute("delete from stones where kind = ?", (KEY,))
            table.execute("insert into stones values (0, ?, ?, '')", (KEY, key))
            rows = [(stone.kind, stone.mark, stone.at) for stone in news]
            table.executemany("insert into stones (kind, mark, at) values (?, ?, ?)", rows)
        return news

    @contextmanager
    def _table(self) -> Iterator[Connection]:
        with book(self.path, SCHEMA) as table:
            yield table


def _key(table: Connection) -> str:
    """The key of this file's hashes, made when it is first asked for."""
    table.execute("insert or ignore into stones values (0, ?, ?, '')", (KEY, secrets.token_hex(16)))
    key: str = table.execute("select mark from stones where number = 0").fetchone()[0]
    return key


def _mark(key: str, name: str) -> str:
    return hashlib.sha256(f"{key}\0{name}".encode()).hexdigest()
