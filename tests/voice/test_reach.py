"""Which notes lie outside a range, and in which key they would not."""

from __future__ import annotations

from voice.reach import outside_notes, propose_key
from voice.score import Key, Note, Score
from voice.voices import Range

HERE, AT_MOST = Range(45, 62), Range(40, 66)


def score(*pitches: int) -> Score:
    return Score("x", tuple(Note(480 * i, 480, p, "la") for i, p in enumerate(pitches)), key=Key(9, "minor"))


def test_a_score_that_lies_well_is_left_alone() -> None:
    assert propose_key(score(48, 55, 60), HERE).semitones == 0


def test_a_high_score_is_proposed_no_lower_than_it_must_be() -> None:
    proposal = propose_key(score(57, 60, 65), HERE)
    assert (proposal.semitones, proposal.key, proposal.high, proposal.outside) == (-3, Key(6, "minor"), 62, 0)
    assert str(proposal) == "it would lie well in F# minor, 3 semitones down (F#3 to D4)"


def test_where_no_key_holds_all_notes_most_of_the_time_counts() -> None:
    proposal = propose_key(score(40, 70, 70, 70), HERE)
    assert proposal.semitones == -8
    assert proposal.outside > 0


def test_notes_outside_are_named_with_their_bar_and_side() -> None:
    said = outside_notes(score(50, 64, 70, 38), HERE, AT_MOST)
    assert [sentence.split(";")[0] for sentence in said] == [
        'bar 1, beat 2, "la": E4 lies above the comfortable range',
        'bar 1, beat 3, "la": B flat4 lies above the comfortable range, beyond what this voice can reach',
        'bar 1, beat 4, "la": D2 lies below the comfortable range, beyond what this voice can reach',
    ]
