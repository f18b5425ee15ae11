"""A second part to a sung line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voice.bench.lines import read_line
from voice.harmony import SCALES, Side, harmonist, harmony
from voice.score import Chord, Key, Note, Score, ScoreError, Section
from voice.voices import Range

Q = 480
LEAD = replace(
    read_line(
        "grace | 80 | A-@A3/1 maz-@D4/2 ing@F#4/.5 _@D4/.5 grace@F#4/2 how@E4/1 sweet@D4/2 the@B3/1 sound@A3/3"
    ).score,
    key=Key(2, "major"),
    chords=(Chord(0, 7 * Q, 2, ""), Chord(7 * Q, 2 * Q, 7, ""), Chord(9 * Q, 5 * Q, 2, "")),
)


@pytest.mark.parametrize("side", ["below", "above"])
def test_a_part_keeps_the_leads_words_and_time_and_its_own_side(side: Side) -> None:
    part = harmony(LEAD, side)
    for lead, own in zip(LEAD.notes, part.notes, strict=True):
        assert replace(own, pitch=lead.pitch) == lead
        assert own.pitch < lead.pitch if side == "below" else own.pitch > lead.pitch
        assert 2 <= abs(own.pitch - lead.pitch) <= 12


@pytest.mark.parametrize("side", ["below", "above"])
def test_its_long_notes_belong_to_the_chord_and_all_to_the_key(side: Side) -> None:
    scale = {(LEAD.key.tonic + step) % 12 for step in SCALES["major"]}
    triads = {2: {2, 6, 9}, 7: {7, 11, 2}}
    for note in harmony(LEAD, side).notes:
        assert note.pitch % 12 in scale
        chord = LEAD.chord_at(note.tick)
        if chord and note.ticks >= 2 * Q:
            assert note.pitch % 12 in triads[chord.root]


def test_without_chords_it_goes_in_thirds_and_sixths_of_the_key() -> None:
    part = harmony(replace(LEAD, chords=()), "above")
    assert all(abs(a.pitch - b.pitch) in (3, 4, 8, 9) for a, b in zip(LEAD.notes, part.notes, strict=True))


def test_it_stays_within_the_reach_of_whoever_sings_it() -> None:
    reach = Range(52, 60)
    assert all(reach.low <= note.pitch <= reach.high for note in harmony(LEAD, "below", reach).notes)


def test_it_sings_in_chosen_sections_only_and_still_in_time() -> None:
    held = replace(LEAD, notes=(replace(LEAD.notes[0], fermata=True), *LEAD.notes[1:]))
    chorus = Section(7 * Q, 4 * Q, "chorus")
    part = harmony(held, "below", within=[chorus])
    assert [note.syllable for note in part.notes] == ["sweet", "the"]
    for note in part.notes:
        assert part.seconds(note.tick) == pytest.approx(held.seconds(note.tick))
    with pytest.raises(ScoreError, match="nothing to harmonise"):
        harmony(LEAD, "below", within=[Section(100 * Q, Q, "outro")])


def test_the_harmonist_is_a_voice_for_which_the_part_lies_well() -> None:
    low = Score("low", tuple(Note(i * Q, Q, 45 + i % 5, "low") for i in range(8)))
    assert harmonist(low, "below", but=["breaking-rust"]).name == "coal"
    assert harmonist(low, "below", but=["coal"]).name != "coal"
