"""The database of the requests: SQLite in the data folder, or PostgreSQL where many machines work on one queue.

DBOS keeps its own tables in it (skills/book.py, skills/worker.py); ours are few and stand below.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, TextClause

SCHEMA = (
    # Whose turn was the last given, and whether we owe the fan a place at the front.
    "create table if not exists fans (fan text primary key, turn bigint not null, owed integer not null)",
    # How often a step of a request was begun, how often in a row the process died at it, and what came between.
    "create table if not exists tries (request text, step text, tried integer not null, died integer not null, "
    "running integer not null, reason text not null, at double precision not null, primary key (request, step))",
    # Who works, and when it was last heard of, by the database's clock.
    "create table if not exists workers (executor text primary key, host text not null, pid integer not null, "
    "version text not null, seen double precision not null)",
    "create table if not exists posts (nonce text primary key, address text, at text)",
    # What waits for a stage's process to show it (skills/post.py), and for the artist to remember it
    # (persona/keepsakes.py): whoever makes the songs may be another machine.
    "create table if not exists inbox (nonce text primary key, address text not null, text text not null, "
    "clip text not null, at double precision not null, shown integer not null)",
    "create table if not exists keepsakes (request text primary key, fan text not null, text text not null, "
    "at double precision not null)",
    # How often the chat model answered, or failed, within which of skills/gauges.py's bounds.
    "create table if not exists model_times (model text not null, answered integer not null, bound integer not null, "
    "times bigint not null, seconds double precision not null, primary key (model, answered, bound))",
    # What was begun at social places, and what is known of its end (skills/places/journal.py).
    "create table if not exists attempts (nonce text primary key, address text not null, "
    "begun double precision not null, open integer not null, notes text not null, "
    "link text not null, done double precision)",
    # The calendar: every occasion that came, and until when each entry was looked at (skills/calendar/book.py).
    "create table if not exists occasions (id text primary key, entry text not null, name text not null, "
    "due double precision not null, state text not null, text text not null, song text not null, posts text not null, "
    "note text not null, tried integer not null, held double precision not null)",
    "create table if not exists looks (name text primary key, at double precision not null)",
)


class DatabaseError(RuntimeError):
    """A database that cannot be used; the message says what to do."""


class Database:
    """One address, `sqlite:///...` or `postgresql://...`. Connections are made when they are first needed."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise DatabaseError(
                "the database's address begins with sqlite:/// or postgresql://; see TROUBADOUR_SONGS__DATABASE_URL"
            )
        self.url = url

    @property
    def shared(self) -> bool:
        """Whether several workers may make songs from it."""
        return not self.url.startswith("sqlite")

    @cached_property
    def engine(self) -> Engine:
        """Durable at every commit; several processes may write. DBOS's client works on the same connections."""
        import sqlalchemy

        if self.shared:
            _, _, rest = self.url.partition("://")
            engine = sqlalchemy.create_engine(
                f"postgresql+psycopg://{rest}",
                pool_size=5,
                max_overflow=5,
                pool_pre_ping=True,
                # A server that goes away is noticed in seconds, not when the network's own patience ends.
                connect_args={"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5},
            )
        else:
            Path(self.url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            engine = sqlalchemy.create_engine(self.url)
            sqlalchemy.event.listen(engine, "connect", _as_dbos_opens_it)
        try:
            with engine.begin() as connection:
                if self.shared:  # two processes that create the same table at once would trip over each other
                    connection.exec_driver_sql("select pg_advisory_xact_lock(7368)")
                for statement in SCHEMA:
                    connection.exec_driver_sql(statement)
        except sqlalchemy.exc.OperationalError as error:
            why = str(error.orig).partition("\n")[0]
            raise DatabaseError(
                f"the database of the requests cannot be used ({why}): is it running, is its disk full, and is "
                "TROUBADOUR_SONGS__DATABASE_URL right?"
            ) from error
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    def sql(self, text: str) -> TextClause:
        """A statement with values by name (`:fan`)."""
        import sqlalchemy

        return sqlalchemy.text(text)

    def read(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(self.sql(sql), values))

    def write(self, sql: str, **values: Any) -> int:
        """Returns how many rows were changed."""
        with self.transaction() as connection:
            return connection.execute(self.sql(sql), values).rowcount

    @property
    def clock(self) -> str:
        """SQL for the database's own clock, seconds since 1970: one for all who write."""
        return (
            "extract(epoch from clock_timestamp())"
            if self.shared
            else "(julianday('now') - 2440587.5) * 86400.0"
        )

    def dbos_table(self, name: str) -> str:
        return f"dbos.{name}" if self.shared else name

    def close(self) -> None:
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]


def _as_dbos_opens_it(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"  # a writer takes its turn at once, instead of failing half-way
    connection.execute("pragma busy_timeout = 30000")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma journal_mode = wal")  # who looks at the queue does not hold up who writes
    connection.execute("pragma synchronous = full")
