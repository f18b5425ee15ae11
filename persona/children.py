"""Child processes that are kept running: begun again when they end, with longer pauses, and ended with us."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from persona.settings import StoreSettings, artist_folder

log = structlog.get_logger()
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a child is begun again
STEADY = 60.0  # seconds of life after which the next pause is a first one again
NO_STORE = StoreSettings()
GRACE = 20.0  # seconds for a child to end when asked


class Child:
    """One command, kept running. Its standard input is a pipe from us: it ends with us even if we are killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.name, self.command, self.env, self.first_pause = name, command, env, first_pause
        self.process: asyncio.subprocess.Process | None = None
        self.begun = 0

    async def keep(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        pause, loop = self.first_pause, asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                began = loop.time()
                self.process = await asyncio.create_subprocess_exec(
                    *self.command, stdin=asyncio.subprocess.PIPE, env=self.env
                )
                self.begun += 1
                ended = asyncio.create_task(self.process.wait())
                await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    await self._end(self.process, ended)
                    return
                pause = self.first_pause if loop.time() - began > STEADY else pause
                log.error(
                    "a child ended; it is begun again",
                    child=self.name,
                    status=ended.result(),
                    in_seconds=pause,
                )
                await asyncio.wait((stopping,), timeout=pause)
                pause = min(LONGEST_PAUSE, pause * 2)
        finally:
            stopping.cancel()
            if self.process is not None and self.process.returncode is None:
                self.process.kill()

    async def _end(self, process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
        process.terminate()
        await asyncio.wait((ended,), timeout=GRACE)
        if not ended.done():
            log.warning("a child did not end in time; killed", child=self.name)
            process.kill()
            await ended


def troubadour(*words: str) -> list[str]:
    """The command line of this very installation."""
    return [sys.executable, "-m", "persona.cli", *words]


def end_with_parent() -> None:
    """In a child: a thread that ends this process when its standard input, the parent's pipe, is closed."""
    import os
    import signal
    import threading

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def environment_for(
    persona: str, token: str, data: Path, environment: Mapping[str, str], store: StoreSettings = NO_STORE
) -> dict[str, str]:
    """Another artist's settings: its own card, account and data folder; all else as ours."""
    return {
        **environment,
        "TROUBADOUR_PERSONA": persona,
        "TROUBADOUR_DISCORD__TOKEN": token,
        "TROUBADOUR_DISCORD__OTHERS": "[]",
        "TROUBADOUR_CALENDAR__WHERE": "[]",  # another artist's calendar names its own addresses
        "TROUBADOUR_DATA_DIR": str(artist_folder(data, persona)),
        **({"TROUBADOUR_SONGS__STORE__URL": store.of_artist(persona).url} if store.url else {}),
    }
