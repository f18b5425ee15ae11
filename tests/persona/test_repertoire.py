"""The written lines, and what fills them."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import ToolMessage

from persona.card import Card
from persona.models.embedded import EmbeddedChatModel
from persona.repertoire import Line, Repertoire
from persona.telling import tell

SLOTS = {
    "artist",
    "name",
    "who",
    "thing",
    "memory",
    "title",
    "place_in_queue",
    "ahead",
    "step",
    "reason",
    "wait",
    "hit",
    "about",
    "receipt",
}


@pytest.fixture(scope="module")
def lines(card: Card) -> Repertoire:
    return Repertoire.of(card)


def test_there_are_four_hundred_lines_and_no_two_alike(lines: Repertoire) -> None:
    texts = [line.text for line in lines.all]
    assert len(texts) >= 400 and len(set(texts)) == len(texts)


def test_every_line_uses_known_slots_and_is_short(lines: Repertoire) -> None:
    assert {slot for line in lines.all for slot in line.slots} <= SLOTS
    assert [line.id for line in lines.all if len(line.text) > 260 and not line.id.startswith("crisis/")] == []


def test_every_intent_and_topic_that_is_heard_has_an_answer(
    lines: Repertoire, embedded: EmbeddedChatModel
) -> None:
    examples = embedded.router.examples
    answers_of_skills = {"request_song", "write_lyrics", "song_status"}  # those are in telling.py
    for intent, topic in sorted(set(zip(examples.intents, examples.topics, strict=True))):
        assert topic in lines.topics(intent) or intent in answers_of_skills, (intent, topic)


def test_a_slot_is_filled_as_it_is_and_begins_a_sentence_with_a_capital() -> None:
    line = Line("x/_/0", "I do. {memory}. {thing}?", frozenset({"memory", "thing"}))
    filled = line.filled({"memory": "you told me {name} left", "thing": "the rain"})
    assert filled == "I do. You told me {name} left. The rain?"


def test_unsaid_lines_come_first_and_a_spent_topic_goes_on_with_the_intents_others(lines: Repertoire) -> None:
    said: list[str] = []
    for turn in range(12):
        said.append(lines.choose("sad_news", "pet", {"who": "Bruno"}, said, str(turn)).id)
    assert len(set(said)) == 12
    assert {each.rsplit("/", 1)[0] for each in said[:5]} == {"sad_news/pet"}


def test_when_all_is_said_something_is_said_all_the_same(lines: Repertoire) -> None:
    said = [line.id for line in lines.all]
    assert lines.choose("thanks", "_", {}, said, "x").id.startswith(("thanks/", "small_talk/"))


def result(name: str, content: object, status: str = "success") -> ToolMessage:
    text = content if isinstance(content, str) else json.dumps(content)
    return ToolMessage(text, tool_call_id="1", name=name, status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "request_song",
            {"request": "r", "theme": "my old truck", "dedication": "", "ahead": 0},
            "your old truck",
        ),
        ("request_song", {"request": "r", "theme": "rain", "dedication": "", "ahead": 2}, "third in line"),
        (
            "request_song",
            {"request": "r", "theme": "my mother who died", "dedication": "", "ahead": 0},
            "ordered/gently",
        ),
        ("request_song", {"refused": "I sing in English only."}, "I sing in English only."),
        ("song_status", {"songs": []}, "status/none"),
        (
            "song_status",
            {"songs": [{"state": "at work", "theme": "rain", "step": "sing", "ahead": 0}]},
            "being sung",
        ),
        (
            "song_status",
            {"songs": [{"state": "queued", "theme": "rain", "step": "", "ahead": 1}]},
            "second in line",
        ),
        ("song_status", {"songs": [{"state": "done", "theme": "rain", "title": "Tin Roof"}]}, '"Tin Roof"'),
        ("song_status", {"songs": [{"state": "failed", "theme": "rain"}]}, "rain"),
        ("write_lyrics", {"lyrics": "The river runs\nI run too"}, "The river runs\nI run too"),
    ],
)
def test_a_result_is_told_as_it_is(
    lines: Repertoire, name: str, content: dict[str, object], said: str
) -> None:
    told = tell(lines, result(name, content), "", (), "x")
    assert said.lower() in f"{told.line.id} {told.text}".lower()


@pytest.mark.parametrize("content", ["not json", "[]", json.dumps({"failed": "x"})])
def test_a_result_that_is_none_is_told_as_trouble(lines: Repertoire, content: str) -> None:
    assert tell(lines, result("request_song", content), "", (), "x").line.id.startswith("trouble/skill")
