"""What a song shares with what there is: copies are found whatever their key, rhythm and ornaments."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from skills.library import Library
from skills.originality.align import Line
from skills.originality.bench import planted
from skills.originality.check import check_melody, check_words, findings
from skills.originality.compare import (
    TOO_NEAR_MELODY,
    TOO_NEAR_PHRASE,
    known_phrases,
    melody_likeness,
    told,
    words_likeness,
)
from skills.originality.tunes import old_tunes
from skills.song import WRITINGS, Studio, compose_score, nothing
from tests.skills.made_song import BRIEF, made_song
from tests.skills.words_for_tunes import SNIPPET
from voice.score import Note, Score


def test_planted_copies_are_found_and_other_real_tunes_are_left_alone() -> None:
    found: Counter[str] = Counter()
    for one in planted(10, seed=5):
        found[one.kind] += one.melody >= TOO_NEAR_MELODY or one.phrase >= TOO_NEAR_PHRASE
    assert found["held-out tune"] <= 1
    assert min(found[kind] for kind in ("transposed", "other rhythm", "ornamented")) >= 8


def test_a_known_tune_is_named(tmp_path: Path) -> None:
    tune = next(t for t in old_tunes() if len(t.melody) > 60)
    notes = tuple(Note(240 * i, 240, pitch - 5, "la") for i, (pitch, _) in enumerate(tune.melody[:48]))
    found = melody_likeness(Score("mine", notes), {})
    assert found.too_near
    assert found.closest == tune.name
    assert found.compared == len(old_tunes())


def test_repeated_notes_and_key_play_no_part() -> None:
    line = Line.of([(60, 2), (60, 2), (62, 4), (64, 8)])
    assert line.pitches.tolist() == [60, 62, 64]
    assert line.ratios.tolist() == [0, 0, 2]


def test_a_tune_of_the_library_is_written_again_and_the_figures_are_kept(tmp_path: Path) -> None:
    library = Library(tmp_path / "songs")
    made_song(library, "first")
    library.open(BRIEF, 4, "second")
    library.write_lyrics("second", SNIPPET)
    studio = Studio(
        library=library, author=_nobody, singer=_nobody, voice="x", artist="x", used=lambda _: (),
        reach=lambda: (45, 62), operator=_nobody,
    )  # fmt: skip
    compose_score(studio, "second", nothing)
    first, second = (json.loads((library.folder(s) / "score.json").read_text()) for s in ("first", "second"))
    kept = findings(library.folder("second"))["melody"]
    assert first["notes"] != second["notes"]
    assert 1 < kept["writings"] <= WRITINGS
    assert kept["compared"] == len(old_tunes()) + 1


def _nobody() -> None:
    raise AssertionError("not needed here")


def test_versions_of_a_song_are_not_held_against_it(tmp_path: Path) -> None:
    library = Library(tmp_path / "songs")
    made_song(library, "first")
    made_song(library, "first-v2")
    score = Score.from_json((library.folder("first") / "score.json").read_text())
    assert check_melody(library, "first-v2", score, 1).closest != "first"
    made_song(library, "other")
    assert check_melody(library, "other", score, 1).closest in ("first", "first-v2")
    assert check_words(library, "other", SNIPPET, 1).too_near


def test_words_are_compared_with_songs_and_with_the_owner_s_phrases(tmp_path: Path) -> None:
    assert not words_likeness(SNIPPET, {}, known_phrases()).near
    assert words_likeness(SNIPPET, {"old": SNIPPET}, ()).too_near
    (tmp_path / "phrases.txt").write_text("# ours\nLeave the light on, so I'll know\n", "utf-8")
    found = words_likeness(SNIPPET, {}, known_phrases(tmp_path / "phrases.txt"))
    assert found.too_near
    assert "leave the light on" in found.closest.lower()


@pytest.mark.parametrize("too_near", [True, False])
def test_no_match_is_not_sold_as_original(too_near: bool) -> None:
    found = words_likeness(SNIPPET, {"old": SNIPPET} if too_near else {}, ())
    said = told("words", dataclasses.asdict(found))
    assert ("TOO NEAR" in said) == too_near
    assert ("no match found" in said) != too_near
    assert "no proof of originality" in said
