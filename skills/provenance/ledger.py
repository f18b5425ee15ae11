"""The ledger of a song: who gave what to it, one line an entry, in `ledger.jsonl` of the song's folder.

Append-only and chained: every entry holds the hash of the one before, so a line that was changed, taken out or put in
later is noticed, and the clip's credentials hold the hash of the last line at signing, so a cut end is noticed too.

What a person wrote, and who asked, stand in it only as salted hashes (`commitments`). The words and their salts lie
beside it in `ledger.words.json`: erased, the chain still holds and the hashes say nothing to anybody.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from skills.files import write_text_whole

NAME, WORDS = "ledger.jsonl", "ledger.words.json"
BEGINNING = "0" * 64  # what stands before the first entry

By = Literal["person", "machine"]


class LedgerError(ValueError):
    """A ledger that does not hold together; the message says where."""


@dataclass(frozen=True)
class Entry:
    """`what`: the deed, a verb ('asked', 'sang'). `facts`: plain data that names nobody. `commitments`: salted hashes
    by name; the words themselves are in `words` as long as nobody had them erased."""

    number: int
    when: str  # ISO date and time, UTC
    what: str
    by: By
    facts: Mapping[str, Any]
    commitments: Mapping[str, str]
    before: str
    hash: str
    words: Mapping[str, str] = field(default_factory=dict)


def append(
    folder: Path,
    what: str,
    by: By = "machine",
    facts: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
) -> Entry:
    """Adds an entry to the ledger of the song in `folder`, on disk when this returns.

    `words`: what must stay erasable (a fan's words, who asked), by name. A step that runs again says the same again:
    an entry that is exactly like the last one of its kind is not written twice.
    Raises LedgerError where the ledger is broken, OSError where the disk refuses.
    """
    words = {name: text for name, text in (words or {}).items() if text}
    with _held(folder):
        entries = read(folder)
        last = next((entry for entry in reversed(entries) if entry.what == what), None)
        if last and (last.by, dict(last.facts), dict(last.words)) == (by, _plain(facts or {}), words):
            return last
        salts = {name: secrets.token_hex(16) for name in words}
        commitments = {name: commit(salts[name], text) for name, text in words.items()}
        if words:  # first: a commitment whose salt was lost could never be opened
            kept = _kept(folder)
            kept |= {commitments[name]: {"salt": salts[name], "text": words[name]} for name in words}
            _keep(folder, kept)
        body: dict[str, Any] = {
            "number": len(entries),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "what": what,
            "by": by,
            "facts": _plain(facts or {}),
            "commitments": commitments,
            "before": entries[-1].hash if entries else BEGINNING,
        }
        entry = Entry(**body, hash=_digest(body), words=words)
        with (folder / NAME).open("ab") as file:
            file.write((_canonical({**body, "hash": entry.hash}) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        return entry


def read(folder: Path, *before: Path) -> list[Entry]:
    """Every entry, the chain checked. Raises LedgerError at the first that does not hold.

    `before`: the songs that this one is a version of, whose words lie with them and are erased there.
    A last line without its end is what a kill left of an entry that was never acknowledged: it does not count.
    """
    path = folder / NAME
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    kept = {digest: one for place in (*before, folder) for digest, one in _kept(place).items()}
    entries, last = [], BEGINNING
    for number, line in enumerate(lines):
        try:
            body = json.loads(line)
            said = body.pop("hash")
            opened = {
                name: kept[digest]["text"]
                for name, digest in body["commitments"].items()
                if digest in kept and commit(**kept[digest]) == digest
            }
            entry = Entry(**body, hash=said, words=opened)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LedgerError(f"line {number + 1} of {path} is damaged") from error
        if said != _digest(body) or body["before"] != last or body["number"] != number:
            raise LedgerError(f"line {number + 1} of {path} was changed after it was written")
        entries.append(entry)
        last = said
    return entries


def head(folder: Path) -> str:
    """The hash of the last entry: it stands for the whole ledger so far."""
    entries = read(folder)
    return entries[-1].hash if entries else BEGINNING


def erase_words(folder: Path) -> int:
    """Erases every person's words, and who asked, from the ledger of the song in `folder`; returns how many.

    The chain still holds: what remains are hashes whose salts are gone.
    """
    with _held(folder):
        count = len(_kept(folder))
        (folder / WORDS).unlink(missing_ok=True)
        return count


def commit(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """One writer at a time; also cuts off a torn last line."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / NAME).open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        whole = file.read()
        if not whole.endswith(b"\n"):
            file.truncate(whole.rfind(b"\n") + 1)
        yield


def _kept(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / WORDS
    if not path.is_file():
        return {}
    try:
        kept = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise LedgerError(f"{path} is damaged") from error
    return kept if isinstance(kept, dict) else {}


def _keep(folder: Path, kept: Mapping[str, Any]) -> None:
    write_text_whole(folder / WORDS, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    (folder / WORDS).chmod(0o600)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that what was written and what is asked compare."""
    plain: dict[str, Any] = json.loads(_canonical(facts))
    return plain


def _canonical(raw: Mapping[str, Any]) -> str:
    return json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(body).encode()).hexdigest()
