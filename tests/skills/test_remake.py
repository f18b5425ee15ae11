"""A version of a song: what a person changed is made again, and nothing else."""

import dataclasses
from pathlib import Path

import pytest

from skills.library import Library, LibraryError
from skills.provenance import ledger
from skills.remake import Change, begin_version, completed, lyrics_of_score, ready, with_words
from skills.reuse import take_over
from skills.tune.errors import TuneError
from skills.tune.under import key_of
from skills.words.prosody import make_line
from tests.skills.made_song import made_song
from tests.skills.words_for_tunes import SNIPPET
from voice.formats import read_score, write_score
from voice.score import Key, MetreMark, Note, Score

VOICE = "breaking-rust"
Q = 480


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path)
    song = library.read(made_song(library))
    library.write(dataclasses.replace(song, voice=VOICE))
    return library


def score_of(library: Library, song: str = "last-train") -> Score:
    return Score.from_json((library.folder(song) / "score.json").read_text("utf-8"))


def version(library: Library, change: Change, voice: str = VOICE) -> tuple[str, set[str]]:
    """The version's id, and which of the long steps have to be done again for it."""
    song = begin_version(library, "last-train", change, voice)
    assert library.take_given(song, "lyrics.json")
    assert library.take_given(song, "score.json")
    return song, {step for step in ("sing", "band") if not take_over(library, song, step)}


def words_like(text: str) -> str:
    """Other words with as many syllables: every word of one syllable that is sung by itself becomes another."""
    return "\n".join(text.replace("train", "truck").replace("rain", "road").splitlines())


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (Change(take=True), {"sing"}),
        (Change(expression={"rasp": 0.9}), {"sing"}),
        (Change(style="country"), {"band"}),
        (Change(tempo=99.0), {"sing", "band"}),
        (Change(key="+2"), {"sing", "band"}),
        (Change(words=words_like(SNIPPET.text)), {"sing"}),
    ],
)
def test_only_what_changed_is_made_again(library: Library, change: Change, again: set[str]) -> None:
    song, made = version(library, change)
    assert made == again
    for step, name in (("sing", "vocal"), ("band", "drums")):
        assert (library.folder(song) / "stems" / f"{name}.wav").is_file() == (step not in again)


def test_another_voice_sings_again_and_the_band_stays(library: Library) -> None:
    assert version(library, Change(voice="velvet"), voice="velvet")[1] == {"sing"}


@pytest.mark.parametrize("ending", [".musicxml", ".ustx", ".svp", ".mid", ".json"])
def test_an_edited_score_is_sung_as_edited_and_the_band_stays(
    library: Library, tmp_path: Path, ending: str
) -> None:
    edited = score_of(library)
    notes = list(edited.notes)
    notes[2] = dataclasses.replace(notes[2], pitch=notes[2].pitch + 2)
    write_score(dataclasses.replace(edited, notes=tuple(notes)), tmp_path / f"edited{ending}")
    song, again = version(library, Change(score=read_score(tmp_path / f"edited{ending}")))
    assert again == {"sing"}
    assert score_of(library, song).notes == tuple(notes)
    assert library.read_lyrics(song) == SNIPPET


def test_a_version_stands_beside_the_old_song_and_says_what_it_is(library: Library) -> None:
    before = {path: path.read_bytes() for path in library.folder("last-train").rglob("*") if path.is_file()}
    first, _ = version(library, Change(tempo=80.0, take=True))
    second, _ = version(library, Change(key="A"))
    assert (first, second) == ("last-train-v2", "last-train-v3")
    song = library.read(first)
    assert song.version_of == "last-train"
    assert song.changes == ("tempo: 80", "another take")
    assert score_of(library, first).tempo[0].bpm == 80
    assert score_of(library, second).key.tonic == 9
    assert {path: path.read_bytes() for path in before} == before
    (edited,) = ledger.read(library.folder(first))
    assert (edited.what, edited.by, edited.facts["version_of"]) == ("edited", "person", "last-train")


