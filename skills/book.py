"""The request book: a fan's order for a song is durable here before it is acknowledged.

This side writes and reads requests from any process; skills/worker.py makes them. Engine: DBOS, whose queue takes
the lowest priority first. The priority of a request is its turn: a fan's next request is one turn after the fan's
last, and nobody begins behind the turn that is being served. So ten requests of one fan stand one behind the first
of every other fan.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from skills.address import Address
from skills.brief import Brief, BriefError
from skills.database import Database
from skills.tries import Tries, Try

if TYPE_CHECKING:
    from dbos import DBOSClient

QUEUE = "songs"
LATE = "late"  # where a request whose deadline has passed goes to be apologised for
WORKFLOW = "make_song"
APPLICATION = "troubadour"

FRONT, OWED, FIRST_TURN = 1, 2, 1000  # priorities: an operator's, one that we owe a fan, the first usual turn
DOUBLE_CLICK = 10.0  # seconds in which the same order of the same fan is the same order
A_DAY = timedelta(days=1)

State = Literal["queued", "at work", "done", "failed", "cancelled"]
STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "at work",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_OPEN = ["PENDING", "ENQUEUED", "DELAYED"]


class TooManyRequests(BriefError):
    """A fan has had the day's songs; the message says so."""


class SetAside(RuntimeError):
    """A request that is not made; the message is its reason. `late`: because its deadline passed."""

    def __init__(self, reason: str, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


@dataclass(frozen=True)
class Request:
    """A fan's order. `id` is also the song's id. `ordered`: when, seconds since 1970.

    `version_of`: the song that is to be made over, with `change`: fields of skills/remake.py's Change as JSON.
    """

    id: str
    fan: str
    address: Address
    brief: Brief
    seed: int
    ordered: float = 0.0
    version_of: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "address": str(self.address)}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> Request:
        address, brief = Address.parse(raw["address"]), Brief.from_json(raw["brief"])
        return Request(**{**raw, "address": address, "brief": brief})


@dataclass(frozen=True)
class RequestStatus:
    """`ahead`: requests before it in the queue. `progress`: 0..1 by step, as far as begun. `error`: why it failed.

    `times`: when it was ordered, begun and ended, as far as it was. `tries`: by step, where it was asked for.
    """

    request: Request
    state: State
    ahead: int = 0
    progress: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    times: Mapping[str, datetime] = field(default_factory=dict)
    turn: int = 0
    worker: str = ""
    tries: tuple[Try, ...] = ()

    @property
    def open(self) -> bool:
        return self.state in ("queued", "at work")

    @property
    def step(self) -> str:
        """The step that it is at ('' before the first)."""
        return next((step for step, fraction in self.progress.items() if fraction < 1.0), "")


def seed_of(fan: str, key: str) -> int:
    """The seed of a request that names none: the same fan and key give the same song."""
    return int.from_bytes(hashlib.sha256(f"{fan} {key}".encode()).digest()[:4], "big")


