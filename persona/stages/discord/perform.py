"""/perform: the artist in a voice channel, one song or a set of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import discord
import structlog
from discord import app_commands

from persona.stages.discord.buttons import stage_buttons
from persona.stages.discord.reply import Reply
from persona.stages.discord.say import Unsayable, nonce_of
from persona.stages.discord.texts import plain, shorten
from skills.library import Library, LibraryError

if TYPE_CHECKING:
    from persona.stages.discord.act import Act
    from persona.stages.discord.bot import DiscordStage

log = structlog.get_logger()
Interaction = discord.Interaction[Any]
VoicePlace = discord.VoiceChannel | discord.StageChannel
A_SET = 5  # songs
CONNECT = 20.0  # seconds


class Voice(Protocol):
    """What a performance needs of discord.py's VoiceClient."""

    channel: Any

    def play(
        self, source: discord.AudioSource, *, after: Callable[[Exception | None], Any] | None = None
    ) -> None: ...
    def stop(self) -> None: ...
    async def disconnect(self, *, force: bool = False) -> None: ...


@dataclass
class Performance:
    """One server's stage. `said` is where what is playing is shown; `playing` the song that is heard now, or ''."""

    act: Act
    voice: Voice
    said: discord.abc.Messageable
    songs: deque[str]
    playing: str = ""
    over: bool = False


class Performer:
    """`connect` joins a voice channel; tests put a scripted one here, since simulated Discord has no voice servers."""

    def __init__(self, stage: DiscordStage, connect: Callable[[VoicePlace], Any] | None = None) -> None:
        self.stage = stage
        self.connect = connect or _connect
        self.on_stage: dict[int, Performance] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    async def perform(self, act: Act, reply: Reply, channel: VoicePlace, songs: list[str]) -> None:
        lines, guild = act.lines, channel.guild
        mine = channel.permissions_for(guild.me)
        lacks = [name for name in ("View Channels", "Connect", "Speak")
                 if not getattr(mine, {"View Channels": "view_channel"}.get(name, name.lower()))]  # fmt: skip
        if lacks:
            await reply.say(
                lines.say("cannot_perform", str(guild.id), missing=", ".join(lacks), channel=channel.mention)
            )
            return
        running = self.on_stage.get(guild.id)
        if running is not None and running.act is not act:
            await reply.say(
                lines.say("no_voice", str(guild.id))
            )  # another artist is singing here: one at a time
            return
        if running is not None:
            running.songs.extend(songs)
            await reply.say(lines.say("set_longer", songs[0], count=len(songs)))
            return
        try:
            voice = await self.connect(channel)
        except (discord.DiscordException, TimeoutError, OSError, RuntimeError) as error:
            log.warning("discord: no voice", channel=channel.id, cause=str(error) or repr(error))
            await reply.say(lines.say("no_voice", str(guild.id)))
            return
        assert isinstance(reply.interaction.channel, discord.abc.Messageable)
        performance = Performance(act, voice, reply.interaction.channel, deque(songs))
        self.on_stage[guild.id] = performance
        await reply.say(lines.say("on_stage", songs[0], count=len(songs), channel=channel.mention))
        await self._next(guild.id, performance)

    async def press(self, interaction: Interaction, what: str) -> None:
        reply = await Reply.begin(interaction, hidden=True)
        performance = self.on_stage.get(interaction.guild_id or 0)
        if performance is None:
            await reply.say(self.stage.act_in(interaction).lines.say("not_on_stage", str(interaction.id)))
            return
        if what == "leave":
            performance.songs.clear()
        performance.voice.stop()
        await reply.say(performance.act.lines.say(f"stage_{what}", str(interaction.id)))

    async def moved(self, member: discord.Member) -> None:
        """Somebody came into a voice channel, or left it: who comes in listens; nobody sings to empty chairs."""
        performance = self.on_stage.get(member.guild.id)
        if performance is None:
            return
        if not _listeners(performance):
            performance.songs.clear()
            performance.voice.stop()
        elif performance.playing and member.id in _listeners(performance):
            await performance.act.charts.count(performance.playing, member.id, "play", member.guild.id)

    async def close(self) -> None:
        for guild, performance in list(self.on_stage.items()):
            performance.songs.clear()
            await self._leave(guild, performance)

    async def _next(self, guild: int, performance: Performance) -> None:
        """Plays the next song; when it ends, this is called again. After the last one: good night."""
        while performance.songs:
            song = performance.songs.popleft()
            source = await asyncio.to_thread(_source, performance.act.library, song)
            if source is None:
                continue
            try:
                performance.voice.play(source, after=self._after(guild, performance))
            except discord.DiscordException as error:
                log.warning("discord: the performance broke off", guild=guild, cause=str(error))
                break
            performance.playing = song
            for listener in _listeners(performance):
                await performance.act.charts.count(song, listener, "play", guild)
            await _announce(guild, performance, song)
            return
        await self._leave(guild, performance)

    def _after(self, guild: int, performance: Performance) -> Callable[[Exception | None], None]:
        loop = asyncio.get_running_loop()

        def ended(error: Exception | None) -> None:  # called in the player's thread
            if error is not None:
                log.warning("discord: playing broke off", cause=str(error))
            if not performance.over:
                loop.call_soon_threadsafe(go_on)

        def go_on() -> None:
            task = asyncio.ensure_future(self._next(guild, performance))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return ended

    async def _leave(self, guild: int, performance: Performance) -> None:
        performance.over = True
        self.on_stage.pop(guild, None)
        await performance.voice.disconnect(force=True)


