"""The marks of a MusicXML file, from the page to the singer's plan: read, and obeyed."""

from __future__ import annotations

import numpy as np
import pytest

from voice import energy, timing
from voice.expression import Expression
from voice.formats.musicxml_read import from_musicxml
from voice.pitch import sung_notes, sung_pitch
from voice.score import FERMATA, Score, ScoreError
from voice.underlay import lay_words

PAGE = """<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>V</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>2</divisions><time><beats>4</beats>
<beat-type>4</beat-type></time></attributes><direction><sound tempo="60"/></direction>{}</measure></part>
</score-partwise>"""


def note(step: str, syllable: str = "", marks: str = "", duration: int = 2) -> str:
    lyric = f"<lyric><syllabic>single</syllabic><text>{syllable}</text></lyric>" if syllable else ""
    return (
        f"<note><pitch><step>{step}</step><octave>3</octave></pitch><duration>{duration}</duration>"
        f"{f'<notations>{marks}</notations>' if marks else ''}{lyric}</note>"
    )


def page(*items: str) -> Score:
    return from_musicxml(PAGE.format("".join(items)).encode())


def midi(score: Score, seconds: float) -> float:
    plain = Expression(vibrato=0, scoop=0, fall=0, imperfection=0).in_time(score)
    curve = sung_pitch(sung_notes(score, lay_words(score)), plain, np.random.default_rng(0))
    return float(69 + 12 * np.log2(curve.hertz(seconds) / 440))


def test_a_fermata_is_held_and_what_follows_waits() -> None:
    score = page(note("D", "wait", "<fermata/>"), note("E", "now"))
    first, second = lay_words(score)
    assert (first.start, first.end, second.start) == pytest.approx((0, FERMATA, FERMATA))


def test_a_breath_mark_ends_a_phrase_with_room_for_the_breath() -> None:
    breath = "<articulations><breath-mark/></articulations>"
    score = page(note("D", "go", breath), note("E", "on"))
    syllables, _ = timing.with_breaths(lay_words(score), score)
    assert timing.phrase_ends(syllables, score) == [0, 1]
    assert syllables[1].start - syllables[0].end > 0.1


def test_dynamics_hold_until_the_next_and_an_accent_is_its_notes_own() -> None:
    def dynamic(mark: str) -> str:
        return f"<direction><direction-type><dynamics><{mark}/></dynamics></direction-type></direction>"

    accent = "<articulations><accent/></articulations>"
    score = page(
        dynamic("p"), note("D", "soft"), note("D", "still", accent), dynamic("ff"), note("E", "loud")
    )
    soft, accented, loud = energy.loudness_steps(score)
    assert soft < soft + 0.3 < accented < loud


def test_a_slur_widens_the_glide_between_its_notes() -> None:
    slurred = page(
        note("D", "so", '<slur type="start" number="1"/>'), note("A", "", '<slur type="stop" number="1"/>')
    )
    apart = page(note("D", "so"), note("A", "long"))
    assert slurred.notes[1].slurred and not apart.notes[1].slurred
    early = 1.0 - 0.032  # just before the beat the slurred voice is already on its way
    assert midi(slurred, early) > 50.01 > midi(apart, early)


def test_two_syllables_under_one_note_name_the_bar_and_the_words() -> None:
    both = (
        "<note><pitch><step>D</step><octave>3</octave></pitch><duration>2</duration><lyric><text>go</text>"
        "<elision>_</elision><text>on</text></lyric></note>"
    )
    with pytest.raises(ScoreError, match=r'bar 1.*"go" and "on"'):
        page(both)
    with pytest.raises(ScoreError, match=r"bar 1.*beautiful.*3 syllables"):
        lay_words(page(note("D", "beautiful")))
