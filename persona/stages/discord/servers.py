"""What the moderators of a server chose. Safe defaults; no code, no file: `/setup` writes it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from persona.guard.judge import Policy, Strictness
from persona.stages.discord.ear import Mode
from persona.stages.discord.store import Store

WordsPlace = Literal["spoiler", "thread", "button"]


@dataclass(frozen=True)
class ServerSettings:
    """`mode` is that of channels for which nothing was chosen. Hours are 0..23 in `timezone`."""

    mode: Mode = "mention"
    songs_per_day: int = 3
    quiet_from: int | None = None
    quiet_to: int | None = None
    timezone: str = "UTC"
    voice_messages: bool = False
    explicit: bool = False
    words: WordsPlace = "spoiler"
    join_every: int = 20  # minutes of cooldown between two uninvited words in an open channel
    join_chance: int = 10  # per cent
    chart_channel: int | None = None
    chart_day: int = 4  # Monday is 0
    chart_hour: int = 18
    report_channel: int | None = None
    strictness: Strictness = "normal"
    minors: bool = False

    @property
    def policy(self) -> Policy:
        """How soon the guard steps in here."""
        return Policy(self.strictness, self.minors)

    def quiet(self, now: datetime) -> bool:
        """Whether it is quiet hours at `now` (aware)."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return False
        hour = now.astimezone(ZoneInfo(self.timezone)).hour
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= hour < self.quiet_to
        return hour >= self.quiet_from or hour < self.quiet_to


class Servers:
    """The settings of every server, in memory for reading and on disk before a change counts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        known = {field.name for field in dataclasses.fields(ServerSettings)}
        self._settings = {
            int(guild): ServerSettings(**{k: v for k, v in json.loads(text).items() if k in known})
            for guild, text in store.read("select guild, settings from servers")
        }
        self._homes: dict[int, str] = {
            int(channel): artist for channel, artist in store.read("select channel, artist from homes")
        }
        self._modes: dict[int, Mode] = {
            int(channel): mode for channel, mode in store.read("select channel, mode from channels")
        }

    def of(self, guild: int | None) -> ServerSettings:
        return self._settings.get(guild or 0, DEFAULT)

    def all(self) -> dict[int, ServerSettings]:
        """Every server whose moderators chose something."""
        return dict(self._settings)

    def mode(self, guild: int, channel: int, parent: int | None = None) -> Mode:
        """A channel's mode; a thread has its parent's unless it has its own."""
        for each in (channel, parent):
            if each is not None and each in self._modes:
                return self._modes[each]
        return self.of(guild).mode

    def home(self, channel: int | None, parent: int | None = None) -> str:
        """Which artist's home a channel is, where moderators gave it to one; else ''."""
        return next((self._homes[each] for each in (channel, parent) if each in self._homes), "")

    async def set_home(self, guild: int, channel: int, artist: str) -> None:
        await self._store.awrite(
            "insert or replace into homes values (?, ?, ?)", str(guild), str(channel), artist
        )
        self._homes[channel] = artist

    def modes(self, channels: list[int]) -> dict[int, Mode]:
        return {channel: self._modes[channel] for channel in channels if channel in self._modes}

    async def change(self, guild: int, **chosen: object) -> ServerSettings:
        settings = dataclasses.replace(self.of(guild), **chosen)  # type: ignore[arg-type]
        text = json.dumps(dataclasses.asdict(settings))
        await self._store.awrite("insert or replace into servers values (?, ?)", str(guild), text)
        self._settings[guild] = settings
        return settings

    async def set_mode(self, guild: int, channel: int, mode: Mode) -> None:
        await self._store.awrite(
            "insert or replace into channels values (?, ?, ?)", str(guild), str(channel), mode
        )
        self._modes[channel] = mode

    async def forget(self, guild: int) -> None:
        """The artist was removed from the server."""

        def both() -> None:
            self._store.write("delete from servers where guild = ?", str(guild))
            self._store.write("delete from channels where guild = ?", str(guild))
            self._store.write("delete from homes where guild = ?", str(guild))

        await asyncio.to_thread(both)
        self._settings.pop(guild, None)


DEFAULT = ServerSettings()
