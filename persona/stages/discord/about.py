"""/verify, /aboutme, /privacy, /forget, /export, /chart."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from persona.stages.discord.charts import WEEK
from persona.stages.discord.files import Upload
from persona.stages.discord.places import fan_of, scope_in
from persona.stages.discord.reply import Reply
from persona.stages.discord.texts import LIMIT, split

if TYPE_CHECKING:
    from persona.stages.discord.bot import DiscordStage

log = structlog.get_logger()
Interaction = discord.Interaction[Any]
MEGABYTE = 1_000_000
LARGEST = 30 * MEGABYTE  # bytes of a file that is looked into
WAIT_FOR_YES = 120.0  # seconds


def add_about(stage: DiscordStage) -> None:
    @stage.tree.command(name="aboutme", description="Who sings here? Is this an AI?")
    async def aboutme(interaction: Interaction) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        await reply.say(f"{act.lines.say('about_me', name=act.name)}\n-# <{stage.invite}>")

    @stage.tree.command(
        name="privacy", description="What is remembered of you, where, how long, and how to undo it"
    )
    @app_commands.describe(
        recall_here="may I speak in this channel of what you told me in private? Others can read my answers"
    )
    async def privacy(interaction: Interaction, recall_here: bool | None = None) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        fan, here = fan_of(interaction.user), scope_in(interaction)
        told = [act.keeps.privacy()] if recall_here is None else []
        if here.kind == "fan":
            told.append(act.lines.say("recall_in_private"))
        else:
            if recall_here is not None:
                await asyncio.to_thread(act.keeps.allow, fan, here, recall_here)
            allowed = await asyncio.to_thread(act.keeps.allowed, fan, here)
            told.append(act.lines.say("recall_here" if allowed else "recall_not_here"))
        first, *rest = split("\n\n".join(told))
        await reply.say(first)
        for part in rest:
            await interaction.followup.send(part, ephemeral=True)

    @stage.tree.command(
        name="forget", description="Have what is remembered of you deleted: all of it, or one matter"
    )
    @app_commands.describe(
        about="only what you said about this, such as: my job",
        clips="delete the clips of your songs as well; else they stay as sound alone",
    )
    async def forget(interaction: Interaction, about: str = "", clips: bool = False) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        sure = act.lines.say("forget_sure", str(interaction.id))
        await reply.say(f"{sure}\n-# {about}" if about else sure, view=Sure(stage, about, clips))

    @stage.tree.command(name="export", description="Get everything that is remembered of you, as files")
    async def export(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        files: list[Upload] = []
        for act in stage.acts:
            kept = await asyncio.to_thread(act.keeps.export, fan_of(interaction.user))
            name = "about-me" if len(stage.acts) == 1 else f"about-me-{len(files) // 2 + 1}"
            text = json.dumps(kept, ensure_ascii=False, indent=2, default=str)
            files += [
                Upload(f"{name}.json", text.encode()),
                Upload(f"{name}.html", act.keeps.page(kept).encode()),
            ]
        await reply.say(stage.act_in(interaction).lines.say("export"), files=files)

    @stage.tree.command(name="verify", description="Is this file a song of mine, and as it left my studio?")
    @app_commands.describe(file="an MP3, M4A, WAV, MP4 or Ogg file")
    async def verify(interaction: Interaction, file: discord.Attachment) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        if file.size > LARGEST:
            await reply.say(act.lines.say("verify_large", most=LARGEST // MEGABYTE))
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"clip{Path(file.filename).suffix.lower()}"
            await asyncio.to_thread(path.write_bytes, await file.read())
            sentences = await asyncio.to_thread(act.verify, path)
        await reply.say("\n".join(sentences)[:LIMIT])

    @stage.tree.command(name="chart", description="The songs that were liked best here this week")
    async def chart(interaction: Interaction) -> None:
        reply, act = await Reply.begin(interaction), stage.act_in(interaction)
        text = await asyncio.to_thread(act.charts.text, interaction.guild_id, time.time() - WEEK)
        await reply.say(text[:LIMIT])


class Sure(discord.ui.View):
    """One button: what is forgotten cannot be called back."""

    def __init__(self, stage: DiscordStage, about: str, clips: bool) -> None:
        super().__init__(timeout=WAIT_FOR_YES)
        self.stage, self.about, self.clips = stage, about, clips

    @discord.ui.button(label="Forget me", style=discord.ButtonStyle.danger)
    async def yes(self, interaction: Interaction, button: discord.ui.Button[Sure]) -> None:
        reply, fan, receipts = await Reply.begin(interaction, hidden=True), fan_of(interaction.user), []
        for act in self.stage.acts:
            gone = await asyncio.to_thread(act.keeps.forget, fan, self.about, self.clips)
            await act.elsewhere.drop(act.talk.conversations.pop(fan.id, set()))
            for channel, message in gone.posted:
                await self._take_back(int(channel), int(message))
            receipts.append(f"-# {gone}")
        done = self.stage.act_in(interaction).lines.say("forgotten", str(interaction.id))
        await reply.say("\n".join([done, *receipts])[:LIMIT])
        self.stop()

    async def _take_back(self, channel: int, message: int) -> None:
        """A post whose clip is gone goes as well, where we still may."""
        try:
            await self.stage.get_partial_messageable(channel).get_partial_message(message).delete()
        except discord.HTTPException as error:
            log.info("discord: a post could not be taken back", cause=str(error))

    async def on_error(self, interaction: Interaction, error: Exception, item: discord.ui.Item[Any]) -> None:
        await self.stage.failed(interaction, error)
