"""The intended F0 of a score."""

from __future__ import annotations

import numpy as np
import pytest

from voice.expression import Expression, ExpressionError
from voice.pitch import hertz, sung_notes, sung_pitch
from voice.score import Note, Score, TempoMark
from voice.underlay import lay_words

PLAIN = Expression(vibrato=0, scoop=0, fall=0, imperfection=0)
SCORE = Score(
    "test",
    (Note(0, 480, 50, "home"), Note(480, 960, 57, "road"), Note(1920, 960, 45, "down")),
    tempo=(TempoMark(0, 60.0),),
)


def cents(expression: Expression, at: np.ndarray, note: int, seed: int = 1) -> np.ndarray:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    curve = sung_pitch(sung_notes(SCORE, lay_words(SCORE)), expression.in_time(SCORE), rng)
    return np.asarray(1200 * np.log2(curve.hertz(at) / hertz(note)))


def test_a_plain_reading_holds_every_note() -> None:
    for note, start, end in ((50, 0.0, 0.9), (57, 1.1, 3.0), (45, 4.0, 6.0)):
        assert np.abs(cents(PLAIN, np.arange(start, end, 0.01), note)).max() < 1


def test_the_glide_between_tied_notes_lies_around_the_beat_and_is_short() -> None:
    within = np.arange(0.8, 1.2, 0.001)
    between = (np.abs(cents(PLAIN, within, 50)) > 50) & (np.abs(cents(PLAIN, within, 57)) > 50)
    assert 0.01 < between.sum() * 0.001 < 0.08
    assert abs(within[between].mean() - 1.0) < 0.03


def test_vibrato_comes_late_and_as_deep_as_asked() -> None:
    held = np.arange(1.0, 3.0, 0.002)
    bend = cents(Expression(vibrato=0.5, scoop=0, fall=0, imperfection=0), held, 57)
    assert np.abs(bend[(held > 1.1) & (held < 1.3)]).max() < 2
    assert 36 < np.abs(bend[held > 2.0]).max() < 41


def test_a_scoop_comes_from_below_and_is_gone_soon() -> None:
    bend = cents(Expression(vibrato=0, scoop=0.4, fall=0, imperfection=0), np.array([4.0, 4.3]), 45)
    assert -110 < bend[0] < -80
    assert abs(bend[1]) < 1


def test_a_fall_ends_a_phrase() -> None:
    bend = cents(Expression(vibrato=0, scoop=0, fall=0.5, imperfection=0), np.array([5.8, 5.995]), 45)
    assert abs(bend[0]) < 1
    assert bend[1] < -150


def test_the_same_seed_bends_alike_and_another_differs() -> None:
    at = np.arange(0, 6, 0.01)
    loose = Expression(imperfection=0.8)
    assert np.array_equal(cents(loose, at, 50, seed=3), cents(loose, at, 50, seed=3))
    assert not np.allclose(cents(loose, at, 50, seed=3), cents(loose, at, 50, seed=4), atol=1)


def test_a_curve_of_expression_moves_between_its_points() -> None:
    knob = Expression(rasp=((0, 0.0), (960, 1.0))).in_time(SCORE)
    assert knob("rasp", [0.0, 1.0, 2.0, 5.0]) == pytest.approx([0.0, 0.5, 1.0, 1.0])


def test_knobs_outside_their_range_or_unknown_are_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="rasp"):
        Expression(rasp=1.5)
    with pytest.raises(ExpressionError, match="growl"):
        Expression.of({"growl": 0.5})
    with pytest.raises(ExpressionError, match="forward in time"):
        Expression(breath=((480, 0.1), (0, 0.2)))
