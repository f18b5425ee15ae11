"""The worker makes the songs of the request book, as a durable workflow: a step that was done is not done again.

On SQLite one worker process a data folder (a lock says who holds it); on PostgreSQL any number on one queue
(skills/keeper.py takes over what a dead one left). DBOS keeps one application a process, so a process has at most one
Worker.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog

from skills.book import APPLICATION, LATE, QUEUE, WORKFLOW, Request, RequestBook, SetAside
from skills.brief import BriefError
from skills.keeper import Clock, Keeper
from skills.library import Song
from skills.patience import BUSY, DIED, asked_wait, patience_for
from skills.post import Post, PostBook
from skills.remake import Change, begin_version
from skills.song import MAKING, NEEDS, STEPS, Step, Studio, begin, finish

log = structlog.get_logger()
# Raised when the steps of the workflow change so that an unfinished request could not go on under the new code.
# What was begun under another version is then begun again, step by step, by the keeper.
WORKFLOW_VERSION = "2"
ALONE = "local"  # the name of the one worker of a SQLite database
LOCK_INTERVAL = 1.0  # seconds between two looks at whether the worker has gone
PROGRESS_INTERVAL = 0.5  # seconds between two events of one step; each is a write to the database
PASSED = "its deadline passed"
AT_ONCE_LATE = 4  # apologies for requests whose deadline passed, side by side


class WorkerBusy(RuntimeError):
    """Another process is the worker of this data folder."""


class Unrecorded(BaseException):  # no Exception: DBOS would write down that the request has failed
    """The database could not write down what was done. The request is gone on with as soon as it can."""


class Announcer(Protocol):
    """The artist's words for the end of a request, and what it keeps in mind of it."""

    def announce(self, request: Request, song: Song) -> str: ...

    def keep(self, request: Request, song: Song) -> None: ...

    def apologise(self, request: Request) -> str: ...

    def apologise_late(self, request: Request) -> str: ...


