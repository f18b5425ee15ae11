"""A watchdog in a thread of its own: when the gateway's loop is late, it logs where the loop stands."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from dataclasses import dataclass

import structlog

log = structlog.get_logger()


@dataclass(frozen=True)
class Late:
    """The loop did not come by for `seconds`; `stack` is where it was then."""

    seconds: float
    stack: str


class Watchdog:
    """Asks the loop every `every` seconds whether it is alive; when it is `late` seconds late, tells where it is."""

    def __init__(self, late: float = 1.0, every: float = 0.1) -> None:
        self.late, self.every = late, every
        self.found: list[Late] = []
        self.worst = 0.0  # seconds, the latest that the loop has ever been
        self._seen = time.monotonic()
        self._stop = threading.Event()

    def start(self) -> None:
        """To be called in the loop that is watched."""
        self._loop, self._ident = asyncio.get_running_loop(), threading.get_ident()
        self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _came_by(self, asked: float) -> None:
        self._seen = time.monotonic()
        self.worst = max(self.worst, self._seen - asked)

    def _watch(self) -> None:
        told = False
        asked = 0.0
        while not self._stop.wait(self.every):
            if self._seen >= asked:  # it answered the last question: ask the next one
                asked, told = time.monotonic(), False
                try:
                    self._loop.call_soon_threadsafe(self._came_by, asked)
                except RuntimeError:
                    return  # the loop is closed
            elif not told and time.monotonic() - asked > self.late:
                told = True
                frame = sys._current_frames().get(self._ident)
                stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
                self.found.append(Late(time.monotonic() - asked, stack))
                del self.found[:-20]
                log.error(
                    "discord: the loop is blocked", seconds=round(time.monotonic() - asked, 2), stack=stack
                )
