"""What the kills cost in time, read off the record of every life.

A request *would have taken* the time of its steps as they ran to their end in the very same run, under the same load:
the union of those intervals, so that two steps side by side count once. It *took* the time from its first step's first
beginning to its last step's end, with all that was done again and every start of a process. One step's time is that of
its own longest step. The rule is the plain one: it took no more than it would have, and one step's time for each kill.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

LAST = "keep"  # the step at whose end a request is done
Event = dict[str, Any]


@dataclass(frozen=True)
class Taking:
    """One request, seconds. `longest`: of its steps. `delay`: by one kill, on average."""

    request: str
    kills: int
    would: float
    took: float
    longest: float

    @property
    def delay(self) -> float:
        return (self.took - self.would) / self.kills

    @property
    def in_time(self) -> bool:
        return self.took <= self.would + self.kills * self.longest


@dataclass
class Times:
    """`slow`: requests beyond the rule. `again`: a kill's work done again; `back`: until a new process was at work;
    `share`: `delay` in longest steps, a request; `dearer`: kills that undid more than its request's longest step.
    `steps`: the longest time of each. `left_out`: requests in which the run itself was cut off.
    """

    requests: list[Taking] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    share: dict[str, float] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)
    back: dict[str, float] = field(default_factory=dict)
    dearer: int = 0
    steps: dict[str, float] = field(default_factory=dict)
    left_out: int = 0


def reckoned(record: Sequence[Event], requests: Iterable[str]) -> Times:
    times, told = Times(), without_pauses(record)
    again, back = [], []
    cut = {at_work(told[:number]) for number, each in enumerate(told) if each["what"] == "resumed"}
    for request in requests:
        runs = last_runs(told, request)
        for step, took in runs.items():
            times.steps[step] = round(max(took, times.steps.get(step, 0.0)), 2)
        undone = [cost for number, each in enumerate(told)
                  if each["what"] == "kill" and each["request"] == request
                  and (cost := work_undone(told, number)) is not None]  # fmt: skip
        again += undone
        if request in cut:
            times.left_out += 1
        elif undone and (taking := _taking(told, request, len(undone))) is not None:
            times.requests.append(taking)
            times.dearer += sum(cost > taking.longest for cost in undone)
            if not taking.in_time:
                times.slow.append(
                    f"{request}: {taking.took:.1f} s, {taking.kills} kills, would {taking.would:.1f} s"
                )
    for number, each in enumerate(told):
        after = next((one for one in told[number + 1 :] if one["what"] in ("begin", "resumed")), None)
        if each["what"] == "kill" and after is not None and after["what"] == "begin":
            back.append(after["at"] - each["at"])
    times.share = spread([each.delay / each.longest for each in times.requests])
    times.again, times.back = spread(again), spread(back)
    return times


def without_pauses(record: Sequence[Event]) -> list[Event]:
    """The record as if the run had never paused. Where it was cut off, `resumed` stays: something was at work."""
    told: list[Event] = []
    pauses = 0.0
    for number, each in enumerate(record):
        if each["what"] == "resumed":
            pauses += each["at"] - record[number - 1]["at"]
            if record[number - 1]["what"] == "paused":
                continue
        if each["what"] != "paused":
            told.append({**each, "at": each["at"] - pauses})
    return told


def last_runs(told: Sequence[Event], request: str) -> dict[str, float]:
    """Seconds by step, of the last time that it came to its end."""
    return {step: end - begin for step, (begin, end) in _intervals(told, request).items()}


def at_work(told: Sequence[Event]) -> str:
    """The request of which a step was begun last; '' before any."""
    return next((each["request"] for each in reversed(told) if each["what"] == "begin"), "")


def work_undone(told: Sequence[Event], number: int) -> float | None:
    """Seconds since the beginning of the steps that a kill cut off; 0 between two steps, None where its request had
    not begun or was done."""
    kill = told[number]
    of_it = [
        each for each in told[:number] if each.get("request") == kill["request"] and each["what"] != "kill"
    ]
    if not of_it or any(each["what"] == "end" and each["step"] == LAST for each in of_it):
        return None
    life = _life_killed(told, number)
    begun = {each["step"]: each["at"] for each in of_it if each["what"] == "begin" and each["life"] == life}
    ended = {each["step"] for each in of_it if each["what"] == "end" and each["life"] == life}
    return max((kill["at"] - at for step, at in begun.items() if step not in ended), default=0.0)


def spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ranked = sorted(values)
    return {
        "median": round(statistics.median(ranked), 2),
        "ninth tenth": round(ranked[int(0.9 * (len(ranked) - 1))], 2),
        "most": round(ranked[-1], 2),
    }


def _taking(told: Sequence[Event], request: str, kills: int) -> Taking | None:
    done = _intervals(told, request)
    if LAST not in done:
        return None
    first = next(each["at"] for each in told if each["what"] == "begin" and each["request"] == request)
    longest = max(end - begin for begin, end in done.values())
    return Taking(
        request, kills, round(_union(done.values()), 2), round(done[LAST][1] - first, 2), round(longest, 2)
    )


def _intervals(told: Sequence[Event], request: str) -> dict[str, tuple[float, float]]:
    """(begin, end) by step, of the last time that it came to its end."""
    begun: dict[tuple[int, str], float] = {}
    found = {}
    for each in told:
        if each.get("request") != request:
            continue
        if each["what"] == "begin":
            begun[each["life"], each["step"]] = each["at"]
        elif each["what"] == "end":
            found[each["step"]] = (begun[each["life"], each["step"]], each["at"])
    return found


def _union(intervals: Iterable[tuple[float, float]]) -> float:
    total, until = 0.0, float("-inf")
    for begin, end in sorted(intervals):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def _life_killed(told: Sequence[Event], number: int) -> int:
    """The process that a kill ended; 0 where it had said nothing yet."""
    before = told[number - 1]
    return 0 if before["what"] in ("kill", "resumed") else int(before["life"])