class Worker:
    """Runs the queue in this process until closed. `voice_of` words what the fan hears of it.

    `making`: the plain functions that make a song, by step. `deadline`: seconds after which a request that is not
    made is apologised for, and its fan is owed a place at the front.
    """

    def __init__(
        self,
        book: RequestBook,
        lock: Path,
        studio: Studio,
        posts: PostBook,
        voice_of: Announcer,
        concurrency: int = 1,
        deadline: float = 6 * 3600.0,
        making: Mapping[str, Step] = MAKING,
    ) -> None:
        self.book, self.database, self.lock = book, book.database, lock
        self.studio, self.posts, self.voice_of = studio, posts, voice_of
        self.concurrency, self.deadline, self.making = concurrency, deadline, making
        self.clock = Clock()
        self._events: dict[str, _Events] = {}
        self._running: set[tuple[str, str]] = set()
        self._active: set[str] = set()

    def start(self) -> None:
        """Takes the lock, finishes what an earlier process left, and serves the queue. Raises WorkerBusy."""
        from dbos import DBOS, DBOSConfig

        self._held = None if self.database.shared else _hold(self.lock)
        executor = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}" if self.database.shared else ALONE
        self.keeper = Keeper(self.book, executor, WORKFLOW_VERSION, self.clock, self.deadline, self._active)
        self.keeper.appear()  # before anything is taken: who has work is known to be alive
        DBOS(
            config=DBOSConfig(
                name=APPLICATION,
                system_database_url=self.database.url,
                application_version=WORKFLOW_VERSION,
                executor_id=executor,
                log_level="ERROR",
                notification_listener_polling_interval_sec=0.2,
            )
        )
        self._register()
        DBOS.launch()
        DBOS.set_latest_application_version(WORKFLOW_VERSION)  # after a rollback too: ours is what runs
        # A queue that somebody drained stays drained.
        once: Any = {"polling_interval_sec": 0.2, "on_conflict": "never_update"}
        DBOS.register_queue(QUEUE, worker_concurrency=self.concurrency, **once)
        DBOS.register_queue(LATE, worker_concurrency=AT_ONCE_LATE, **once)
        self.keeper.start()

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

        self.keeper.stop()
        for request, step in tuple(
            self._running
        ):  # ended by us: it does not count as a try that killed the worker
            self.book.tries.note(request, step, "the worker was stopped")
        DBOS.destroy(destroy_registry=True)
        self.keeper.leave()
        if self._held is not None:
            self._held.close()

    # ---- the workflow

    def _register(self) -> None:
        from dbos import DBOS

        begin = self._durable("open", self._open)
        make = {name: self._durable(name, self._making(name)) for name in self.making}
        complete = self._durable("finish", self._finish)
        post = self._durable("post", self._post)
        keep = self._durable("keep", self._keep, needed=False)
        late = self._durable("late", self._late)
        apologise = self._durable("apologise", self._apologise, needed=False)

        async def make_and_post(raw: dict[str, Any]) -> str:
            if await late(raw):
                raise SetAside(PASSED, late=True)
            await begin(raw)
            timings: dict[str, float] = {}
            for together in rounds(NEEDS, self.making):
                # Started in this order on every run, which is what a replay needs.
                took = await asyncio.gather(*(make[name](raw) for name in together), return_exceptions=True)
                for name, seconds in zip(together, took, strict=True):
                    if isinstance(seconds, BaseException):
                        raise seconds
                    timings[name] = seconds
            title: str = await complete(raw, timings)
            await post(raw)
            await keep(raw)
            return title

        @DBOS.workflow(name=WORKFLOW)
        async def make_song(raw: dict[str, Any]) -> str:
            self._active.add(raw["id"])
            try:
                return await make_and_post(raw)
            except SetAside as error:
                await apologise(raw, str(error), error.late)
                raise
            except Exception as error:  # outside every step
                if patience_for(error) is BUSY:  # the database could not write down what a step gave
                    raise Unrecorded(told(error)) from error
                await apologise(raw, told(error), False)
                raise SetAside(told(error)) from error
            finally:
                self._stop(raw["id"])  # whichever of the two is cancelled first, step or workflow
                self._events.pop(raw["id"], None)
                self._active.discard(raw["id"])

    def _durable(self, name: str, work: Callable[..., Any], needed: bool = True) -> Callable[..., Any]:
        """A step of the workflow. Its recorded result is what the work gave, or why it was given up (SetAside).

        What is not `needed` may be given up without a word to the fan.
        """
        from dbos import DBOS

        @DBOS.step(name=name, preemptible=True)
        async def run(raw: dict[str, Any], *more: Any) -> dict[str, Any]:
            return await self._persist(name, Request.from_json(raw), work, more)

        async def done(raw: dict[str, Any], *more: Any) -> Any:
            result = await run(raw, *more)
            if "trouble" in result:
                if not needed:
                    return None
                raise SetAside(result["trouble"], late=result["trouble"] == PASSED)
            return result["gave"]

        return done

    async def _persist(
        self, name: str, request: Request, work: Callable[..., Any], more: tuple[Any, ...]
    ) -> dict[str, Any]:
        """Does a step's work, with patience."""
        step = (request.id, name)
        while True:
            begun = await asyncio.to_thread(self.book.tries.begin, *step)
            if begun.died >= DIED.tries:
                return {"trouble": f"{name}: {DIED.kind} each of the {begun.died} times that it was begun"}
            self._running.add(step)
            try:
                return {"gave": await asyncio.to_thread(work, request, *more)}
            except asyncio.CancelledError:
                self._stop(request.id)
                raise
            except Exception as error:
                patience, reason = patience_for(error), told(error)
                await asyncio.to_thread(self.book.tries.note, *step, f"{patience.kind} ({reason})")
                wait = patience.wait(begun.tried - begun.died, asked_wait(error))
            finally:
                self._running.discard(step)
            where = {"song": request.id, "step": name, "cause": reason, "kind": patience.kind}
            if wait is None:
                log.error("a step was given up", **where)
                return {"trouble": f"{name}: {reason}"}
            if name in self.making and await asyncio.to_thread(self._late, request):
                return {"trouble": PASSED}
            log.warning("a step is tried again", in_seconds=round(wait, 1), **where)
            await asyncio.sleep(wait)

    # ---- the steps

    def _open(self, request: Request) -> None:
        if request.version_of:
            change = Change(**request.change)
            begin_version(
                self.studio.library, request.version_of, change, self.studio.voice, version=request.id
            )
        begin(self.studio.library, request.brief, request.seed, request.id, request.fan)

    def _making(self, name: str) -> Callable[[Request], float]:
        def work(request: Request) -> float:
            events = self._events.setdefault(request.id, _Events())
            return self.making[name](self.studio, request.id, events)

        return work

    def _finish(self, request: Request, timings: dict[str, float]) -> str:
        return finish(self.studio, request.id, timings).title

    def _post(self, request: Request) -> bool:
        song = self.studio.library.read(request.id)
        text = self.voice_of.announce(request, song)
        with self.studio.library.held(song.id, stems=False):  # a place may have a video made
            clip = self.studio.library.clip(song).absolute()
            made = self.posts.deliver(Post(f"{request.id}:clip", request.address, text, clip))
        log.info(
            "song posted" if made else "song was posted before", song=song.id, address=str(request.address)
        )
        return made

    def _keep(self, request: Request) -> None:
        try:
            self.voice_of.keep(request, self.studio.library.read(request.id))
        except Exception as error:  # the fan has the song; that the artist may forget it makes it no failure
            log.error("a song could not be remembered", song=request.id, cause=type(error).__name__)

    def _late(self, request: Request) -> bool:
        return self.clock.late(self.book.ordered(request), self.deadline)

    def _apologise(self, request: Request, cause: str, late: bool) -> bool:
        log.error("song failed", song=request.id, fan=request.fan, cause=cause)
        if late:
            self.book.owe(request.fan)
        text = self.voice_of.apologise_late(request) if late else self.voice_of.apologise(request)
        return self.posts.deliver(Post(f"{request.id}:apology", request.address, text))

    def _stop(self, song: str) -> None:
        """Whatever is at work for a song that was cancelled ends at its next sign of progress."""
        if song in self._events:
            self._events[song].stopped = True


