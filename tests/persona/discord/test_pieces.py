"""The small pieces by themselves: splitting, pace, lines, limits of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.card import CardError
from persona.stages.discord.lines import Lines
from persona.stages.discord.pace import FORGIVEN, SILENCE, Pace, Rate
from persona.stages.discord.say import nonce_of
from persona.stages.discord.texts import bar, plain, shorten, split, spoiler


@given(st.text(max_size=7000))
def test_whatever_is_split_fits_and_nothing_but_space_is_lost(text):
    pieces = split(text)
    assert all(0 < len(piece) <= 2000 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_cut_is_made_at_a_paragraph_before_a_sentence_before_a_word():
    words = "word " * 300
    assert split(f"{words.strip()}.\n\n{words}")[0].endswith("word.")
    assert split("Short one. " * 300)[0].endswith("Short one.")
    assert split("a" * 4500)[0] == "a" * 2000


def test_a_fans_words_inside_ours_neither_ping_nor_format():
    assert "@everyone" not in plain("@everyone **bold** <@1> ||x||")
    assert plain("a\nb") == "a b"
    assert spoiler("a|b") == "||a¦b||"
    assert len(shorten("x" * 100, 10)) == 10


def test_a_bar_shows_how_far_it_is():
    assert (bar(0), bar(0.5), bar(1.7)) == ("▱" * 12, "▰" * 6 + "▱" * 6, "▰" * 12)


def test_a_nonce_is_stable_and_short_enough_for_discord():
    assert nonce_of("a:clip") == nonce_of("a:clip") != nonce_of("b:clip")
    assert len(nonce_of("x" * 500)) <= 25


def test_an_abuser_is_silenced_longer_each_time_and_forgiven_after_a_day_of_peace():
    pace, now = Pace(fan=Rate(1, 1e9)), 0.0
    assert pace.admit("ann", now) == "welcome"
    for silence in SILENCE:
        assert pace.admit("ann", now) == "warn"
        assert pace.admit("ann", now + silence - 1) == "ignore"
        now += silence
    assert pace.admit("ann", now) == "warn"
    now += SILENCE[-1] + FORGIVEN + 1
    assert pace.admit("ann", now) == "warn"
    assert pace.admit("ann", now + SILENCE[0]) != "ignore", "the count began anew"


def test_a_crowded_channel_is_slowed_down_and_nobody_in_it_is_ignored():
    pace = Pace(channel=Rate(2, 1.0))
    waits = [pace.wait("c", "s", 0.0) for _ in range(5)]
    assert waits == [0.0, 0.0, 1.0, 2.0, 3.0]
    assert pace.wait("other", "s", 0.0) == 0.0
    assert pace.wait("private", None, 0.0) == 0.0


def test_a_card_elsewhere_brings_its_own_lines_and_a_line_that_nobody_says_is_refused(tmp_path):
    (tmp_path / "blue.discord.yaml").write_text("stumble: |\n  Oops.\n")
    lines = Lines.load(str(tmp_path / "blue.yaml"))
    assert lines.say("stumble") == "Oops." and "Cancelled" in lines.say("ended_cancelled")
    (tmp_path / "blue.discord.yaml").write_text("stumbel: |\n  Oops.\n")
    with pytest.raises(CardError, match="stumbel"):
        Lines.load(str(tmp_path / "blue.yaml"))


def test_old_buckets_are_let_go():
    pace = Pace()
    for number in range(25_000):
        pace.admit(f"fan {number}", float(number))
    assert len(pace._buckets) <= 20_000
