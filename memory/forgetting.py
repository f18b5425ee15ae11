"""Forgetting, for good: rows, vectors, words and the write-ahead log; and what time lets go by itself."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from memory.log import COLUMNS, EMPTY_DRAWERS, marks, turn
from memory.memory import Embeds, Memory, Retention
from memory.rank import Turn
from memory.words import stems

SAME_MATTER = 0.42  # cosine from which an entry is taken to be about what is to be forgotten
ABOUT_FORGETTING = frozenset(stems("please forget what I said told you about everything anything tell"))
# What people call the slots of facts when they want them gone.
SLOT_WORDS = {
    "job": "job work boss career shift",
    "home": "home address city town live",
    "origin": "hometown origin",
    "person": "family people names friends relatives",
    "pet": "pet pets animal animals",
    "birthday": "birthday age born",
    "name": "name",
    "pronouns": "pronouns gender",
    "diet": "diet food drinking",
    "allergy": "allergy allergies health",
    "fear": "fear fears phobia",
}


@dataclass(frozen=True)
class Receipt:
    """What was forgotten: how many of each kind, and when each had been said; never what it was."""

    at: datetime
    counts: dict[str, int]
    entries: list[tuple[int, str, datetime]] = field(default_factory=list)
    indexes: int = 0  # big drawers whose vectors are built again without it
    log_emptied: bool = True  # False: another process was reading; `scrub` finishes the job

    def __str__(self) -> str:
        if not self.entries:
            return "There was nothing to forget."
        kinds = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(self.counts.items()))
        first, last = min(when for _, _, when in self.entries), max(when for _, _, when in self.entries)
        return f"Forgotten: {kinds}, from {first:%d %B %Y} to {last:%d %B %Y}."


def forget_fan(memory: Memory, fan: str, persona: str | None = None) -> Receipt:
    """Forget everything of a fan: what they said and were promised, everywhere, with every persona or one."""
    found = entries_of(memory, fan, persona)
    only = (fan, persona) if persona else (fan,)
    with memory.log.write() as db:
        db.execute(f"DELETE FROM consent WHERE fan = ?{' AND persona = ?' * len(only[1:])}", only)  # noqa: S608
        here = " AND drawer IN (SELECT id FROM drawer WHERE persona = ?)" * len(only[1:])
        db.execute(f"DELETE FROM awaiting WHERE fan = ?{here}", only)  # noqa: S608
    return forget_entries(memory, found)


def forget_about(memory: Memory, fan: str, about: str, persona: str | None = None) -> Receipt:
    """Forget what a fan said about something ('my job'); `matching` shows beforehand what that is."""
    return forget_entries(memory, matching(memory, fan, about, persona))


def matching(memory: Memory, fan: str, about: str, persona: str | None = None) -> list[Turn]:
    """A fan's entries that are about something: sharing its words, near in meaning, or drawn from such."""
    entries = entries_of(memory, fan, persona)
    wanted = set(stems(about)) - ABOUT_FORGETTING
    if not entries or not wanted:
        return []
    slots = {slot for slot, words in SLOT_WORDS.items() if wanted & set(stems(words))}
    wanted |= {stem for slot in slots for stem in stems(SLOT_WORDS[slot])}
    lines = [f"{entry.heard} {entry.text}" for entry in entries]
    near = _cosines(memory.embedder, about, lines) >= SAME_MATTER
    hit = {
        entry.id
        for entry, line, close in zip(entries, lines, near, strict=True)
        if close
        or wanted & set(stems(line))
        or (entry.kind == "fact" and memory.log.slot(entry.id)[0] in slots)
    }
    hit |= {entry.source for entry in entries if entry.id in hit and entry.source}
    return [entry for entry in entries if entry.id in hit or entry.source in hit]


def forget_entries(memory: Memory, entries: Sequence[Turn]) -> Receipt:
    """Forget these entries wherever they are kept."""
    at = memory.now()
    with memory.log.write() as db:
        touched = memory.log.erase(db, [entry.id for entry in entries], at)
    memory.search.forgotten(touched)
    emptied = memory.log.checkpoint()
    what = [(entry.id, entry.kind, entry.at) for entry in entries]
    return Receipt(at, dict(Counter(kind for _, kind, _ in what)), what, len(touched), emptied)


def scrub(memory: Memory) -> bool:
    """Empty the write-ahead log of what was deleted; False while another process still reads it."""
    return memory.log.checkpoint()


def expire(memory: Memory, retention: Retention) -> Receipt:
    """Forget what is older than its kind is kept."""
    now, old = memory.now(), []
    for kind in ("turn", "fact", "promise", "song", "lore"):
        days: int | None = getattr(retention, kind)
        if days is not None:
            old += _where(memory, "kind = ? AND at < ?", (kind, (now - timedelta(days=days)).timestamp()))
    if retention.superseded is not None:
        old += _where(memory, "until < ?", ((now - timedelta(days=retention.superseded)).timestamp(),))
    unique = {entry.id: entry for entry in old}
    return forget_entries(memory, list(unique.values())) if unique else Receipt(now, {})


def backup(memory: Memory, folder: Path, keep: int = 7) -> Path:
    """Write a copy of the log, let older copies forget what was forgotten since, and keep the newest `keep`."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"memory-{memory.now():%Y%m%dT%H%M%S}"
    path = folder / f"{stamp}-{len(list(folder.glob(f'{stamp}-*'))):03}.sqlite3"
    copy = sqlite3.connect(path)
    memory.log.connection().backup(copy)
    copy.close()
    gone = [id for (id,) in memory.log.connection().execute("SELECT entry FROM forgotten")]
    *older, _ = sorted(folder.glob("memory-*.sqlite3"))
    for old in older[: max(len(older) + 1 - keep, 0)]:
        old.unlink()
    for old in older[max(len(older) + 1 - keep, 0) :]:
        _forget_in_backup(old, gone)
    return path


def entries_of(memory: Memory, fan: str, persona: str | None = None) -> list[Turn]:
    """All entries of a fan, superseded ones included, oldest first."""
    if persona is None:
        return _where(memory, "fan = ?", (fan,))
    return _where(memory, "fan = ? AND drawer IN (SELECT id FROM drawer WHERE persona = ?)", (fan, persona))


def _where(memory: Memory, where: str, values: Iterable[object]) -> list[Turn]:
    sql = f"SELECT {COLUMNS} FROM entry WHERE {where} ORDER BY at, id"  # noqa: S608
    return [turn(row) for row in memory.log.connection().execute(sql, tuple(values))]


def _cosines(
    embedder: Embeds, about: str, lines: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vectors = embedder([about, *lines])
    near: np.ndarray[tuple[int], np.dtype[np.float32]] = vectors[1:] @ vectors[0]
    return near


def _forget_in_backup(path: Path, gone: Sequence[int]) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA foreign_keys=ON")
    for start in range(0, len(gone), 500):
        some = gone[start : start + 500]
        rows = db.execute(f"SELECT {COLUMNS} FROM entry WHERE id IN ({marks(some)})", some).fetchall()  # noqa: S608
        for row in rows:
            entry = turn(row)
            words = [(entry.drawer, stem, entry.seq) for stem in stems(entry.line)]
            db.executemany("DELETE FROM posting WHERE drawer = ? AND stem = ? AND seq = ?", words)
            db.execute("DELETE FROM entry WHERE id = ?", (entry.id,))
    for table in ("awaiting", "consent"):
        db.execute(f"DELETE FROM {table} WHERE fan NOT IN (SELECT fan FROM entry)")  # noqa: S608
    db.execute(EMPTY_DRAWERS)
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
