"""Forgetting, for good: rows, vectors, words and the write-ahead log; and what time lets go by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from memory.fan import Scope
from memory.log import COLUMNS, turn
from memory.memory import Embeds, Memory
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


OPEN_QUESTIONS = timedelta(days=1)  # what the artist asked is kept for an answer no longer than this


@dataclass(frozen=True)
class Retention:
    """Days that each kind is kept; None keeps it until it is forgotten on request."""

    turn: int | None = 730
    fact: int | None = None
    superseded: int | None = 90  # a fact that no longer holds
    promise: int | None = 730
    song: int | None = None
    lore: int | None = None


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
    _forget_questions(memory, fan, persona)
    with memory.log.write() as db:
        only = (fan, persona) if persona else (fan,)
        db.execute(f"DELETE FROM consent WHERE fan = ?{' AND persona = ?' * len(only[1:])}", only)  # noqa: S608
    return forget_entries(memory, found)


def forget_about(memory: Memory, fan: str, about: str, persona: str | None = None) -> Receipt:
    """Forget what a fan said about something ('my job'); `matching` shows beforehand what that is."""
    found = matching(memory, fan, about, persona)
    _forget_questions(memory, fan, persona)  # what the artist has just asked may quote it
    return forget_entries(memory, found)


def _forget_questions(memory: Memory, fan: str, persona: str | None) -> None:
    only = (fan, persona) if persona else (fan,)
    here = " AND drawer IN (SELECT id FROM drawer WHERE persona = ?)" * len(only[1:])
    with memory.log.write() as db:
        db.execute(f"DELETE FROM awaiting WHERE fan = ?{here}", only)  # noqa: S608


def forget_message(memory: Memory, message: str) -> Receipt:
    """Forget what was kept of one message (the stage's name for it) that its author has taken back."""
    sql = "SELECT entry FROM heard_in WHERE message = ?"
    return forget_entries(memory, _where(memory, f"id IN ({sql})", (message,)))


def forget_quoting(memory: Memory, words: str) -> Receipt:
    """Forget lore that quotes these words, such as a song's title, whoever told it."""
    return forget_entries(memory, _where(memory, "kind = 'lore' AND instr(text, ?)", (words,)))


def forget_lore(memory: Memory, persona: str, scope: Scope, entry: int) -> Receipt:
    """Forget one piece of lore of a place, whoever told it."""
    where = "id = ? AND kind = 'lore' AND drawer IN (SELECT id FROM drawer WHERE persona = ? AND scope = ?)"
    return forget_entries(memory, _where(memory, where, (entry, persona, str(scope))))


def songs_of(memory: Memory, fan: str) -> list[str]:
    """Ids of the songs that were made for a fan."""
    sql = "SELECT DISTINCT value FROM entry WHERE fan = ? AND kind = 'song'"
    return [song for (song,) in memory.log.connection().execute(sql, (fan,))]


def matching(memory: Memory, fan: str, about: str, persona: str | None = None) -> list[Turn]:
    """A fan's entries that are about something: sharing its words, near in meaning, or drawn from such."""
    entries = entries_of(memory, fan, persona)
    told = of_matter(memory.embedder, about, [f"{entry.heard} {entry.text}" for entry in entries])
    slots = _slots(about)
    hit = {
        entry.id
        for entry, close in zip(entries, told, strict=True)
        if close or (entry.kind == "fact" and memory.log.slot(entry.id)[0] in slots)
    }
    hit |= {entry.source for entry in entries if entry.id in hit and entry.source}
    return [entry for entry in entries if entry.id in hit or entry.source in hit]


def of_matter(embedder: Embeds, about: str, texts: Sequence[str]) -> list[bool]:
    """Whether each text is about something ('my job'): it shares a word with it, or is near in meaning."""
    wanted = set(stems(about)) - ABOUT_FORGETTING
    if not wanted or not texts:
        return [False] * len(texts)
    wanted |= {stem for slot in _slots(about) for stem in stems(SLOT_WORDS[slot])}
    vectors = embedder([about, *texts])
    near = vectors[1:] @ vectors[0] >= SAME_MATTER
    return [bool(close) or bool(wanted & set(stems(text))) for text, close in zip(texts, near, strict=True)]


def _slots(about: str) -> set[str]:
    """The slots of facts that these words name."""
    wanted = set(stems(about)) - ABOUT_FORGETTING
    return {slot for slot, words in SLOT_WORDS.items() if wanted & set(stems(words))}


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
    with memory.log.write() as db:
        db.execute("DELETE FROM awaiting WHERE at < ?", ((now - OPEN_QUESTIONS).timestamp(),))
    for kind in ("turn", "fact", "promise", "song", "lore"):
        days: int | None = getattr(retention, kind)
        if days is not None:
            old += _where(memory, "kind = ? AND at < ?", (kind, (now - timedelta(days=days)).timestamp()))
    if retention.superseded is not None:
        old += _where(memory, "until < ?", ((now - timedelta(days=retention.superseded)).timestamp(),))
    unique = {entry.id: entry for entry in old}
    return forget_entries(memory, list(unique.values())) if unique else Receipt(now, {})


def catch_up(copy: Memory, original: Memory) -> Receipt:
    """Let a copy of a memory (a backup) forget what the original has forgotten since it was copied."""
    with copy.log.write() as db:
        db.execute("DELETE FROM awaiting")  # open questions are of the moment, and may quote what is gone
    gone = [id for (id,) in original.log.connection().execute("SELECT entry FROM forgotten")]
    return forget_entries(copy, _where(copy, "id IN (SELECT value FROM json_each(?))", (json.dumps(gone),)))


def entries_of(memory: Memory, fan: str, persona: str | None = None) -> list[Turn]:
    """All entries of a fan, superseded ones included, oldest first."""
    if persona is None:
        return _where(memory, "fan = ?", (fan,))
    return _where(memory, "fan = ? AND drawer IN (SELECT id FROM drawer WHERE persona = ?)", (fan, persona))


def _where(memory: Memory, where: str, values: Iterable[object]) -> list[Turn]:
    sql = f"SELECT {COLUMNS} FROM entry WHERE {where} ORDER BY at, id"  # noqa: S608
    return [turn(row) for row in memory.log.connection().execute(sql, tuple(values))]
