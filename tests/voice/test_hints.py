"""A word said another way in an OpenUtau project: 'lead[l eh d]'."""

from __future__ import annotations

from dataclasses import replace

from voice.formats.hints import said
from voice.formats.ustx import from_ustx, to_ustx
from voice.score import Note, Score

SCORE = Score("x", (Note(0, 480, 50, "lead"), Note(480, 480, 52, "me"), Note(960, 480, 53, "home")))


def read(text: str) -> list[str | None]:
    return [note.phonemes for note in from_ustx(text.encode()).notes]


def test_a_hint_written_in_openutau_is_sung() -> None:
    project = to_ustx(SCORE).replace("lyric: lead", "lyric: lead[l eh d]")
    assert read(project) == ["lˈɛd", None, None]
    assert from_ustx(project.encode()).notes[0].syllable == "lead"


def test_our_own_phonemes_become_a_hint_and_come_back_as_they_were() -> None:
    own = replace(SCORE, notes=(replace(SCORE.notes[0], phonemes="lˌid"), *SCORE.notes[1:]))
    project = to_ustx(own)
    assert "lead[l iy d]" in project
    assert from_ustx(project.encode()).notes == own.notes
    assert read(project.replace("[l iy d]", "[l eh d]")) == ["lˈɛd", None, None]


def test_a_hint_of_two_syllables_is_laid_on_its_two_notes() -> None:
    notes = (Note(0, 480, 50, "un", "begin"), Note(480, 480, 52, "known", "end"))
    project = to_ustx(Score("x", notes)).replace("lyric: unknown", "lyric: unknown[ah n ow n]")
    assert read(project) == ["ə", "nˈOn"]


def test_a_voicebanks_own_symbols_are_left_alone() -> None:
    assert said("l@ 3:r") == ()
    assert said("en/l en/eh en/d") == ("lˈɛd",)
