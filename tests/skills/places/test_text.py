from __future__ import annotations

import pytest

from skills.places.limits import Limits, labelled, limits_of
from skills.places.text import fit

SHORT = Limits(characters=60, media="mp3", file=1, posts=1, per=1, link=10)
LABEL = "AI-made: words, music and voice."


def test_what_fits_stays_as_it_is() -> None:
    assert fit("Low and slow. #blues", SHORT) == "Low and slow. #blues"


def test_tags_go_before_words_and_the_last_tag_first() -> None:
    body = "One line that is long enough to nearly fill it."
    assert fit(f"{body}\n\n#blues #slow #late", SHORT) == f"{body}\n\n#blues"


def test_it_is_cut_at_a_sentence_where_that_keeps_most_of_it() -> None:
    text = "The first sentence is of a fair length here. And the second one goes over."
    assert fit(text, SHORT) == "The first sentence is of a fair length here."


def test_else_at_a_word_with_a_sign_that_there_was_more() -> None:
    cut = fit("Yes. " + "and on it goes, " * 9, SHORT)
    assert cut.endswith("…")
    assert SHORT.length(cut) <= 60
    assert cut.removesuffix("…") + "," in "Yes. " + "and on it goes, " * 9 or cut.removesuffix("…").endswith(
        "on"
    )


def test_links_and_the_label_are_never_lost() -> None:
    text = "See https://example.org/a-very-long-address/indeed and then a good many words more than fit in."
    cut = fit(labelled(text, clip=True), SHORT)
    assert "https://example.org/a-very-long-address/indeed" in cut
    assert cut.endswith(LABEL)
    assert SHORT.length(cut) <= 60


def test_a_link_in_the_part_that_is_cut_off_moves_to_the_end() -> None:
    cut = fit(
        "A good many words, more than will fit in here at all, before https://example.org/x comes", SHORT
    )
    assert cut.endswith("https://example.org/x")


def test_one_endless_word_is_cut_within() -> None:
    assert fit("a" * 99, SHORT) == "a" * 59 + "…"


def test_links_that_are_too_long_alone_are_an_error() -> None:
    tight = Limits(characters=20, media="mp3", file=1, posts=1, per=1)
    with pytest.raises(ValueError, match="longer than the place takes"):
        fit(f"Words.\n\nhttps://example.org/{'x' * 40}", tight)


def test_people_count_characters_not_code_points() -> None:
    family = "👨‍👩‍👧"
    assert limits_of("bluesky").length(f"{family}é") == 2
    assert limits_of("bluesky").holds("é" * 300)
    assert not limits_of("bluesky").holds(family * 299), "3000 bytes are a limit as well"


def test_who_says_that_an_ai_speaks_is_not_labelled_twice() -> None:
    assert labelled("I'm an AI with the blues.", clip=True) == "I'm an AI with the blues."
    assert labelled("Low and slow.", clip=True) == f"Low and slow.\n\n{LABEL}"
    assert labelled("The rain AIled me.", clip=False).endswith("Written by an AI.")
