"""Tries: how often each step of a request was begun, how that ended, and when the request was run again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from skills.database import Database

RENEWED = "renewed"  # the step under which it is written that a request was run again, and when


@dataclass(frozen=True)
class Try:
    """How often a step was begun, how often in a row the process died at it, and what came between the last time."""

    step: str
    tried: int
    died: int
    reason: str


class Tries:
    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self.database, self.now = database, now

    def begin(self, request: str, step: str) -> Try:
        """Writes down, durably, that a step is begun. Where the last try left no word, the process died at it."""
        with self.database.transaction() as connection:
            tried, died, reason = connection.execute(
                self.database.sql(
                    "insert into tries values (:request, :step, 1, 0, 1, '', :at) "
                    "on conflict (request, step) do update "
                    "set tried = tries.tried + 1, died = case when tries.running = 1 then tries.died + 1 else 0 end, "
                    "running = 1, at = excluded.at returning tried, died, reason"
                ),
                {"request": request, "step": step, "at": self.now()},
            ).one()
        return Try(step, tried, died, reason)

    def note(self, request: str, step: str, reason: str) -> None:
        """The try has ended, and not with the process."""
        self.database.write(
            "update tries set running = 0, reason = :reason where request = :request and step = :step",
            reason=reason, request=request, step=step,
        )  # fmt: skip

    def of(self, request: str) -> tuple[Try, ...]:
        rows = self.database.read(
            "select step, tried, died, reason from tries where request = :request and tried > 0 order by at",
            request=request,
        )
        return tuple(Try(*row) for row in rows)

    def renew(self, request: str) -> None:
        """From now on all counts from the start."""
        self.forget(request)
        self.mark(request, RENEWED)

    def renewed(self, request: str) -> float:
        """When it was last run again, seconds since 1970; 0 where it was not."""
        rows = self.database.read(
            "select at from tries where request = :request and step = :step", request=request, step=RENEWED
        )
        return float(rows[0][0]) if rows else 0.0

    def mark(self, request: str, mark: str) -> None:
        self.database.write(
            "insert into tries values (:request, :mark, 0, 0, 0, '', :at) on conflict (request, step) do nothing",
            request=request, mark=mark, at=self.now(),
        )  # fmt: skip

    def unmark(self, request: str, mark: str) -> None:
        self.database.write(
            "delete from tries where request = :request and step = :mark", request=request, mark=mark
        )

    def marked(self, mark: str) -> list[str]:
        return [
            request
            for [request] in self.database.read("select request from tries where step = :mark", mark=mark)
        ]

    def forget(self, request: str) -> None:
        self.database.write("delete from tries where request = :request", request=request)
