"""Sweeping: whatever row or line still names somebody or something that was forgotten goes, in whichever file.

The stores forget by themselves what they know of; this is the broom behind them, for what nobody thought of.
"""

from __future__ import annotations

import mmap
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

BOOKS = (".sqlite", ".sqlite3", ".db")
LINES = (".log", ".jsonl")
BUSY = 10.0  # seconds to wait for another process
HEAD = b"SQLite format 3\0"


def names_pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Finds any of the names as a whole: not discord:12 in discord:123, not a song's id in a longer one."""
    each = "|".join(re.escape(name) for name in sorted({*names, *_mentions(names)}, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{each})(?![\w-])")


def sweep(root: Path, names: Sequence[str], skip: Sequence[Path] = ()) -> int:
    """Deletes the rows of every SQLite file, and the lines of every log, that name one of `names`; how many went."""
    if not names or not root.is_dir():
        return 0
    pattern, gone = names_pattern(names), 0
    for path in _files(root, skip):
        if path.suffix in BOOKS and _is_book(path):
            gone += _sweep_book(path, pattern)
        elif path.suffix in LINES:
            gone += _sweep_lines(path, pattern)
    return gone


def scrub(path: Path, patience: float = BUSY) -> bool:
    """Writes an SQLite file anew without what was deleted, and empties its log; False while another one is at it."""
    with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as db:
        try:
            db.execute("vacuum")
            busy: int = db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
        except sqlite3.OperationalError:  # locked for long: whoever tidies comes back to it
            return False
    return not busy


def scrub_all(root: Path, skip: Sequence[Path] = ()) -> None:
    for path in _files(root, skip):
        if path.suffix in BOOKS and _is_book(path):
            scrub(path)


def still_there(root: Path, names: Sequence[str], skip: Sequence[Path] = ()) -> list[Path]:
    """Files that hold one of the names in any byte (or are called so)."""
    if not names:
        return []
    # A database writes values without a gap, so what follows may touch a name; but a longer account is another.
    wanted = re.compile(
        b"|".join(re.escape(name.encode()) + rb"(?!\d)" for name in (*names, *_mentions(names)))
    )
    return [path for path in _files(root, skip) if wanted.search(str(path).encode()) or _holds(path, wanted)]


def _mentions(names: Iterable[str]) -> list[str]:
    """How a text on Discord names an account."""
    return [f"<@{account}>" for name in names if (account := name.partition(":")[2]).isdigit()]


def _files(root: Path, skip: Sequence[Path]) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(each) for each in skip):
            yield path


def _holds(path: Path, wanted: re.Pattern[bytes]) -> bool:
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return wanted.search(view) is not None
    except FileNotFoundError:  # a write-ahead log that was emptied meanwhile
        return False


def _is_book(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD


def _sweep_book(path: Path, pattern: re.Pattern[str]) -> int:
    gone = 0
    with closing(sqlite3.connect(path, timeout=BUSY)) as db:
        db.create_function("names", 1, lambda value: isinstance(value, str) and bool(pattern.search(value)))
        tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        with db:
            for table in tables:
                if table.startswith("sqlite_"):
                    continue
                columns = [row[1] for row in db.execute(f'pragma table_info("{table}")')]
                named = " or ".join(f'names("{column}")' for column in columns)
                gone += db.execute(f'delete from "{table}" where {named}').rowcount  # noqa: S608
    scrub(path)
    return gone


def _sweep_lines(path: Path, pattern: re.Pattern[str]) -> int:
    """In place, since whoever writes the log holds it open."""
    with path.open("r+", encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = file.readlines()
        kept = [line for line in lines if not pattern.search(line)]
        if len(kept) < len(lines):
            file.seek(0)
            file.writelines(kept)
            file.truncate()
    return len(lines) - len(kept)
