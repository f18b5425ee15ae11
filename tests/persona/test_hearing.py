"""What a fan's words give away, and saying it back."""

from __future__ import annotations

import pytest

from persona import hearing


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hey Rust, I'm Sam. long day", "Sam"),
        ("My name is Maria and I drive a bus", "Maria"),
        ("call me joe", "Joe"),
        ("I'm Anna, nice to meet you", "Anna"),
        ("I'm sad", ""),
        ("I'm from Texas", ""),
        ("call me later", ""),
        ("my sister Maya moved", ""),
    ],
)
def test_a_name_is_heard(text: str, name: str) -> None:
    assert hearing.fan_name(text) == name


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("my dog Bruno died", "Bruno"),
        ("my grandmother died last week", "your grandmother"),
        ("it rained", ""),
    ],
)
def test_whom_it_is_about_is_heard(text: str, who: str) -> None:
    assert hearing.person(text) == who


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("write me a slow blues about the last train home, it's for Maya", "the last train home"),
        ("i want a song about my old truck please", "your old truck"),
        ("can you make a song about the rain?", "the rain"),
        ("sing me something", ""),
    ],
)
def test_a_theme_is_heard(text: str, theme: str) -> None:
    assert hearing.theme(text) == theme


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("my sister Maya moved to Leeds last week", "you told me your sister Maya moved to Leeds last week"),
        ("I was scared and my dad was proud", "you told me you were scared and your dad was proud"),
        ("hi! I'm learning the harp", "you told me you're learning the harp"),
        (
            "write me a slow blues about the last train home, it's for Maya",
            "you asked me for a slow blues about the last train home, for Maya",
        ),
        ("do you remember me?", ""),
        ("thanks!", ""),
        ("I love your voice", ""),
        ("lol", ""),
    ],
)
def test_it_is_told_back_in_the_second_person(text: str, told: str) -> None:
    assert hearing.retell(text) == told
