"""The Discord stage: discord.py's client, with every feature built and connected here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands
from discord.ext import tasks

from persona.errors import sentence_for
from persona.stages.discord.about import add_about
from persona.stages.discord.buttons import SongButton, StageButton
from persona.stages.discord.charts import Charts
from persona.stages.discord.clips import Clips
from persona.stages.discord.costs import Costs
from persona.stages.discord.elsewhere import Elsewhere
from persona.stages.discord.keeps import Keeps, KeepsNothing
from persona.stages.discord.limits import Limits
from persona.stages.discord.lines import Lines
from persona.stages.discord.ordering import add_ordering
from persona.stages.discord.orders import Orders
from persona.stages.discord.outbox import Outbox
from persona.stages.discord.pace import Pace
from persona.stages.discord.perform import Performer, add_perform
from persona.stages.discord.places import server_of
from persona.stages.discord.reply import Reply
from persona.stages.discord.say import NO_PINGS
from persona.stages.discord.servers import Servers
from persona.stages.discord.setup import add_setup
from persona.stages.discord.songs import Songs
from persona.stages.discord.store import Store
from persona.stages.discord.talk import Talk

if TYPE_CHECKING:
    from skills.book import RequestBook
    from skills.library import Library
    from skills.requesting import Skills

log = structlog.get_logger()
LOOK_EVERY = 1.0  # seconds between two looks at progress and outbox
FLUSH_EVERY = 30.0
CHART_EVERY = 600.0


@dataclass(frozen=True)
class Parts:
    """What the stage is given: the artist's side, the songs' side, its own small database and words.

    All of it outlives a client: where discord.py trips, a new client goes on with the same parts.
    """

    elsewhere: Elsewhere
    skills: Skills
    store: Store
    lines: Lines
    servers: Servers
    limits: Limits
    outbox: Outbox
    keeps: Keeps = field(default_factory=KeepsNothing)
    gather: float = 1.2
    message_content: bool = False
    pace: Pace = field(default_factory=Pace)


class DiscordStage(discord.AutoShardedClient):
    """One bot account."""

    def __init__(self, parts: Parts, **options: Any) -> None:
        intents = discord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, dm_reactions=True,
            voice_states=True, message_content=parts.message_content,
        )  # fmt: skip
        super().__init__(
            intents=intents,
            allowed_mentions=NO_PINGS,
            max_messages=1000,
            member_cache_flags=discord.MemberCacheFlags(voice=True, joined=False),
            chunk_guilds_at_startup=False,
            **options,
        )
        self.tree = app_commands.CommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.tree.error(self.failed)
        self.store, self.lines, self.servers, self.limits = (
            parts.store,
            parts.lines,
            parts.servers,
            parts.limits,
        )
        self.skills, self.keeps, self.outbox = parts.skills, parts.keeps, parts.outbox
        self.elsewhere = parts.elsewhere
        self.costs = Costs(self.store)
        self.talk = Talk(self.elsewhere, self.servers, self.lines, self.costs, parts.pace, parts.gather)
        self.orders = Orders(self.store, self.book, self.lines, self.talk, self._partial)
        self.clips = Clips(self, self.store, self.outbox, self.orders, self.servers, self.library, self.lines)
        self.clips.on_posted.append(self._song_posted)
        self.charts = Charts(self.store, self.servers, self.lines, self.keeps.number_one)
        self.songs, self.performer = Songs(self), Performer(self)

    @property
    def book(self) -> RequestBook:
        return self.skills.book

    @property
    def library(self) -> Library:
        return self.skills.library

    # ---- life

    async def setup_hook(self) -> None:
        self.add_dynamic_items(SongButton, StageButton)
        # Reading styles and moods from disk is the commands' business once, before anybody can call one.
        for add in (add_ordering, add_about, add_setup, add_perform):
            add(self)
        await self.tree.sync()
        self._look.start()
        self._flush.start()
        self._weekly.start()

    async def close(self) -> None:
        """Answers at work are finished first; nothing that is durable needs us for it."""
        if self.is_closed():
            return
        await self.talk.finish()
        await self.performer.close()
        for loop in (self._look, self._flush, self._weekly):
            loop.cancel()
        await super().close()
        await asyncio.to_thread(self.costs.flush)

    @tasks.loop(seconds=LOOK_EVERY)
    async def _look(self) -> None:
        for look in (self.orders.look, self.clips.look):
            try:
                await look()
            except Exception as error:
                log.error("discord: a look failed; it is tried again", exc_info=error)

    @tasks.loop(seconds=FLUSH_EVERY)
    async def _flush(self) -> None:
        await asyncio.to_thread(self.costs.flush)

    @tasks.loop(seconds=CHART_EVERY)
    async def _weekly(self) -> None:
        try:
            await self.charts.look(discord.utils.utcnow())
        except Exception as error:
            log.error("discord: no chart", exc_info=error)

    @_look.before_loop
    @_weekly.before_loop
    async def _when_ready(self) -> None:
        await self.wait_until_ready()

    # ---- what happens on Discord

    async def on_ready(self) -> None:
        log.info("discord: on stage", account=str(self.user), servers=len(self.guilds))

    async def on_resumed(self) -> None:
        log.info("discord: connection resumed")

    async def on_disconnect(self) -> None:
        log.warning("discord: connection lost; it is taken up again")

    async def on_message(self, message: discord.Message) -> None:
        if self.user is not None:
            self.talk.hear(message, self.user)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self.talk.edited(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self.talk.deleted(payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for message in payload.message_ids:
            await self.talk.deleted(message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await self._reacted(payload, True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await self._reacted(payload, False)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if before.channel is not None and after.channel != before.channel:
            await self.performer.alone(member.guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        log.info("discord: removed from a server", guild=guild.id)
        await self.servers.forget(guild.id)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("discord: an event broke", happening=event_method)

    async def failed(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """The one place where a command's error becomes words for the fan; the log sees the cause."""
        cause = getattr(error, "original", error)
        sentence = sentence_for(cause)
        if sentence is None:
            log.error("discord: a command broke", command=_name(interaction), exc_info=cause)
            sentence = self.lines.say("stumble", str(interaction.id))
        else:
            log.warning("discord: a command could not", command=_name(interaction), cause=sentence)
        done = interaction.response.is_done()
        reply = Reply(interaction, True, True) if done else await Reply.begin(interaction, hidden=True)
        await reply.say(sentence)

    async def _reacted(self, payload: discord.RawReactionActionEvent, added: bool) -> None:
        ours = self.user is not None and payload.user_id == self.user.id
        if not ours and not (payload.member is not None and payload.member.bot):
            await self.charts.reacted(
                payload.message_id, payload.user_id, str(payload.emoji), payload.guild_id, added
            )

    def _partial(self, channel: int, guild: int | None) -> discord.PartialMessageable:
        return self.get_partial_messageable(channel, guild_id=guild)

    def _song_posted(self, song: str, message: discord.Message) -> None:
        self.costs.add(server_of(message.guild.id if message.guild else None), songs=1)


def _name(interaction: discord.Interaction[Any]) -> str:
    if interaction.command is not None:
        return interaction.command.qualified_name
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("custom_id", "?"))
