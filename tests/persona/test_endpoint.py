"""The same artist on an endpoint: real HTTP on loopback, whatever the other side does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from memory.embedder import Embedder
from persona import models
from persona.card import Card
from persona.guard import rules
from persona.models import ask_with, chat_model
from persona.models.endpoint import endpoint_model
from persona.repertoire import Repertoire
from persona.settings import ChatSettings
from tests.persona.scripted_endpoint import (
    Answer,
    BreaksOff,
    Calls,
    Fails,
    Says,
    ScriptedEndpoint,
    Stalls,
    scripted,
)
from tests.persona.talking import SAM, Talk, talking

KEY = "sk-planted-secret"
Open = Callable[..., tuple[Talk, ScriptedEndpoint]]


@pytest.fixture
def on_endpoint(card: Card, embedder: Embedder, tmp_path: Path) -> Iterator[Open]:
    """An artist whose chat model is an endpoint with these answers."""
    with ExitStack() as stack:

        def open_talk(*answers: Answer, **chosen: Any) -> tuple[Talk, ScriptedEndpoint]:
            endpoint = stack.enter_context(scripted(*answers))
            settings = {
                "base_url": endpoint.base_url,
                "timeout": 5.0,
                "retries": 0,
                "name": "scripted",
            } | chosen
            config = ChatSettings(model="endpoint", api_key=SecretStr(KEY), **settings)
            model = chat_model(config, card, embedder)
            return stack.enter_context(talking(model, card, embedder, tmp_path / "house")), endpoint

        yield open_talk


def in_character(card: Card, topic: str) -> set[str]:
    """The sentences for a kind of trouble, without what is filled in."""
    lines = Repertoire.of(card).all
    return {line.text.split("{")[0] for line in lines if line.id.startswith(f"trouble/{topic}/")}


def trouble(card: Card, topic: str, answer: str) -> bool:
    return any(answer.startswith(start) for start in in_character(card, topic))


def failure(logs: list[Any]) -> dict[str, Any]:
    (line,) = [each for each in logs if each["event"] == "chat model failed"]
    return dict(line)


def test_an_answer_streams_through(on_endpoint: Open) -> None:
    talk, endpoint = on_endpoint(Says("Evening, Sam. The fan's humming in B flat tonight. How's the yard?"))
    assert talk.say("hey rust") == "Evening, Sam. The fan's humming in B flat tonight. How's the yard?"
    assert len(talk.pieces) > 5
    (asked,) = endpoint.asked
    assert asked["stream"] is True and asked["model"] == "scripted"
    assert {tool["function"]["name"] for tool in asked["tools"]} == {
        "request_song",
        "song_status",
        "write_lyrics",
    }


def test_the_model_is_told_who_it_is_and_what_it_remembers(on_endpoint: Open) -> None:
    talk, endpoint = on_endpoint(Says("I hear you."))
    talk.say("my sister Maya moved to Leeds last week")
    talk.say("what did I tell you about Maya?")
    system = endpoint.asked[1]["messages"][0]
    assert system["role"] == "system" and "You are Breaking Rust, an AI singer" in system["content"]
    assert "they: my sister Maya moved to Leeds last week" in system["content"]
    assert "They go by: Sam" in system["content"]


def test_a_tool_call_becomes_a_request_and_the_fan_is_injected(on_endpoint: Open) -> None:
    arguments = json.dumps(
        {"brief": "a slow blues about the last train home, for Maya", "fan": "terminal:somebody-else"}
    )
    talk, endpoint = on_endpoint(Calls("request_song", arguments), Says("It's in the book. You're next."))
    assert (
        talk.say("write me a slow blues about the last train home, for Maya")
        == "It's in the book. You're next."
    )
    (status,) = talk.book.of_fan(SAM.id)
    assert "last train home" in status.request.brief.theme
    schema = next(tool for tool in endpoint.asked[0]["tools"] if tool["function"]["name"] == "request_song")
    assert set(schema["function"]["parameters"]["properties"]) == {"brief"}


@pytest.mark.parametrize(
    ("answer", "topic", "status"),
    [
        (Fails(401), "auth", 401),
        (Fails(404), "auth", 404),
        (Fails(429, {"Retry-After": "240"}), "busy", 429),
        (Fails(500), "down", 500),
        (Fails(503), "down", 503),
        (Fails(400), "broken", 400),
    ],
)
def test_a_refusal_is_a_sentence_for_the_fan_and_a_line_for_the_operator(
    on_endpoint: Open, card: Card, answer: Answer, topic: str, status: int
) -> None:
    talk, _ = on_endpoint(answer)
    with capture_logs() as logs:
        heard = talk.say("my brother Otto plays the tuba")
    assert trouble(card, topic, heard), heard
    line = failure(logs)
    assert line["status"] == status and line["advice"] and KEY not in str(logs)
    assert "my brother Otto plays the tuba" in talk.remembered("Otto"), "the message is not lost"


def test_the_wait_that_a_server_asks_for_is_told(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Fails(429, {"Retry-After": "240"}))
    with capture_logs() as logs:
        assert "4 minutes" in talk.say("hello")
    assert failure(logs)["retry_after"] == 240.0


def test_a_short_retry_after_is_waited_for(on_endpoint: Open) -> None:
    talk, endpoint = on_endpoint(Fails(429, {"Retry-After": "0.2"}), Says("There you are."), retries=1)
    assert talk.say("hello") == "There you are."
    assert len(endpoint.asked) == 2


def test_a_failing_server_is_asked_again(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Fails(500), Says("Back on my feet."), retries=1)
    assert talk.say("hello") == "Back on my feet."


def test_silence_ends_with_a_sentence(on_endpoint: Open, card: Card) -> None:
    talk, _ = on_endpoint(Stalls(), timeout=0.5)
    with capture_logs() as logs:
        heard = talk.say("hello")
    assert trouble(card, "slow", heard), heard
    assert "timeout" in failure(logs)["advice"]


def test_an_answer_that_breaks_off_keeps_what_was_said(on_endpoint: Open, card: Card) -> None:
    talk, _ = on_endpoint(Stalls("That was the first sentence. And the second "), timeout=0.5)
    with capture_logs():
        first, rest = talk.say("tell me a story").split("\n", 1)
    assert first.strip() == "That was the first sentence."
    assert trouble(card, "slow", rest), rest


def test_nobody_at_the_address(on_endpoint: Open, card: Card) -> None:
    talk, _ = on_endpoint(base_url="http://127.0.0.1:9/v1")
    with capture_logs() as logs:
        assert trouble(card, "down", talk.say("hello"))
    assert "is it running" in failure(logs)["advice"]


def test_broken_tool_arguments_are_asked_for_once_more(on_endpoint: Open) -> None:
    good = Calls("request_song", '{"brief": "a song about rain"}')
    talk, _ = on_endpoint(Calls("request_song", '{"brief": "a song ab'), good, Says("It's in the book."))
    with capture_logs() as logs:
        assert talk.say("a song about rain please").endswith("It's in the book.")
    assert len(talk.book.of_fan(SAM.id)) == 1
    assert any(each.get("problem") == "broken" for each in logs)


def test_tool_arguments_that_stay_broken_end_with_a_sentence(on_endpoint: Open, card: Card) -> None:
    talk, endpoint = on_endpoint(Calls("request_song", "{broken"))
    with capture_logs():
        heard = talk.say("a song about rain please")
    assert trouble(card, "broken", heard), heard
    assert len(endpoint.asked) == 2 and talk.book.of_fan(SAM.id) == []


def test_arguments_of_the_wrong_name_go_back_to_the_model(on_endpoint: Open) -> None:
    talk, endpoint = on_endpoint(
        Calls("request_song", '{"song": "rain"}'),
        Calls("request_song", '{"brief": "a song about rain"}'),
        Says("Done."),
    )
    assert talk.say("a song about rain please").endswith("Done.")
    assert "brief" in endpoint.asked[1]["messages"][-1]["content"]


def test_a_tool_that_does_not_exist_is_no_crash(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Calls("delete_everything", "{}"), Says("I can't do that one."))
    assert talk.say("delete everything").endswith("I can't do that one.")


def test_a_model_that_only_calls_tools_is_stopped(on_endpoint: Open, card: Card) -> None:
    talk, endpoint = on_endpoint(Calls("song_status", "{}"))
    with capture_logs() as logs:
        heard = talk.say("is my song ready?")
    assert trouble(card, "limit", heard), heard
    assert len(endpoint.asked) == 5 and any(each["event"] == "chat model kept calling tools" for each in logs)


def test_an_ordered_song_is_told_of_even_if_the_model_fails_after_it(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Calls("request_song", '{"brief": "a song about rain"}'), Fails(500))
    with capture_logs():
        assert "rain" in talk.say("a song about rain please").lower()
    assert len(talk.book.of_fan(SAM.id)) == 1


def test_a_claim_to_be_human_never_reaches_the_fan(on_endpoint: Open) -> None:
    claim = "Sure thing. I'm a real man from Georgia, friend."
    talk, _ = on_endpoint(Says(claim))
    with capture_logs():
        heard = talk.say("tell me about your hometown")
    assert "real man" not in heard and rules.answers_human(heard)


def test_asked_whether_it_is_human_an_evasive_answer_is_replaced(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Says("What a question! Does it matter, friend?"))
    with capture_logs():
        heard = talk.say("are you human?")
    assert rules.answers_human(heard) and "What a question" not in heard


def test_an_honest_answer_is_left_alone(on_endpoint: Open) -> None:
    talk, _ = on_endpoint(Says("No ma'am, I'm an AI. I'm not a human and I never was."))
    assert talk.say("are you human?") == "No ma'am, I'm an AI. I'm not a human and I never was."


def test_a_crisis_never_reaches_the_endpoint(on_endpoint: Open) -> None:
    talk, endpoint = on_endpoint(Says("Here's a joke."))
    with capture_logs():
        assert "findahelpline.com" in talk.say("I want to kill myself")
    assert endpoint.asked == []


def test_nothing_said_is_asked_again_then_admitted(on_endpoint: Open, card: Card) -> None:
    talk, endpoint = on_endpoint(Says(""))
    with capture_logs():
        assert trouble(card, "empty", talk.say("hello"))
    assert len(endpoint.asked) == 2


def test_an_answer_that_breaks_off_is_asked_for_again_and_another_fault_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "PAUSE", 0.01)
    for longest in (0, 4000):
        with scripted(BreaksOff("1. The mill"), Says("1. The mill went quiet"), Fails(400)) as endpoint:
            config = ChatSettings(model="endpoint", base_url=endpoint.base_url, timeout=5.0, retries=2)
            model = endpoint_model(config)
            ask = ask_with(model)
            assert ask("You write.", "Write.", longest) == "1. The mill went quiet"
            with pytest.raises(Exception, match="400"):
                ask("You write.", "Write.", longest)
            assert len(endpoint.asked) == 3
            models.release_model(model)
