"""Other voices join the lead where the style asks for it, in its time and under it."""

import contextvars
import dataclasses
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skills.backing import A_LITTLE, BackingPart, backing_parts, stem_of
from skills.brief import Brief
from skills.library import Library
from skills.lyrics import Lyrics
from skills.song import Studio, sing_score
from skills.studio.levels import loudness
from skills.studio.mix import treated
from skills.style import load_style
from skills.tune import compose
from tests.skills.hummed import hum
from tests.skills.made_song import made_song
from tests.skills.words_for_tunes import AAB, CHORUS, SNIPPET, SONG
from voice.score import Score
from voice.take import STUDIO_RATE, Take
from voice.voices import load_voice

LEAD = "breaking-rust"


def song(style: str, lyrics: Lyrics, seconds: float) -> tuple[Score, list[BackingPart]]:
    score = compose(lyrics, Brief("x", seconds=seconds), load_style(style), 3, 45, 64)
    return score, backing_parts(score, load_style(style), LEAD)


@pytest.fixture(scope="module")
def rock() -> tuple[Score, BackingPart]:
    score, (part,) = song("rock", SONG, 90)
    return score, part


def sung_by(part: BackingPart) -> Take:
    return Take(hum(part.sung), np.zeros(1, np.float32), (), (), rate=STUDIO_RATE)


def test_the_choruses_have_a_second_voice_with_the_leads_words_in_its_time(rock):
    score, part = rock
    chorus = [syllable.text for line in CHORUS * 4 for syllable in line.syllables]
    assert [note.syllable for note in part.score.notes if note.syllable] == chorus
    sung = {(note.tick, note.ticks, note.syllable) for note in score.notes}
    assert {(note.tick, note.ticks, note.syllable) for note in part.score.notes} <= sung
    assert part.voice != LEAD
    reach = load_voice(part.voice).extreme
    assert all(reach.low <= note.pitch <= reach.high for note in part.score.notes)


def test_what_comes_again_is_sung_once_and_laid_in_where_it_comes(rock):
    score, part = rock
    assert part.again
    assert len(part.sung.notes) < len(part.score.notes)
    stem = stem_of(part, sung_by(part))
    for start, to, ticks in part.again:
        first, again = (
            stem[int(score.seconds(at) * STUDIO_RATE) :][: int(score.seconds(ticks) * STUDIO_RATE)]
            for at in (start, to)
        )
        assert np.abs(first).max() > 0.01
        assert np.corrcoef(first, again)[0, 1] > 0.95


def test_each_style_says_how_many_sing_and_where():
    assert song("classical", SONG, 90)[1] == []
    assert {part.side for part in song("gospel", SONG, 90)[1]} == {"above", "below"}
    assert len({part.voice for part in song("gospel", SONG, 90)[1]}) == 2
    score, (close,) = song("blues", AAB, 60)
    last = max(i for i, note in enumerate(score.notes[:-1]) if note.breath_after)
    assert [n.tick for n in close.score.notes] == [n.tick for n in score.notes[last + 1 :]]


def test_a_short_song_waits_for_one_singer_and_a_few_seconds_at_most():
    score, parts = song("gospel", SNIPPET, 20)
    assert len(parts) == 1
    sung = sum(score.seconds(n.end) - score.seconds(n.tick) for n in parts[0].sung.notes)
    assert 1.0 < sung <= A_LITTLE


def test_it_is_mixed_under_the_lead_and_beside_it():
    score, (part,) = song("country", AAB, 20)
    style, lead = load_style("country"), hum(score)
    beside = stem_of(part, sung_by(part))
    bass = np.zeros((2, len(lead)), np.float32)
    voice, others, _, _ = treated(lead, {"bass": bass}, style, 0, {"above": beside})
    stem = others["backing-above"]
    assert -10 <= loudness(stem) - loudness(voice[None]) <= -6
    assert (stem[1] ** 2).sum() > 1.3 * (stem[0] ** 2).sum()


def test_two_sing_at_a_time_and_both_tell_of_it_in_the_context_of_their_step(tmp_path: Path):
    """A durable workflow knows by its context alone whose progress it hears of."""
    workflow = contextvars.ContextVar[str]("workflow")
    together = threading.Barrier(2, timeout=60)
    told: list[tuple[str, float]] = []

    def progress(step: str, fraction: float) -> None:
        told.append((workflow.get(), fraction))

    def sing(score, expression, seed, progress):
        together.wait()
        progress(1.0)
        return Take(hum(score), np.zeros(1, np.float32), (), (), rate=STUDIO_RATE)

    library = Library(tmp_path / "songs")
    song = made_song(library)
    brief = dataclasses.replace(library.read(song).brief, style="gospel")
    library.write(dataclasses.replace(library.read(song), brief=brief))
    singer = SimpleNamespace(sing=sing, name="hum", engine="test", licence="none")
    studio = Studio(
        library, author=lambda: None, singer=lambda: singer, voice=LEAD, artist="x", used=lambda _: (),
        reach=lambda: (45, 64), operator=lambda: None, backing=lambda _: singer,
    )  # fmt: skip
    workflow.set("this one")
    sing_score(studio, song, progress)
    assert {name for name, _ in told} == {"this one"}
    assert max(share for _, share in told) == 1.0
    stems = {file.stem for file in (library.folder(song) / "stems").iterdir()}
    assert {"vocal"} < {name for name in stems if name.startswith(("vocal", "backing"))}
