"""The victim: the real worker in a process of its own, which ends itself by SIGKILL where its plan says so.

Forked from a process that has imported everything (multiprocessing's forkserver): a new life costs a fork, not the
imports. Whatever it does is the House's own: the workflow, the steps, the library, the posts.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import skills.worker
from persona.logs import set_up_logs
from persona.settings import (
    ChatSettings,
    ProvenanceSettings,
    Settings,
    SongSettings,
    StoreSettings,
    VoiceSettings,
)
from persona.wiring import House
from skills.book import Request
from skills.places.errors import NotYet
from skills.post import Place, Post
from skills.worker import Worker

IMPORTED = (  # by the server that victims are forked from
    "persona.crashes.victim", "persona.announcer", "dbos", "sqlalchemy", "sqlite3", "chromadb", "onnxruntime",
    "tokenizers", "PIL.Image", "c2pa", "skills.provenance.credentials", "skills.provenance.watermark",
    "skills.words", "skills.tune", "skills.studio", "skills.exports", "skills.cover", "skills.worker", "libsonare",
    "music21", "mido", "soundfile", "soxr", "ffmpeg", "memory.memory", "voice.engines.hum",
)  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """Where and how a victim works. `database`: '' for SQLite in `data`. `deadline` in hours. `endpoint`: of a chat
    model that writes the words. `closed`: while this file is there, the place takes nothing. `version`: of the
    workflow, if not the present one. `store` and `provenance`: where many machines share a library.
    """

    data: Path
    voice: str = "hum"
    database: str = ""
    deadline: float = 6.0
    endpoint: str = ""
    closed: Path | None = None
    version: str = ""
    store: StoreSettings = field(default_factory=StoreSettings)
    provenance: ProvenanceSettings = field(default_factory=ProvenanceSettings)

    def house(self) -> House:
        chat = ChatSettings(model="endpoint", base_url=self.endpoint, name="any", timeout=5.0)
        return House(
            Settings(
                data_dir=self.data,
                voice=VoiceSettings(name=self.voice, threads=1),
                songs=SongSettings(
                    database_url=SecretStr(self.database), deadline=self.deadline, store=self.store
                ),
                provenance=self.provenance,
                chat=chat if self.endpoint else ChatSettings(),
            )
        )


@dataclass(frozen=True)
class Plan:
    """`points`: where each request is killed, 'step:before', 'step:within' or 'step:after', each once;
    'post:between' is when the place has the post and our book not yet. `typical`: seconds of a step.
    """

    points: Mapping[str, tuple[str, ...]]
    typical: Mapping[str, float]
    seed: int = 0


class Record:
    """What the lives of all victims did, a JSON object a line, times of the clock that all processes share."""

    def __init__(self, data: Path) -> None:
        self.path = data / "lives.jsonl"
        self._lock = threading.Lock()

    def write(self, **what: Any) -> None:
        line = json.dumps({"at": time.monotonic(), "life": os.getpid(), **what})
        with self._lock, self.path.open("a") as file:
            file.write(line + "\n")

    def read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]


class Victim(Worker):
    """A worker whose every step asks the plan whether this is the moment."""

    record: Record
    plan: Plan
    killed: set[tuple[str, str]]

    def _durable(self, name: str, work: Callable[..., Any], needed: bool = True) -> Callable[..., Any]:
        def lethal(request: Request, *more: Any) -> Any:
            self.record.write(what="begin", request=request.id, step=name)
            self.perhaps(request.id, f"{name}:before", name)
            if (request.id, f"{name}:within") in self.due():
                moment = random.Random(f"{self.plan.seed} {request.id} {name}").uniform(0.05, 0.95)
                after = moment * self.plan.typical.get(name, 1.0)
                threading.Timer(after, self.perhaps, (request.id, f"{name}:within", name)).start()
            gave = work(request, *more)
            self.perhaps(request.id, f"{name}:after", name)
            self.record.write(what="end", request=request.id, step=name)
            return gave

        return super()._durable(name, lethal, needed)

    def due(self) -> set[tuple[str, str]]:
        return {(r, p) for r, points in self.plan.points.items() for p in points} - self.killed

    def perhaps(self, request: str, point: str, step: str) -> None:
        if (request, point) in self.due():
            self.record.write(what="kill", request=request, step=step, point=point)
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Between:
    """A place that may be closed, and after which the process may be killed before anybody writes the post down."""

    place: Place
    victim: Victim
    closed: Path | None

    def post(self, post: Post) -> None:
        if self.closed is not None and self.closed.exists():
            raise NotYet("the place is closed", 1.0)
        self.place.post(post)
        request, _, kind = post.nonce.partition(":")
        if kind == "clip":
            self.victim.perhaps(request, "post:between", "post")


def live(setup: Setup, plan: Plan) -> None:
    """One life: serves the queue until killed, or until the process that began it is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if setup.version:
        skills.worker.WORKFLOW_VERSION = setup.version
    set_up_logs("warning", json_lines=False)
    home = setup.house()
    record = Record(setup.data)
    studio = home.studio(home.library, home.library.used_lines)
    victim = Victim(
        home.book,
        setup.data / "worker.lock",
        studio,
        home.posts,
        home.announcer,
        deadline=setup.deadline * 3600,
    )
    victim.record, victim.plan = record, plan
    victim.killed = {(each["request"], each["point"]) for each in record.read() if each["what"] == "kill"}
    home.posts.places = {
        name: Between(place, victim, setup.closed) for name, place in home.posts.places.items()
    }
    victim.start()
    record.write(what="life")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    victim.close()


def _end_with_parent() -> None:
    """A run that is cut off leaves no worker behind, and the next one finds its folder free."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
