"""What the artist may do in a server, what it lacks, and the link that asks for exactly what it needs."""

from __future__ import annotations

from typing import Final

import discord

# What each permission is for, in words for moderators.
NEEDED: Final[dict[str, str]] = {
    "view_channel": "to see the channel",
    "send_messages": "to answer",
    "send_messages_in_threads": "to answer in threads",
    "read_message_history": "to reply to the right message",
    "attach_files": "to post songs",
    "embed_links": "to show charts",
}
WELCOME: Final[dict[str, str]] = {
    "create_public_threads": "to put a song's words in a thread (only with `words: thread`)",
    "send_voice_messages": "to post songs as voice messages too (only where `/setup voice` is on)",
    "connect": "to perform in a voice channel",
    "speak": "to be heard there",
}
WEBHOOKS: Final = {
    "manage_webhooks": "to let every artist speak under its own name"
}  # where there are several
SCOPES: Final = ("bot", "applications.commands")
NAMES: Final[dict[str, str]] = {  # as Discord's own settings call them, where the field's name would mislead
    "view_channel": "View Channels",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
}


def wanted(webhooks: bool = False) -> discord.Permissions:
    return discord.Permissions(**dict.fromkeys([*NEEDED, *WELCOME, *(WEBHOOKS if webhooks else ())], True))


def title(permission: str) -> str:
    return NAMES.get(permission, permission.replace("_", " ").title())


def invite(application: int, webhooks: bool = False) -> str:
    """Asks for exactly what is needed; nothing of a moderator's or an administrator's, but the webhooks that several
    artists on one account speak through."""
    return discord.utils.oauth_url(application, permissions=wanted(webhooks), scopes=SCOPES)


def missing_here(
    channel: discord.abc.GuildChannel | discord.Thread, optional: bool = False
) -> tuple[str, ...]:
    """The permissions that lack in a channel, by their names in Discord's settings."""
    mine = channel.permissions_for(channel.guild.me)
    names = [*NEEDED, *WELCOME] if optional else list(NEEDED)
    if not isinstance(channel, discord.Thread):
        names.remove("send_messages_in_threads")
    if optional and not isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        names = [name for name in names if name not in ("connect", "speak")]
    return tuple(title(name) for name in names if not getattr(mine, name))


def missing(granted: int) -> tuple[str, ...]:
    """What lacks of the needed permissions in a whole server, by the number that Discord gives for it."""
    mine = discord.Permissions(granted)
    return tuple(title(name) for name in NEEDED if not mine.administrator and not getattr(mine, name))


def may(channel: discord.abc.Messageable, permission: str) -> bool:
    """Whether we hold a permission here; in private everything that a person could do."""
    if isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return bool(getattr(channel.permissions_for(channel.guild.me), permission))
    return True


def most_bytes(channel: discord.abc.Messageable) -> int:
    """How large an upload may be here."""
    guild = getattr(channel, "guild", None)
    if isinstance(guild, discord.Guild):
        return guild.filesize_limit
    return discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
