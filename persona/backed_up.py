"""Backed up: whether a folder is a backup, whole and harmless, before any of it is put back.

`python -m persona.backed_up FOLDER` looks at it in a process of its own: a backup may come from somebody else.
Standard output: the names of its files, as JSON. What is wrong is the last line of standard error.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path, PurePosixPath

from voice.apart import ApartError, Bounds, apart, confine

LIST, DUMP, DATA, FORMAT = "backup.json", "requests.pgdump", "data", 1
DATABASES = (".sqlite", ".sqlite3")
LONGEST_NAME = 255  # bytes of a file's name
LARGEST_LIST = 500_000_000  # bytes: some four million files
BOUNDS = Bounds(memory=4_000_000_000, cpu=3600, patience=4 * 3600.0)


class BackupError(RuntimeError):
    """A backup that cannot be made or put back; the message says what to do."""


def look_over(backup: Path) -> tuple[str, ...]:
    """The names of its files: nothing else of the folder is to be put back. Raises BackupError."""
    try:
        return tuple(json.loads(apart("persona.backed_up", [str(backup.absolute())], BOUNDS)))
    except ApartError as error:
        raise BackupError(str(error)) from error


def copy_data(backup: Path, names: tuple[str, ...], to: Path) -> None:
    """The files under data/ among `names`. Raises BackupError where there is no room for them."""
    held = [name for name in names if name.startswith(f"{DATA}/")]
    to.mkdir(parents=True)
    size, free = sum((backup / name).stat().st_size for name in held), shutil.disk_usage(to).free
    if size > free:
        to.rmdir()
        raise BackupError(f"{size // 1_000_000} MB do not fit beside {to}: {free // 1_000_000} MB are free")
    for name in held:
        path = to / name.removeprefix(f"{DATA}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(backup / name, path, follow_symlinks=False)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_backup(backup: Path) -> list[str]:
    """What `look_over` tells, in this process."""
    listed = _listed(backup)
    root = backup.resolve()
    for name, written in listed.items():
        path = root / name
        if any(len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in path.parts):
            raise BackupError(
                f"{backup} names a file longer than {LONGEST_NAME} bytes: choose another backup"
            )
        if path.resolve() != path or ".." in PurePosixPath(name).parts:
            raise BackupError(f"{backup} names {name!r}, which leads out of it: choose another backup")
        if name != DUMP and not name.startswith(f"{DATA}/"):
            raise BackupError(f"{backup} names {name!r}, which no backup holds: choose another one")
        if not path.is_file() or digest(path) != written:
            raise BackupError(f"{path} is damaged or missing: choose another backup")
        if path.suffix in DATABASES:
            _check_database(path)
    return list(listed)


def _listed(backup: Path) -> dict[str, str]:
    """sha256 by name."""
    path = backup / LIST
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_LIST:
            raise ValueError("a link, or too large")
        told = json.loads(path.read_text("utf-8"))
        made_as, listed = told["format"], {str(name): str(sha) for name, sha in told["sha256"].items()}
        if any("\0" in name or len(name.encode()) > 1000 for name in listed):  # or no text: a lone surrogate
            raise ValueError("names that are none")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BackupError(f"{backup} is no backup: it holds no {LIST} that can be read") from error
    if made_as != FORMAT:
        raise BackupError(f"{backup} was made by another version of Troubadour: restore it with that one")
    return listed


def _check_database(path: Path) -> None:
    """A sound one that does nothing by itself: ours have neither triggers nor views."""
    choose = f"{path} cannot be put back: choose another backup"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.execute("pragma trusted_schema = off")
            acting = database.execute(
                "select name from sqlite_master where type in ('trigger', 'view')"
            ).fetchone()
            if acting:
                raise BackupError(f"{choose} (its {acting[0]} would act by itself)")
            [said] = database.execute("pragma quick_check(1)").fetchone()
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise BackupError(f"{choose} ({error})") from error
    if said != "ok":
        raise BackupError(f"{choose} ({said})")


def main() -> None:
    confine(BOUNDS)
    try:
        told = json.dumps(parse_backup(Path(sys.argv[1])))
    except BackupError as error:
        sys.exit(" ".join(str(error).split()))
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
