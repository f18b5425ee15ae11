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


@contextmanager
def server() -> Iterator[str]:
    """Yields its address without a database's name, 'postgresql://...:port/'. Raises PostgresMissing."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
        if user:
            shutil.chown(folder, user)

        def run(*command: str) -> None:
            _run(command, folder, user)

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data, log = f"{folder}/data", f"{folder}/log"
        run(initdb, "-D", data, "-A", "trust", "-U", "troubadour")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run(pg_ctl, "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://troubadour@127.0.0.1:{port}/"
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")


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
