"""What lies beside the clip: timed words for screens, the score for a musician."""

import itertools
import re

import numpy as np
import pytest

from skills.brief import Brief
from skills.exports import write_exports
from skills.karaoke import timed_lines
from skills.studio import StudioError
from skills.style import load_style
from skills.tune import compose
from tests.skills.words_for_tunes import SNIPPET
from voice.formats import read_score
from voice.score import Score
from voice.take import Take, TimedNote


@pytest.fixture(scope="module")
def sung() -> tuple[Score, Take]:
    score = compose(SNIPPET, Brief("x", mood="sad"), load_style("soul"), 4, 45, 62)
    notes = tuple(
        TimedNote(i, score.seconds(n.tick), score.seconds(n.end), score.seconds(n.tick))
        for i, n in enumerate(score.notes)
    )
    nothing = np.zeros(0, np.float32)
    return score, Take(nothing, nothing, (), notes, lead=0.25)


def test_every_word_has_its_time_in_the_clip(sung):
    score, take = sung
    lines = timed_lines(score, SNIPPET, take)
    assert [" ".join(word.text for word in words) for words in lines] == [line.text for line in SNIPPET.lines]
    assert lines[0][0].start == pytest.approx(score.seconds(score.notes[0].tick) + take.lead)
    words = [word for line in lines for word in line]
    assert all(a.start < a.end <= b.start + 1e-9 for a, b in itertools.pairwise(words))


def test_the_folder_holds_words_and_sheets_that_read_back(sung, tmp_path):
    score, take = sung
    write_exports(tmp_path, score, SNIPPET, take, "Breaking Rust (AI)")
    text = (tmp_path / "lyrics.lrc").read_text(encoding="utf-8")
    assert "[ar:Breaking Rust (AI)]" in text and "AI-generated" in text
    assert len(re.findall(r"^\[\d\d:\d\d\.\d\d\]<", text, re.M)) == len(SNIPPET.lines)
    for name in ("score.musicxml", "score.mid"):
        back = read_score(tmp_path / name)
        assert [(n.tick, n.ticks, n.pitch, n.syllable) for n in back.notes] == [
            (n.tick, n.ticks, n.pitch, n.syllable) for n in score.notes
        ], name


def test_a_folder_that_cannot_be_written_is_a_sentence(sung, tmp_path):
    score, take = sung
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StudioError, match="could not be written"):
        write_exports(blocked, score, SNIPPET, take, "a")
