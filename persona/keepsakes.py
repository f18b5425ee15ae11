"""Keepsakes: songs that were made, on their way from whoever made them to the one process that has the memory.

A worker may be another machine. It leaves a row in the database of the requests; the artist takes it when it next
thinks of anybody.
"""

from __future__ import annotations

from datetime import UTC, datetime

from memory.fan import Fan, Scope
from memory.memory import Memory
from skills.database import Database


class Keepsakes:
    def __init__(self, database: Database, artist: str) -> None:
        self.database, self.artist = database, artist

    def leave(self, request: str, fan: str, text: str) -> None:
        self.database.write(
            f"insert into keepsakes values (:request, :fan, :text, {self.database.clock}) "  # noqa: S608 - SQL of ours
            "on conflict (request) do nothing",
            request=request, fan=fan, text=text,
        )  # fmt: skip

    def take_into(self, memory: Memory) -> None:
        """Private to the fan, whatever the address: a server need not know whom a song was for."""
        if not self.database.read("select 1 from keepsakes limit 1"):
            return
        with self.database.transaction() as connection:  # whatever fails leaves them for the next time
            taken = self.database.sql("delete from keepsakes returning at, request, fan, text")
            for at, request, fan, text in sorted(tuple(row) for row in connection.execute(taken)):
                when = datetime.fromtimestamp(at, UTC)
                memory.remember_song(Fan(fan), Scope("fan", fan), self.artist, request, text, when)
