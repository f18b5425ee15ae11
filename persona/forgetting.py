"""Forgetting a fan, or one matter, wherever this program keeps it; a receipt says what went.

No room knows of the others, so this is where they come together: memory, songs, requests, posts, Discord's own
database, conversations, logs. A broom (persona/sweeping.py) then looks through every byte for what is still named.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from persona.sweeping import scrub as scrub_book
from persona.sweeping import scrub_all, still_there, sweep
from persona.tombstones import Stone, Tombstones
from skills.files import alone

if TYPE_CHECKING:
    from memory.forgetting import Retention
    from persona.wiring import House
    from skills.book import RequestStatus

COUNTED = timedelta(days=2)  # a song that was counted for a day's allowance
WORDS = {
    "turn": "thing you said", "fact": "fact about you", "promise": "promise", "song": "memory of a song",
    "lore": "thing you told everyone", "request": "request", "brief": "song's brief, words and dedication",
    "clip": "clip", "row": "other note",
}  # fmt: skip
PLURALS = {"thing you said": "things you said", "fact about you": "facts about you"} | {
    "memory of a song": "memories of songs", "thing you told everyone": "things you told everyone",
    "song's brief, words and dedication": "songs' briefs, words and dedications",
}  # fmt: skip


@dataclass(frozen=True)
class Receipt:
    """What was forgotten: how many of each kind and from when, never what it was.

    `posted`: (channel, message) of the posts that are to be taken back where they stand. `left`: files in which the
    broom still found a name; empty where all went.
    """

    at: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    posted: tuple[tuple[str, str], ...] = ()
    left: tuple[Path, ...] = ()

    def __str__(self) -> str:
        counts = {kind: count for kind, count in self.counts.items() if count}
        if not counts:
            return "There was nothing to forget."
        kinds = ", ".join(_counted(kind, count) for kind, count in counts.items())
        span = f", from {self.first:%d %B %Y} to {self.last:%d %B %Y}" if self.first and self.last else ""
        left = f" Still named in: {', '.join(map(str, self.left))}." if self.left else ""
        return f"Forgotten: {kinds}{span}.{left}"

    def __add__(self, other: Receipt) -> Receipt:
        times = [each for each in (self.first, self.last, other.first, other.last) if each]
        counts = {kind: self.counts.get(kind, 0) + other.counts.get(kind, 0) for kind in WORDS}
        return Receipt(
            self.at, counts, min(times, default=None), max(times, default=None),
            self.posted + other.posted, self.left + other.left,
        )  # fmt: skip


class Forgetting:
    """Over all stores of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.stones = Tombstones(house.data / "forgotten.sqlite")

    # ---- on request

    def fan(self, fan: str, about: str = "", clips: bool = False) -> Receipt:
        """Forgets all of a fan, or what they said `about` something; `clips`: and the clips of those songs.

        Without `clips` a song stays as sound alone: no title, no words, nobody's name.
        """
        from memory.forgetting import forget_about, forget_fan

        memory = self._house.memory
        with self._alone():
            self._house.keepsakes.take_into(memory)  # so that it is forgotten with the rest, and counted
            songs, requests = self._songs(fan, about)
            found = forget_about(memory, fan, about) if about else forget_fan(memory, fan)
            whens = [when for _, _, when in found.entries]
            gone = Receipt(found.at, found.counts, min(whens, default=None), max(whens, default=None))
            self.stones.bury("talk" if about else "fan", [fan], _text(found.at))
            return gone + self._forget_songs(songs, requests, clips, () if about else (fan,))

    def matching(self, fan: str, about: str) -> list[str]:
        """What `fan(fan, about)` would forget, to be shown beforehand."""
        from memory.forgetting import matching

        songs, _ = self._songs(fan, about)
        return [*(entry.text for entry in matching(self._house.memory, fan, about)), *songs]

    def message(self, message: str) -> Receipt:
        """Forgets what was kept of one message that its author took back: 'discord:<id>'."""
        from memory.forgetting import forget_message

        found = forget_message(self._house.memory, message)
        return Receipt(found.at, found.counts)

    # ---- by time, and in copies

    def tidy(self, retention: Retention, days: int) -> Receipt:
        """Lets go of what is older than its kind is kept; requests and posts after `days`. Finishes what a worker in
        the middle of a song, or a kill, left of earlier forgettings."""
        from memory.forgetting import expire, scrub

        with self._alone():
            now = self._house.memory.now()
            found = expire(self._house.memory, retention)
            old = [
                each
                for each in self._requests()
                if not each.open and _ended(each, now) > timedelta(days=days)
            ]
            self._house.book.forget([each.request.id for each in old])
            self._expire_on_discord(now, days)
            self._forget_late(self.stones.after(0))  # not fans: who came back has said new things
            scrub(self._house.memory)
            scrub_all(self._house.data, [self._house.library.root, self._house.memory.path])
            return Receipt(found.at, {**found.counts, "request": len(old)})

    def catch_up(self, copy: Path) -> Receipt:
        """Lets a copy of the data folder (a backup, or one about to be restored) forget what was forgotten since.

        For backups on their next turn, and before a restore: the copy must not be in use.
        """
        from memory.forgetting import catch_up
        from persona.wiring import House

        there = House(self._house.settings.of_copy(copy))
        news = self.stones.copy_to(there.forgetting.stones)
        try:
            found = catch_up(there.memory, self._house.memory)
            return Receipt(found.at, found.counts) + there.forgetting._forget_buried(news)
        finally:
            there.memory.close()
            there.book.close()

    def _forget_buried(self, stones: Sequence[Stone]) -> Receipt:
        """Forgets whatever these stones stand for and is there all the same."""
        from memory.forgetting import forget_fan

        gone = self._forget_late(stones)
        for fan in self.stones.lying(stones, ("fan",), self._fans()):
            songs = self._songs(fan, "")
            found = forget_fan(self._house.memory, fan)
            gone += Receipt(gone.at, found.counts) + self._forget_songs(*songs, False, (fan,))
        return gone

    def _forget_late(self, stones: Sequence[Stone]) -> Receipt:
        """Songs that were at work when they were forgotten, and left something since."""
        library = self._house.library
        folders = [path.name for path in library.root.glob("*") if path.is_dir()]  # begun ones, too
        gone = Receipt(datetime.now(UTC))
        there = list(dict.fromkeys([*library.ids(), *folders, *self._house.book.remains()]))
        for kind, clips in (("clip", True), ("song", False)):
            if late := self.stones.lying(stones, (kind,), there):
                gone += self._forget_songs(late, 0, clips, ())
        return gone

    # ---- the parts

    def _alone(self) -> AbstractContextManager[None]:
        """One forgetting at a time: a worker that tidies up would take a song from under one that is at it."""
        return alone(self._house.data / "forgetting.lock")

    def _forget_songs(
        self, songs: Sequence[str], requests: int, clips: bool, names: Sequence[str]
    ) -> Receipt:
        """Songs with their requests and posts; then every row and line that still names one of them, or `names`."""
        from memory.forgetting import forget_quoting
        from skills.forgetting import keep_only_the_sound

        house, counts, kept, titles = self._house, Counter[str](), {}, []
        now = datetime.now(UTC)
        self.stones.bury("clip" if clips else "song", songs, _text(now))
        house.book.forget(songs)
        for song in songs:
            if not house.library.folder(song).is_dir():
                continue
            titles += _title(house, song)
            if clips:
                house.library.delete(song)
                counts["clip"] += 1
            elif sound := keep_only_the_sound(house.library, song):
                kept[song] = sound
            counts["brief"] += 1
        counts["request"] = requests
        counts["lore"] = sum(len(forget_quoting(house.memory, title).entries) for title in titles)
        posted = self._forget_on_discord(names, songs, kept, clips)
        wanted = [*names, *(song for song in songs if song not in kept.values())]
        apart = [house.data / "memory"]
        counts["row"] = sweep(house.data, wanted, apart)
        left = still_there(house.data, wanted)
        return Receipt(now, dict(counts), posted=posted, left=tuple(left))

    def _expire_on_discord(self, now: datetime, days: int) -> None:
        """Songs counted for a day's allowance, and after `days` what was said, ordered and liked."""
        path, then = self._house.data / "discord.sqlite", (now - timedelta(days=days)).timestamp()
        if not path.is_file():
            return
        with closing(sqlite3.connect(path, timeout=30)) as db, db:
            db.execute("delete from allowance where at < ?", ((now - COUNTED).timestamp(),))
            db.execute("delete from outbox where message != '' and due < ?", (then,))
            for table in ("liked", "reports", "posted"):
                db.execute(f"delete from {table} where at < ?", (then,))  # noqa: S608
            db.execute("delete from orders where open = 0 and song not in (select song from posted)")

    def _forget_on_discord(
        self, fans: Sequence[str], songs: Sequence[str], kept: Mapping[str, str], clips: bool
    ) -> tuple[tuple[str, str], ...]:
        """A posted song stays in the charts without its fan and name; where clips go, their posts are to go as well."""
        path = self._house.data / "discord.sqlite"
        if not path.is_file():
            return ()
        marks = ",".join("?" * len(songs))
        with closing(sqlite3.connect(path, timeout=30)) as db, db:
            sql = f"select channel, message from posted where song in ({marks})"  # noqa: S608
            posts = db.execute(sql, songs).fetchall()
            for fan in fans:
                db.execute("update posted set fan = '' where fan = ?", (fan,))
            for song, sound in kept.items():
                db.execute("update posted set fan = '', title = '', song = ? where song = ?", (sound, song))
                db.execute("update liked set song = ? where song = ?", (sound, song))
        scrub_book(path)
        return tuple((str(channel), str(message)) for channel, message in posts) if clips else ()

    def _songs(self, fan: str, about: str) -> tuple[list[str], int]:
        """Ids of a fan's songs (about something), and how many of them are requests."""
        from memory.forgetting import of_matter, songs_of

        requests = self._house.book.of_fan(fan)
        if about:
            told = of_matter(self._house.memory.embedder, about, [_brief(each) for each in requests])
            ids = [each.request.id for each, close in zip(requests, told, strict=True) if close]
            return ids, len(ids)
        ids = [each.request.id for each in requests]
        return list(dict.fromkeys([*ids, *songs_of(self._house.memory, fan)])), len(ids)

    def _requests(self) -> list[RequestStatus]:
        return [each for fan in self._fans() for each in self._house.book.of_fan(fan)]

    def _fans(self) -> list[str]:
        """Every fan that any store names."""
        house = self._house
        found = [fan for (fan,) in house.memory.log.connection().execute("SELECT DISTINCT fan FROM entry")]
        found += house.book.fans()
        path = house.data / "discord.sqlite"
        if path.is_file():
            with closing(sqlite3.connect(path, timeout=30)) as db:
                for table in ("orders", "allowance", "posted", "liked", "reports"):
                    found += [fan for (fan,) in db.execute(f"select distinct fan from {table}")]  # noqa: S608
        return [fan for fan in dict.fromkeys(found) if fan]


def _brief(status: RequestStatus) -> str:
    brief = status.request.brief
    return " ".join((brief.theme, brief.dedication, *brief.mentions, brief.words))


def _title(house: House, song: str) -> list[str]:
    from skills.library import LibraryError

    try:
        title = house.library.read(song).title
    except LibraryError:
        return []
    return [title] if title else []


def _ended(status: RequestStatus, now: datetime) -> timedelta:
    times = status.times.values()
    return now - max(times) if times else timedelta(0)


def _text(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def _counted(kind: str, count: int) -> str:
    word = WORDS.get(kind, kind)
    return f"{count} {word}" if count == 1 else f"{count} {PLURALS.get(word, word + 's')}"
