"""What remembers a fan beside the stage's own database: the memory, and the conversation that is going on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from memory.fan import Fan, Scope

if TYPE_CHECKING:
    from memory.memory import Memory


class Keeps(Protocol):
    """What is asked of it: to show and to forget a fan, and to know the artist's own hits."""

    def export(self, fan: Fan) -> Any: ...

    def forget(self, fan: Fan) -> None: ...

    def number_one(self, title: str, guild: int) -> None: ...


class KeepsNothing:
    """For a stage without a memory."""

    def export(self, fan: Fan) -> Any:
        return []

    def forget(self, fan: Fan) -> None:
        pass

    def number_one(self, title: str, guild: int) -> None:
        pass


class MemoryKeeps:
    """The real memory, opened when it is first needed."""

    def __init__(self, memory: Callable[[], Memory], artist: str) -> None:
        self.memory, self.artist = memory, artist

    def export(self, fan: Fan) -> Any:
        from memory.export import export_fan

        return export_fan(self.memory(), fan.id)

    def forget(self, fan: Fan) -> None:
        from memory.forgetting import forget_fan

        forget_fan(self.memory(), fan.id)

    def number_one(self, title: str, guild: int) -> None:
        """The week's best song is a thing that the whole server may hear the artist speak of."""
        told = f'The number one song of the week, the biggest hit in the chart, is "{title}".'
        self.memory().remember_lore(
            Fan(f"discord:chart-{guild}", self.artist), Scope("server", f"discord:{guild}"), self.artist, told
        )