def told(error: BaseException) -> str:
    """An error for the log: its kind, and its sentence where it is one of ours. Others may quote a fan's words."""
    ours = type(error).__module__.split(".")[0] in ("skills", "voice") and not isinstance(error, BriefError)
    return f"{type(error).__name__}: {error}" if ours else type(error).__name__


class _Stopped(RuntimeError):
    """The request was cancelled while a step of it was at work."""


class _Events:
    """Turns a song's progress into events of its workflow: 0..1 by step, in the order of the steps."""

    def __init__(self) -> None:
        self.progress: dict[str, float] = {}
        self.last = 0.0
        self.stopped = False

    def __call__(self, step: str, fraction: float) -> None:
        from dbos import DBOS

        if self.stopped:
            raise _Stopped
        # After a crash the steps that were done are not run again, and so not told of: what this one needs is done.
        for before in NEEDS[step]:
            self.progress[before] = 1.0
        self.progress[step] = round(fraction, 3)
        now = time.monotonic()
        if 0.0 < fraction < 1.0 and now - self.last < PROGRESS_INTERVAL:
            return
        self.last = now
        DBOS.set_event("progress", {name: self.progress[name] for name in STEPS if name in self.progress})


def rounds(needs: Mapping[str, Sequence[str]], steps: Collection[str]) -> list[list[str]]:
    """The steps in rounds: what stands in one round needs only what stands before it, and goes side by side."""
    made: list[list[str]] = []
    left = list(steps)
    while left:
        done = {name for each in made for name in each}
        together = [name for name in left if done.issuperset(needs[name])]
        if not together:
            raise ValueError(f"these steps need each other: {', '.join(left)}")
        made.append(together)
        left = [name for name in left if name not in together]
    return made


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
