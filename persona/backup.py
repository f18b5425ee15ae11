"""Backup and restore of everything that an installation keeps: requests, memory, library, keys.

A backup is taken while the artist goes on: databases first, by SQLite's online backup or pg_dump, then the files, which
are only ever replaced whole. So what a request's record says was done lies in the backup too. A library in a store is
copied out of it, and put back into it. A restore forgets what was forgotten since, and sets what was there aside.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from persona.backed_up import DATA, DATABASES, DUMP, FORMAT, LIST, BackupError, copy_data, digest, look_over
from skills.files import write_text_whole
from skills.gauges import workers_alive

if TYPE_CHECKING:
    from persona.wiring import House

# What another process's moment made (a lock, a write-ahead log that the copied database holds, a file half written),
# and the index of memories, which is made from their log.
LEFT_OUT = ("-wal", "-shm", "-journal", ".lock", ".part")
INDEX = "vectors"
SONGS = "songs"


def back_up(house: House, into: Path, keep: int = 0) -> Path:
    """Returns the new backup, which has its name once it is whole. `keep`: how many stay; 0: all."""
    data = house.data.absolute()
    if not data.is_dir():
        raise BackupError(f"there is nothing to back up: {data} does not exist")
    if into.absolute().is_relative_to(data):
        raise BackupError(f"{into} lies in the data folder itself: choose a folder elsewhere")
    made = into / f"troubadour-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    part = made.with_name(made.name + ".part")
    (part / DATA).mkdir(parents=True)
    part.chmod(0o700)  # it holds what fans said, and the key that signs
    try:
        if house.database.shared:
            _postgres("pg_dump", house.database.url, "--format=custom", "--file", str(part / DUMP))
        store = house.library.store
        files = [path for path in _files(data) if not (store and path.is_relative_to(house.library.root))]
        for path in sorted(files, key=lambda path: path.suffix not in DATABASES):
            _copy(path, part / DATA / path.relative_to(data))
        if store:
            store.copy_all(part / DATA / SONGS)
        held = {
            str(path.relative_to(part)): digest(path) for path in sorted(part.rglob("*")) if path.is_file()
        }
        write_text_whole(part / LIST, json.dumps({"format": FORMAT, "sha256": held}, indent=1))
        part.replace(made)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if keep:
        for old in sorted(each for each in into.glob("troubadour-*") if (each / LIST).is_file())[:-keep]:
            shutil.rmtree(old)
    return made


def put_back(house: House, backup: Path) -> tuple[str, ...]:
    """Restores a backup. Returns where what was there before lies now, as far as anything was. Raises BackupError.

    Whatever fails before the last two renames leaves the data folder as it was.
    """
    names = look_over(backup)
    data = house.data.absolute()
    there = data.is_dir() and any(data.iterdir())
    if workers_alive(house.database):
        raise BackupError("somebody is at work here: stop `troubadour run`, `worker` and `chat` first")
    house.database.close()
    if (DUMP in names) != house.database.shared:
        kept = "PostgreSQL" if (DUMP in names) else "SQLite"
        raise BackupError(
            f"this backup's requests are {kept}'s: set TROUBADOUR_SONGS__DATABASE_URL accordingly"
        )
    fresh = data.with_name(f"{data.name}.restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    copy_data(backup, names, fresh)
    if house.database.shared:
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        _postgres("pg_restore", house.database.url, *options, str(backup / DUMP), target=True)
    if there:
        house.forgetting.catch_up(fresh)
        house.memory.close()
    before, aside = f"before-{datetime.now(UTC):%Y%m%dT%H%M%S}", []
    if store := house.library.store:
        if moved := store.replace_all(fresh / SONGS, before):
            aside.append(moved)
        shutil.rmtree(fresh / SONGS, ignore_errors=True)  # from now on copies are made of what lies there
    if there:
        aside.insert(0, str(data.with_name(f"{data.name}.{before}")))
        data.replace(aside[0])
    else:
        shutil.rmtree(data, ignore_errors=True)  # an empty database that asking for workers has made
    fresh.replace(data)
    return tuple(aside)


def _files(data: Path) -> Iterator[Path]:
    for path in data.rglob("*"):
        if (
            not path.is_file()
            or path.is_symlink()
            or path.name.endswith(LEFT_OUT)
            or path.name.startswith(".")
        ):
            continue
        if INDEX not in path.relative_to(data).parts:
            yield path


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix not in DATABASES:
        try:
            shutil.copy2(path, to)
        except FileNotFoundError:  # forgotten, or replaced, a moment ago
            to.unlink(missing_ok=True)
        return
    with closing(sqlite3.connect(path, timeout=30)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)
        copy.execute("pragma journal_mode = delete")  # one file, whoever looks into it


def _postgres(program: str, url: str, *words: str, target: bool = False) -> None:
    """One of PostgreSQL's programs. The password goes by the environment: a command line can be read by all."""
    from psycopg.conninfo import conninfo_to_dict

    found = conninfo_to_dict(url)
    environment = dict(os.environ)
    for key, variable in VARIABLES.items():
        if found.get(key):
            environment[variable] = str(found[key])
    where: Sequence[str] = ("--dbname", str(found["dbname"])) if target else ()
    try:
        subprocess.run([program, *where, *words], env=environment, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise BackupError(f"{program} is not installed: apt-get install postgresql-client") from None
    except subprocess.CalledProcessError as error:
        raise BackupError(f"{program} failed: {(error.stderr or '').strip()[-300:]}") from error


VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
             "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip
