"""/song, /sing, /queue, /cancel, /mysongs."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from persona.stages.discord.places import fan_id
from persona.stages.discord.reply import Reply
from persona.stages.discord.texts import LIMIT, plain, shorten
from skills.brief import Brief, BriefError
from skills.reading import read_brief
from skills.style import list_styles, moods

if TYPE_CHECKING:
    from persona.stages.discord.act import Act
    from persona.stages.discord.bot import DiscordStage

Interaction = discord.Interaction[Any]
LONGEST_WORDS = 3000  # characters; Discord's forms take 4000
CHOICES = 25  # Discord shows at most so many
LENGTHS = (15, 20, 30, 45, 60, 90, 120)  # seconds


def add_ordering(stage: DiscordStage) -> None:
    """Adds the commands to the stage's tree."""
    for add in (_add_song, _add_sing, _add_queue, _add_cancel, _add_mysongs):
        add(stage)


async def order(act: Act, reply: Reply, text: str, **chosen: Any) -> None:
    """Reads what was asked for and orders it; what was `chosen` in fields goes before what the text says."""
    try:
        brief = await asyncio.to_thread(read_brief, text, Brief("", seconds=act.skills.seconds))
    except BriefError as error:
        await reply.say(str(error))
        return
    said = {key: value for key, value in chosen.items() if value}
    await act.songs.order(reply, dataclasses.replace(brief, **said))


