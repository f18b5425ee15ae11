"""The log: what was said, durable once written, and the truth from which every index can be built again.

SQLite in WAL mode with synchronous=FULL: several processes may share the file, and what `append` has returned
survives a crash. Deleted rows are overwritten (secure_delete), so forgetting leaves no bytes in free pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import local

import numpy as np
from numpy.typing import NDArray

from memory.rank import Turn

SCHEMA = """
CREATE TABLE IF NOT EXISTS drawer (
    id INTEGER PRIMARY KEY,
    persona TEXT NOT NULL,
    scope TEXT NOT NULL,
    UNIQUE (persona, scope)
);
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    drawer INTEGER NOT NULL REFERENCES drawer (id),
    fan TEXT NOT NULL,
    kind TEXT NOT NULL,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_by_drawer ON entry (drawer, at);
CREATE INDEX IF NOT EXISTS entry_by_fan ON entry (fan, drawer, at);
CREATE TABLE IF NOT EXISTS vector (
    entry INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    unit BLOB NOT NULL
);
"""
COLUMNS = "entry.id, entry.drawer, entry.fan, entry.kind, entry.speaker, entry.text, entry.at"
BUSY_SECONDS = 20  # how long a writer waits for another process's write to end


class Log:
    """The entries of every drawer. A drawer is what one persona heard in one scope."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connections = local()
        with self.write() as db:
            for statement in SCHEMA.split(";"):
                db.execute(statement)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._connections, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
                db.execute(f"PRAGMA {pragma}")
            self._connections.db = db
        return db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on disk when the block ends, or none of it."""
        db = self.connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def append(
        self,
        persona: str,
        scope: str,
        entries: Iterable[tuple[str, str, str, str, datetime]],
        vectors: NDArray[np.float32],
        embedder: str,
    ) -> list[int]:
        """Keep entries (fan, kind, speaker, text, at) with their vectors; their ids, once on disk."""
        ids = []
        with self.write() as db:
            drawer = self._drawer(db, persona, scope)
            for (fan, kind, speaker, text, at), vector in zip(entries, vectors, strict=True):
                row = (drawer, fan, kind, speaker, text, at.timestamp())
                sql = "INSERT INTO entry (drawer, fan, kind, speaker, text, at) VALUES (?, ?, ?, ?, ?, ?)"
                id = int(db.execute(sql, row).lastrowid or 0)
                db.execute("INSERT INTO vector VALUES (?, ?, ?)", (id, embedder, _pack(vector)))
                ids.append(id)
        return ids

    def drawers(self, persona: str, scopes: Sequence[str]) -> list[int]:
        """The numbers of one persona's drawers for these scopes; a scope never written to has none."""
        marks = ",".join("?" * len(scopes))
        sql = f"SELECT id FROM drawer WHERE persona = ? AND scope IN ({marks}) ORDER BY id"  # noqa: S608
        return [id for (id,) in self.connection().execute(sql, (persona, *scopes))]

    def entries(self, drawers: Sequence[int]) -> list[Turn]:
        """Every entry of these drawers, drawer by drawer, in order of time."""
        marks = ",".join("?" * len(drawers))
        sql = f"SELECT {COLUMNS} FROM entry WHERE drawer IN ({marks}) ORDER BY drawer, at, id"  # noqa: S608
        return [_turn(row) for row in self.connection().execute(sql, list(drawers))]

    def vectors(self, ids: Sequence[int], embedder: str) -> dict[int, NDArray[np.float32]]:
        """The stored unit vectors of these entries by this embedder; entries without one are absent."""
        found = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ",".join("?" * len(some))
            sql = f"SELECT entry, unit FROM vector WHERE embedder = ? AND entry IN ({marks})"  # noqa: S608
            for id, unit in self.connection().execute(sql, (embedder, *some)):
                found[id] = np.frombuffer(unit, np.float16).astype(np.float32)
        return found

    def _drawer(self, db: sqlite3.Connection, persona: str, scope: str) -> int:
        db.execute("INSERT OR IGNORE INTO drawer (persona, scope) VALUES (?, ?)", (persona, scope))
        row = db.execute("SELECT id FROM drawer WHERE persona = ? AND scope = ?", (persona, scope)).fetchone()
        return int(row[0])


def _pack(vector: NDArray[np.float32]) -> bytes:
    """Half floats: unit vectors keep three digits, which is more than the int8 model gives."""
    return vector.astype(np.float16).tobytes()


def _turn(row: tuple[int, int, str, str, str, str, float]) -> Turn:
    id, drawer, fan, kind, speaker, text, at = row
    return Turn(id, drawer, fan, kind, speaker, text, datetime.fromtimestamp(at, UTC))
