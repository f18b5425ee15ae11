"""/aboutme, /privacy, /forget, /export, /chart."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import discord

from persona.stages.discord import permissions
from persona.stages.discord.charts import WEEK
from persona.stages.discord.files import Upload
from persona.stages.discord.places import fan_id, fan_of
from persona.stages.discord.reply import Reply
from persona.stages.discord.texts import LIMIT

if TYPE_CHECKING:
    from persona.stages.discord.bot import DiscordStage

Interaction = discord.Interaction[Any]
WAIT_FOR_YES = 120.0  # seconds


def add_about(stage: DiscordStage) -> None:
    lines = stage.lines

    @stage.tree.command(name="aboutme", description="Who sings here? Is this an AI?")
    async def aboutme(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        assert stage.application_id is not None
        text = lines.say("about_me", name=stage.elsewhere.artist.name)
        await reply.say(f"{text}\n-# <{permissions.invite(stage.application_id)}>")

    @stage.tree.command(name="privacy", description="What is remembered of you, where, and how to undo it")
    async def privacy(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        await reply.say(lines.say("privacy").replace("\\n", "\n")[:LIMIT])

    @stage.tree.command(name="forget", description="Have everything that is remembered of you deleted")
    async def forget(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        await reply.say(lines.say("forget_sure", str(interaction.id)), view=Sure(stage))

    @stage.tree.command(name="export", description="Get everything that is remembered of you, as a file")
    async def export(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        data = await asyncio.to_thread(everything_of, stage, interaction.user)
        text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
        await reply.say(lines.say("export"), files=[Upload("about-me.json", text.encode())])

    @stage.tree.command(name="chart", description="The songs that were liked best here this week")
    async def chart(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction)
        text = await asyncio.to_thread(stage.charts.text, interaction.guild_id, time.time() - WEEK)
        await reply.say(text[:LIMIT])


class Sure(discord.ui.View):
    """One button: what is forgotten cannot be called back."""

    def __init__(self, stage: DiscordStage) -> None:
        super().__init__(timeout=WAIT_FOR_YES)
        self.stage = stage

    @discord.ui.button(label="Forget me", style=discord.ButtonStyle.danger)
    async def yes(self, interaction: Interaction, button: discord.ui.Button[Sure]) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        await asyncio.to_thread(forget_all_of, self.stage, interaction.user)
        spoken_in = self.stage.talk.conversations.pop(fan_id(interaction.user.id), set())
        await self.stage.elsewhere.drop(spoken_in)
        await reply.say(self.stage.lines.say("forgotten", str(interaction.id)))
        self.stop()

    async def on_error(self, interaction: Interaction, error: Exception, item: discord.ui.Item[Any]) -> None:
        await self.stage.failed(interaction, error)


def everything_of(stage: DiscordStage, user: discord.abc.User) -> dict[str, Any]:
    """All that this program keeps of a fan: each part gives its own."""
    mine, store = fan_id(user.id), stage.store
    return {
        "you": {"id": mine, "name": user.display_name},
        "memories": stage.keeps.export(fan_of(user)),
        "requests": [
            {
                "song": s.request.id,
                "state": s.state,
                "address": str(s.request.address),
                "brief": vars(s.request.brief),
            }
            for s in stage.book.of_fan(mine)
        ],
        "posted songs": store.read(
            "select title, song, guild, channel, message, at from posted where fan = ?", mine
        ),
        "what you liked": store.read("select song, how, at from liked where fan = ?", mine),
        "what you reported": store.read("select song, why, at from reports where fan = ?", mine),
    }


def forget_all_of(stage: DiscordStage, user: discord.abc.User) -> None:
    """Each part deletes what it keeps. Songs that were posted stay where they were posted, without the fan's name."""
    mine, store = fan_id(user.id), stage.store
    for status in stage.book.of_fan(mine):
        if status.open:
            stage.book.cancel(status.request.id)
    stage.keeps.forget(fan_of(user))
    store.write("update posted set fan = '' where fan = ?", mine)
    for table in ("liked", "reports", "orders"):
        store.write(f"delete from {table} where fan = ?", mine)  # noqa: S608
