"""Faces: how an artist appears on Discord. The account's own artist speaks as the account; further artists of the
same account speak through its webhooks, each under a name and a picture of its own."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from persona.stages.discord import say as saying
from persona.stages.discord.permissions import may
from persona.stages.discord.say import NO_PINGS, MakeFiles, Unsayable

log = structlog.get_logger()
WEBHOOK = "Troubadour"  # the name of our webhook in a channel's settings; every message gives its artist's
LOOKED_BACK = 20  # messages that are searched for one whose answer was lost
HELLO = r"(?:hey|hi|hello|yo|dear|ok|okay)?"


class Face(Protocol):
    """`say` is as in say.py; `wrote` tells this artist's own messages, `names` those that begin with its name."""

    async def say(
        self,
        channel: discord.abc.Messageable,
        text: str,
        *,
        nonce: str,
        files: MakeFiles | None = None,
        answers: int | None = None,
        **options: Any,
    ) -> discord.Message: ...

    async def edit(self, channel: discord.PartialMessageable, message: int, text: str) -> None: ...

    def wrote(self, message: discord.Message) -> bool: ...

    def names(self, text: str) -> bool: ...


class AccountFace:
    """The bot account itself."""

    def __init__(self, client: discord.Client) -> None:
        self.client = client

    async def say(self, channel: discord.abc.Messageable, text: str, **options: Any) -> discord.Message:
        return await saying.say(channel, text, **options)

    async def edit(self, channel: discord.PartialMessageable, message: int, text: str) -> None:
        await channel.get_partial_message(message).edit(content=text, allowed_mentions=NO_PINGS)

    def wrote(self, message: discord.Message) -> bool:
        return self.client.user is not None and message.author.id == self.client.user.id

    def names(self, text: str) -> bool:
        return False  # a name in a text is no call: the account is mentioned, and Discord tells us


class WebhookFace:
    """An artist without an account. Where there can be no webhook (in private, or without the permission) the
    account says its words, with the artist's name before them."""

    def __init__(self, client: discord.Client, name: str, picture: str = "") -> None:
        self.client, self.name, self.picture = client, name, picture
        self._account = AccountFace(client)
        self._called = re.compile(rf"\W*{HELLO}\W*{re.escape(name)}\b", re.IGNORECASE)
        self._webhooks: dict[int, discord.Webhook] = {}  # by channel
        self._opening = asyncio.Lock()

    async def say(
        self,
        channel: discord.abc.Messageable,
        text: str,
        *,
        nonce: str,
        files: MakeFiles | None = None,
        answers: int | None = None,
        **options: Any,
    ) -> discord.Message:
        live = self.client.get_channel(getattr(channel, "id", 0))
        channel = live if isinstance(live, discord.abc.Messageable) else channel
        webhook = await self._webhook(channel)
        if webhook is None:
            named = f"**{self.name}:** {text}"
            return await saying.say(channel, named, nonce=nonce, files=files, answers=answers, **options)
        options.pop("reference", None)  # a webhook cannot reply: it mentions
        text, pings = saying.spoken_to(answers, text)
        picture: dict[str, Any] = {"avatar_url": self.picture} if self.picture else {}
        thread: dict[str, Any] = {"thread": channel} if isinstance(channel, discord.Thread) else {}
        began, tried = discord.utils.utcnow(), False

        async def send() -> discord.Message:
            nonlocal tried
            # Webhooks know no nonce: whether a lost request was carried out is seen in the channel.
            if tried and (made := await self._made(channel, text, began)):
                return made
            tried = True
            opened: dict[str, Any] = {"files": list(files())} if files else {}
            sent: discord.Message = await webhook.send(
                text, username=self.name, wait=True, allowed_mentions=pings, **picture, **thread, **options, **opened
            )  # fmt: skip
            return sent

        try:
            return await saying.until_sent(send, channel)
        except Unsayable:
            self._webhooks.pop(
                webhook.channel_id or 0, None
            )  # perhaps deleted by a moderator: opened anew next time
            raise

    async def edit(self, channel: discord.PartialMessageable, message: int, text: str) -> None:
        live = self.client.get_channel(channel.id)
        webhook = await self._webhook(live) if isinstance(live, discord.abc.Messageable) else None
        if webhook is not None:
            thread: dict[str, Any] = {"thread": live} if isinstance(live, discord.Thread) else {}
            try:
                await webhook.edit_message(message, content=text, allowed_mentions=NO_PINGS, **thread)
                return
            except discord.NotFound:
                pass  # the account said it, in reply to a command
        await self._account.edit(channel, message, text)

    def wrote(self, message: discord.Message) -> bool:
        return message.webhook_id is not None and message.author.name == self.name

    def names(self, text: str) -> bool:
        return self._called.match(text) is not None

    async def _webhook(self, channel: discord.abc.Messageable) -> discord.Webhook | None:
        room = _room(channel)
        if room is None or not may(room, "manage_webhooks"):
            return None
        async with self._opening:
            if room.id not in self._webhooks:
                try:
                    ours = [
                        each for each in await room.webhooks() if each.user == self.client.user and each.token
                    ]
                    self._webhooks[room.id] = ours[0] if ours else await room.create_webhook(name=WEBHOOK)
                except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                    log.warning("discord: no webhook", channel=room.id, artist=self.name, cause=str(error))
                    return None
            return self._webhooks[room.id]

    async def _made(
        self, channel: discord.abc.Messageable, text: str, since: datetime
    ) -> discord.Message | None:
        if not may(channel, "read_message_history"):
            return None
        async for message in channel.history(limit=LOOKED_BACK, after=since, oldest_first=False):
            if self.wrote(message) and message.content == text:
                return message
        return None


def _room(channel: object) -> Any:
    """Where a webhook for this channel lives: the channel, or a thread's parent; None in private."""
    room = channel.parent if isinstance(channel, discord.Thread) else channel
    return room if hasattr(room, "create_webhook") else None
