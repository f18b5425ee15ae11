"""Which messages the artist answers, and what was said in them."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Literal

import discord

from persona.stages.discord.faces import Face

Mode = Literal["open", "mention", "off"]
Why = Literal["private", "mention", "reply", "open"]
TALK = (discord.MessageType.default, discord.MessageType.reply)
REMEMBERED = 10_000  # message ids; a resumed gateway repeats far fewer


def why_answer(
    message: discord.Message, me: discord.ClientUser, mode: Mode, face: Face, at_home: bool = True
) -> Why | None:
    """Why this message deserves this artist's answer; None where it deserves none.

    `at_home`: the artist whom a call of the account, and an open channel, mean here. 'open' says only that it may
    join in. @everyone, @here and roles that others share call nobody, and what a program wrote (a bot, a webhook,
    ourselves) is never answered: two bots would talk for ever.
    """
    if message.author.bot or message.author.id == me.id or message.webhook_id is not None:
        return None
    if message.type not in TALK or not said(message, me):
        return None
    if message.guild is None and not isinstance(message.channel, discord.GroupChannel):
        return "private"
    return None if mode == "off" else _why_among_others(message, me, mode, face, at_home)


def _why_among_others(
    message: discord.Message, me: discord.ClientUser, mode: Mode, face: Face, at_home: bool
) -> Why | None:
    if answers(message, face):
        return "reply"
    if face.names(message.content) or (at_home and called(message, me)):
        return "mention"
    return "open" if at_home and mode == "open" and message.reference is None else None


def answers(message: discord.Message, face: Face) -> bool:
    """Whether it is a reply to something that this artist said."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return False
    answered = reference.resolved if reference.resolved is not None else reference.cached_message
    return isinstance(answered, discord.Message) and face.wrote(answered)


def called(message: discord.Message, me: discord.ClientUser) -> bool:
    """Named in the text itself: the ping that a reply to somebody else's message carries does not count."""
    if re.search(rf"<@!?{me.id}>", message.content):
        return True
    return any(role.tags is not None and role.tags.bot_id == me.id for role in message.role_mentions)


def said(message: discord.Message, me: discord.ClientUser) -> str:
    """The message as a person reads it: names for mentions, without calling us; a wave where it is only the call."""
    text = re.sub(rf"<@!?{me.id}>", "", message.content)
    for role in message.role_mentions:
        if role.tags is not None and role.tags.bot_id == me.id:
            text = text.replace(role.mention, "")
    for user in message.mentions:
        text = re.sub(rf"<@!?{user.id}>", user.display_name, text)
    text = re.sub(r"<a?:(\w+):\d+>", r":\1:", text)
    text = re.sub(r"[ \t]{2,}", " ", text).strip()
    if text:
        return text
    if message.attachments:
        return "(shows " + ", ".join(file.filename for file in message.attachments) + ")"
    if message.stickers:
        return "(sticker: " + ", ".join(sticker.name for sticker in message.stickers) + ")"
    return "hello" if message.content or message.mentions else ""


class Heard:
    """Message ids that were taken up: a gateway that resumes may send an event twice."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self.size = size
        self._ids: OrderedDict[int, None] = OrderedDict()

    def first_time(self, message: int) -> bool:
        if message in self._ids:
            return False
        self._ids[message] = None
        if len(self._ids) > self.size:
            self._ids.popitem(last=False)
        return True
