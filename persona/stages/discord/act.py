"""An act: one artist on the account, with everything that is its own. What is shared by all stays with the stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import discord

from persona.guard.book import GuardBook
from persona.stages.discord.charts import Charts
from persona.stages.discord.clips import Clips
from persona.stages.discord.costs import Costs
from persona.stages.discord.elsewhere import Elsewhere
from persona.stages.discord.faces import Face
from persona.stages.discord.keeps import Keeps, KeepsNothing
from persona.stages.discord.limits import Limits
from persona.stages.discord.lines import Lines
from persona.stages.discord.orders import Orders
from persona.stages.discord.outbox import Outbox
from persona.stages.discord.pace import Pace
from persona.stages.discord.places import server_of
from persona.stages.discord.servers import Servers
from persona.stages.discord.songs import Songs
from persona.stages.discord.store import Store
from persona.stages.discord.talk import Talk

if TYPE_CHECKING:
    from skills.book import RequestBook
    from skills.library import Library
    from skills.requesting import Skills


@dataclass(frozen=True)
class Parts:
    """What an act is given: the artist's side, the songs' side, its own small database and words. Further artists of
    an account share its servers, limits and pace.

    All of it outlives a client: where discord.py trips, a new client goes on with the same parts.
    """

    elsewhere: Elsewhere
    skills: Skills
    store: Store
    lines: Lines
    servers: Servers
    limits: Limits
    outbox: Outbox
    guard_book: GuardBook
    keeps: Keeps = field(default_factory=KeepsNothing)
    gather: float = 1.2
    message_content: bool = False
    pace: Pace = field(default_factory=Pace)
    verify: Callable[[Path], Sequence[str]] = lambda path: ()  # sentences on where a file comes from


class Act:
    def __init__(self, client: discord.Client, face: Face, parts: Parts, costs: Costs) -> None:
        self.client, self.face, self.costs = client, face, costs
        self.elsewhere, self.skills, self.keeps = parts.elsewhere, parts.skills, parts.keeps
        self.store, self.outbox, self.lines = parts.store, parts.outbox, parts.lines
        self.servers, self.limits, self.verify = parts.servers, parts.limits, parts.verify
        self.talk = Talk(self.elsewhere, face, self.servers, self.lines, costs, parts.pace, parts.gather)
        self.orders = Orders(self.store, self.book, self.lines, self.talk, face, self._partial)
        self.clips = Clips(
            client, face, self.store, self.outbox, self.orders, self.servers, self.library, self.lines
        )
        self.clips.on_posted.append(self._song_posted)
        self.charts = Charts(self.store, self.servers, self.lines, self.keeps.number_one)
        self.songs = Songs(self)

    @property
    def name(self) -> str:
        return self.elsewhere.artist.name

    @property
    def book(self) -> RequestBook:
        return self.skills.book

    @property
    def library(self) -> Library:
        return self.skills.library

    def made(self, song: str) -> bool:
        return self.library.folder(song).is_dir()

    def _partial(self, channel: int, guild: int | None) -> discord.PartialMessageable:
        return self.client.get_partial_messageable(channel, guild_id=guild)

    def _song_posted(self, song: str, message: discord.Message) -> None:
        self.costs.add(server_of(message.guild.id if message.guild else None), songs=1)