def _add_song(stage: DiscordStage) -> None:
    styles, feelings = list_styles(), sorted(moods())

    @stage.tree.command(name="song", description="Ask for a song")
    @app_commands.describe(
        theme="what it is about, in your own words",
        mood="how it should feel",
        style="how it should sound",
        dedication="whom it is for",
        length="about how many seconds",
    )
    async def song(
        interaction: Interaction,
        theme: app_commands.Range[str, 1, 600],
        mood: app_commands.Range[str, 1, 40] = "",
        style: app_commands.Range[str, 1, 40] = "",
        dedication: app_commands.Range[str, 1, 60] = "",
        length: app_commands.Range[int, 10, 240] = 0,
    ) -> None:
        reply, act = await Reply.begin(interaction), stage.act_in(interaction)
        if style and style.lower() not in styles:
            known = ", ".join(styles)
            await reply.say(act.lines.say("no_style", str(interaction.id), style=plain(style), styles=known))
            return
        feeling, whom = mood.strip().lower(), " ".join(dedication.split())
        await order(
            act, reply, theme, mood=feeling, style=style.lower(), dedication=whom, seconds=float(length)
        )

    @song.autocomplete("mood")
    async def moods_like(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return _like(current, feelings)

    @song.autocomplete("style")
    async def styles_like(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return _like(current, styles)

    @song.autocomplete("length")
    async def lengths(interaction: Interaction, current: str | int) -> list[app_commands.Choice[int]]:
        fitting = [each for each in LENGTHS if str(each).startswith(str(current or ""))]
        return [app_commands.Choice(name=f"{each} seconds", value=each) for each in fitting]


def _add_sing(stage: DiscordStage) -> None:
    @stage.tree.command(name="sing", description="Have your own words sung, as they are")
    async def sing(interaction: Interaction) -> None:
        await interaction.response.send_modal(Words(stage.act_in(interaction)))


def _add_queue(stage: DiscordStage) -> None:
    @stage.tree.command(name="queue", description="What is being made, and where your songs stand")
    async def queue(interaction: Interaction) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        fan = fan_id(interaction.user.id)
        mine = await asyncio.to_thread(act.book.of_fan, fan)
        total = len(await asyncio.to_thread(act.book.open_requests))
        rows = [
            f"**{plain(shorten(status.request.brief.theme, 80))}**\n{act.orders.words(status)}"
            for status in mine
            if status.open
        ]
        head = act.lines.say("queue" if rows else "queue_empty", str(interaction.id), total=total)
        left = await asyncio.to_thread(act.limits.left, fan, interaction.guild_id)
        await reply.say(_fitting([head, "-# " + act.lines.say("songs_left", left=left), *rows]))


def _add_cancel(stage: DiscordStage) -> None:
    @stage.tree.command(name="cancel", description="Take a song of yours out of the queue")
    @app_commands.describe(song="which one; your latest if you do not say")
    async def cancel(interaction: Interaction, song: str = "") -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        mine = [s for s in await asyncio.to_thread(act.book.of_fan, fan_id(interaction.user.id)) if s.open]
        found = next((s for s in mine if not song or s.request.id == song), None)
        if found is None:
            await reply.say(act.lines.say("nothing_to_cancel", str(interaction.id)))
            return
        await asyncio.to_thread(act.book.cancel, found.request.id)
        theme = plain(shorten(found.request.brief.theme, 100))
        await reply.say(act.lines.say("cancelled", found.request.id, theme=theme))

    @cancel.autocomplete("song")
    async def open_songs(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        book = stage.act_in(interaction).book
        mine = await asyncio.to_thread(book.of_fan, fan_id(interaction.user.id))
        found = [s.request for s in mine if s.open and current.lower() in s.request.brief.theme.lower()]
        return [
            app_commands.Choice(name=shorten(r.brief.theme, 90) or r.id, value=r.id) for r in found[:CHOICES]
        ]


def _add_mysongs(stage: DiscordStage) -> None:
    @stage.tree.command(name="mysongs", description="The songs that were made for you")
    async def mysongs(interaction: Interaction) -> None:
        reply, act = await Reply.begin(interaction, hidden=True), stage.act_in(interaction)
        rows = await act.store.aread(
            "select title, guild, channel, message, at from posted where fan = ? order by at desc limit 20",
            fan_id(interaction.user.id),
        )
        listed = [
            f"- [{plain(title)}](<https://discord.com/channels/{guild or '@me'}/{channel}/{message}>) <t:{int(at)}:R>"
            for title, guild, channel, message, at in rows
        ]
        head = act.lines.say("my_songs" if listed else "my_songs_none", str(interaction.id))
        await reply.say(_fitting([head, *listed]))


class Words(discord.ui.Modal):
    """The form behind /sing: a slash command's option has no lines, and words have."""

    def __init__(self, act: Act) -> None:
        super().__init__(title="Sing these words", timeout=3600)
        self.act = act
        self.words: discord.ui.TextInput[Words] = discord.ui.TextInput(
            label="The words, a line a line",
            style=discord.TextStyle.paragraph,
            min_length=2,
            max_length=LONGEST_WORDS,
            placeholder="Leave an empty line between verses",
        )
        self.sound: discord.ui.TextInput[Words] = discord.ui.TextInput(
            label="How it should sound (if you care)",
            required=False,
            max_length=100,
            placeholder="slow blues",
        )
        self.add_item(self.words)
        self.add_item(self.sound)

    async def on_submit(self, interaction: Interaction) -> None:
        reply = await Reply.begin(interaction)
        words = "\n".join(line.strip() for line in self.words.value.splitlines()).strip()
        first = next(line for line in [*words.splitlines(), "your words"] if line)
        await order(
            self.act,
            reply,
            " ".join([self.sound.value or "", first]).strip(),
            words=words,
            theme=shorten(first, 80),
        )

    async def on_error(self, interaction: Interaction, error: Exception, /, *item: Any) -> None:
        await interaction.client.failed(interaction, error)


def _like(current: str, names: list[str]) -> list[app_commands.Choice[str]]:
    typed = current.strip().lower()
    first = [name for name in names if name.startswith(typed)]
    rest = [name for name in names if typed in name and name not in first]
    return [app_commands.Choice(name=name, value=name) for name in [*first, *rest][:CHOICES]]


def _fitting(rows: list[str]) -> str:
    """As many rows as one message holds."""
    text = rows[0]
    for row in rows[1:]:
        if len(text) + 1 + len(row) > LIMIT:
            break
        text += "\n" + row
    return text
