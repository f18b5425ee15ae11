"""Takes of the real singer, judged by what is measured in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from voice.bench.figures import TakeFigures, levels, measure_f0, measure_take
from voice.bench.lines import bench_lines
from voice.expression import Expression
from voice.score import Hairpin, Note, Score, ScoreError, TempoMark
from voice.singer import Singer
from voice.take import SAMPLE_RATE, Take

CACHE = Path(os.environ.get("TROUBADOUR_CACHE_DIR", platformdirs.user_cache_dir("troubadour")))
WORDS = "The last train home is leaving"
SCORE = Score(
    "test",
    (
        Note(480, 240, 50, "The"),
        Note(720, 480, 53, "last"),
        Note(1200, 720, 55, "train", breath_after=True),
        Note(1920, 960, 50, "home"),
        Note(3360, 240, 48, "is"),
        Note(3600, 480, 50, "leav", "begin"),
        Note(4080, 720, 45, "ing", "end"),
    ),
    tempo=(TempoMark(0, 84.0),),
)


@pytest.fixture(scope="module")
def singer() -> Iterator[Singer]:
    yield Singer.load("breaking-rust", CACHE, threads=2)


@pytest.fixture(scope="module")
def take(singer: Singer) -> Take:
    return singer.sing(SCORE, seed=3)


@pytest.fixture(scope="module")
def figures(take: Take) -> TakeFigures:
    return measure_take(SCORE, take, WORDS, listen=False)


def test_it_is_in_tune(figures: TakeFigures) -> None:
    assert figures.cents_median <= 15
    assert figures.cents_p90 <= 35
    assert figures.within_50 >= 0.92
    assert figures.again_within_50 >= 0.95
    assert figures.octave_errors == 0


def test_its_vowels_begin_on_the_beat(figures: TakeFigures) -> None:
    assert figures.onset_median <= 25
    assert figures.onset_p95 <= 70  # of seven onsets: the worst one


def test_it_is_voiced_where_it_should_be(figures: TakeFigures) -> None:
    assert figures.voicing_error <= 0.08


def test_held_vowels_are_even(figures: TakeFigures) -> None:
    assert figures.level_spread <= 3


def test_every_note_and_phoneme_is_accounted_for(take: Take) -> None:
    assert [timed.note for timed in take.notes] == list(range(len(SCORE.notes)))
    assert {phoneme.note for phoneme in take.phonemes} == set(range(len(SCORE.notes)))
    assert len(take.f0) == pytest.approx(take.seconds * 80, abs=1)
    assert take.seconds >= SCORE.seconds(SCORE.ticks)


def test_breaths_lie_in_the_rests_and_are_quiet(take: Take) -> None:
    assert len(take.breaths) >= 2
    for start, end in take.breaths:
        assert not any(p.start < end and start < p.end for p in take.phonemes)
        a, b = (round((t + take.lead) * SAMPLE_RATE) for t in (start, end))
        assert -70 < levels(take.audio[a:b]).max() < -35


def test_there_are_no_clicks_and_nothing_clips(take: Take) -> None:
    assert np.abs(take.audio).max() <= 0.98
    assert np.isfinite(take.audio).all()
    assert np.abs(take.audio[:50]).max() < 1e-3 and np.abs(take.audio[-50:]).max() < 1e-3
    # a click is a step that its surroundings do not explain
    steps = np.abs(np.diff(take.audio))
    around = np.convolve(np.abs(take.audio), np.ones(480) / 480, "same")[1:]
    assert (steps / (around + 1e-3)).max() < 25


def test_the_same_seed_gives_the_same_samples(singer: Singer, take: Take) -> None:
    again = singer.sing(SCORE, seed=3)
    assert np.array_equal(again.audio, take.audio)
    assert again.timings_json() == take.timings_json()


def test_passages_beside_each_other_are_the_same_as_one_after_the_other(singer: Singer) -> None:
    length = SCORE.notes[-1].end + 480
    verses = [replace(n, tick=n.tick + i * length) for i in range(2) for n in SCORE.notes]
    score = replace(SCORE, notes=tuple(verses))
    shares: list[float] = []
    beside = singer.sing(score, seed=3, progress=shares.append)
    after = Singer.load("breaking-rust", CACHE, threads=1).sing(score, seed=3)
    assert np.array_equal(beside.audio, after.audio)
    assert len(shares) >= 2 and shares == sorted(shares) and shares[-1] == 1


def test_another_seed_gives_another_take(singer: Singer, take: Take) -> None:
    assert not np.array_equal(singer.sing(SCORE, seed=4).audio, take.audio)


def test_notes_out_of_range_are_sung_as_written_and_said(singer: Singer) -> None:
    high = Score("high", (Note(0, 960, 69, "high"),))  # far above where the network sings cleanly
    take = singer.sing(high)
    assert "above the comfortable range" in take.adjusted[0]
    assert "semitones down" in take.adjusted[1]
    f0 = measure_f0(take.audio)
    assert np.median(f0[f0 > 0]) == pytest.approx(440.0, rel=0.02)
    assert singer.propose_key(high).high <= singer.high


def test_dynamics_are_heard(singer: Singer) -> None:
    def level(mark: str) -> float:
        notes = tuple(replace(n, dynamic=mark) if i == 0 else n for i, n in enumerate(SCORE.notes[:4]))
        audio = singer.sing(replace(SCORE, notes=notes), Expression(breath=0, dynamics=1.0)).audio
        return float(np.percentile(levels(audio), 90))

    assert level("ff") - level("pp") > 8


@pytest.mark.parametrize(("kind", "sign"), [("crescendo", 1), ("diminuendo", -1)])
def test_a_hairpin_swells_within_one_held_note(singer: Singer, kind: Hairpin, sign: int) -> None:
    held = replace(SCORE, notes=(Note(0, 4 * 480, 53, "home", hairpin=kind),))
    audio = singer.sing(held, Expression(breath=0, dynamics=1.0)).audio
    parts = levels(audio)
    fifth = len(parts) // 5
    first, last = (float(np.median(parts[i * fifth : (i + 1) * fifth])) for i in (1, 3))
    assert sign * (last - first) > 2


def test_rasp_roughens_the_voice_and_leaves_the_note(singer: Singer, take: Take) -> None:
    rough = singer.sing(SCORE, Expression(rasp=0.8), seed=3)
    found = measure_take(SCORE, rough, WORDS, listen=False)
    assert found.cents_median <= 20
    assert not np.array_equal(rough.audio, take.audio)


def test_an_empty_score_is_refused(singer: Singer) -> None:
    with pytest.raises(ScoreError, match="nothing to sing"):
        singer.sing(Score("empty", ()))


def test_a_phrase_late_in_the_song_lies_where_the_score_says(singer: Singer) -> None:
    early = Score("early", (Note(480, 960, 50, "time"),))
    late = replace(early, notes=(replace(early.notes[0], tick=480 * 100 + 77),))
    plain = Expression(breath=0, imperfection=0)

    def around(score: Score) -> np.ndarray:  # type: ignore[type-arg]
        take = singer.sing(score, plain)
        start = round((take.notes[0].start + take.lead - 0.05) * SAMPLE_RATE)
        return take.audio[start : start + SAMPLE_RATE]

    a, b = around(early), around(late)
    lags = range(-240, 241, 2)
    likeness = [float(np.dot(a[240:-240], b[240 + lag : len(b) - 240 + lag])) for lag in lags]
    assert abs(lags[int(np.argmax(likeness))]) <= 24  # a millisecond
    assert max(likeness) > 0.8 * float(np.dot(a, a))


def test_forty_lines_stand_ready_for_the_bench() -> None:
    lines = bench_lines()
    assert len({line.name for line in lines}) == 40
    assert sum(line.score.seconds(line.score.ticks) for line in lines) > 200
