"""How many songs a fan gets, and what is not sung where explicit language is off."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable

from persona.stages.discord.lines import Lines
from persona.stages.discord.places import STAGE, place_of, server_of
from persona.stages.discord.servers import Servers
from persona.stages.discord.store import Store
from skills.brief import Brief, BriefError
from skills.requesting import Asker

DAY = 24 * 3600.0


class Limits:
    """`permit` is handed to the skills: it stands before every order, whether it came by command, button or talk."""

    def __init__(
        self,
        store: Store,
        servers: Servers,
        lines: Lines,
        private_songs_per_day: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.servers, self.lines, self.now = store, servers, lines, now
        self.private = private_songs_per_day

    def permit(self, asker: Asker, brief: Brief) -> None:
        """Raises BriefError with the reason. The same key asks once, however often it comes."""
        if asker.address.stage != STAGE:
            return
        guild, _ = place_of(asker.address)
        if not (guild is not None and self.servers.of(guild).explicit) and explicit(brief):
            raise BriefError(self.lines.say("not_explicit", asker.key))
        most = self.private if guild is None else self.servers.of(guild).songs_per_day
        if not self._count(asker, server_of(guild), most):
            raise BriefError(
                self.lines.say("enough_songs" if most else "no_songs_here", asker.key, most=most)
            )

    def left(self, fan: str, guild: int | None) -> int:
        most = self.private if guild is None else self.servers.of(guild).songs_per_day
        [(used,)] = self.store.read(
            "select count(*) from allowance where fan = ? and server = ? and at > ?",
            fan, server_of(guild), self.now() - DAY,
        )  # fmt: skip
        return max(0, most - int(used))

    def _count(self, asker: Asker, server: str, most: int) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            mine = (asker.fan, asker.key)
            if connection.execute("select 1 from allowance where fan = ? and key = ?", mine).fetchone():
                return True
            [used] = connection.execute(
                "select count(*) from allowance where fan = ? and server = ? and at > ?",
                (asker.fan, server, self.now() - DAY),
            ).fetchone()
            if used >= most:
                return False
            connection.execute(
                "insert into allowance values (?, ?, ?, ?)", (asker.fan, server, asker.key, self.now())
            )
            return True

        return self.store.together(work)


def explicit(brief: Brief) -> bool:
    from skills.words.check import profanity

    text = " ".join((brief.theme, brief.words, brief.dedication, *brief.mentions)).lower()
    return any(word in profanity() for word in re.findall(r"[a-z'-]+", text))