class RequestBook:
    """Requests in a database. `a_day`: how many one fan may order in 24 hours; 0: any number."""

    def __init__(self, database: Database, a_day: int = 0, now: Callable[[], float] = time.time) -> None:
        self.database, self.a_day, self.now = database, a_day, now
        self.tries = Tries(database, now)

    @cached_property
    def client(self) -> DBOSClient:
        from dbos import DBOS, DBOSClient

        engine = self.database.engine  # first: it says in a sentence where the database cannot be used
        DBOS.migrate(self.database.url)
        return DBOSClient(
            system_database_url=self.database.url,
            system_database_engine=engine,
            application_name=APPLICATION,
        )

    # ---- ordering

    def order(
        self,
        fan: str,
        address: Address,
        brief: Brief,
        key: str,
        first: bool = False,
        version_of: str = "",
        change: Mapping[str, Any] | None = None,
    ) -> RequestStatus:
        """Writes a request down, durably, and says where it stands. The same fan, brief and key are one request.

        `first` is for an operator: before all others. `version_of` and `change` as in Request.
        Raises TooManyRequests.
        """
        from skills.library import song_id

        seed = seed_of(fan, key)
        song, now = song_id(brief, seed, f"{fan} {key}"), round(self.now(), 3)
        request = Request(song, fan, address, brief, seed, now, version_of, change or {})
        client = self.client
        with self.database.transaction() as connection:
            # Held from here on: two orders of one fan, in whatever processes, are written one after the other.
            turn, owed = connection.execute(
                self.database.sql(
                    "insert into fans values (:fan, 0, 0) "
                    "on conflict (fan) do update set turn = fans.turn returning turn, owed"
                ),
                {"fan": fan},
            ).one()
            if client.list_workflows(workflow_ids=[request.id], load_input=False, load_output=False):
                same: str | None = request.id
            else:
                same = self._double_click(request)
            if same is None:
                self._permit(fan)
                given = max(turn + 1, self._served())
                priority = FRONT if first else OWED if owed else FIRST_TURN + given
                connection.execute(
                    self.database.sql("update fans set turn = :turn, owed = 0 where fan = :fan"),
                    {"turn": turn if first or owed else given, "fan": fan},
                )
                client.enqueue_in_transaction(
                    connection,
                    {
                        "workflow_name": WORKFLOW,
                        "queue_name": QUEUE,
                        "workflow_id": request.id,
                        "authenticated_user": fan,
                        "priority": priority,
                    },
                    request.as_json(),
                )
        return self.status(same or request.id)

    def _double_click(self, request: Request) -> str | None:
        """The fan's request that this one repeats: the same for the same address, a moment ago."""

        def wish(of: Request) -> tuple[object, ...]:
            return of.address, of.brief, of.version_of, dict(of.change)

        for workflow in self.client.list_workflows(name=WORKFLOW, user=request.fan, status=_OPEN):
            other = Request.from_json(workflow.input["args"][0])  # type: ignore[index]
            if wish(other) == wish(request) and abs(request.ordered - other.ordered) <= DOUBLE_CLICK:
                return other.id
        return None

    def _permit(self, fan: str) -> None:
        if not self.a_day:
            return
        since = datetime.fromtimestamp(self.now(), UTC) - A_DAY
        had = self.client.list_workflows(
            name=WORKFLOW, user=fan, start_time=since.isoformat(), load_input=False, load_output=False
        )
        if len([each for each in had if each.status != "CANCELLED"]) >= self.a_day:
            songs = "one song" if self.a_day == 1 else f"{self.a_day} songs"
            raise TooManyRequests(f"{songs} in a day is all that one person gets here; ask again tomorrow")

    def _served(self) -> int:
        """The turn that is being served: the lowest among what is open, or the last that anybody was given."""
        waiting = self.client.list_workflows(name=WORKFLOW, status=_OPEN, load_input=False, load_output=False)
        turns = [each.priority - FIRST_TURN for each in waiting if (each.priority or 0) > FIRST_TURN]  # type: ignore[operator]
        if turns:
            return min(turns)
        [[last]] = self.database.read("select coalesce(max(turn), 0) from fans")
        return int(last) + 1

    # ---- looking

    def status(self, request: str) -> RequestStatus:
        """Raises KeyError where nobody ordered that id."""
        found = self.client.list_workflows(workflow_ids=[request], name=WORKFLOW)
        if not found:
            raise KeyError(request)
        status = self._status(found[0], self._places())
        return dataclasses.replace(status, tries=self.tries.of(request))

    def of_fan(self, fan: str) -> list[RequestStatus]:
        """All of a fan's requests, newest first."""
        found = self.client.list_workflows(name=WORKFLOW, user=fan, sort_desc=True)
        return self._statuses(found)

    def open_requests(self) -> list[RequestStatus]:
        """Everything at work or queued, in the order in which it is made."""
        found = self.client.list_workflows(name=WORKFLOW, status=_OPEN)
        return sorted(self._statuses(found), key=lambda status: (status.state == "queued", status.ahead))

    def set_aside(self) -> list[RequestStatus]:
        """What failed for good, oldest first: with its reason, until somebody runs it again."""
        return self._statuses(
            self.client.list_workflows(name=WORKFLOW, status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
        )

    # ---- changing

    def cancel(self, request: str) -> None:
        """What is queued never begins; what is at work stops after its step."""
        self.client.cancel_workflow(request)

    def retry(self, request: str) -> RequestStatus:
        """Runs a request that failed or was cancelled again, from the step that failed. Raises KeyError, BriefError."""
        status = self.status(request)
        if status.state not in ("failed", "cancelled"):
            raise BriefError(
                f"{request} is {status.state}: only what failed or was cancelled can be run again"
            )
        self.tries.renew(request)
        self.client.rewind_workflow(request, start_step=self._failed_at(request), queue_name=QUEUE)
        return self.status(request)

    def _failed_at(self, request: str) -> int:
        """The number of the step from which the history is no more worth keeping."""
        steps = self.client.list_workflow_steps(request)
        troubled = [
            step["function_id"]
            for step in steps
            if step["error"] is not None or (isinstance(step["output"], dict) and "trouble" in step["output"])
        ]
        return min(troubled, default=max((step["function_id"] for step in steps), default=0) + 1)

    def raise_to_front(self, request: str) -> None:
        """Before all that is queued. Raises KeyError where it is not queued."""
        table = self.database.dbos_table("workflow_status")
        if not self.database.write(
            f"update {table} set priority = :front where workflow_uuid = :request and status = 'ENQUEUED'",  # noqa: S608 - a name of ours
            front=FRONT,
            request=request,
        ):
            raise KeyError(request)

    def drain(self, on: bool = True, concurrency: int = 1) -> None:
        """No worker begins anything more, until it is switched off again; orders are taken all the same."""
        self.client.register_queue(QUEUE, worker_concurrency=concurrency, on_conflict="never_update")
        queue = self.client.retrieve_queue(QUEUE)
        assert queue is not None
        queue.set_worker_concurrency(0 if on else concurrency)

    @property
    def drained(self) -> bool:
        queue = self.client.retrieve_queue(QUEUE)
        return queue is not None and queue.worker_concurrency == 0

    def owe(self, fan: str) -> None:
        """The fan's next request stands at the front."""
        self.database.write(
            "insert into fans values (:fan, 0, 1) on conflict (fan) do update set owed = 1", fan=fan
        )

    def ordered(self, request: Request) -> float:
        """When it was ordered, or last run again: seconds since 1970."""
        return self.tries.renewed(request.id) or request.ordered

    # ---- forgetting

    def forget(self, requests: Sequence[str]) -> None:
        """Deletes requests with all that is kept of them; a fan who has no other is unknown from then on."""
        for request in requests:
            self.client.cancel_workflow(request)
        self.client.delete_workflows(list(requests))
        for request in requests:
            self.tries.forget(request)
            for table in ("posts", "inbox"):
                self.database.write(f"delete from {table} where nonce like :nonce", nonce=f"{request}:%")  # noqa: S608
            self.database.write("delete from keepsakes where request = :request", request=request)
        known = set(self.fans())
        for (fan,) in self.database.read("select fan from fans"):
            if fan not in known:
                self.database.write("delete from fans where fan = :fan", fan=fan)

    def fans(self) -> list[str]:
        """Everybody who has a request here."""
        found = self.client.list_workflows(name=WORKFLOW, load_input=False, load_output=False)
        return sorted({each.authenticated_user for each in found if each.authenticated_user})

    def remains(self) -> list[str]:
        """Requests of which steps are kept, though they may have been deleted while they were at work."""
        table = self.database.dbos_table("operation_outputs")
        return [song for (song,) in self.database.read(f"select distinct workflow_uuid from {table}")]  # noqa: S608 - a name of ours

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.destroy()
            del self.__dict__["client"]
        self.database.close()

    # ---- reading DBOS's rows

    def _places(self) -> dict[str, int]:
        """By id of what is queued, how many come before it."""
        found = self.client.list_workflows(name=WORKFLOW, status=_OPEN, load_input=False, load_output=False)
        working = sum(each.status == "PENDING" for each in found)
        queued = [each for each in found if each.status != "PENDING"]
        queued.sort(key=lambda each: (each.queue_name != LATE, each.priority or 0, each.created_at or 0))
        return {each.workflow_id: place + working for place, each in enumerate(queued)}

    def _statuses(self, found: Sequence[Any]) -> list[RequestStatus]:
        places = self._places() if any(each.status in _OPEN for each in found) else {}
        return [self._status(workflow, places) for workflow in found]

    def _status(self, workflow: Any, places: Mapping[str, int]) -> RequestStatus:
        state = STATES[workflow.status]
        seen = self.client.get_event(workflow.workflow_id, "progress", timeout_seconds=0) or {}
        times = {
            "ordered": workflow.created_at,
            "begun": workflow.dequeued_at if state != "queued" else None,
            "ended": workflow.completed_at,
        }
        return RequestStatus(
            request=Request.from_json(workflow.input["args"][0]),
            state=state,
            ahead=places.get(workflow.workflow_id, 0) if state == "queued" else 0,
            progress=seen,
            error=_reason(workflow),
            times={name: datetime.fromtimestamp(at / 1000, UTC) for name, at in times.items() if at},
            turn=workflow.priority or 0,
            worker=workflow.executor_id or "",
        )


def _reason(workflow: Any) -> str:
    if workflow.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        return "the worker died each time that it was begun"
    return str(workflow.error) if workflow.error else ""
