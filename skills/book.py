"""The request book: a fan's order for a song is durable here before it is acknowledged.

This side writes and reads requests from any process; skills/worker.py makes them. Engine: DBOS.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from skills.address import Address
from skills.brief import Brief

if TYPE_CHECKING:
    from dbos import DBOSClient

QUEUE = "songs"
WORKFLOW = "make_song"
APPLICATION = "troubadour"
# Raised only when the steps of the workflow change so that an unfinished request could not go on under the new
# code: a fixed version lets a request that was begun before an update be finished after it.
WORKFLOW_VERSION = "1"

State = Literal["queued", "at work", "done", "failed", "cancelled"]
_STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "at work",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}


@dataclass(frozen=True)
class Request:
    """A fan's order. `id` is also the song's id."""

    id: str
    fan: str
    address: Address
    brief: Brief
    seed: int

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "address": str(self.address)}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> Request:
        address, brief = Address.parse(raw["address"]), Brief.from_json(raw["brief"])
        return Request(raw["id"], raw["fan"], address, brief, raw["seed"])


@dataclass(frozen=True)
class RequestStatus:
    """`ahead`: requests before it in the queue. `progress`: 0..1 by step, as far as begun. `error`: why it failed."""

    request: Request
    state: State
    ahead: int = 0
    progress: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

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
    """Requests in a DBOS system database (`sqlite:///...` or `postgresql://...`)."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    @cached_property
    def _client(self) -> DBOSClient:
        from dbos import DBOSClient, run_dbos_database_migrations

        run_dbos_database_migrations(system_database_url=self.database_url)
        return DBOSClient(system_database_url=self.database_url)

    def order(
        self, fan: str, address: Address, brief: Brief, key: str, seed: int | None = None
    ) -> RequestStatus:
        """Writes a request down, durably, and says where it stands. The same fan, brief and key are one request.

        `seed` is given where a song is made over from another one.
        """
        from skills.library import song_id

        seed = seed_of(fan, key) if seed is None else seed
        request = Request(song_id(brief, seed, f"{fan} {key}"), fan, address, brief, seed)
        self._client.enqueue(
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": request.id,
                "app_version": WORKFLOW_VERSION,
                "authenticated_user": fan,
            },
            request.as_json(),
        )
        return self.status(request.id)

    def status(self, request: str) -> RequestStatus:
        """Raises KeyError where nobody ordered that id."""
        found = self._client.list_workflows(workflow_ids=[request], name=WORKFLOW)
        if not found:
            raise KeyError(request)
        ahead = self._waiting_before(request) if _STATES[found[0].status] == "queued" else 0
        return self._status(found[0], ahead)

    def of_fan(self, fan: str) -> list[RequestStatus]:
        """All of a fan's requests, newest first."""
        found = self._client.list_workflows(name=WORKFLOW, user=fan, sort_desc=True)
        return [self._status(workflow, self._waiting_before(workflow.workflow_id)) for workflow in found]

    def open_requests(self) -> list[RequestStatus]:
        """Everything queued or at work, oldest first."""
        found = self._client.list_workflows(name=WORKFLOW, status=["PENDING", "ENQUEUED", "DELAYED"])
        return [self._status(workflow, 0) for workflow in found]

    def cancel(self, request: str) -> None:
        self._client.cancel_workflow(request)

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.destroy()
            del self.__dict__["_client"]

    def _waiting_before(self, request: str) -> int:
        ids = [status.request.id for status in self.open_requests()]
        return ids.index(request) if request in ids else 0

    def _status(self, workflow: Any, ahead: int) -> RequestStatus:
        state = _STATES[workflow.status]
        seen = self._client.get_event(workflow.workflow_id, "progress", timeout_seconds=0) or {}
        return RequestStatus(
            request=Request.from_json(workflow.input["args"][0]),
            state=state,
            ahead=ahead if state == "queued" else 0,
            progress=seen,
            error=str(workflow.error) if workflow.error else "",
        )
