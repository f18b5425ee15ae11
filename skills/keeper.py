"""The keeper: says that this worker lives, and looks after what would otherwise lie for ever.

It takes over the work of a worker that is no more heard of, sends requests whose deadline has passed to be apologised
for, and begins again what was begun under another version of the workflow.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Set

import structlog

from skills.book import LATE, QUEUE, WORKFLOW, Request, RequestBook

log = structlog.get_logger()
BEAT = 1.0  # seconds between two signs of life
SILENCE = 8.0  # seconds without one after which a worker counts as dead
IDLE = 5  # beats without anybody at work at it after which a request is picked up again
JUMP = 30.0  # seconds by which the wall clock may stray from the steady one in a beat
ADOPT = "adopt"  # the step under which it is written that a request is being begun again


class Clock:
    """The wall clock, with its jumps known: after a jump forward nobody is late who was not late before."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.wall, self.steady = wall, steady
        self._wall, self._steady = wall(), steady()
        self._jumps: list[tuple[float, float]] = []  # (when, by how many seconds), forward only

    def look(self) -> float:
        """Seconds by which the wall clock has jumped since the last look (0 for a small drift)."""
        wall, steady = self.wall(), self.steady()
        jump = (wall - self._wall) - (steady - self._steady)
        if jump > JUMP:
            self._jumps.append((self._wall, jump))
        self._wall, self._steady = wall, steady
        return jump if abs(jump) > JUMP else 0.0

    def late(self, ordered: float, deadline: float) -> bool:
        """Whether `deadline` seconds have passed since `ordered`; jumps since then do not count."""
        self.look()
        jumped = sum(seconds for when, seconds in self._jumps if ordered <= when)
        return ordered > 0 and self.wall() - jumped - ordered > deadline


class Keeper:
    """One thread of a worker. `executor`: the name under which DBOS knows this worker. `active`: what it works at."""

    def __init__(
        self,
        book: RequestBook,
        executor: str,
        version: str,
        clock: Clock,
        deadline: float,
        active: Set[str],
    ) -> None:
        self.book, self.database, self.executor, self.version = book, book.database, executor, version
        self.clock, self.deadline, self.active = clock, deadline, active
        self._idle: Counter[str] = Counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self.adopt()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                self.beat()
            except Exception as error:  # a database that is away for a moment
                log.warning("the keeper could not look round", cause=type(error).__name__)

    def beat(self) -> None:
        """One round."""
        if jump := self.clock.look():
            log.warning("the clock jumped; deadlines wait as long as before", seconds=round(jump))
        self.appear()
        if self.database.shared:
            self.take_over()
        self.pick_up()
        self.send_late()

    # ---- who lives

    def appear(self) -> None:
        self.database.write(
            f"insert into workers values (:executor, :host, :pid, :version, {self.database.clock}) "  # noqa: S608
            f"on conflict (executor) do update set seen = excluded.seen",
            executor=self.executor, host=socket.gethostname(), pid=os.getpid(), version=self.version,
        )  # fmt: skip

    def leave(self) -> None:
        """What we had at work is anybody's from now on."""
        if self.database.shared:
            self._release(self.executor)
        self.database.write("delete from workers where executor = :executor", executor=self.executor)

    def take_over(self) -> None:
        """Puts back into the queue what dead workers had at work. One living worker does it for each dead one."""
        silent = f"{self.database.clock} - seen > {SILENCE}"
        for [executor] in self.database.read(f"select executor from workers where {silent}"):  # noqa: S608
            with self.database.transaction() as connection:
                # Held until the work is in the queue: should we die now, another one sees the dead worker still.
                held = connection.exec_driver_sql(
                    f"select 1 from workers where executor = %s and {silent} for update skip locked",  # noqa: S608
                    (executor,),
                ).all()
                if held:
                    self._release(executor)
                    connection.exec_driver_sql("delete from workers where executor = %s", (executor,))
        self._release_orphans()

    def _release_orphans(self) -> None:
        """Work of a worker that nobody remembers, such as one whose row was deleted while it still worked."""
        known = {executor for [executor] in self.database.read("select executor from workers")}
        working = self.book.client.list_workflows(
            name=WORKFLOW, status="PENDING", load_input=False, load_output=False
        )
        for executor in {each.executor_id for each in working} - known:
            self._release(executor or "")

    def _release(self, executor: str) -> None:
        left = self.book.client.list_workflows(
            name=WORKFLOW, status="PENDING", executor_id=executor, load_input=False, load_output=False
        )
        if left:
            log.warning("taking over from a worker", worker=executor, requests=len(left))
            self._again([each.workflow_id for each in left if each.app_version == self.version])
            for each in left:
                if each.app_version != self.version:
                    self._begin_again(each.workflow_id)

    def pick_up(self) -> None:
        """What stands as ours in the book though nobody works at it: a full disk or a lost connection cut it off."""
        ours = self.book.client.list_workflows(
            name=WORKFLOW, status="PENDING", executor_id=self.executor, load_input=False, load_output=False
        )
        idle = {each.workflow_id for each in ours} - self.active
        self._idle = Counter({request: self._idle[request] + 1 for request in idle})
        left = [request for request, beats in self._idle.items() if beats >= IDLE]
        if left:
            log.warning("picking up what was cut off", requests=len(left))
            self._again(left)

    def _again(self, requests: list[str]) -> None:
        """Back into the queue, to go on after the last step that was done. The run of the dead is shut out."""
        if requests:
            self.book.client.resume_workflows(requests, queue_name=QUEUE)

    # ---- who is late

    def send_late(self) -> None:
        """Requests that wait beyond their deadline begin at once, to find that it has passed, and apologise."""
        waiting = self.book.client.list_workflows(
            name=WORKFLOW,
            status=["ENQUEUED", "DELAYED"],
            queue_name=QUEUE,
            load_input=False,
            load_output=False,
        )
        for each in waiting:
            if self.clock.late((each.created_at or 0) / 1000, self.deadline):
                [full] = self.book.client.list_workflows(workflow_ids=[each.workflow_id])
                request = Request.from_json(full.input["args"][0])  # type: ignore[index]
                if self.clock.late(self.book.ordered(request), self.deadline):
                    self.book.client.resume_workflow(each.workflow_id, queue_name=LATE)

    # ---- what another version began

    def adopt(self) -> None:
        """Begins again what was begun under another version of the workflow and nobody works at.

        Each is noted first: should we die between the two halves, the next worker does the second.
        """
        for request in self.book.tries.marked(ADOPT):
            self._begin_again(request)
        known = {executor for [executor] in self.database.read("select executor from workers")}
        found = self.book.client.list_workflows(
            name=WORKFLOW, status=["PENDING", "ENQUEUED", "DELAYED"], load_input=False, load_output=False
        )
        for each in found:
            free = each.status != "PENDING" or not self.database.shared or each.executor_id not in known
            if each.app_version not in (None, self.version) and free:
                log.info(
                    "a request of another version begins again", song=each.workflow_id, was=each.app_version
                )
                self._begin_again(each.workflow_id)

    def _begin_again(self, request: str) -> None:
        self.book.tries.mark(request, ADOPT)
        found = self.book.client.list_workflows(workflow_ids=[request], load_input=False, load_output=False)
        if found and (found[0].app_version != self.version or found[0].status == "CANCELLED"):
            self.book.client.cancel_workflow(request)
            self.book.client.rewind_workflow(request, application_version=self.version, queue_name=QUEUE)
        self.book.tries.unmark(request, ADOPT)
