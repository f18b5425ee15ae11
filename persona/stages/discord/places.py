"""Discord's people and places in the project's own words: fans, addresses, scopes, encounters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import discord

from memory.fan import Fan, Scope
from persona.encounter import Encounter, Message
from skills.address import Address

STAGE = "discord"
PRIVATE = "@me"  # stands where a server's id would: a DM or a group of friends


def address_of(channel_id: int, guild_id: int | None) -> Address:
    return Address(STAGE, f"{guild_id or PRIVATE}/{channel_id}")


def place_of(address: Address) -> tuple[int | None, int]:
    """(guild or None, channel). Raises ValueError on an address that is none of Discord's."""
    guild, slash, channel = address.place.partition("/")
    if (
        address.stage != STAGE
        or not slash
        or not channel.isdigit()
        or not (guild == PRIVATE or guild.isdigit())
    ):
        raise ValueError(f"{address} is no place on Discord")
    return (None if guild == PRIVATE else int(guild)), int(channel)


def fan_of(user: discord.abc.User) -> Fan:
    return Fan(fan_id(user.id), user.display_name)


def fan_id(user: int) -> str:
    return f"{STAGE}:{user}"


def account_of(fan: str) -> int | None:
    """The account behind a fan's id; None for a fan of another stage."""
    stage, _, account = fan.partition(":")
    return int(account) if stage == STAGE and account.isdigit() else None


def server_of(guild_id: int | None) -> str:
    """What floods and costs are counted by. Everything private counts as one server."""
    return str(guild_id or PRIVATE)


def scope_of(address: Address, fan: Fan, alone: bool) -> Scope:
    """What is said with the fan alone stays with the fan; in a channel it stays in that channel."""
    return Scope("fan", fan.id) if alone else Scope("channel", str(address))


def scope_in(interaction: discord.Interaction[Any]) -> Scope:
    """Where a command was given."""
    address = address_of(interaction.channel_id or 0, interaction.guild_id)
    alone = interaction.guild_id is None and not isinstance(interaction.channel, discord.GroupChannel)
    return scope_of(address, fan_of(interaction.user), alone)


def encounter_of(message: discord.Message, text: str, parts: Iterable[int] = ()) -> Encounter:
    """`text`: what was said, cleaned, perhaps gathered from several messages (`parts`) of which this is the last."""
    address = address_of(message.channel.id, message.guild.id if message.guild else None)
    fan = fan_of(message.author)
    alone = message.guild is None and not isinstance(message.channel, discord.GroupChannel)
    around = (Scope("server", f"{STAGE}:{message.guild.id}"),) if message.guild is not None else ()
    return Encounter(
        Message(str(message.id), text, message.created_at, tuple(map(str, parts))),
        fan,
        address,
        scope_of(address, fan, alone),
        around,
        str(message.guild.preferred_locale) if message.guild is not None else "",
    )
