"""Tidying by itself: once a day, and a moment after anything was forgotten, in the process that makes the songs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from persona.logs import log_fault

if TYPE_CHECKING:
    from persona.wiring import House

log = structlog.get_logger()
EVERY = timedelta(days=1)
LOOK = (
    30.0  # seconds between two looks at whether something was forgotten: a song at work may leave files of it
)


@contextmanager
def tidying(house: House, look: float = LOOK) -> Iterator[None]:
    """At the start, and then as time goes by, until the block ends."""
    # Built here: two threads that build a part at the same time would have two of it.
    parts = (house.memory, house.book, house.library, house.forgetting)
    leaving = threading.Event()

    def run() -> None:
        tidied, stone = datetime.min.replace(tzinfo=UTC), 0
        while True:
            now, stones = datetime.now(UTC), house.forgetting.stones.after(stone)
            if stones or now - tidied >= EVERY:
                tidied, stone = now, max((each.number for each in stones), default=stone)
                try:
                    receipt = house.tidy()
                    log.info("tidied", **{kind: count for kind, count in receipt.counts.items() if count})
                except Exception as error:
                    log_fault("what is past its time could not be let go", error)
            if leaving.wait(look):
                parts[0].log.close()
                return

    thread = threading.Thread(target=run, name="tidying", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()
