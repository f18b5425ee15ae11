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


def dynamic(mark: str) -> str:
    return f"<direction><direction-type><dynamics><{mark}/></dynamics></direction-type></direction>"


def wedge(kind: str) -> str:
    return f'<direction><direction-type><wedge type="{kind}"/></direction-type></direction>'


def test_dynamics_hold_until_the_next_and_an_accent_is_its_notes_own() -> None:
    accent = "<articulations><accent/></articulations>"
    score = page(
        dynamic("p"), note("D", "soft"), note("D", "still", accent), dynamic("ff"), note("E", "loud")
    )
    (soft, soft_end), (accented, _), (loud, _) = energy.loudness_steps(score)
    assert soft == soft_end
    assert soft < soft + 0.3 < accented < loud


def test_a_hairpin_leads_to_the_mark_after_it() -> None:
    score = page(
        dynamic("p"), wedge("crescendo"), note("D", "slow"), note("D", "ly"), wedge("stop"), dynamic("f"),
        note("E", "loud"), note("E", "still"),
    )  # fmt: skip
    assert [one.hairpin for one in score.notes] == ["crescendo", "crescendo", None, None]
    soft, loud = energy.DYNAMICS["p"], energy.DYNAMICS["f"]
    half = (soft + loud) / 2
    between = [(soft, half), (half, loud), (loud, loud), (loud, loud)]
    assert np.allclose(energy.loudness_steps(score), between)
    seconds = np.array([0.5, 1.5, 2.5])
    assert energy.loudness_at(seconds, score, [0, 1, 2, 3]) == pytest.approx(
        [(soft + half) / 2, (half + loud) / 2, loud]
    )


@pytest.mark.parametrize(("kind", "sign"), [("crescendo", 1), ("diminuendo", -1)])
def test_a_hairpin_that_leads_to_no_mark_goes_a_step_and_stays(kind: str, sign: int) -> None:
    score = page(note("D", "one"), wedge(kind), note("D", "two"), wedge("stop"), note("D", "three"))
    goal = sign * energy.HAIRPIN
    assert energy.loudness_steps(score) == [(0, 0), (0, goal), (goal, goal)]


@pytest.mark.parametrize(("kind", "mark"), [("crescendo", "ff"), ("diminuendo", "pp")])
def test_hairpins_that_lead_to_no_mark_never_go_beyond_what_can_be_marked(kind: str, mark: str) -> None:
    score = page(*[wedge(kind) + note("D", "swell") + wedge("stop") + note("D", "on")] * 4)
    assert [one.hairpin for one in score.notes] == [kind, None] * 4
    assert energy.loudness_steps(score)[-1] == (energy.DYNAMICS[mark], energy.DYNAMICS[mark])


def test_a_hairpin_is_played_out_with_its_repeat() -> None:
    score = page(
        wedge("diminuendo"), note("D", "one"), note("D", "two"), wedge("stop"), note("D", "three"),
        '<barline location="right"><repeat direction="backward"/></barline>',
    )  # fmt: skip
    assert [one.hairpin for one in score.notes] == 2 * ["diminuendo", "diminuendo", None]


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
