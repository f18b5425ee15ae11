"""The Discord stage: discord.py's client, with every feature built and connected here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import tasks

from persona.errors import sentence_for
from persona.stages.discord import permissions
from persona.stages.discord.about import add_about
from persona.stages.discord.act import Act, Parts
from persona.stages.discord.buttons import SongButton, StageButton
from persona.stages.discord.costs import Costs
from persona.stages.discord.ear import answers
from persona.stages.discord.faces import AccountFace, WebhookFace
from persona.stages.discord.ordering import add_ordering
from persona.stages.discord.perform import Performer, add_perform
from persona.stages.discord.places import fan_id
from persona.stages.discord.reply import Reply
from persona.stages.discord.say import NO_PINGS
from persona.stages.discord.setup import add_setup

log = structlog.get_logger()
LOOK_EVERY = 1.0  # seconds between two looks at progress and outbox
FLUSH_EVERY = 30.0
CHART_EVERY = 600.0
COMMAND = "CommandTree-invoker"  # what discord.py calls the task of a command
PATIENCE = 15.0  # seconds for what is at work when we are stopped


@dataclass(frozen=True)
class Guest:
    """A further artist of the account, who speaks through its webhooks. `picture`: an address, or ''."""

    parts: Parts
    picture: str = ""


class DiscordStage(discord.AutoShardedClient):
    """One bot account."""

    def __init__(self, parts: Parts, guests: Sequence[Guest] = (), **options: Any) -> None:
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
        self.tree = Tree(
            self,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.tree.error(self.failed)
        self.servers, self.pace, self.guard_book = parts.servers, parts.pace, parts.guard_book
        self.costs = Costs(parts.store)
        self.main = Act(self, AccountFace(self), parts, self.costs)
        faces = [(WebhookFace(self, g.parts.elsewhere.artist.name, g.picture), g.parts) for g in guests]
        self.acts = (self.main, *(Act(self, face, each, self.costs) for face, each in faces))
        self.performer = Performer(self)

    @property
    def invite(self) -> str:
        """The link that asks for exactly what is needed here."""
        assert self.application_id is not None
        return permissions.invite(self.application_id, webhooks=len(self.acts) > 1)

    # ---- whose turn it is

    def act_at(self, channel: int | None, parent: int | None = None) -> Act:
        """The artist who is at home in a channel: whom moderators put there, else the account's own."""
        home = self.servers.home(channel, parent)
        return next((act for act in self.acts if act.name == home), self.main)

    def act_in(self, interaction: discord.Interaction[Any]) -> Act:
        return self.act_at(interaction.channel_id, _parent(interaction.channel))

    def act_of(self, song: str) -> Act:
        return next((act for act in self.acts[1:] if act.made(song)), self.main)

    def _act_for(self, message: discord.Message, home: Act) -> Act:
        """Whom a message speaks to: who is answered or named in it, who is being spoken to, who is at home."""
        if len(self.acts) == 1 or message.guild is None:
            return home
        for meant in (
            lambda act: answers(message, act.face),
            lambda act: act.face.names(message.content),
            lambda act: act.talk.listens(message),
        ):
            if act := next((each for each in self.acts if meant(each)), None):
                return act
        return home

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
        """Answers and commands at work are finished first; nothing that is durable needs us for it."""
        if self.is_closed():
            return
        if commands := [task for task in asyncio.all_tasks() if task.get_name() == COMMAND]:
            await asyncio.wait(commands, timeout=PATIENCE)
        await asyncio.gather(*(act.talk.finish() for act in self.acts))
        await self.performer.close()
        for loop in (self._look, self._flush, self._weekly):
            loop.cancel()
        await super().close()
        await asyncio.to_thread(self.costs.flush)

    @tasks.loop(seconds=LOOK_EVERY)
    async def _look(self) -> None:
        for look in [look for act in self.acts for look in (act.orders.look, act.clips.look)]:
            try:
                await look()
            except Exception as error:
                log.error("discord: a look failed; it is tried again", exc_info=error)

    @tasks.loop(seconds=FLUSH_EVERY)
    async def _flush(self) -> None:
        await asyncio.to_thread(self.costs.flush)

    @tasks.loop(seconds=CHART_EVERY)
    async def _weekly(self) -> None:
        for act in self.acts:
            try:
                await act.charts.look(discord.utils.utcnow())
            except Exception as error:
                log.error("discord: no chart", artist=act.name, exc_info=error)

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
            home = self.act_at(message.channel.id, _parent(message.channel))
            act = self._act_for(message, home)
            act.talk.hear(message, self.user, at_home=act is home)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        for act in self.acts:
            act.talk.edited(payload.message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self._deleted(payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for message in payload.message_ids:
            await self._deleted(message)

    async def _deleted(self, message: int) -> None:
        for act in self.acts:
            await act.talk.deleted(message)
            await asyncio.to_thread(act.keeps.taken_back, message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await self._reacted(payload, True)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await self._reacted(payload, False)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if after.channel != before.channel:
            await self.performer.moved(member)

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
            sentence = self.act_in(interaction).lines.say("stumble", str(interaction.id))
        else:
            log.warning("discord: a command could not", command=_name(interaction), cause=sentence)
        done = interaction.response.is_done()
        reply = Reply(interaction, True, True) if done else await Reply.begin(interaction, hidden=True)
        await reply.say(sentence)

    async def _reacted(self, payload: discord.RawReactionActionEvent, added: bool) -> None:
        ours = self.user is not None and payload.user_id == self.user.id
        if ours or (payload.member is not None and payload.member.bot):
            return
        for act in self.acts:
            await act.charts.reacted(
                payload.message_id, payload.user_id, str(payload.emoji), payload.guild_id, added
            )

    async def welcome(self, interaction: discord.Interaction[Any]) -> bool:
        """Whether a command or button is followed: who presses far too much is told once, then ignored for a time."""
        if interaction.type is discord.InteractionType.autocomplete:
            return True
        verdict = self.pace.admit(fan_id(interaction.user.id), time.monotonic(), "press")
        if verdict == "warn":
            log.warning("discord: a fan is ignored for a time", fan=interaction.user.id)
            reply = await Reply.begin(interaction, hidden=True)
            await reply.say(self.act_in(interaction).lines.say("slow_down", str(interaction.id)))
        return verdict == "welcome"


class Tree(app_commands.CommandTree[DiscordStage]):
    async def interaction_check(self, interaction: discord.Interaction[DiscordStage], /) -> bool:
        return await self.client.welcome(interaction)


def _parent(channel: object) -> int | None:
    return channel.parent_id if isinstance(channel, discord.Thread) else None


def _name(interaction: discord.Interaction[Any]) -> str:
    if interaction.command is not None:
        return interaction.command.qualified_name
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("custom_id", "?"))
