"""The parts of the Discord stage, built from the house's when they are first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona.stages.discord.account import Account
    from persona.stages.discord.act import Parts
    from persona.stages.discord.bot import DiscordStage
    from persona.stages.discord.elsewhere import Elsewhere
    from persona.stages.discord.limits import Limits
    from persona.stages.discord.lines import Lines
    from persona.stages.discord.outbox import Outbox
    from persona.stages.discord.pace import Pace
    from persona.stages.discord.servers import Servers
    from persona.stages.discord.store import Store
    from persona.wiring import House


class DiscordWiring:
    """What one artist has on Discord. A guest shares the servers and the pace of the artist whose account it is."""

    def __init__(self, house: House) -> None:
        self._house, self._settings = house, house.settings
        self._host = house.host.discord if house.host else None

    @cached_property
    def store(self) -> Store:
        from persona.stages.discord.store import Store

        return Store(self._house.data / "discord.sqlite")

    @cached_property
    def outbox(self) -> Outbox:
        from persona.stages.discord.outbox import Outbox

        return Outbox(self.store, self._house.inbox)

    @cached_property
    def lines(self) -> Lines:
        from persona.stages.discord.lines import Lines

        return Lines.load(self._settings.persona)

    @cached_property
    def servers(self) -> Servers:
        from persona.stages.discord.servers import Servers

        return self._host.servers if self._host else Servers(self.store)

    @cached_property
    def limits(self) -> Limits:
        from persona.stages.discord.limits import Limits

        a_day, store = self._settings.discord.songs_per_day, (self._host or self).store
        return Limits(store, self.servers, self.lines, a_day)

    @cached_property
    def pace(self) -> Pace:
        from persona.stages.discord.pace import Pace

        return self._host.pace if self._host else Pace()

    @cached_property
    def guests(self) -> tuple[tuple[House, str], ...]:
        """The artists without an account of their own, each a house with its own data; and their pictures."""
        from persona.wiring import House

        return tuple(
            (House(self._settings.of_artist(other.persona), host=self._house), other.picture)
            for other in self._settings.discord.others
            if not other.token.get_secret_value()
        )

    @cached_property
    def elsewhere(self) -> Elsewhere:
        """Where the artist thinks while the gateway goes on."""
        from persona.stages.discord.elsewhere import Elsewhere

        return Elsewhere(self._house.artist)

    def parts(self, account: Account) -> Parts:
        from persona.stages.discord.act import Parts
        from persona.stages.discord.keeps import HouseKeeps

        return Parts(
            elsewhere=self.elsewhere,
            skills=self._house.skills,
            store=self.store,
            lines=self.lines,
            servers=self.servers,
            limits=self.limits,
            outbox=self.outbox,
            keeps=HouseKeeps(self._house),
            gather=self._settings.discord.gather,
            message_content=account.message_content,
            pace=self.pace,
            verify=self._house.verified,
            guard_book=self._house.guard_book,
        )

    def stage(self, account: Account) -> DiscordStage:
        """The stage, for the account that the token belongs to."""
        from persona.stages.discord.bot import DiscordStage, Guest

        guests = [Guest(each.discord.parts(account), picture) for each, picture in self.guests]
        return DiscordStage(self.parts(account), guests, shard_count=self._settings.discord.shards)
