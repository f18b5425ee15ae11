"""Clips: takes parcels from the outbox and says them, each once."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import discord
import structlog

from persona.stages.discord import files
from persona.stages.discord.buttons import song_buttons
from persona.stages.discord.faces import Face
from persona.stages.discord.lines import Lines
from persona.stages.discord.orders import Order, Orders
from persona.stages.discord.outbox import GIVEN_UP, Outbox, Parcel
from persona.stages.discord.permissions import may, most_bytes, title
from persona.stages.discord.places import account_of, address_of, place_of
from persona.stages.discord.say import TooLarge, Unsayable, nonce_of
from persona.stages.discord.servers import Servers
from persona.stages.discord.store import Store
from persona.stages.discord.texts import LIMIT, ROOM_FOR_NAMES, shorten, spoiler
from skills.address import Address
from skills.library import Library

log = structlog.get_logger()
VOICE_FLAG = 1 << 13  # Discord's IS_VOICE_MESSAGE
LOOKED_BACK = 100  # messages that are searched for a clip which was perhaps posted
TRIES = 12  # of one parcel; with the outbox's pauses that is most of a day


class Clips:
    """`find` gives the live channel of an address, or a partial one; it raises discord's errors."""

    def __init__(
        self,
        client: discord.Client,
        face: Face,
        store: Store,
        outbox: Outbox,
        orders: Orders,
        servers: Servers,
        library: Library,
        lines: Lines,
    ) -> None:
        self.client, self.face = client, face
        self.store, self.outbox, self.orders = store, outbox, orders
        self.servers, self.library, self.lines = servers, library, lines
        self._at_work: set[str] = set()
        self.on_posted: list[Callable[[str, discord.Message], None]] = []

    async def look(self) -> None:
        """One round: everything that is due is said, places side by side, one place in order."""
        parcels = [p for p in await asyncio.to_thread(self.outbox.due) if p.nonce not in self._at_work]
        places: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            places.setdefault(str(parcel.address), []).append(parcel)
        await asyncio.gather(*(self._in_order(each) for each in places.values()))

    async def _in_order(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            self._at_work.add(parcel.nonce)
            try:
                await self._take(parcel)
            finally:
                self._at_work.discard(parcel.nonce)

    async def _take(self, parcel: Parcel) -> None:
        try:
            await self._say(parcel)
        except Exception as error:
            if parcel.tried + 1 >= TRIES or isinstance(error, ValueError | LookupError):
                log.error("discord: given up", parcel=parcel.nonce, exc_info=error)
                await asyncio.to_thread(self.outbox.done, parcel, GIVEN_UP)
                return
            pause = await asyncio.to_thread(self.outbox.later, parcel)
            log.warning(
                "discord: not posted yet",
                parcel=parcel.nonce,
                again_in=pause,
                cause=str(error) or repr(error),
            )

    async def _say(self, parcel: Parcel) -> None:
        channel = await self._channel(parcel.address)
        order = await asyncio.to_thread(self.orders.of_song, parcel.song)
        if parcel.tried and (made := await self._made_before(channel, parcel)):
            await self._done(parcel, made, order)
            return
        await asyncio.to_thread(self.outbox.begin, parcel)
        if parcel.kind == "voice":
            await self._say_voice(parcel, channel)
        elif parcel.kind == "words":
            await self._say_words(parcel, channel)
        elif parcel.clip is None:
            sent = await self._somewhere(parcel, channel, order, parcel.text, [], None)
            await asyncio.to_thread(self.outbox.done, parcel, str(sent.id) if sent else GIVEN_UP)
        else:
            await self._say_clip(parcel, channel, order)

    # ---- the clip

    async def _say_clip(self, parcel: Parcel, channel: discord.abc.Messageable, order: Order | None) -> None:
        chosen = self.servers.of(place_of(parcel.address)[0])
        words = await asyncio.to_thread(files.words, self.library, parcel.song)
        text = parcel.text
        if chosen.words == "spoiler" and words:
            hidden = "\n" + spoiler(words)
            text += hidden if len(text) + len(hidden) + ROOM_FOR_NAMES <= LIMIT else ""
        uploads = await self._uploads(parcel.song, most_bytes(channel))
        if uploads is None:
            text = f"{parcel.text}\n-# {self.lines.say('too_large', parcel.song)}"
        sent = await self._somewhere(parcel, channel, order, text, uploads or [], song_buttons(parcel.song))
        if sent is None:
            await asyncio.to_thread(self.outbox.done, parcel, GIVEN_UP)
            return
        await self._done(parcel, sent, order)

    async def _uploads(self, song: str, most: int) -> list[files.Upload] | None:
        clip = await asyncio.to_thread(files.clip_within, self.library, song, most)
        if clip is None:
            return None
        cover = await asyncio.to_thread(files.cover, self.library, song)
        room = cover is not None and len(clip.data) + len(cover.data) < most - files.ROOM
        return [clip, cover] if cover is not None and room else [clip]

    async def _somewhere(
        self,
        parcel: Parcel,
        channel: discord.abc.Messageable,
        order: Order | None,
        text: str,
        uploads: Sequence[files.Upload],
        view: discord.ui.View | None,
    ) -> discord.Message | None:
        """Posts at the address; where that cannot be, to the fan in private, with the reason. None: nowhere."""
        lacks = () if not uploads or may(channel, "attach_files") else (title("attach_files"),)
        try:
            if lacks:
                raise Unsayable("no files may be posted there", lacks)
            return await self._post(parcel, channel, order, text, uploads, view)
        except Unsayable as error:
            log.warning(
                "discord: cannot post there",
                address=str(parcel.address),
                cause=str(error),
                missing=error.missing,
            )
            if lacks or error.missing:
                await self._tell_missing(parcel, channel, error.missing)
            private = await self._private(order)
            if private is None:
                return None
            where = f"<#{place_of(parcel.address)[1]}>"
            note = self.lines.say(
                "sent_in_private", parcel.song, channel=where, missing=", ".join(error.missing) or "-"
            )
            try:
                return await self._post(parcel, private, None, f"{note}\n{text}"[:LIMIT], uploads, view)
            except Unsayable as refused:
                log.warning("discord: nor in private", song=parcel.song, cause=str(refused))
                return None

    async def _post(
        self,
        parcel: Parcel,
        channel: discord.abc.Messageable,
        order: Order | None,
        text: str,
        uploads: Sequence[files.Upload],
        view: discord.ui.View | None,
    ) -> discord.Message:
        guild = place_of(parcel.address)[0]
        options: dict[str, Any] = {"silent": self.servers.of(guild).quiet(discord.utils.utcnow())}
        if view is not None:
            options["view"] = view
        if order is not None and guild is not None:
            options["answers"] = account_of(order.fan)
        if order is not None and order.asked and may(channel, "read_message_history"):
            options["reference"] = discord.MessageReference(
                message_id=int(order.asked), channel_id=int(order.channel), fail_if_not_exists=False
            )

        def opened() -> list[discord.File]:
            return [discord.File(io.BytesIO(upload.data), upload.name) for upload in uploads]

        try:
            return await self.face.say(
                channel,
                text[: LIMIT - ROOM_FOR_NAMES],
                nonce=nonce_of(parcel.nonce),
                files=opened if uploads else None,
                **options,
            )
        except TooLarge:
            # Discord's word counts more than what its limits led us to expect.
            smaller = await self._uploads(parcel.song, sum(len(upload.data) for upload in uploads) // 2)
            if not smaller:
                raise
            return await self._post(parcel, channel, order, text, smaller, view)

    async def _tell_missing(
        self, parcel: Parcel, channel: discord.abc.Messageable, missing: tuple[str, ...]
    ) -> None:
        """Says in the channel which permission lacks: nothing is worse than silence."""
        text = self.lines.say("cannot_post", parcel.song, missing=", ".join(missing))
        try:
            await self.face.say(channel, text, nonce=nonce_of(f"{parcel.nonce}:missing"))
        except (Unsayable, discord.HTTPException) as error:
            log.info("discord: nor could that be said", cause=str(error))

    async def _done(self, parcel: Parcel, message: discord.Message, order: Order | None) -> None:
        """Writes down that it was said, with what follows from it, in one transaction."""
        if parcel.clip is None:
            await asyncio.to_thread(self.outbox.done, parcel, str(message.id))
            return
        found = await asyncio.to_thread(self.library.read, parcel.song)
        guild = message.guild.id if message.guild else None
        here = address_of(message.channel.id, guild)
        chosen = self.servers.of(guild)

        def write() -> None:
            self.store.write(
                "insert or ignore into posted values (?, ?, ?, ?, ?, ?, ?)",
                str(message.id), parcel.song, order.fan if order else "", str(guild or ""),
                str(message.channel.id), found.title, time.time(),
            )  # fmt: skip
            if chosen.voice_messages:
                self.outbox.add(f"{parcel.song}:voice", here, clip=parcel.clip)
            if chosen.words == "thread" and guild is not None:
                self.outbox.add(f"{parcel.song}:words", here, text=str(message.id))
            self.outbox.done(parcel, str(message.id))

        await asyncio.to_thread(write)
        for told in self.on_posted:
            told(parcel.song, message)
        log.info("discord: song posted", song=parcel.song, address=str(here), message=message.id)

    async def _made_before(self, channel: discord.abc.Messageable, parcel: Parcel) -> discord.Message | None:
        """The message of an attempt that we do not know the end of. Its buttons carry the song's id."""
        if parcel.clip is None or parcel.kind != "clip" or not may(channel, "read_message_history"):
            return None
        for place in (
            channel,
            await self._private(await asyncio.to_thread(self.orders.of_song, parcel.song)),
        ):
            if place is None:
                continue
            async for message in place.history(limit=LOOKED_BACK):
                ours = message.author == self.client.user or message.webhook_id is not None
                if ours and parcel.song in _songs_on(message):
                    return message
        return None

    # ---- what follows a clip

    async def _say_voice(self, parcel: Parcel, channel: discord.abc.Messageable) -> None:
        """A voice message: discord.py receives them only, so the request is our own (50173 where it is forbidden)."""
        voice = await asyncio.to_thread(files.voice_message, self.library, parcel.song)
        guild, place = place_of(parcel.address)
        if voice is None or not may(channel, "send_voice_messages") or len(voice.data) > most_bytes(channel):
            log.info("discord: no voice message", song=parcel.song, guild=guild)
            await asyncio.to_thread(self.outbox.done, parcel, GIVEN_UP)
            return
        payload = {
            "flags": VOICE_FLAG,
            "nonce": nonce_of(parcel.nonce),
            "enforce_nonce": True,
            "attachments": [
                {
                    "id": "0",
                    "filename": "voice-message.ogg",
                    "duration_secs": round(voice.seconds, 3),
                    "waveform": voice.waveform,
                }
            ],
        }
        file = discord.File(io.BytesIO(voice.data), "voice-message.ogg")
        form: list[dict[str, Any]] = [
            {"name": "payload_json", "value": json.dumps(payload)},
            {"name": "files[0]", "value": file.fp, "filename": file.filename, "content_type": "audio/ogg"},
        ]
        route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=place)
        try:
            made = await self.client.http.request(route, files=[file], form=form)
        except discord.Forbidden as error:
            log.warning(
                "discord: voice messages are forbidden there", address=str(parcel.address), code=error.code
            )
            await asyncio.to_thread(self.outbox.done, parcel, GIVEN_UP)
            return
        await asyncio.to_thread(self.outbox.done, parcel, str(made["id"]))

    async def _say_words(self, parcel: Parcel, channel: discord.abc.Messageable) -> None:
        """The words in a thread of the clip's message (`parcel.text` is its id)."""
        words = await asyncio.to_thread(files.words, self.library, parcel.song)
        done = GIVEN_UP
        if words and may(channel, "create_public_threads") and isinstance(channel, discord.TextChannel):
            title = (await asyncio.to_thread(self.library.read, parcel.song)).title
            try:
                thread = await channel.get_partial_message(int(parcel.text)).create_thread(
                    name=shorten(title, 90), auto_archive_duration=1440
                )
                sent = await self.face.say(thread, words[:LIMIT], nonce=nonce_of(parcel.nonce))
                done = str(sent.id)
            except (discord.Forbidden, Unsayable) as error:
                log.warning("discord: no thread for the words", song=parcel.song, cause=str(error))
            except discord.HTTPException as error:
                if error.code != 160004:  # the message has a thread already: an earlier attempt made it
                    raise
        await asyncio.to_thread(self.outbox.done, parcel, done)

    # ---- places

    async def _channel(self, address: Address) -> discord.abc.Messageable:
        guild, channel = place_of(address)
        found = self.client.get_channel(channel)
        if isinstance(found, discord.abc.Messageable):
            return found
        return self.client.get_partial_messageable(channel, guild_id=guild)

    async def _private(self, order: Order | None) -> discord.abc.Messageable | None:
        account = account_of(order.fan) if order else None
        if account is None:
            return None
        try:
            user = self.client.get_user(account) or await self.client.fetch_user(account)
            return user.dm_channel or await user.create_dm()
        except discord.HTTPException as error:
            log.info("discord: no private channel", fan=account, cause=str(error))
            return None


def _songs_on(message: discord.Message) -> set[str]:
    """The songs that a message's buttons belong to."""
    ids = [
        getattr(child, "custom_id", None) or ""
        for row in message.components
        for child in getattr(row, "children", ())
    ]
    return {each.rpartition(":")[2] for each in ids if each.startswith("song:")}
