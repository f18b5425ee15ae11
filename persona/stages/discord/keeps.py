"""What remembers a fan, as the stage needs it: to show, to forget, to take back, to explain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from memory.fan import Fan, Scope
from persona.forgetting import Receipt
from persona.hearing import HIT
from persona.stages.discord.places import STAGE

if TYPE_CHECKING:
    from persona.wiring import House


class Keeps(Protocol):
    """What is asked of it. `taken_back`: a message that was deleted takes what was kept of it along; `allow`: whether
    what a fan told in private may be recalled to them in a channel; `tell`, `told`, `untell`: a server's lore, which
    all of it may hear.
    """

    def export(self, fan: Fan) -> dict[str, Any]: ...

    def page(self, export: Mapping[str, Any]) -> str: ...

    def forget(self, fan: Fan, about: str, clips: bool) -> Receipt: ...

    def taken_back(self, message: int) -> None: ...

    def privacy(self) -> str: ...

    def allow(self, fan: Fan, channel: Scope, allowed: bool) -> None: ...

    def allowed(self, fan: Fan, channel: Scope) -> bool: ...

    def number_one(self, title: str, guild: int) -> None: ...

    def tell(self, fan: Fan, guild: int, text: str) -> bool: ...

    def told(self, guild: int) -> list[tuple[int, str]]: ...

    def untell(self, guild: int, entry: int) -> None: ...


class KeepsNothing:
    """For a stage without a memory."""

    def export(self, fan: Fan) -> dict[str, Any]:
        return {"fan": fan.id}

    def page(self, export: Mapping[str, Any]) -> str:
        return ""

    def forget(self, fan: Fan, about: str, clips: bool) -> Receipt:
        return Receipt(datetime.now(UTC))

    def taken_back(self, message: int) -> None:
        pass

    def privacy(self) -> str:
        return "Nothing is kept of you. `/forget` and `/export` have nothing to do."

    def allow(self, fan: Fan, channel: Scope, allowed: bool) -> None:
        pass

    def allowed(self, fan: Fan, channel: Scope) -> bool:
        return False

    def number_one(self, title: str, guild: int) -> None:
        pass

    def tell(self, fan: Fan, guild: int, text: str) -> bool:
        return False

    def told(self, guild: int) -> list[tuple[int, str]]:
        return []

    def untell(self, guild: int, entry: int) -> None:
        pass


class HouseKeeps:
    """Everything that the house keeps, opened when it is first needed."""

    def __init__(self, house: House) -> None:
        self.house = house

    def export(self, fan: Fan) -> dict[str, Any]:
        from persona.export import everything_of

        return everything_of(self.house, fan.id)

    def page(self, export: Mapping[str, Any]) -> str:
        from persona.export_page import as_html

        return as_html(export)

    def forget(self, fan: Fan, about: str, clips: bool) -> Receipt:
        return self.house.forgetting.fan(fan.id, about, clips)

    def taken_back(self, message: int) -> None:
        self.house.forgetting.message(f"{STAGE}:{message}")

    def privacy(self) -> str:
        from persona.privacy import privacy

        commands = ("`/export`", "`/forget`", "`/privacy recall_here` there")
        return privacy(self.house.settings, self.house.card.name, *commands)

    def allow(self, fan: Fan, channel: Scope, allowed: bool) -> None:
        self.house.memory.allow(fan, self.house.card.name, channel, allowed)

    def allowed(self, fan: Fan, channel: Scope) -> bool:
        return channel in self.house.memory.allowed(fan, self.house.card.name)

    def number_one(self, title: str, guild: int) -> None:
        """The week's best song is a thing that the whole server may hear the artist speak of."""
        from memory.forgetting import forget_fan

        told, artist = HIT.format(title=title), self.house.card.name
        fan = Fan(f"{STAGE}:chart-{guild}", artist)
        forget_fan(self.house.memory, fan.id)  # last week's
        self.house.memory.remember_lore(fan, _server(guild), artist, told)

    def tell(self, fan: Fan, guild: int, text: str) -> bool:
        return bool(self.house.memory.remember_lore(fan, _server(guild), self.house.card.name, text))

    def told(self, guild: int) -> list[tuple[int, str]]:
        lore = self.house.memory.lore(self.house.card.name, _server(guild))
        return [(each.id, each.text) for each in lore]

    def untell(self, guild: int, entry: int) -> None:
        from memory.forgetting import forget_lore

        forget_lore(self.house.memory, self.house.card.name, _server(guild), entry)


def _server(guild: int) -> Scope:
    return Scope("server", f"{STAGE}:{guild}")
