"""/setup, for moderators: what the artist does in their server. Every choice is stored before it is confirmed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import discord
from discord import app_commands

from persona.guard.judge import Strictness
from persona.stages.discord import permissions
from persona.stages.discord.places import STAGE, fan_of
from persona.stages.discord.reply import Reply
from persona.stages.discord.servers import ServerSettings
from persona.stages.discord.texts import LIMIT, plain

if TYPE_CHECKING:
    from persona.stages.discord.bot import DiscordStage

Interaction = discord.Interaction[Any]
Modes = Literal["open", "mention", "off"]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NO_CONTENT = "I read open channels only with Discord's *Message Content Intent*, which this bot's operator switches on."
Talkable = discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.Thread
Hour = app_commands.Range[int, 0, 23]


def add_setup(stage: DiscordStage) -> None:
    setup = app_commands.Group(
        name="setup",
        description="For moderators: what the artist does here",
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )
    for add in (_add_looks, _add_channels, _add_hours, _add_songs, _add_posts, _add_care, _add_lore):
        add(stage, setup)
    if len(stage.acts) > 1:
        _add_artist(stage, setup)
    stage.tree.add_command(setup)


async def change(stage: DiscordStage, interaction: Interaction, **chosen: object) -> None:
    """Stores the choices, then shows all that is chosen."""
    reply = await Reply.begin(interaction, hidden=True)
    assert interaction.guild is not None
    settings = await stage.servers.change(interaction.guild.id, **chosen)
    await reply.say(shown(stage, interaction.guild, settings))


def _add_looks(stage: DiscordStage, setup: app_commands.Group) -> None:
    """What is chosen, and what is missing."""

    @setup.command(name="show", description="What is chosen now")
    async def show(interaction: Interaction) -> None:
        await change(stage, interaction)

    @setup.command(name="check", description="Which permissions are missing, and the link that mends it")
    async def check(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        assert interaction.guild is not None
        await reply.say(checked(interaction.guild, stage.invite, len(stage.acts) > 1)[:LIMIT])


def _add_channels(stage: DiscordStage, setup: app_commands.Group) -> None:
    """Where the artist talks."""

    @setup.command(
        name="channel", description="Where the artist answers: open, only when mentioned, or not at all"
    )
    async def channel(
        interaction: Interaction,
        channel: Talkable,
        mode: Modes,
    ) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        assert interaction.guild is not None
        await stage.servers.set_mode(interaction.guild.id, channel.id, mode)
        text = shown(stage, interaction.guild, stage.servers.of(interaction.guild.id))
        lacks = permissions.missing_here(channel) if mode != "off" else ()
        if lacks:
            text += f"\n⚠️ I lack in {channel.mention}: {', '.join(lacks)}"
        if mode == "open" and not stage.intents.message_content:
            text += f"\n⚠️ {NO_CONTENT}"
        await reply.say(text[:LIMIT])

    @setup.command(name="everywhere", description="What holds in channels for which nothing is chosen")
    async def everywhere(interaction: Interaction, mode: Modes) -> None:
        await change(stage, interaction, mode=mode)

    @setup.command(name="joining", description="In open channels: how often the artist may join in uninvited")
    async def joining(
        interaction: Interaction,
        minutes: app_commands.Range[int, 1, 1440],
        chance: app_commands.Range[int, 0, 100],
    ) -> None:
        await change(stage, interaction, join_every=minutes, join_chance=chance)


def _add_hours(stage: DiscordStage, setup: app_commands.Group) -> None:
    """When it is quiet."""

    @setup.command(
        name="quiet", description="Hours without notifications and without joining in; same hours: never"
    )
    async def quiet(interaction: Interaction, start: Hour, end: Hour, timezone: str = "UTC") -> None:
        if timezone not in available_timezones():
            reply = await Reply.begin(interaction, hidden=True)
            await reply.say(f"`{timezone[:40]}` is no time zone; try `Europe/Berlin` or `America/Chicago`.")
            return
        await change(stage, interaction, quiet_from=start, quiet_to=end, timezone=str(ZoneInfo(timezone)))

    @quiet.autocomplete("timezone")
    async def zones(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        typed = current.lower().replace(" ", "_")
        found = [zone for zone in sorted(available_timezones()) if typed in zone.lower()][:25]
        return [app_commands.Choice(name=zone, value=zone) for zone in found]


def _add_songs(stage: DiscordStage, setup: app_commands.Group) -> None:
    """What songs there are, and how they come."""

    @setup.command(name="songs", description="How many songs a member may ask for in a day")
    async def songs(interaction: Interaction, per_day: app_commands.Range[int, 0, 50]) -> None:
        await change(stage, interaction, songs_per_day=per_day)

    @setup.command(name="voice", description="Post songs as voice messages too")
    async def voice(interaction: Interaction, on: bool) -> None:
        await change(stage, interaction, voice_messages=on)

    @setup.command(name="explicit", description="Allow explicit language in what songs are about")
    async def explicit(interaction: Interaction, on: bool) -> None:
        await change(stage, interaction, explicit=on)

    @setup.command(name="words", description="Where a song's words go")
    async def words(interaction: Interaction, place: Literal["spoiler", "thread", "button"]) -> None:
        await change(stage, interaction, words=place)


def _add_posts(stage: DiscordStage, setup: app_commands.Group) -> None:
    """What is posted without being asked for."""

    @setup.command(name="chart", description="Post the week's chart; without a channel: never")
    async def chart(
        interaction: Interaction,
        channel: discord.TextChannel | None = None,
        day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] = "Friday",
        hour: Hour = 18,
    ) -> None:
        await change(
            stage,
            interaction,
            chart_channel=channel.id if channel else None,
            chart_day=DAYS.index(day),
            chart_hour=hour,
        )

    @setup.command(
        name="reports", description="Where reports of songs are told; without a channel: nowhere here"
    )
    async def reports(interaction: Interaction, channel: discord.TextChannel | None = None) -> None:
        await change(stage, interaction, report_channel=channel.id if channel else None)


def _add_care(stage: DiscordStage, setup: app_commands.Group) -> None:
    """How careful the artist is here, and what that came to."""

    @setup.command(
        name="guard", description="How soon the artist declines, and whether members are young people"
    )
    async def guard(
        interaction: Interaction, strictness: Strictness = "normal", minors: bool = False
    ) -> None:
        await change(stage, interaction, strictness=strictness, minors=minors)

    @setup.command(
        name="incidents", description="Why the artist declined here in the last 30 days: counts, no words"
    )
    async def incidents(interaction: Interaction) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        assert interaction.guild is not None
        since = interaction.created_at - timedelta(days=30)
        place = f"{STAGE}:{interaction.guild.id}"
        rows = await asyncio.to_thread(stage.guard_book.incidents, since, place)
        listed = [
            f"{row.day} **{row.topic.replace('_', 'other')}** {row.count} × by {row.why}" for row in rows
        ]
        await reply.say("\n".join(listed)[:LIMIT] or "Nothing was declined here in the last 30 days.")


def _add_lore(stage: DiscordStage, setup: app_commands.Group) -> None:
    """What the artist knows of this server, in all its channels."""

    @setup.command(
        name="lore", description="What the artist should know of this server: show it, tell more, forget"
    )
    @app_commands.describe(
        tell="one thing to know here, such as: every song of ours needs a goat",
        forget="the number of what it should know no longer",
    )
    async def lore(
        interaction: Interaction,
        tell: app_commands.Range[str, 1, 300] = "",
        forget: app_commands.Range[int, 1, 99] = 0,
    ) -> None:
        reply, keeps = await Reply.begin(interaction, hidden=True), stage.act_in(interaction).keeps
        assert interaction.guild is not None
        guild, head = interaction.guild.id, "**What I know of this server:**"
        known = await asyncio.to_thread(keeps.told, guild)
        if forget and forget <= len(known):
            await asyncio.to_thread(keeps.untell, guild, known[forget - 1][0])
        if tell and not await asyncio.to_thread(keeps.tell, fan_of(interaction.user), guild, tell):
            head = f"I keep no orders, questions, secrets or private matters; say it as a plain fact.\n{head}"
        known = await asyncio.to_thread(keeps.told, guild)
        rows = [f"{number}. {plain(text)}" for number, (_, text) in enumerate(known, 1)]
        await reply.say("\n".join([head, *(rows or ["nothing yet"])])[:LIMIT])


def _add_artist(stage: DiscordStage, setup: app_commands.Group) -> None:
    """Who is at home where: only where one account has several artists."""
    names = [act.name for act in stage.acts]

    @setup.command(name="artist", description="Which artist a channel is the home of")
    @app_commands.choices(artist=[app_commands.Choice(name=name, value=name) for name in names[:25]])
    async def artist(interaction: Interaction, channel: Talkable, artist: str) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        assert interaction.guild is not None
        await stage.servers.set_home(interaction.guild.id, channel.id, artist)
        text = f"{channel.mention}: **{artist}**"
        if artist != stage.main.name and not channel.permissions_for(interaction.guild.me).manage_webhooks:
            lacks = permissions.title("manage_webhooks")
            text += f"\n⚠️ I lack {lacks} there {permissions.WEBHOOKS['manage_webhooks']}. <{stage.invite}>"
        await reply.say(text)


def shown(stage: DiscordStage, guild: discord.Guild, chosen: ServerSettings) -> str:
    """The choices, one a line, in words."""
    modes = stage.servers.modes([channel.id for channel in [*guild.channels, *guild.threads]])
    hours = chosen.quiet_from is not None and chosen.quiet_from != chosen.quiet_to
    rows = [
        f"**Channels:** {chosen.mode}" + "".join(f", <#{channel}> {mode}" for channel, mode in modes.items()),
        f"**Songs** a member and day: {chosen.songs_per_day}",
        f"**Quiet hours:** {f'{chosen.quiet_from}-{chosen.quiet_to} {chosen.timezone}' if hours else 'none'}",
        f"**Voice messages:** {'on' if chosen.voice_messages else 'off'}",
        f"**Explicit language:** {'on' if chosen.explicit else 'off'}",
        f"**Words:** {chosen.words}",
        f"**Joining in** where open: {chosen.join_chance} % of the time, every {chosen.join_every} minutes at most",
        "**Chart:** "
        + (
            f"<#{chosen.chart_channel}>, {DAYS[chosen.chart_day]} {chosen.chart_hour}:00 {chosen.timezone}"
            if chosen.chart_channel
            else "not posted"
        ),
        f"**Guard:** {chosen.strictness}{', for young people' if chosen.minors else ''}",
        f"**Reports:** {f'<#{chosen.report_channel}>' if chosen.report_channel else 'to the operator only'}",
    ]
    return "\n".join(rows)


def checked(guild: discord.Guild, invite: str, several: bool = False) -> str:
    """What is missing: for the whole server first, then by channel. `several`: artists on this account."""
    mine = guild.me.guild_permissions
    rows = []
    welcome = permissions.WELCOME | (permissions.WEBHOOKS if several else {})
    for names, mark in ((permissions.NEEDED, "❌"), (welcome, "➖")):
        rows += [
            f"{mark} **{permissions.title(name)}** {why}"
            for name, why in names.items()
            if not getattr(mine, name)
        ]
    for channel in guild.text_channels:
        lacks = permissions.missing_here(channel)
        if lacks and channel.permissions_for(guild.default_role).view_channel:
            rows.append(f"⚠️ {channel.mention}: {', '.join(lacks)}")
    if not rows:
        return f"✅ I have everything that I need here.\n-# <{invite}>"
    return "\n".join([*rows[:20], f"This link asks for exactly what I need: <{invite}>"])
