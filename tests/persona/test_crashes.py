"""The crash matrix, shortened: the real worker, killed where it hurts, and a second one that takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    (Library(tmp_path / "data" / "songs").folder(request) / "stems" / "vocal.wav").write_bytes(b"torn")
    assert faults(Library(tmp_path / "data" / "songs"), request), "the judge sees a torn file"


def test_every_step_is_killed_at_its_beginning_and_its_end() -> None:
    both = {*points_of(0), *points_of(1)}
    steps = ("late", "open", "lyrics", "score", "sing", "band", "mix", "finish", "post", "keep")
    assert both >= {f"{step}:{when}" for step in steps for when in ("before", "after")}
    for number in (0, 1):  # five deaths at one step are poison, and the matrix is not to be
        at_one_step = [point.partition(":")[0] for point in points_of(number)]
        assert max(at_one_step.count(step) for step in at_one_step) <= 3
