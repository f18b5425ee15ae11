"""Songs: ordered by command or button, looked up, made over, shared, reported."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord
import structlog

from persona.stages.discord import files
from persona.stages.discord.buttons import REMAKES
from persona.stages.discord.orders import Order
from persona.stages.discord.places import address_of, fan_id
from persona.stages.discord.reply import Reply, bot_is_here
from persona.stages.discord.say import Unsayable, nonce_of, say
from persona.stages.discord.texts import LIMIT, plain, shorten
from skills import requesting
from skills.address import Address
from skills.brief import Brief, BriefError
from skills.library import LibraryError, Song, read_score
from skills.requesting import Asker

if TYPE_CHECKING:
    from persona.stages.discord.act import Act

log = structlog.get_logger()
FASTER, SLOWER = 1.12, 1 / 1.12  # of the tempo, a press
BPM = (40.0, 220.0)
STEP, FURTHEST = 2, 4  # semitones a press, and at most from where the song was made
INTERACTION = discord.Interaction[Any]


class Songs:
    def __init__(self, act: Act) -> None:
        self.act = act

    # ---- ordering

    async def order(
        self, reply: Reply, brief: Brief, version_of: str = "", change: Mapping[str, Any] | None = None
    ) -> None:
        """Writes the request down, then says 'on it' with its place; that message is edited from now on."""
        interaction, act = reply.interaction, self.act
        address, private = await self._address(reply)
        if address is None:
            await reply.say(act.lines.say("no_private", str(interaction.id)))
            return
        fan = fan_id(interaction.user.id)
        asker = Asker(fan, address, str(interaction.id))
        try:
            receipt = await asyncio.to_thread(requesting.order, act.skills, asker, brief, version_of, change)
        except BriefError as error:
            await reply.say(str(error))
            return
        head = act.lines.say(
            "on_it_for" if receipt.dedication else "on_it", receipt.request,
            theme=plain(shorten(receipt.theme, 150)), dedication=plain(shorten(receipt.dedication, 60)),
        )  # fmt: skip
        status = await asyncio.to_thread(act.book.status, receipt.request)
        if private:
            await reply.say(f"{head}\n{act.lines.say('comes_in_private', receipt.request)}")
            return
        text = f"{head}\n{act.orders.words(status)}"
        sent = await reply.say(text)
        if sent is not None and not reply.hidden:
            guild = str(interaction.guild_id or "")
            order = Order(
                receipt.request, asker.fan, guild, str(sent.channel.id), str(sent.id), "", head, text
            )
            await asyncio.to_thread(act.orders.note, order)

    async def _address(self, reply: Reply) -> tuple[Address | None, bool]:
        """Where the song is to be posted, and whether that is in private because the bot is not in this place."""
        interaction = reply.interaction
        if bot_is_here(interaction) and interaction.channel_id is not None:
            return address_of(interaction.channel_id, interaction.guild_id), False
        try:
            channel = await interaction.user.create_dm()
        except discord.HTTPException as error:
            log.info("discord: no private channel", fan=interaction.user.id, cause=str(error))
            return None, True
        return address_of(channel.id, None), True

    # ---- buttons

    async def press(self, interaction: INTERACTION, what: str, song: str) -> None:
        if what in REMAKES:
            await self.remake(interaction, what, song)
            return
        reply = await Reply.begin(interaction, hidden=True)
        try:
            found = await asyncio.to_thread(self.act.library.read, song)
        except LibraryError:
            await reply.say(self.act.lines.say("song_gone", song))
            return
        pressed = {"play": self.play, "words": self.words, "stems": self.stems, "share": self.share,
                   "report": self.report}  # fmt: skip
        await pressed[what](reply, found)

    async def remake(self, interaction: INTERACTION, what: str, song: str) -> None:
        """A version of the song: another take, or faster, slower, higher, lower; only what changed is made again."""
        reply, act = await Reply.begin(interaction), self.act
        try:
            brief, change = await asyncio.to_thread(self._made_over, what, song)
        except (LibraryError, OSError):
            await reply.say(act.lines.say("song_gone", song))
        except ValueError:
            await reply.say(act.lines.say(f"no_{what}", song))
        else:
            await self.order(reply, brief, song, change)

    def _made_over(self, what: str, song: str) -> tuple[Brief, dict[str, Any]]:
        """The song's brief and the change. Raises ValueError where the song cannot go further that way."""
        brief = self.act.library.read(song).brief
        if what == "take":
            return brief, {"take": True}
        if what in ("faster", "slower"):
            bpm = read_score(self.act.library.folder(song)).tempo[0].bpm
            changed = round(bpm * (FASTER if what == "faster" else SLOWER), 1)
            if not BPM[0] <= changed <= BPM[1]:
                raise ValueError(what)
            return brief, {"tempo": changed}
        step = STEP if what == "higher" else -STEP
        if abs(brief.shift + step) > FURTHEST:
            raise ValueError(what)
        return brief, {"key": f"{step:+d}"}

    async def words(self, reply: Reply, song: Song) -> None:
        text = await asyncio.to_thread(files.words, self.act.library, song.id)
        if len(text) + len(song.title) + 20 <= LIMIT:
            await reply.say(f"**{plain(song.title)}**\n{text}")
        else:
            await reply.say(files=[files.Upload(f"{files.file_name(song.title)}.txt", text.encode())])

    async def play(self, reply: Reply, song: Song) -> None:
        """In the voice channel that the fan is in; else for the fan alone. Counted once per fan: it is the one way
        of listening that a program on Discord hears of."""
        interaction, act = reply.interaction, self.act
        state = interaction.user.voice if isinstance(interaction.user, discord.Member) else None
        if state is not None and state.channel is not None:
            await interaction.client.performer.perform(act, reply, state.channel, [song.id])
            return
        most = interaction.filesize_limit
        clip = await asyncio.to_thread(files.clip_within, act.library, song.id, most)
        if clip is None:
            await reply.say(act.lines.say("too_large", song.id))
            return
        await reply.say(act.lines.say("play", song.id, title=plain(song.title)), files=[clip])
        await act.charts.count(song.id, interaction.user.id, "play", interaction.guild_id)

    async def stems(self, reply: Reply, song: Song) -> None:
        """For the one who asked: in a reply that only they see."""
        most = reply.interaction.filesize_limit
        packed = await asyncio.to_thread(files.stems, self.act.library, song.id, most)
        if packed is None:
            await reply.say(self.act.lines.say("no_stems", song.id))
        else:
            await reply.say(self.act.lines.say("stems", song.id, title=plain(song.title)), files=[packed])

    async def share(self, reply: Reply, song: Song) -> None:
        """A link to pass on; counted once per fan."""
        message = reply.interaction.message
        await self.act.charts.count(song.id, reply.interaction.user.id, "share", reply.interaction.guild_id)
        link = message.jump_url if message is not None else ""
        await reply.say(self.act.lines.say("share", song.id, title=plain(song.title), link=link))

    async def report(self, reply: Reply, song: Song) -> None:
        """Written down for the operator; told to the moderators where they named a channel for it."""
        interaction, act = reply.interaction, self.act
        new = await act.store.awrite(
            "insert or ignore into reports values (?, ?, ?, ?, ?)",
            song.id, fan_id(interaction.user.id), str(interaction.guild_id or ""), "button", time.time(),
        )  # fmt: skip
        await reply.say(act.lines.say("reported" if new else "reported_before", song.id))
        if not new:
            return
        log.warning(
            "discord: a song was reported", song=song.id, fan=interaction.user.id, guild=interaction.guild_id
        )
        channel_id = act.servers.of(interaction.guild_id).report_channel
        channel = act.client.get_channel(channel_id) if channel_id else None
        if isinstance(channel, discord.abc.Messageable):
            link = interaction.message.jump_url if interaction.message else song.id
            text = f"🚩 {plain(interaction.user.display_name)}: **{plain(song.title)}** {link}"
            try:
                await say(channel, text, nonce=nonce_of(f"report {interaction.id}"))
            except (Unsayable, discord.HTTPException) as error:
                log.warning("discord: the report was not posted", cause=str(error))
