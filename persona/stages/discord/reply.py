"""An interaction's answer: acknowledged at once, and given even where the acknowledgement came too late."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import structlog

from persona.stages.discord.files import Upload
from persona.stages.discord.say import NO_PINGS, Unsayable, nonce_of, say

log = structlog.get_logger()


@dataclass
class Reply:
    """`acknowledged`: Discord took our acknowledgement, so the interaction's own reply can be filled in."""

    interaction: discord.Interaction[Any]
    hidden: bool
    acknowledged: bool

    @staticmethod
    async def begin(interaction: discord.Interaction[Any], hidden: bool = False) -> Reply:
        """The first thing that every command does: within three seconds, whatever else is to be done."""
        try:
            await interaction.response.defer(ephemeral=hidden, thinking=True)
        except (discord.HTTPException, discord.InteractionResponded, aiohttp.ClientError, OSError) as error:
            # 10062 comes now and then even in time. What was asked for is done all the same.
            log.warning("discord: not acknowledged", interaction=interaction.id, cause=str(error))
            return Reply(interaction, hidden, False)
        return Reply(interaction, hidden, True)

    async def say(
        self, text: str = "", files: Sequence[Upload] = (), **options: Any
    ) -> discord.Message | None:
        """The answer. Returns its message, or None where it could not be given at all."""
        if self.acknowledged:
            try:
                own = {**options, "attachments": [_file(each) for each in files]} if files else options
                return await self.interaction.edit_original_response(
                    content=text or None, allowed_mentions=NO_PINGS, **own
                )
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("discord: reply not filled in", interaction=self.interaction.id, cause=str(error))
        return await self._otherwise(text, files, options)

    async def _otherwise(
        self, text: str, files: Sequence[Upload], options: dict[str, Any]
    ) -> discord.Message | None:
        """By the bot's own token: in the channel, or in private where it was for that fan only."""
        place = self.interaction.user if self.hidden else self.interaction.channel
        if not isinstance(place, discord.abc.Messageable):
            return None
        if not self.hidden:
            text = f"{self.interaction.user.mention} {text}"
        if options.get("view", ...) is None:
            del options["view"]
        try:
            return await say(
                place,
                text,
                nonce=nonce_of(f"interaction {self.interaction.id}"),
                files=(lambda: [_file(each) for each in files]) if files else None,
                **options,
            )
        except (Unsayable, discord.HTTPException) as error:
            log.warning("discord: no other way to reply", interaction=self.interaction.id, cause=str(error))
            return None


def _file(upload: Upload) -> discord.File:
    return discord.File(io.BytesIO(upload.data), upload.name)


def bot_is_here(interaction: discord.Interaction[Any]) -> bool:
    """Whether the bot may write here by its own token. Not where only the fan has installed it."""
    if interaction.guild_id is not None:
        return interaction.client.get_guild(interaction.guild_id) is not None
    return interaction.context.dm_channel
