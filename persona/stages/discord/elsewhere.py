"""Where the artist thinks: a thread with a loop of its own, so that the gateway's loop never waits for a model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from persona.encounter import Encounter


class Answering(Protocol):
    """What the stage needs of the artist."""

    name: str
    greeting: str

    def answer(self, encounter: Encounter) -> AsyncIterator[str]: ...

    async def drop(self, conversation: str) -> None: ...

    async def unsay(self, conversation: str, message: str) -> None: ...

    async def close(self) -> None: ...


class Elsewhere:
    """Runs the artist's answers in its own thread."""

    def __init__(self, artist: Answering) -> None:
        self.artist = artist
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="artist", daemon=True)
        self._thread.start()

    async def answer(self, encounter: Encounter) -> str:
        """The whole answer; to be awaited in any loop. Cancelling it cancels the thinking."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._whole(encounter), self._loop))

    async def _whole(self, encounter: Encounter) -> str:
        return "".join([piece async for piece in self.artist.answer(encounter)]).strip()

    async def drop(self, conversations: Iterable[str]) -> None:
        """Ends conversations: what was said in them is not read again."""
        for conversation in conversations:
            work = asyncio.run_coroutine_threadsafe(self.artist.drop(conversation), self._loop)
            await asyncio.wrap_future(work)

    async def unsay(self, conversation: str, message: str) -> None:
        """Takes a message out of a conversation, with what was answered to it."""
        work = asyncio.run_coroutine_threadsafe(self.artist.unsay(conversation, message), self._loop)
        await asyncio.wrap_future(work)

    def close(self) -> None:
        """Ends the thread and closes the artist; answers still at work are cancelled."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.artist.close()
