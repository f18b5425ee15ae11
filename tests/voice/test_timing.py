"""Where phonemes fall, without the network."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from voice import timing
from voice.alignment import Segment, pace_of, stretched
from voice.score import Note, Score, ScoreError, TempoMark
from voice.timing import Role, Sound
from voice.underlay import Sung, lay_words, pronounced

SPOKEN = 0.075  # seconds of every token, as if spoken


def sung(words: str, ticks: int = 240, bpm: float = 90.0, gap: int = 0) -> tuple[Score, list[Sung]]:
    notes = tuple(Note(i * (ticks + gap), ticks, 50 + i % 5, word) for i, word in enumerate(words.split()))
    score = Score("test", notes, tempo=(TempoMark(0, bpm),))
    return score, lay_words(score)


def sounds(score: Score, syllables: list[Sung], consonants: float = 0.5) -> list[Sound]:
    out: list[Sound] = []
    for passage in timing.passages(syllables, timing.phrase_ends(syllables, score)):
        out += timing.lay_out(passage, [SPOKEN] * len(passage.tokens), [consonants] * len(passage.syllables))
    return out


def vowels(found: list[Sound]) -> list[Sound]:
    return [sound for sound in found if sound.role == "vowel"]


def test_every_vowel_begins_with_its_note() -> None:
    score, syllables = sung("walk down that old road with me tonight".replace("tonight", "home"))
    starts = [vowel.start for vowel in vowels(sounds(score, syllables))]
    assert starts == pytest.approx([score.seconds(note.tick) for note in score.notes])


def test_a_thousand_short_notes_do_not_drift() -> None:
    score, syllables = sung(" ".join(["run"] * 1000), ticks=60, bpm=117.0)  # 32nds
    last = vowels(sounds(score, syllables))[-1]
    assert last.start == pytest.approx(
        score.seconds(score.notes[-1].tick), abs=0.13
    )  # a breath may move none
    assert last.start == pytest.approx(999 * 60 / 480 * 60 / 117.0, abs=1e-9)


def test_sounds_of_a_phrase_follow_each_other_without_gap_or_overlap() -> None:
    found = sounds(*sung("her strengths were twelfths of months"))
    for before, after in itertools.pairwise(found):
        assert after.start == pytest.approx(before.end)
        assert after.end > after.start


def test_a_vowel_keeps_half_of_a_short_note_among_many_consonants() -> None:
    found = sounds(*sung("strengths strengths strengths", ticks=60, bpm=120.0))
    first = vowels(found)[0]
    assert first.end - first.start >= 0.49 * 0.0625


def test_stronger_consonants_are_longer() -> None:
    def hiss(strength: float) -> float:
        found = sounds(*sung("sun sun sun", ticks=480), consonants=strength)
        return next(s.end - s.start for s in found[1:] if s.symbol == "n")

    assert hiss(1.0) > hiss(0.0)


def test_the_consonants_after_a_rest_lie_in_the_rest() -> None:
    score, syllables = sung("stay stay", ticks=480, gap=480)
    found = sounds(score, syllables)
    second = next(s for s in found if s.syllable == 1 and s.role == "onset")
    assert score.seconds(480) < second.start < score.seconds(960)


def test_a_diphthong_is_held_on_its_first_vowel() -> None:
    found = sounds(*sung("time time", ticks=960))
    first, second = next((a, b) for a, b in itertools.pairwise(found) if b.role == "glide")
    assert (first.symbol, second.symbol) == ("a", "ɪ")
    assert first.end - first.start > 3 * (second.end - second.start)


def test_a_long_phrase_is_given_a_breath_and_says_so() -> None:
    score, syllables = sung(" ".join(["slow"] * 30), ticks=480, bpm=80.0)
    breathing, said = timing.with_breaths(syllables, score)
    assert said and "a breath was taken after bar" in said[0]
    phrases = timing.phrase_ends(breathing, score)
    assert all(
        breathing[end].end - breathing[begin].start < 12
        for begin, end in zip([0, *[e + 1 for e in phrases]], phrases, strict=False)
    )
    assert [one.start for one in breathing] == [one.start for one in syllables]


def test_a_breath_mark_makes_room_for_a_breath() -> None:
    score, _ = sung("come home soon", ticks=480)
    score = replace(score, notes=(score.notes[0], replace(score.notes[1], breath_after=True), score.notes[2]))
    breathing, said = timing.with_breaths(lay_words(score), score)
    assert not said
    assert timing.phrase_ends(breathing, score) == [1, 2]
    assert breathing[2].start - breathing[1].end >= 0.1


def test_passages_are_short_enough_to_render() -> None:
    score, syllables = sung(" ".join(["road"] * 60), ticks=480, bpm=60.0, gap=480)
    found = timing.passages(syllables, timing.phrase_ends(syllables, score))
    assert len(found) > 1
    assert sum(len(p.syllables) for p in found) == 60
    for passage in found:
        assert sum(s.end - s.start for s in passage.syllables) <= timing.LONGEST_PASSAGE


def test_several_syllables_on_one_note_are_refused_by_bar_and_word() -> None:
    with pytest.raises(ScoreError, match=r"bar 2.*beautiful.*3 syllables"):
        lay_words(Score("test", (Note(1920, 480, 50, "beautiful"),)))


def test_a_melisma_holds_its_syllable_over_all_its_notes() -> None:
    score = Score("test", (Note(0, 240, 50, "Lord"), Note(240, 240, 53), Note(480, 480, 55)))
    (one,) = lay_words(score)
    assert one.notes == (0, 1, 2)
    assert one.end == pytest.approx(score.seconds(960))


def test_a_rest_within_a_syllable_sings_its_vowel_again() -> None:
    score = Score("test", (Note(0, 480, 50, "night"), Note(960, 480, 53)))
    first, second = lay_words(score)
    assert (first.phonemes, second.phonemes) == ("nˈI", "ˈIt")


def test_phonemes_of_a_note_override_the_dictionary() -> None:
    score = Score("test", (Note(0, 480, 50, "read", phonemes="ɹˈɛd"),))
    assert lay_words(score)[0].phonemes == "ɹˈɛd"
    with pytest.raises(ScoreError, match="no such phonemes"):
        lay_words(replace(score, notes=(replace(score.notes[0], phonemes="ɹ@d"),)))


def test_a_held_reduced_vowel_is_sung_full() -> None:
    def phonemes(ticks: int) -> str:
        notes = (Note(0, 240, 50, "o", "begin"), Note(240, ticks, 52, "ver", "end"))
        return lay_words(Score("test", notes, tempo=(TempoMark(0, 60.0),)))[1].phonemes

    assert phonemes(120) == "vəɹ"
    assert phonemes(960) == "vˌɜɹ"


def test_a_word_can_be_said_another_way_wherever_it_stands() -> None:
    notes = (Note(0, 240, 50, "Lead"), Note(240, 240, 52, "the"), Note(480, 240, 53, "lead,"))
    score = pronounced(Score("test", notes), {"lead": "lˈɛd"})
    assert [one.phonemes for one in lay_words(score)] == ["lˈɛd", "ðˌʌ", "lˈɛd"]
    own = replace(score, notes=(replace(notes[0], phonemes="lˈid"), *notes[1:]))
    assert lay_words(pronounced(own, {"lead": "lˈɛd"}))[0].phonemes == "lˈid"
    with pytest.raises(ScoreError, match=r"bar 1.*no such phonemes"):
        pronounced(Score("test", notes), {"lead": "l3d"})
    with pytest.raises(ScoreError, match=r"bar 1.*2 syllables"):
        pronounced(Score("test", notes), {"lead": "lˈidə"})


def test_a_homograph_hears_the_word_before_it() -> None:
    def live(before: str) -> str:
        notes = (Note(0, 240, 50, before), Note(240, 240, 52, "close"), Note(480, 240, 52, "now"))
        return lay_words(Score("test", notes))[1].phonemes

    assert live("so") == "klˈOs"
    assert live("will") == "klˈOz"


def test_a_fermata_holds_its_note_and_all_that_follows_waits() -> None:
    plain = Score("test", (Note(0, 480, 50, "hold"), Note(480, 480, 52, "on")), tempo=(TempoMark(0, 60.0),))
    held = replace(plain, notes=(replace(plain.notes[0], fermata=True), plain.notes[1]))
    assert [held.seconds(tick) for tick in (0, 240, 480, 960)] == pytest.approx([0, 0.875, 1.75, 2.75])
    first, second = lay_words(held)
    assert (first.end, second.start, second.end) == pytest.approx((1.75, 1.75, 2.75))


def held(start: float, end: float, role: Role, first: float, last: float) -> Segment:
    return Segment(start, end, first, last, Sound("ɑ", role, 0, 1, start, end), 1)


def test_a_vowel_held_for_seconds_is_spoken_as_briefly_as_in_speech() -> None:
    rest = Segment(0.0, 0.12, 0, 1, None, 0)
    pace = pace_of(
        [
            rest,
            held(0.12, 0.22, "onset", 1, 4),
            held(0.22, 4.22, "vowel", 4, 8),
            held(4.22, 4.32, "coda", 8, 11),
        ]
    )
    spoken = [round(s.end - s.start, 3) for s in pace.segments[:3]]
    assert spoken == [0.12, 0.1, 0.1], "the rest and the consonant keep their time, four seconds became .1"
    assert pace.frames == 17, "what is left of the last frame belongs to the last sound"


def test_both_clocks_agree_outside_of_held_vowels_and_lead_back_to_each_other() -> None:
    segments = [
        Segment(0.0, 0.12, 0, 1, None, 0),
        held(0.12, 2.12, "vowel", 1, 3),
        held(2.12, 2.22, "coda", 3, 7),
    ]
    pace = pace_of(segments)
    sung = np.linspace(0.0, 2.2, 300)
    assert pace.sung(pace.spoken(sung)) == pytest.approx(sung, abs=1e-9)
    assert np.diff(pace.spoken(np.array([0.12, 0.14]))) == pytest.approx(0.02), (
        "its beginning runs as in speech"
    )
    assert np.diff(pace.spoken(np.array([1.0, 1.1]))) < 0.01, "its middle is held"


def test_features_are_stretched_between_their_frames() -> None:
    features = torch.tensor([[[0.0, 10.0, 30.0]]])
    assert stretched(features, torch.tensor([-0.5, 0.0, 0.5, 1.0, 1.25, 2.0, 2.5])).flatten().tolist() == [
        0.0, 0.0, 5.0, 10.0, 15.0, 30.0, 30.0,
    ]  # fmt: skip
