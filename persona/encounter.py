"""Encounter: one message with its fan, its address and who may see what is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memory.fan import Fan, Scope
from skills.address import Address
from skills.requesting import Asker


@dataclass(frozen=True)
class Message:
    """`id` is the platform's own, the same however often the message is delivered. `parts`: the ids of all messages
    that were gathered into this one, itself included; empty where it came alone."""

    id: str
    text: str
    when: datetime
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Encounter:
    """What a stage hands to the artist. It is also the runtime context of the agent's tools and middleware.

    `around`: further scopes that are in sight from `scope`, such as a channel's server. `locale`: the fan's, as the
    platform tells it ('en-GB'), or ''.
    """

    message: Message
    fan: Fan
    address: Address
    scope: Scope
    around: tuple[Scope, ...] = ()
    locale: str = ""

    @property
    def asker(self) -> Asker:
        """Who asks, for the skills. The model neither sees nor sets it."""
        return Asker(self.fan.id, self.address, self.message.id)

    @property
    def heard_in(self) -> tuple[str, ...]:
        """The names of its messages in memory: whoever takes one back takes back what was kept of it."""
        return tuple(f"{self.address.stage}:{part}" for part in self.message.parts or (self.message.id,))

    @property
    def conversation(self) -> str:
        """Which thread of talk this belongs to: everybody at a public address shares it, a fan in private has one."""
        return f"{self.address}#{self.fan.id}" if self.scope.kind == "fan" else str(self.address)