def _listeners(performance: Performance) -> list[int]:
    return [member.id for member in performance.voice.channel.members if not member.bot]


def _source(library: Library, song: str) -> discord.AudioSource | None:
    """The song's Opus file as it is: nothing is encoded anew, and no library for it is needed."""
    import imageio_ffmpeg

    path = library.folder(song) / "clip.ogg"
    if not path.is_file():
        return None
    return discord.FFmpegOpusAudio(str(path), codec="copy", executable=imageio_ffmpeg.get_ffmpeg_exe())


async def _announce(guild: int, performance: Performance, song: str) -> None:
    act = performance.act
    title = (await asyncio.to_thread(act.library.read, song)).title
    text = act.lines.say("now_playing", song, title=plain(title), left=len(performance.songs))
    try:
        nonce = nonce_of(f"playing {song} {id(performance)} {len(performance.songs)}")
        await act.face.say(performance.said, text, nonce=nonce, view=stage_buttons(guild), silent=True)
    except (Unsayable, discord.HTTPException) as error:
        log.info("discord: what is playing is not shown", cause=str(error))


async def _connect(channel: VoicePlace) -> Voice:
    return await channel.connect(timeout=CONNECT, reconnect=True, self_deaf=True)


def add_perform(stage: DiscordStage) -> None:
    @stage.tree.command(name="perform", description="Sing in your voice channel: one song, or a set")
    @app_commands.describe(song="which one; the latest songs of this server if you do not say")
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def perform(interaction: Interaction, song: str = "") -> None:
        reply, act = await Reply.begin(interaction), stage.act_in(interaction)
        member, lines = interaction.user, act.lines
        state = member.voice if isinstance(member, discord.Member) else None
        if state is None or state.channel is None:
            await reply.say(lines.say("join_voice_first", str(interaction.id)))
            return
        songs = await asyncio.to_thread(_choose, act, interaction.guild_id, song)
        if not songs:
            await reply.say(lines.say("nothing_to_perform", str(interaction.id)))
            return
        await stage.performer.perform(act, reply, state.channel, songs)

    @perform.autocomplete("song")
    async def songs_here(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        rows = await stage.act_in(interaction).store.aread(
            "select song, max(title), max(at) from posted where guild = ? group by song order by 3 desc limit 200",
            str(interaction.guild_id or ""),
        )
        found = [(song, title) for song, title, _ in rows if current.lower() in title.lower()]
        return [
            app_commands.Choice(name=shorten(title, 90) or song, value=song) for song, title in found[:25]
        ]


def _choose(act: Act, guild: int | None, song: str) -> list[str]:
    """Songs of this server only: what was made elsewhere is not to be played here."""
    rows = act.store.read(
        "select song, max(title), max(at) from posted where guild = ? group by song order by 3 desc",
        str(guild or ""),
    )
    found = [each for each, title, _ in rows if not song or song in (each, title)]
    made = []
    for each in found:
        try:
            act.library.read(each)
        except LibraryError:
            continue
        made.append(each)
    return made[:1] if song else made[:A_SET]
