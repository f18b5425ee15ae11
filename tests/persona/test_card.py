"""Cards: read, checked, written back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from persona.card import CAST, Card, CardError, check, load_card, read_card, save_card
from persona.guard.private import Private
from persona.prompt import character, lore, private_parts


def test_breaking_rust_can_go_on_stage(card: Card) -> None:
    assert check(card) == []
    assert card.artist_credit == "Breaking Rust (AI)"
    assert (card.music.low, card.music.high) == ("A2", "D4")
    assert card.music.styles and card.music.images and card.music.vocabulary and card.music.never


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_unknown_fields_survive_a_round_trip(suffix: str, tmp_path: Path) -> None:
    raw = yaml.safe_load((CAST / "breaking-rust.yaml").read_text(encoding="utf-8"))
    raw["data"]["extensions"]["another_program"] = {"depth": [1, 2, {"x": "ÿ"}]}
    raw["data"]["a_field_of_tomorrow"] = "kept"
    raw["data"]["character_book"]["entries"][0]["unheard_of"] = 7
    path = tmp_path / f"card{suffix}"
    save_card(read_card(raw), path)
    assert load_card(path).raw == raw


def test_a_plain_old_card_is_read_and_saved_as_version_two(tmp_path: Path) -> None:
    card = read_card({"name": "Ida", "description": "A fiddler.", "first_mes": "Hello."})
    save_card(card, tmp_path / "ida.json")
    saved = json.loads((tmp_path / "ida.json").read_text(encoding="utf-8"))
    assert saved["spec"] == "chara_card_v2" and saved["data"]["name"] == "Ida"
    assert load_card(tmp_path / "ida.json").description == "A fiddler."


def test_what_a_card_lacks_is_said_in_sentences(card: Card) -> None:
    bare = read_card({"name": "Ida", "extensions": {"troubadour": {"music": {"range": ["C5", "A2"]}}}})
    problems = " / ".join(check(bare))
    for word in ("description", "first_mes", "disclosures", "music.never", "begins above its end"):
        assert word in problems
    assert "does not say that it is an AI" in check(replace(card, disclosures=("I'm just me.",)))[0]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (None, "at least a `name`"),
        ({"data": {"name": ""}}, "at least a `name`"),
        ({"name": "Ida", "description": 7}, "description should be text"),
        ({"name": "Ida", "alternate_greetings": "hello"}, "list of texts"),
    ],
)
def test_what_is_no_card_is_refused(raw: object, complaint: str) -> None:
    with pytest.raises(CardError, match=complaint):
        read_card(raw)


def test_a_card_that_is_not_there_names_the_cast() -> None:
    with pytest.raises(CardError, match=r"the cast has: .*breaking-rust"):
        load_card("nobody")


def test_the_prompt_holds_the_card_and_the_lore_that_is_spoken_of(card: Card) -> None:
    text = character(card, Private(private_parts(card)))
    assert card.description in text and "{{char}}" not in text and "openly an AI" in text
    assert "Twelve bars" in lore(card, "how does a 12-bar blues go?")
    assert lore(card, "good morning") == ""
