"""What each server costs: answers, songs and the seconds spent on them, by day, for the operator to see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from persona.stages.discord.store import Store


@dataclass(frozen=True)
class Cost:
    """`server` is a guild's id, or '@me' for all that was private."""

    server: str
    day: str
    answers: int
    songs: int
    seconds: float


class Costs:
    """Counted in memory, written down by `flush`: a count is not worth a disk write for each answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

    def add(self, server: str, answers: int = 0, songs: int = 0, seconds: float = 0.0) -> None:
        counts = self._new[server, datetime.now(UTC).date().isoformat()]
        for place, more in enumerate((answers, songs, seconds)):
            counts[place] += more

    def flush(self) -> None:
        new, self._new = dict(self._new), defaultdict(lambda: [0.0, 0.0, 0.0])
        for (server, day), (answers, songs, seconds) in new.items():
            self._store.write(
                "insert into usage values (?, ?, ?, ?, ?) on conflict (server, day) do update set "
                "answers = answers + excluded.answers, songs = songs + excluded.songs, "
                "seconds = seconds + excluded.seconds",
                server, day, int(answers), int(songs), seconds,
            )  # fmt: skip

    def all(self) -> list[Cost]:
        rows = self._store.read("select server, day, answers, songs, seconds from usage order by day, server")
        return [Cost(*row) for row in rows]
