"""Vectors of big drawers, in Chroma: in this process, or on a Chroma server that many processes share.

An index is never the truth. It holds numbers and no words, follows the log in the background, and is built again
whenever it is damaged, left behind, or something in its drawer was forgotten. Small drawers, which is nearly all
of them, need none: they are compared exactly.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

BATCH = 1000  # vectors per call to Chroma


class IndexHeldError(RuntimeError):
    """Another process keeps the in-process index; only a Chroma server can be shared."""


class VectorIndex:
    """Nearest neighbours within one drawer. `server` is 'host:port' of a Chroma server, or None for in-process."""

    def __init__(self, folder: Path, server: str | None = None) -> None:
        self.folder = folder
        self.server = server
        self._client: ClientAPI | None = None
        self._lock: Any = None
        self._opening = Lock()

    def nearest(self, name: str, vector: NDArray[np.float32], count: int) -> list[int]:
        """Places in the drawer whose vectors are nearest, nearest first."""
        collection = self._open().get_or_create_collection(
            name, embedding_function=None, configuration=_COSINE
        )
        found = collection.query(query_embeddings=vector[None], n_results=count, include=["distances"])
        return [int(id) for id in found["ids"][0]]

    def add(self, name: str, places: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Add or replace vectors, float32 [places, 384]."""
        collection = self._open().get_or_create_collection(
            name, embedding_function=None, configuration=_COSINE
        )
        for start in range(0, len(places), BATCH):
            some = slice(start, start + BATCH)
            collection.upsert(ids=[str(place) for place in places[some]], embeddings=vectors[some])

    def count(self, name: str) -> int:
        collection = self._open().get_or_create_collection(
            name, embedding_function=None, configuration=_COSINE
        )
        return collection.count()

    def drop(self, name: str) -> None:
        """Remove a drawer's vectors, files included; in this process also what SQLite would leave in free pages."""
        import chromadb.errors

        client = self._open()
        try:
            client.delete_collection(name)
        except (chromadb.errors.NotFoundError, ValueError):
            return
        if self.server is None:
            self._scrub()

    def destroy(self) -> None:
        """Throw the whole in-process index away; it will be built again from the log."""
        if self.server is None:
            self._open_lock()
            self._disconnect()
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let another process have the index."""
        self._disconnect()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _disconnect(self) -> None:
        if self._client is not None:
            # An HTTP client of Chroma leaves its connections open, its own and its administrator's.
            client: Any = self._client  # the interface lacks `close`, which every client has
            both = (client, client._admin_client) if self.server else ()
            sessions = [each._server._session for each in both]
            client.close()
            for session in sessions:
                session.close()
            self._client = None

    def _open(self) -> ClientAPI:
        with self._opening:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        if self.server is not None:
            host, _, port = self.server.rpartition(":")
            return chromadb.HttpClient(host, int(port), settings=settings)
        self._open_lock()
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            return chromadb.PersistentClient(str(self.folder), settings=settings)
        except BaseException:
            _forget_half_open(self.folder)
            raise

    def _open_lock(self) -> None:
        """Two processes writing one in-process Chroma lose each other's vectors, so only one may have it."""
        if self._lock is not None:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (self.folder.parent / f"{self.folder.name}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise IndexHeldError(f"another process keeps the index in {self.folder}") from error
        self._lock = lock

    def _scrub(self) -> None:
        """Overwrite the pages that Chroma's deletions freed."""
        import sqlite3

        db = sqlite3.connect(self.folder / "chroma.sqlite3", timeout=20, isolation_level=None)
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


_COSINE: Any = {"hnsw": {"space": "cosine", "ef_search": 200, "sync_threshold": 5000, "batch_size": 500}}


def _forget_half_open(folder: Path) -> None:
    """Chroma keeps what it opened per path for the life of the process, even if opening failed midway."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient._identifier_to_system.pop(str(folder), None)
    SharedSystemClient._identifier_to_refcount.pop(str(folder), None)
