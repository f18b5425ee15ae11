"""A PostgreSQL of our own for a while, on loopback, from the programs that Debian's postgresql-15 brings."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin")
PATIENCE = 60  # seconds for each of its programs


class PostgresMissing(RuntimeError):
    """The programs are not there; the message says how to get them."""


def program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *FOLDERS)))
    if found is None:
        raise PostgresMissing(f"PostgreSQL's {name} is not installed: apt-get install postgresql-15")
    return found


@dataclass(frozen=True)
class Cluster:
    """A server that can die and come back. `address`: without a database's name, 'postgresql://...:port/'."""

    folder: str
    port: int
    user: str | None  # of the machine, for its programs

    @property
    def address(self) -> str:
        # A server of a moment trusts everybody; the password is there so that a test sees it where it is let out.
        return f"postgresql://troubadour:planted-secret@127.0.0.1:{self.port}/"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self.control("-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def die(self) -> None:
        """As at a power cut: nobody is let go, and the next start recovers from the log."""
        self.control("-m", "immediate", "stop")

    def control(self, *options: str) -> None:
        _run((program("pg_ctl"), "-D", f"{self.folder}/data", *options), self.folder, self.user)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server. Raises PostgresMissing."""
    initdb = program("initdb")
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
        if user:
            shutil.chown(folder, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        made = Cluster(folder, port, user)
        _run((initdb, "-D", f"{folder}/data", "-A", "trust", "-U", "troubadour"), folder, user)
        made.start()
        try:
            yield made
        finally:
            made.die()


@contextmanager
def server() -> Iterator[str]:
    """Yields the address of a running server. Raises PostgresMissing."""
    with cluster() as made:
        yield made.address


def _run(command: Sequence[str], folder: str, user: str | None) -> None:
    log = Path(folder) / "programs.log"
    with log.open("ab") as out:
        subprocess.run(command, user=user, cwd=folder, check=True, timeout=PATIENCE, stdout=out, stderr=out)


def new_database(address: str) -> str:
    """The address of a new, empty database on that server."""
    import psycopg

    name = f"requests_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(f"{address}postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return f"{address}{name}"
