"""Charts: what fans do with posted songs, counted once per fan; and the weekly chart post."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from persona.stages.discord.lines import Lines
from persona.stages.discord.places import address_of, fan_id
from persona.stages.discord.servers import Servers
from persona.stages.discord.store import Store
from persona.stages.discord.texts import plain

log = structlog.get_logger()
WEEK = 7 * 24 * 3600.0
POINTS = {"reaction": 1, "play": 2, "share": 3}
TOP = 10
MEDALS = ("🥇", "🥈", "🥉")


@dataclass(frozen=True)
class Entry:
    """A song in the chart. `fans`: how many did something with it; `link`: its last post in that server."""

    song: str
    title: str
    points: int
    fans: int
    link: str


class Charts:
    """`number_one(title, guild)` is told the best song of a server's week, so that the artist knows its hits."""

    def __init__(
        self, store: Store, servers: Servers, lines: Lines, number_one: Callable[[str, int], None]
    ) -> None:
        self.store, self.servers, self.lines, self.number_one = store, servers, lines, number_one

    # ---- counting

    async def count(self, song: str, user: int, how: str, guild: int | None, detail: str = "") -> bool:
        """Once per fan, song and way. `detail` tells an emoji from another, so that each can be taken back."""
        return bool(
            await self.store.awrite(
                "insert or ignore into liked values (?, ?, ?, ?, ?)",
                song, fan_id(user), f"{how} {detail}".strip(), str(guild or ""), time.time(),
            )
        )  # fmt: skip

    async def reacted(self, message: int, user: int, emoji: str, guild: int | None, added: bool) -> None:
        rows = await self.store.aread("select song from posted where message = ?", str(message))
        if not rows:
            return
        song = rows[0][0]
        if added:
            await self.count(song, user, "reaction", guild, emoji)
        else:
            await self.store.awrite(
                "delete from liked where song = ? and fan = ? and how = ?",
                song,
                fan_id(user),
                f"reaction {emoji}",
            )

    # ---- the chart

    def top(self, guild: int | None, since: float) -> list[Entry]:
        """The songs that were posted in a server (or in private: by this artist anywhere), best first."""
        rows = self.store.read(
            "select l.song, l.fan, l.how from liked l where l.at >= ? and l.guild = ?",
            since,
            str(guild or ""),
        )
        return self._ranked(rows, guild)

    def among(self, songs: Collection[str], since: float) -> list[Entry]:
        """The best of some songs, wherever fans did something with them."""
        rows = self.store.read("select song, fan, how from liked where at >= ?", since)
        return self._ranked([row for row in rows if row[0] in songs], None)

    def _ranked(self, rows: Sequence[Sequence[str]], guild: int | None) -> list[Entry]:
        points: dict[str, set[tuple[str, str]]] = {}
        for song, fan, how in rows:
            points.setdefault(song, set()).add((fan, how.split(" ", 1)[0]))
        entries = [self._entry(song, guild, counted) for song, counted in points.items()]
        return sorted(entries, key=lambda entry: (-entry.points, -entry.fans, entry.song))[:TOP]

    def _entry(self, song: str, guild: int | None, counted: set[tuple[str, str]]) -> Entry:
        rows = self.store.read(
            "select title, guild, channel, message from posted where song = ? "
            "order by (guild = ?) desc, at desc limit 1",
            song, str(guild or ""),
        )  # fmt: skip
        title, there, channel, message = rows[0] if rows else (song, "", "", "")
        link = f"https://discord.com/channels/{there or '@me'}/{channel}/{message}" if message else ""
        return Entry(
            song, title, sum(POINTS.get(how, 0) for _, how in counted), len({fan for fan, _ in counted}), link
        )

    def text(self, guild: int | None, since: float) -> str:
        entries = self.top(guild, since)
        if not entries:
            return self.lines.say("chart_empty", str(guild))
        rows = [self.lines.say("chart_head", f"{guild} {entries[0].song}", title=plain(entries[0].title))]
        for place, entry in enumerate(entries):
            mark = MEDALS[place] if place < len(MEDALS) else f"{place + 1}."
            name = f"[{plain(entry.title)}](<{entry.link}>)" if entry.link else plain(entry.title)
            rows.append(
                f"{mark} {name} · {entry.points} points from {entry.fans} fan{'s' * (entry.fans != 1)}"
            )
        return "\n".join(rows)

    def hits(self) -> list[str]:
        """Titles of the artist's best songs of all time and places, best first."""
        rows = self.store.read(
            "select p.title, count(distinct l.fan) from liked l join (select song, max(title) as title from posted "
            "group by song) p on p.song = l.song group by l.song order by 2 desc, l.song limit 3"
        )
        return [title for title, _ in rows]

    # ---- the weekly post

    async def look(self, now: datetime) -> list[str]:
        """Puts the chart of every server whose hour has come into the outbox, once a week; a week in which nobody
        liked anything is passed over. Returns their nonces. Tells the artist of new hits."""
        await asyncio.to_thread(self._tell_hits, now)
        return await asyncio.to_thread(self._look, now)

    def _tell_hits(self, now: datetime) -> None:
        """Whether or not a server posts its chart: what is number one there now, once when it changes."""
        since = now.timestamp() - WEEK
        told: dict[str, str] = dict(self.store.read("select guild, song from hits"))
        for (guild,) in self.store.read(
            "select distinct guild from liked where at >= ? and guild != ''", since
        ):
            [best, *_] = self.top(int(guild), since)
            if told.get(guild) != best.song:
                self.number_one(best.title, int(guild))
                self.store.write("insert or replace into hits values (?, ?)", guild, best.song)

    def _look(self, now: datetime) -> list[str]:
        made = []
        for guild, settings in self.servers.all().items():
            local = now.astimezone(ZoneInfo(settings.timezone))
            due = (local.weekday(), local.hour) >= (settings.chart_day, settings.chart_hour)
            if settings.chart_channel is None or not due or settings.quiet(now):
                continue
            if not self.top(guild, now.timestamp() - WEEK):
                continue
            week = f"{local.isocalendar().year}-{local.isocalendar().week:02d}"
            text = self.text(guild, now.timestamp() - WEEK)
            nonce = f"chart-{guild}-{week}:chart"
            address = str(address_of(settings.chart_channel, guild))
            if self.store.together(lambda c, row=(guild, week, nonce, address, text): _post_once(c, *row)):  # type: ignore[misc]
                made.append(nonce)
        return made


def _post_once(
    connection: sqlite3.Connection, guild: int, week: str, nonce: str, address: str, text: str
) -> bool:
    if not connection.execute("insert or ignore into charts values (?, ?)", (str(guild), week)).rowcount:
        return False
    connection.execute(
        "insert or ignore into outbox (nonce, address, text, clip, due) values (?, ?, ?, '', 0)",
        (nonce, address, text),
    )
    return True
