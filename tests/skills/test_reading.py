"""A brief is read out of plain chat words, and what cannot be read is said so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from skills.brief import Brief, BriefError
from skills.reading import LONGEST, read_brief, set_aside
from skills.style import moods

BRIEFS: list[str] = yaml.safe_load(Path(__file__).with_name("briefs.yaml").read_text("utf-8"))
SAID: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("readings.yaml").read_text("utf-8"))


@pytest.mark.parametrize("said", SAID, ids=lambda said: str(said["text"])[:40])
def test_what_a_fan_says_is_read(said: dict[str, Any]) -> None:
    brief = read_brief(said["text"])
    fields = {
        name: tuple(value) if isinstance(value, list) else value for name, value in said["fields"].items()
    }
    assert {name: getattr(brief, name) for name in fields} == fields


def test_given_words_are_kept_as_they_are() -> None:
    brief = read_brief("a slow gospel, sing these words:\nRoses are red,\nviolets are tired.")
    assert brief.words == "Roses are red,\nviolets are tired."
    assert brief.style == "gospel"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Tell me what the song should be about"),
        ("  \n ", "Tell me what the song should be about"),
        ("😀😀🎸", "Tell me what the song should be about"),
        ("?!...", "in a few words"),
        ("напиши песню о поезде", "in English, in Latin letters"),
        ("雨の歌を書いてください", "in English, in Latin letters"),
        ("la " * 1700, "600 characters or fewer"),
    ],
)
def test_what_cannot_be_a_brief_is_answered_with_what_to_do(text: str, says: str) -> None:
    with pytest.raises(BriefError, match=says):
        read_brief(text)


def test_of_a_long_brief_the_first_part_is_read_and_that_is_said() -> None:
    text = "a song about the harbor at night. " + "It was a long time ago and I was young. " * 30
    assert read_brief(text).theme == "the harbor at night"
    assert any(str(LONGEST) in said for said in set_aside(text))


def test_what_is_not_followed_is_said() -> None:
    assert "reggae" in " ".join(set_aside("a reggae song about the beach"))
    assert "Spanish" in " ".join(set_aside("a song about the beach in spanish"))
    assert set_aside("a blues about the beach") == ()
    said = set_aside("a song about the fucking rain")
    assert said and read_brief("a song about the fucking rain").theme == "the rain"


def test_defaults_fill_what_was_not_said() -> None:
    brief = read_brief("a song about rain", Brief(theme="love", style="soul", seconds=30.0))
    assert (brief.theme, brief.style, brief.seconds) == ("rain", "soul", 30.0)


def test_moods_are_those_that_the_styles_know() -> None:
    for text in BRIEFS:
        assert read_brief(text).mood in {"", *moods()}


def test_every_brief_of_the_sixty_has_a_theme_or_someone_that_it_is_for() -> None:
    for text in BRIEFS:
        brief = read_brief(text)
        assert brief.theme or brief.dedication, text
        assert "¦" not in str(brief)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_brief_or_a_clear_refusal(text: str) -> None:
    try:
        brief = read_brief(text)
    except BriefError as error:
        assert str(error).endswith(".")
    else:
        assert 10 <= brief.seconds <= 240
        assert "¦" not in brief.theme
