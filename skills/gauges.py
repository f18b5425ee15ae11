"""Gauges: how the queue, the workers, the steps, the chat model and the posts stand, read from the database that all of
them write to.

Nothing is counted anywhere else, so any process may ask, and a restart loses no figure.
"""

from __future__ import annotations

import socket
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from skills.book import STATES, WORKFLOW, RequestBook, State
from skills.database import Database

WINDOW = 3600.0  # seconds: what is said of times and errors is said of the last hour
QUANTILES = (0.5, 0.95, 1.0)
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds of a chat model's answer
ALIVE = 30.0  # seconds since the last sign of life


@dataclass(frozen=True)
class StepTimes:
    """Of one step in the window, its pauses between tries included. `seconds`: by quantile."""

    count: int
    seconds: Mapping[float, float]


@dataclass(frozen=True)
class ModelTimes:
    """Of one chat model since the beginning. `within`: answers within each of BOUNDS, and in all."""

    within: Sequence[int]
    seconds: float
    failed: int


@dataclass(frozen=True)
class Gauges:
    """`waited`: seconds of the longest wait in the queue. `troubles`: tries that failed in the window, by their kind.
    `unclear`: posts that were begun at a network and whose end is not known. `occasions`: the calendar's, by state."""

    requests: Mapping[State, int]
    waited: float
    drained: bool
    workers: int
    steps: Mapping[str, StepTimes]
    troubles: Mapping[str, int]
    posts: int
    unclear: int
    occasions: Mapping[str, int]
    models: Mapping[str, ModelTimes]


def look(book: RequestBook, now: float | None = None) -> Gauges:
    """One look; some reads of small or indexed tables."""
    at, database = now or time.time(), book.database
    _ = book.client  # makes the tables where nobody has yet
    status = database.dbos_table("workflow_status")
    counted: Counter[State] = Counter(dict.fromkeys(STATES.values(), 0))
    for name, count in database.read(
        f"select status, count(*) from {status} where name = :name group by status",  # noqa: S608 - a name of ours
        name=WORKFLOW,
    ):
        counted[STATES[name]] += count
    [[first]] = database.read(
        f"select min(created_at) from {status} where name = :name and status = 'ENQUEUED'",  # noqa: S608
        name=WORKFLOW,
    )
    return Gauges(
        requests=dict(counted),
        waited=max(0.0, at - first / 1000) if first else 0.0,
        drained=book.drained,
        workers=workers_alive(database),
        steps=_steps(database, at - WINDOW),
        troubles=_troubles(database, at - WINDOW),
        posts=_count(database, "posts"),
        unclear=_count(database, "attempts where open = 1"),
        occasions=dict(
            tuple(row) for row in database.read("select state, count(*) from occasions group by state")
        ),
        models=_models(database),
    )


def note_model(database: Database, model: str, seconds: float, answered: bool) -> None:
    database.write(
        "insert into model_times values (:model, :answered, :bound, 1, :seconds) on conflict (model, answered, bound) "
        "do update set times = model_times.times + 1, seconds = model_times.seconds + excluded.seconds",
        model=model, answered=int(answered), bound=bisect_left(BOUNDS, seconds), seconds=seconds,
    )  # fmt: skip


def healthy(database: Database) -> bool:
    """Whether a worker of this very machine was heard of lately."""
    return workers_alive(database, socket.gethostname()) > 0


def workers_alive(database: Database, host: str = "") -> int:
    """On one machine, or anywhere."""
    [[count]] = database.read(
        f"select count(*) from workers where {database.clock} - seen < :alive and (host = :host or :host = '')",  # noqa: S608
        alive=ALIVE,
        host=host,
    )
    return int(count)


def _steps(database: Database, since: float) -> dict[str, StepTimes]:
    times = defaultdict(list)
    table = database.dbos_table("operation_outputs")
    for name, begun, ended in database.read(
        f"select function_name, started_at_epoch_ms, completed_at_epoch_ms from {table} "  # noqa: S608
        "where completed_at_epoch_ms > :since and started_at_epoch_ms is not null",
        since=int(since * 1000),
    ):
        if not name.startswith("DBOS."):
            times[name].append((ended - begun) / 1000)
    return {name: StepTimes(len(took), _quantiles(took)) for name, took in sorted(times.items())}


def _models(database: Database) -> dict[str, ModelTimes]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
    seconds: dict[str, float] = defaultdict(float)
    failed = Counter[str]()
    for model, answered, bound, times, took in database.read("select * from model_times"):
        counts[model][bound] += times if answered else 0
        seconds[model] += took if answered else 0.0
        failed[model] += 0 if answered else times
    return {
        model: ModelTimes(list(accumulate(each)), seconds[model], failed[model])
        for model, each in counts.items()
    }


def _quantiles(took: list[float]) -> dict[float, float]:
    ordered = sorted(took)
    return {q: ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in QUANTILES}


def _troubles(database: Database, since: float) -> dict[str, int]:
    rows = database.read("select reason from tries where at > :since and reason != ''", since=since)
    return dict(Counter(reason.partition(" (")[0] for (reason,) in rows))


def _count(database: Database, what: str) -> int:
    [[count]] = database.read(f"select count(*) from {what}")  # noqa: S608 - words of ours
    return int(count)
