"""The worker makes the songs of the request book, as a durable workflow: a step that was done is not done again.

One worker process a data folder on SQLite (a lock says who holds it). DBOS keeps one application a process, so a
process has at most one Worker.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog

from skills.book import APPLICATION, QUEUE, WORKFLOW, WORKFLOW_VERSION, Request
from skills.brief import BriefError
from skills.library import Song
from skills.post import Post, PostBook
from skills.song import (
    NEEDS,
    STEPS,
    Step,
    Studio,
    compose_score,
    finish,
    mix_clip,
    play_band,
    sing_score,
    write_words,
)

log = structlog.get_logger()
LOCK_INTERVAL = 1.0  # seconds between two looks at whether the worker has gone
PROGRESS_INTERVAL = 0.5  # seconds between two events of one step; each is a write to the database


class WorkerBusy(RuntimeError):
    """Another process is the worker of this data folder."""


class Announcer(Protocol):
    """The artist's words for the end of a request, and what it keeps in mind of it."""

    def announce(self, request: Request, song: Song) -> str: ...

    def keep(self, request: Request, song: Song) -> None: ...

    def apologise(self, request: Request) -> str: ...


class Worker:
    """Runs the queue in this process until closed. `voice_of` words what the fan hears of it."""

    def __init__(
        self,
        database_url: str,
        lock: Path,
        studio: Studio,
        posts: PostBook,
        voice_of: Announcer,
        concurrency: int = 1,
    ) -> None:
        self.database_url, self.lock = database_url, lock
        self.studio, self.posts, self.voice_of = studio, posts, voice_of
        self.concurrency = concurrency
        self._events: dict[str, _Events] = {}

    def start(self) -> None:
        """Takes the lock, finishes what an earlier process left, and serves the queue. Raises WorkerBusy."""
        from dbos import DBOS, DBOSConfig

        self._held = _hold(self.lock)
        DBOS(
            config=DBOSConfig(
                name=APPLICATION,
                system_database_url=self.database_url,
                application_version=WORKFLOW_VERSION,
                executor_id="local",
                log_level="ERROR",
                notification_listener_polling_interval_sec=0.2,
            )
        )
        self._register()
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=self.concurrency, polling_interval_sec=0.2)

    @contextmanager
    def in_waiting(self) -> Iterator[None]:
        """Becomes the worker as soon as the one that holds the lock is gone; served until the block ends."""
        leaving = threading.Event()

        def wait() -> None:
            while not leaving.wait(LOCK_INTERVAL):
                try:
                    self.start()
                except WorkerBusy:
                    continue
                leaving.wait()
                self.close()

        waiting = threading.Thread(target=wait, name="worker in waiting", daemon=True)
        waiting.start()
        try:
            yield
        finally:
            leaving.set()
            waiting.join()

    def close(self) -> None:
        """Stops serving. What is at work is gone on with by the next worker."""
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True)
        self._held.close()

    def _register(self) -> None:
        from dbos import DBOS

        def durable(step: Step, name: str) -> Callable[[str], Any]:
            @DBOS.step(name=name)
            async def run(song: str) -> float:
                return await asyncio.to_thread(
                    step, self.studio, song, self._events.setdefault(song, _Events())
                )

            return run

        @DBOS.step(name="open")
        async def begin(raw: dict[str, Any]) -> None:
            request = Request.from_json(raw)
            await asyncio.to_thread(self.studio.library.open, request.brief, request.seed, request.id)

        @DBOS.step(name="finish")
        async def end(song: str, timings: dict[str, float]) -> str:
            return (await asyncio.to_thread(finish, self.studio, song, timings)).title

        # What can fail here is a busy or full disk: a promise is kept a moment later.
        again: dict[str, Any] = {"retries_allowed": True, "max_attempts": 5, "interval_seconds": 1.0}

        @DBOS.step(name="post", **again)
        async def post(raw: dict[str, Any]) -> bool:
            return await asyncio.to_thread(self._post, Request.from_json(raw))

        words, score, sing, band, mix = (
            durable(step, name)
            for step, name in (
                (write_words, "lyrics"),
                (compose_score, "score"),
                (sing_score, "sing"),
                (play_band, "band"),
                (mix_clip, "mix"),
            )
        )

        @DBOS.step(name="keep")
        async def keep(raw: dict[str, Any]) -> None:
            await asyncio.to_thread(self._keep, Request.from_json(raw))

        @DBOS.step(name="apologise", **again)
        async def apologise(raw: dict[str, Any], cause: str) -> bool:
            return await asyncio.to_thread(self._apologise, Request.from_json(raw), cause)

        @DBOS.workflow(name=WORKFLOW)
        async def make_song(raw: dict[str, Any]) -> str:
            song: str = raw["id"]
            try:
                await begin(raw)
                timings = {"lyrics": await words(song), "score": await score(song)}
                # Side by side: started in this order on every run, which is what a replay needs.
                timings["sing"], timings["band"] = await asyncio.gather(sing(song), band(song))
                timings["mix"] = await mix(song)
                title = await end(song, timings)
            except Exception as error:
                await apologise(raw, told(error))
                raise
            finally:
                self._events.pop(song, None)
            await post(raw)
            await keep(raw)
            return title

    def _apologise(self, request: Request, cause: str) -> bool:
        log.error("song failed", song=request.id, fan=request.fan, cause=cause)
        text = self.voice_of.apologise(request)
        return self.posts.deliver(Post(f"{request.id}:apology", request.address, text))

    def _keep(self, request: Request) -> None:
        try:
            self.voice_of.keep(request, self.studio.library.read(request.id))
        except Exception as error:  # the fan has the song; that the artist may forget it makes it no failure
            log.error("a song could not be remembered", song=request.id, cause=type(error).__name__)

    def _post(self, request: Request) -> bool:
        song = self.studio.library.read(request.id)
        text = self.voice_of.announce(request, song)
        made = self.posts.deliver(
            Post(f"{request.id}:clip", request.address, text, self.studio.library.clip(song).absolute())
        )
        log.info(
            "song posted" if made else "song was posted before", song=song.id, address=str(request.address)
        )
        return made


def told(error: BaseException) -> str:
    """An error for the log: its kind, and its sentence where it is one of ours. Others may quote a fan's words."""
    ours = type(error).__module__.split(".")[0] in ("skills", "voice") and not isinstance(error, BriefError)
    return f"{type(error).__name__}: {error}" if ours else type(error).__name__


class _Events:
    """Turns a song's progress into events of its workflow: 0..1 by step, in the order of the steps."""

    def __init__(self) -> None:
        self.progress: dict[str, float] = {}
        self.last = 0.0

    def __call__(self, step: str, fraction: float) -> None:
        from dbos import DBOS

        # After a crash the steps that were done are not run again, and so not told of: what this one needs is done.
        for before in NEEDS[step]:
            self.progress[before] = 1.0
        self.progress[step] = round(fraction, 3)
        now = time.monotonic()
        if 0.0 < fraction < 1.0 and now - self.last < PROGRESS_INTERVAL:
            return
        self.last = now
        DBOS.set_event("progress", {name: self.progress[name] for name in STEPS if name in self.progress})


def _hold(lock: Path) -> Any:
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise WorkerBusy(f"process {holder} already makes the songs of this data folder") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
