"""The stage's own small database, `discord.sqlite`: what must be known after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Row = tuple[Any, ...]
T = TypeVar("T")

SCHEMA = """
create table if not exists servers (guild text primary key, settings text not null);
create table if not exists channels (guild text, channel text primary key, mode text not null);
create table if not exists homes (guild text, channel text primary key, artist text not null);
create table if not exists outbox (
    nonce text primary key, address text not null, text text not null, clip text not null,
    tried integer not null default 0, due real not null, message text not null default '');
create table if not exists orders (
    song text primary key, fan text not null, guild text not null, channel text not null, message text not null,
    asked text not null default '', head text not null default '', shown text not null default '',
    open integer not null default 1);
create table if not exists allowance (
    fan text, server text, key text, at real not null, primary key (fan, key));
create table if not exists posted (
    message text primary key, song text not null, fan text not null, guild text not null, channel text not null,
    title text not null, at real not null);
create table if not exists liked (
    song text, fan text, how text, guild text not null, at real not null, primary key (song, fan, how));
create table if not exists reports (
    song text, fan text, guild text not null, why text not null, at real not null, primary key (song, fan));
create table if not exists usage (
    server text, day text, answers integer not null default 0, songs integer not null default 0,
    seconds real not null default 0, primary key (server, day));
create table if not exists hits (guild text primary key, song text not null);
create table if not exists charts (guild text, week text, primary key (guild, week));
"""


class Store:
    """One connection behind a lock, for any thread. Other processes write beside us; every write is durable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        with self._connection:
            self._connection.executescript(SCHEMA)

    def read(self, sql: str, *values: Any) -> list[Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> int:
        """Returns how many rows were changed."""
        with self._lock, self._connection:
            return self._connection.execute(sql, values).rowcount

    def together(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Several statements as one transaction."""
        with self._lock, self._connection:
            self._connection.execute("begin immediate")
            return work(self._connection)

    async def aread(self, sql: str, *values: Any) -> list[Row]:
        """As `read`, in a thread: the gateway's loop never waits for a disk."""
        return await asyncio.to_thread(self.read, sql, *values)

    async def awrite(self, sql: str, *values: Any) -> int:
        return await asyncio.to_thread(self.write, sql, *values)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
