"""The crash matrix, shortened: the real worker, killed where it hurts, and a second one that takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona.crashes import times
from persona.crashes.matrix import SHORT, Matrix, faults, points_of
from persona.crashes.victim import Plan, Setup
from skills.library import Library

POINTS = ("score:after", "sing:within", "mix:after", "post:between")


@pytest.mark.slow
def test_a_song_whose_worker_is_killed_four_times_is_whole_and_posted_once(tmp_path: Path) -> None:
    matrix = Matrix(Setup(tmp_path / "data"))
    [request] = matrix.order(1, SHORT)
    plan = Plan({request: POINTS}, {"sing": 0.5})
    for _ in range(len(POINTS) + 1):
        matrix.one_life(plan)
    result = matrix.judge([request])
    assert (result.kills, result.done) == (len(POINTS), 1)
    assert result.clean, result
    assert [taking.kills for taking in result.times.requests] == [len(POINTS)]
    (Library(tmp_path / "data" / "songs").folder(request) / "stems" / "vocal.wav").write_bytes(b"torn")
    assert faults(Library(tmp_path / "data" / "songs"), request), "the judge sees a torn file"


def test_every_step_is_killed_at_its_beginning_and_its_end() -> None:
    both = {*points_of(0), *points_of(1)}
    steps = ("late", "open", "lyrics", "score", "sing", "band", "mix", "finish", "post", "keep")
    assert both >= {f"{step}:{when}" for step in steps for when in ("before", "after")}
    for number in (0, 1):  # five deaths at one step are poison, and the matrix is not to be
        at_one_step = [point.partition(":")[0] for point in points_of(number)]
        assert max(at_one_step.count(step) for step in at_one_step) <= 3


def events(*lines: str) -> list[times.Event]:
    """'<at> <life> <what> <step>' of one request, as a run writes them."""
    told = []
    for line in lines:
        at, life, what, *step = line.split()
        told.append(
            {"at": float(at), "life": int(life), "what": what, "request": "song", "step": "".join(step)}
        )
    return told


def test_a_request_took_what_its_steps_take_and_what_the_kills_undid() -> None:
    told = events(
        "0 1 begin sing", "1 1 begin band", "4 1 end band", "5 1 kill sing",
        "7 2 begin sing", "17 2 end sing", "17 2 begin keep", "18 2 kill keep",
        "20 3 begin keep", "21 3 end keep",
    )  # fmt: skip
    [taking] = times.reckoned(told, ["song"]).requests
    assert (taking.would, taking.took, taking.longest, taking.kills) == (14.0, 21.0, 10.0, 2)
    assert taking.in_time, "seven seconds for two kills, and its longest step takes ten"
    spreads = times.reckoned(told, ["song"])
    assert spreads.again["most"] == 5.0, "the singing, begun five seconds before"
    assert spreads.back["most"] == 2.0


def test_a_pause_of_the_run_costs_a_request_nothing_and_one_cut_off_is_not_judged() -> None:
    begun, done = (
        ("0 1 begin sing", "5 1 kill sing"),
        ("107 2 begin sing", "109 2 end sing", "109 2 begin keep"),
    )
    paused = events(*begun, "5 0 paused", "105 0 resumed", *done, "110 2 end keep")
    [taking] = times.reckoned(paused, ["song"]).requests
    assert taking.took == 10.0
    cut = events(
        "0 1 begin sing", "105 0 resumed", *done, "110 2 kill keep", "111 3 begin keep", "112 3 end keep"
    )
    assert (times.reckoned(cut, ["song"]).requests, times.reckoned(cut, ["song"]).left_out) == ([], 1)


def test_a_request_that_took_longer_than_a_step_a_kill_is_named() -> None:
    told = events("0 1 begin keep", "1 1 kill keep", "60 2 begin keep", "62 2 end keep")
    [slow] = times.reckoned(told, ["song"]).slow
    assert slow == "song: 62.0 s, 1 kills, would 2.0 s"
