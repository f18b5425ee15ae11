"""Saying something on Discord: once, whatever becomes of the answer to our request."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import discord
import structlog

from persona.stages.discord.permissions import missing_here

log = structlog.get_logger()
TRIES = 6
LONGEST_PAUSE = 30.0  # seconds
MISSING_PERMISSIONS, MISSING_ACCESS, NO_DMS = 50013, 50001, 50007
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, TOO_LARGE = 10003, 10008, 40005
NO_PINGS = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=True)
MakeFiles = Callable[[], Sequence[discord.File]]


class Unsayable(RuntimeError):
    """It cannot be said here, and saying it again does not help. `missing` names the permissions that lack."""

    def __init__(self, cause: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(cause)
        self.missing = missing


class TooLarge(RuntimeError):
    """Discord refused a file for its size."""


def nonce_of(text: str) -> str:
    """A stable nonce: Discord takes 25 characters at most, and drops a repeat of it for some minutes."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


async def say(
    channel: discord.abc.Messageable,
    text: str | None = None,
    *,
    nonce: str,
    files: MakeFiles | None = None,
    pause: float = 1.0,
    answers: int | None = None,
    **options: Any,
) -> discord.Message:
    """`channel.send` that tries again, with the same nonce, where the network or Discord failed: if the lost request
    was carried out after all, Discord answers with the message that it made. `answers`: the account that is spoken
    to, mentioned where the message is no reply. Raises Unsayable or TooLarge."""
    text, pings = (text, NO_PINGS) if options.get("reference") else spoken_to(answers, text or "")

    async def send() -> discord.Message:
        # A file is read to its end by an attempt: each attempt opens its own.
        opened: dict[str, Any] = {"files": list(files())} if files else {}
        sent: discord.Message = await channel.send(
            text, nonce=nonce, allowed_mentions=pings, **options, **opened
        )
        return sent

    return await until_sent(send, channel, pause)


def spoken_to(account: int | None, text: str) -> tuple[str, discord.AllowedMentions]:
    """The text with a mention of the one account that it may ping."""
    if account is None:
        return text, NO_PINGS
    return f"<@{account}> {text}", NO_PINGS.merge(discord.AllowedMentions(users=[discord.Object(account)]))


async def until_sent(
    send: Callable[[], Awaitable[discord.Message]], channel: discord.abc.Messageable, pause: float = 1.0
) -> discord.Message:
    """Calls `send` until it succeeds, with longer pauses, where trying again can help."""
    for attempt in range(1, TRIES + 1):
        try:
            return await send()
        except discord.Forbidden as error:
            raise _unsayable(channel, error) from None
        except discord.NotFound as error:
            raise Unsayable(f"the place is gone ({error.text})") from None
        except discord.HTTPException as error:
            if error.status == 413 or error.code == TOO_LARGE:
                raise TooLarge(error.text) from None
            if (error.status < 500 and error.status != 429) or attempt == TRIES:
                raise
            cause: Exception = error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if attempt == TRIES:
                raise
            cause = error
        log.warning("discord: not sent yet, trying again", attempt=attempt, cause=str(cause) or repr(cause))
        await asyncio.sleep(min(LONGEST_PAUSE, pause * 2 ** (attempt - 1)))
    raise AssertionError("the last try returns or raises")


def _unsayable(channel: discord.abc.Messageable, error: discord.Forbidden) -> Unsayable:
    if error.code == NO_DMS:
        return Unsayable("they take no direct messages")
    missing = missing_here(channel) if isinstance(channel, discord.abc.GuildChannel | discord.Thread) else ()
    return Unsayable(error.text or "forbidden", missing)
