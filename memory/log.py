"""The log: what was said, durable once written, and the truth from which every index can be built again.

SQLite in WAL mode with synchronous=FULL: several processes may share the file, and what `append` has returned
survives a crash. Deleted rows are overwritten (secure_delete), so forgetting leaves no bytes in free pages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.rank import Turn
from memory.words import bag

VERSION = 3
SCHEMA = """
CREATE TABLE IF NOT EXISTS drawer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    persona TEXT NOT NULL,
    scope TEXT NOT NULL,
    next INTEGER NOT NULL DEFAULT 0,
    big INTEGER NOT NULL DEFAULT 0,
    UNIQUE (persona, scope)
);
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    drawer INTEGER NOT NULL REFERENCES drawer (id),
    seq INTEGER NOT NULL,
    fan TEXT NOT NULL,
    kind TEXT NOT NULL,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    heard TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL,
    slot TEXT,
    key TEXT,
    value TEXT,
    confidence REAL,
    source INTEGER,
    until REAL,
    UNIQUE (drawer, seq)
);
CREATE INDEX IF NOT EXISTS entry_by_fan ON entry (fan, drawer, seq);
CREATE INDEX IF NOT EXISTS entry_by_age ON entry (kind, at);
CREATE INDEX IF NOT EXISTS entry_by_source ON entry (source) WHERE source IS NOT NULL;
CREATE INDEX IF NOT EXISTS entry_superseded ON entry (until) WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS vector (
    entry INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    unit BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS posting (
    drawer INTEGER NOT NULL,
    stem TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (drawer, stem, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indexed (
    drawer INTEGER NOT NULL,
    embedder TEXT NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (drawer, embedder)
);
CREATE TABLE IF NOT EXISTS awaiting (
    drawer INTEGER NOT NULL,
    fan TEXT NOT NULL,
    question TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (drawer, fan)
);
CREATE TABLE IF NOT EXISTS heard_in (
    message TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    PRIMARY KEY (message, entry)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heard_in_by_entry ON heard_in (entry);
CREATE TABLE IF NOT EXISTS forgotten (
    entry INTEGER PRIMARY KEY,
    at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS consent (
    fan TEXT NOT NULL,
    persona TEXT NOT NULL,
    scope TEXT NOT NULL,
    PRIMARY KEY (fan, persona, scope)
);
"""
COLUMNS = (
    "entry.id, entry.drawer, entry.fan, entry.kind, entry.speaker, entry.text, entry.at, entry.seq, entry.heard,"
    " coalesce(entry.source, 0),"
    # past: it told facts, and none of them holds any more, nor was told again since
    " EXISTS (SELECT 1 FROM entry AS fact WHERE fact.source = entry.id) AND NOT EXISTS ("
    "SELECT 1 FROM entry AS fact WHERE fact.source = entry.id AND (fact.until IS NULL OR EXISTS ("
    "SELECT 1 FROM entry AS again WHERE again.fan = fact.fan AND again.drawer = fact.drawer AND again.until IS NULL"
    " AND again.slot = fact.slot AND again.key = fact.key AND again.value = fact.value)))"
)
# A private drawer is named after its fan, so an empty one goes as well.
EMPTY_DRAWERS = """DELETE FROM drawer WHERE scope LIKE 'fan:%'
    AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.drawer = drawer.id)
    AND NOT EXISTS (SELECT 1 FROM awaiting WHERE awaiting.drawer = drawer.id)"""
LIVE = "entry.until IS NULL"  # a superseded fact is kept for the export, and recalled no more
BUSY_SECONDS = 20  # how long a writer waits for another process's write to end
BIG = 2000  # a drawer with more entries than this is searched through its indexes, not read as a whole


@dataclass(frozen=True)
class Entry:
    """What is appended; the last four fields are a fact's."""

    fan: str
    kind: str
    speaker: str
    text: str
    at: datetime
    heard: str = ""
    slot: str | None = None
    key: str | None = None
    value: str | None = None
    confidence: float | None = None
    of_last: bool = False  # drawn from the entry before it in the same batch

    @property
    def line(self) -> str:
        return Turn(0, 0, self.fan, self.kind, self.speaker, self.text, self.at, 0, self.heard).line


@dataclass(frozen=True)
class Drawer:
    """What one persona heard in one scope."""

    id: int
    scope: str
    size: int
    big: bool


class Log:
    """The entries of every drawer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connections = local()
        if self.connection().execute("PRAGMA user_version").fetchone()[0] < VERSION:
            with self.write() as db:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._connections, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
                db.execute(f"PRAGMA {pragma}")
            self._connections.db = db
        return db

    def close(self) -> None:
        """Close this thread's connection; others close with their threads."""
        db: sqlite3.Connection | None = getattr(self._connections, "db", None)
        if db is not None:
            db.close()
            del self._connections.db

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
        entries: Sequence[Entry],
        vectors: NDArray[np.float32],
        embedder: str,
        messages: Sequence[str] = (),
    ) -> list[int]:
        """Keep entries with their vectors; their ids, once on disk. A fact supersedes the one it replaces.

        `messages` names what they were heard in, so that a message taken back takes them along.
        """
        ids: list[int] = []
        with self.write() as db:
            drawer = self._drawer(db, persona, scope)
            for place, (entry, vector) in enumerate(zip(entries, vectors, strict=True)):
                if entry.slot is not None:
                    _supersede(db, drawer.id, entry)
                source = ids[-1] if entry.of_last and ids else None
                if (
                    entry.of_last and place and entries[place - 1].of_last and ids
                ):  # several facts of one turn
                    source = db.execute("SELECT source FROM entry WHERE id = ?", (ids[-1],)).fetchone()[0]
                seq = drawer.size + place
                row: tuple[object, ...] = (drawer.id, seq, entry.fan, entry.kind, entry.speaker, entry.text)
                row += (entry.heard, entry.at.timestamp(), entry.slot, entry.key, entry.value)
                row += (entry.confidence, source)
                sql = (
                    "INSERT INTO entry (drawer, seq, fan, kind, speaker, text, heard, at, slot, key, value,"
                    " confidence, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                )
                ids.append(int(db.execute(sql, row).lastrowid or 0))
                db.execute("INSERT INTO vector VALUES (?, ?, ?)", (ids[-1], embedder, pack(vector)))
                db.executemany("INSERT INTO heard_in VALUES (?, ?)", [(each, ids[-1]) for each in messages])
                if drawer.big:
                    _post(db, drawer.id, seq, entry.line)
            size = drawer.size + len(ids)
            db.execute("UPDATE drawer SET next = ? WHERE id = ?", (size, drawer.id))
            if size > BIG and not drawer.big:
                self._grow(db, drawer.id)
        return ids

    def drawers(self, persona: str, scopes: Iterable[str]) -> list[Drawer]:
        """One persona's drawers for these scopes; a scope never written to has none."""
        wanted = sorted(scopes)
        sql = f"SELECT id, scope, next, big FROM drawer WHERE persona = ? AND scope IN ({marks(wanted)}) ORDER BY id"  # noqa: S608
        return [_drawer(row) for row in self.connection().execute(sql, (persona, *wanted))]

    def drawer(self, id: int) -> Drawer:
        row = (
            self.connection()
            .execute("SELECT id, scope, next, big FROM drawer WHERE id = ?", (id,))
            .fetchone()
        )
        return _drawer(row)

    def select(
        self, where: str, values: Sequence[object], embedder: str
    ) -> tuple[list[Turn], list[NDArray[np.float32] | None]]:
        """Live entries that meet a condition, in order within each drawer, with vectors where there are any."""
        sql = (
            f"SELECT {COLUMNS}, vector.unit FROM entry"  # noqa: S608
            f" LEFT JOIN vector ON vector.entry = entry.id AND vector.embedder = ?"
            f" WHERE {LIVE} AND {where} ORDER BY entry.drawer, entry.seq"
        )
        turns, units = [], []
        for row in self.connection().execute(sql, (embedder, *values)):
            turns.append(turn(row))
            units.append(unpack(row[11]) if row[11] is not None else None)
        return turns, units

    def store_vectors(self, ids: Sequence[int], vectors: NDArray[np.float32], embedder: str) -> None:
        """Keep vectors made later, when the embedder changed; entries forgotten meanwhile stay forgotten."""
        with self.write() as db:
            for id, vector in zip(ids, vectors, strict=True):
                db.execute(
                    "INSERT OR REPLACE INTO vector SELECT id, ?, ? FROM entry WHERE id = ?",
                    (embedder, pack(vector), id),
                )

    def without_vectors(self, embedder: str) -> list[int]:
        """Ids of live entries that have no vector by this embedder."""
        sql = (
            "SELECT id FROM entry LEFT JOIN vector ON vector.entry = entry.id AND vector.embedder = ?"  # noqa: S608
            f" WHERE {LIVE} AND vector.entry IS NULL ORDER BY id"
        )
        return [id for (id,) in self.connection().execute(sql, (embedder,))]

    def lines(self, ids: Sequence[int]) -> dict[int, str]:
        """The entries' texts as they are embedded."""
        sql = f"SELECT {COLUMNS} FROM entry WHERE id IN ({marks(ids)})"  # noqa: S608
        return {row[0]: turn(row).line for row in self.connection().execute(sql, list(ids))}

    def slot(self, id: int) -> tuple[str, str]:
        """What a fact is about."""
        slot, key = self.connection().execute("SELECT slot, key FROM entry WHERE id = ?", (id,)).fetchone()
        return slot, key

    def seqs_with(self, drawer: int, stem: str, limit: int) -> list[int]:
        """The latest places in a big drawer where a stem stands, newest first."""
        sql = "SELECT seq FROM posting WHERE drawer = ? AND stem = ? ORDER BY seq DESC LIMIT ?"
        return [seq for (seq,) in self.connection().execute(sql, (drawer, stem, limit))]

    def asked(self, persona: str, scope: str, fan: str, since: datetime) -> str:
        """The question that the persona last put to this fan here, if it is still open."""
        sql = (
            "SELECT question FROM awaiting JOIN drawer ON drawer.id = awaiting.drawer"
            " WHERE persona = ? AND scope = ? AND fan = ? AND at >= ?"
        )
        row = self.connection().execute(sql, (persona, scope, fan, since.timestamp())).fetchone()
        return row[0] if row else ""

    def ask(self, persona: str, scope: str, fan: str, question: str, at: datetime) -> None:
        """Keep the question that a fan has just been asked ('' for none): the next message may answer it."""
        with self.write() as db:
            drawer = self._drawer(db, persona, scope).id
            db.execute("DELETE FROM awaiting WHERE drawer = ? AND fan = ?", (drawer, fan))
            if question:
                db.execute(
                    "INSERT INTO awaiting VALUES (?, ?, ?, ?)", (drawer, fan, question, at.timestamp())
                )

    def erase(self, db: sqlite3.Connection, ids: Sequence[int], at: datetime) -> list[int]:
        """Delete entries with all that hangs on them; the big drawers whose index must be built anew.

        Their bare numbers are kept, so that older backups can forget them too.
        """
        touched = set()
        for id in ids:
            row = db.execute(
                "SELECT drawer, seq, big FROM entry JOIN drawer ON drawer.id = drawer WHERE entry.id = ?",
                (id,),
            ).fetchone()
            if row is None:
                continue
            drawer, seq, big = row
            if big:
                touched.add(drawer)
                line = turn(db.execute(f"SELECT {COLUMNS} FROM entry WHERE id = ?", (id,)).fetchone()).line  # noqa: S608
                gone = [(drawer, stem, seq) for stem in bag(line)]
                db.executemany("DELETE FROM posting WHERE drawer = ? AND stem = ? AND seq = ?", gone)
            db.execute("DELETE FROM entry WHERE id = ?", (id,))
            db.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (id, at.timestamp()))
        for drawer in touched:
            db.execute("DELETE FROM indexed WHERE drawer = ?", (drawer,))
        db.execute(EMPTY_DRAWERS)
        return sorted(touched)

    def checkpoint(self) -> bool:
        """Empty the write-ahead log, which still holds what was deleted; False while another reader holds it."""
        busy: int = self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def _drawer(self, db: sqlite3.Connection, persona: str, scope: str) -> Drawer:
        db.execute("INSERT OR IGNORE INTO drawer (persona, scope) VALUES (?, ?)", (persona, scope))
        sql = "SELECT id, scope, next, big FROM drawer WHERE persona = ? AND scope = ?"
        row = db.execute(sql, (persona, scope)).fetchone()
        return _drawer(row)

    def _grow(self, db: sqlite3.Connection, drawer: int) -> None:
        """A drawer became big: from now on its words are indexed."""
        rows = db.execute(f"SELECT {COLUMNS} FROM entry WHERE drawer = ?", (drawer,)).fetchall()  # noqa: S608
        for row in rows:
            _post(db, drawer, row[7], turn(row).line)
        db.execute("UPDATE drawer SET big = 1 WHERE id = ?", (drawer,))


def _supersede(db: sqlite3.Connection, drawer: int, entry: Entry) -> None:
    values: list[object] = [entry.at.timestamp(), drawer, entry.fan, entry.slot]
    same = "AND key = ?" if entry.key is not None else ""
    values += [entry.key] if entry.key is not None else []
    db.execute(
        f"UPDATE entry SET until = ? WHERE drawer = ? AND fan = ? AND slot = ? {same} AND until IS NULL",  # noqa: S608
        values,
    )


def _post(db: sqlite3.Connection, drawer: int, seq: int, line: str) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO posting VALUES (?, ?, ?)", [(drawer, stem, seq) for stem in bag(line)]
    )


def _drawer(row: Sequence[Any]) -> Drawer:
    id, scope, size, big = row
    return Drawer(id, scope, size, bool(big))


def marks(values: Sequence[object]) -> str:
    """Question marks for a list of values."""
    return ",".join("?" * len(values))


def pack(vector: NDArray[np.float32]) -> bytes:
    """Half floats: unit vectors keep three digits, which is more than the int8 model gives."""
    return vector.astype(np.float16).tobytes()


def unpack(unit: bytes) -> NDArray[np.float32]:
    return np.frombuffer(unit, np.float16).astype(np.float32)


def turn(row: Sequence[Any]) -> Turn:
    """An entry's row (COLUMNS) as a turn."""
    id, drawer, fan, kind, speaker, text, at, seq, heard, source, past = row[:11]
    when = datetime.fromtimestamp(at, UTC)
    return Turn(id, drawer, fan, kind, speaker, text, when, seq, heard, source, bool(past))
