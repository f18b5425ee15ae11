"""The bench's own rulers, on sounds whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.bench.figures import (
    cents_from_notes,
    level_spread,
    lines_of,
    measure_f0,
    measure_take,
    voicing_error,
)
from voice.bench.hearing import character_error_rate
from voice.bench.lines import read_line, read_lines
from voice.bench.onsets import vowel_lateness
from voice.score import Note, Score, TempoMark
from voice.take import F0_RATE, SAMPLE_RATE, Take, TimedNote, TimedPhoneme

SCORE = Score("test", (Note(0, 960, 57, "ah"),), tempo=(TempoMark(0, 60.0),))


def hummed(hertz: float, late: float = 0.0, before: float = 0.3) -> Take:
    """A buzzing tone of two seconds that begins `late` [seconds] after the note."""
    t = np.arange(round(2.0 * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 12)) * 0.1
    silence = np.zeros(round((before + late) * SAMPLE_RATE))
    audio = np.concatenate([silence, tone, np.zeros(7200)])
    audio += 1e-4 * np.random.default_rng(0).standard_normal(len(audio))
    f0 = np.zeros(int(len(audio) / SAMPLE_RATE * F0_RATE), np.float32)
    f0[round(before * F0_RATE) : round((before + 2.0) * F0_RATE)] = hertz
    return Take(
        audio.astype(np.float32),
        f0,
        (TimedPhoneme("ɑ", 0.0, 2.0, 0),),
        (TimedNote(0, 0.0, 2.0, 0.0),),
        lead=before,
    )


@pytest.mark.parametrize("cents", [-80, 0, 30])
def test_cents_are_counted_from_the_note(cents: float) -> None:
    take = hummed(220.0 * 2 ** (cents / 1200))
    f0 = measure_f0(take.audio)
    found = cents_from_notes(SCORE, f0, np.arange(len(f0)) * 0.005 - take.lead)
    assert np.median(found) == pytest.approx(cents, abs=3)


def test_a_late_onset_is_heard_as_late() -> None:
    assert vowel_lateness(hummed(220.0))[0] == pytest.approx(0.0, abs=0.006)
    assert vowel_lateness(hummed(220.0, late=0.05))[0] == pytest.approx(0.05, abs=0.006)


def test_voice_where_none_was_meant_counts_as_an_error() -> None:
    take = hummed(220.0)
    times = np.arange(len(measure_f0(take.audio))) * 0.005 - take.lead
    assert voicing_error(take, measure_f0(take.audio), times) < 0.03
    silent = Take(take.audio, np.zeros_like(take.f0), take.phonemes, take.notes, take.lead)
    assert voicing_error(silent, measure_f0(take.audio), times) > 0.8


def test_a_swelling_vowel_is_found_uneven() -> None:
    take = hummed(220.0)
    bumpy = take.audio * (1 + 0.8 * np.sin(np.arange(len(take.audio)) / SAMPLE_RATE * 2 * np.pi * 2)).astype(
        np.float32
    )
    assert level_spread(take) < 0.5
    assert level_spread(Take(bumpy, take.f0, take.phonemes, take.notes, take.lead)) > 3


@pytest.mark.parametrize(
    ("reference", "heard", "rate"),
    [
        ("Walk my walk.", "walk my walk", 0.0),
        ("home", "hone", 0.25),
        ("home", "", 1.0),
        ("I'm lovin' you", "Im lovin you!", 0.0),
    ],
)
def test_characters_are_compared_without_case_and_marks(reference: str, heard: str, rate: float) -> None:
    assert character_error_rate(reference, heard) == pytest.approx(rate)


def test_a_line_is_read_with_its_words_rests_and_melismas() -> None:
    line = read_line("x | 60 | lone-@A3/1 some@G#3/.5 r/.5 road@D3/1 _@E3/1")
    assert line.words == "lonesome road"
    assert [(n.tick, n.ticks, n.pitch, n.syllable, n.syllabic) for n in line.score.notes] == [
        (0, 480, 57, "lone", "begin"),
        (480, 240, 56, "some", "end"),
        (960, 480, 50, "road", "single"),
        (1440, 480, 52, None, "single"),
    ]


def test_lines_of_ones_own_are_read_and_a_row_that_is_none_is_named() -> None:
    text = "# mine\none | 60 | lone-@A3/1 some@G#3/.5\n\ntwo | 90 | road@D3/1\n"
    assert [line.words for line in read_lines(text)] == ["lonesome", "road"]
    with pytest.raises(ValueError, match=r"'three \| 60' is not 'name"):
        read_lines(text + "three | 60\n")
    with pytest.raises(ValueError, match="line four: 'road@H3/1'"):
        read_lines("four | 60 | road@H3/1")


def test_a_long_take_is_heard_line_by_line() -> None:
    phonemes = tuple(
        TimedPhoneme("ɑ", start, start + 0.5, 0) for start in (0.0, 0.5, 4.0, 4.5, 5.5, 9.0, 9.5, 12.0)
    )
    audio = np.zeros(13 * SAMPLE_RATE, np.float32)
    take = Take(audio, np.zeros(13 * F0_RATE, np.float32), phonemes, (TimedNote(0, 0.0, 13.0, 0.0),))
    lines = lines_of(take)
    assert [round(len(line) / SAMPLE_RATE, 2) for line in lines] == [2.5, 2.75, 2.25, 3.5, 2.0]
    assert sum(len(line) for line in lines) == len(audio)
    assert len(lines_of(replace(take, audio=audio[: 5 * SAMPLE_RATE]))) == 1


def test_a_take_at_another_rate_is_measured_all_the_same() -> None:
    take = hummed(220.0)
    studio = replace(take, audio=take.studio_audio(), rate=48_000)
    found = measure_take(SCORE, studio, "ah", listen=False)
    assert found.cents_median < 3 and found.again_median < 15
    assert found.onset_median < 8