def test_the_credits_of_a_version_find_the_words_where_they_lie_until_they_are_erased(
    library: Library,
) -> None:
    old = library.folder("last-train")
    ledger.append(old, "asked", "person", words={"theme": "the last train"})
    first, _ = version(library, Change(take=True))
    library.write(dataclasses.replace(library.read(first), clip="clip.mp3"))  # it is finished
    second = begin_version(library, first, Change(key="A"), VOICE)
    assert library.versions_before(library.read(second)) == [first, "last-train"]
    before = [library.folder(each) for each in (first, "last-train")]
    assert ledger.read(library.folder(second), *before)[0].words == {"theme": "the last train"}
    ledger.erase_words(old)
    assert not ledger.read(library.folder(second), *before)[0].words


def test_a_version_may_have_an_id_of_its_own_remembers_its_key_and_is_another_take_each_time(
    library: Library,
) -> None:
    assert begin_version(library, "last-train", Change(key="+2"), VOICE, version="asked-for") == "asked-for"
    assert library.read("asked-for").brief.shift == 2
    takes = []
    for number in range(2):
        name = begin_version(library, "last-train", Change(take=True), VOICE, version=f"take-{number}")
        library.write(dataclasses.replace(library.read(name), clip="clip.mp3"))  # it is finished
        takes.append(library.read(name).take)
    assert takes == [1, 2]


def test_a_version_of_a_song_that_was_forgotten_meanwhile_is_made_from_its_score(library: Library) -> None:
    song = begin_version(library, "last-train", Change(take=True), VOICE)
    library.take_given(song, "score.json")
    library.delete("last-train")
    assert not take_over(library, song, "band")


def test_words_that_fit_keep_the_tune_and_others_get_a_new_one(library: Library) -> None:
    score = score_of(library)
    kept = with_words(score, dataclasses.replace(SNIPPET))
    assert kept is not None
    assert [n.syllable for n in kept.notes] == [n.syllable for n in score.notes]
    longer = library.read_lyrics("last-train").stanzas[0]
    longer = dataclasses.replace(longer, lines=(make_line("one"), *longer.lines[1:]))
    assert with_words(score, dataclasses.replace(SNIPPET, stanzas=(longer, *SNIPPET.stanzas[1:]))) is None
    song = begin_version(library, "last-train", Change(words="A single line of other words"), VOICE)
    assert library.take_given(song, "lyrics.json")
    assert library.read_lyrics(song).text == "A single line of other words"
    assert not library.take_given(song, "score.json")  # composed anew, by the step


def test_what_a_file_lost_on_its_way_comes_from_the_song(library: Library) -> None:
    score = score_of(library)
    bare = Score("untitled", score.notes, score.tempo)
    assert completed(bare, score) == score
    moved = dataclasses.replace(score, chords=score.chords[:2])
    assert completed(moved, score).chords == score.chords[:2]


def test_a_melody_that_came_alone_gets_key_chords_breaths_and_lines() -> None:
    pitches = [57, 60, 64, 60, 62, 59, 57, 52, 57, 60, 64, 65, 64, 62, 60, 57]  # A minor
    notes = []
    for i, pitch in enumerate(pitches):
        notes.append(Note((i + 2 * (i // 8)) * Q, Q, pitch, "la"))
    score = ready(Score("Mine", tuple(notes)))
    assert key_of(score.notes) == Key(9, "minor") == score.key
    assert {i for i, n in enumerate(score.notes) if n.breath_after} == {7, 15}
    assert [len(line.words) for line in lyrics_of_score(score).lines] == [8, 8]
    assert score.chords[0].tick == 0
    assert score.chords[-1].tick + score.chords[-1].ticks >= score.ticks - 1
    home = [chord for chord in score.chords if (chord.root, chord.quality) == (9, "m")]
    assert sum(chord.ticks for chord in home) >= score.ticks / 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(), "say what is to change"),
        (Change(key="H"), "no key"),
        (Change(tempo=900.0), "30 to 300"),
        (Change(expression={"twang": 0.5}), "there are: breath"),
        (Change(expression={"rasp": 5.0}), "0 to 1"),
        (Change(words="☃"), "words to sing|can't sing"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_no_version(library: Library, change: Change, said: str) -> None:
    with pytest.raises(ValueError if change.words else LibraryError, match=said):
        begin_version(library, "last-train", change, VOICE)
    assert [path.name for path in library.root.iterdir() if path.is_dir()] == ["last-train"]


def test_the_band_says_that_it_plays_in_four() -> None:
    with pytest.raises(TuneError, match="4/4 only"):
        ready(Score("waltz", (Note(0, Q, 60, "la"),), metre=(MetreMark(0, 3, 4),)))
