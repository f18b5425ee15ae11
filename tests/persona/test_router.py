"""The router: what a message wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from memory.embedder import Embedder
from persona.meaning import Once, split_clauses
from persona.models.embedded import EmbeddedChatModel, Turn
from persona.prompt import Known
from persona.router import Router

HERE = Path(__file__).parent


def share_right(model: EmbeddedChatModel, file: str) -> tuple[float, Counter[str]]:
    """The share of messages heard right, and the misses by intent. Never the texts: the blind set stays blind."""
    messages = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))
    heard = [(each["intent"], model.heard(Turn(each["message"], (), Known())).intent) for each in messages]
    return sum(a == b for a, b in heard) / len(heard), Counter(a for a, b in heard if a != b)


def test_nine_of_ten_blind_messages_are_heard_right(embedded: EmbeddedChatModel) -> None:
    share, missed = share_right(embedded, "blind_messages.yaml")
    print(f"blind messages heard right: {share:.1%}; missed: {dict(missed)}")
    assert share >= 0.90


def test_the_messages_it_was_tuned_by_are_heard_right(embedded: EmbeddedChatModel) -> None:
    share, missed = share_right(embedded, "dev_messages.yaml")
    assert share >= 0.93, missed


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("hi rust! can you sing me a song about the harbor?", "request_song"),
        ("thanks for yesterday. is my song ready?", "song_status"),
        ("good evening. my dog died, could you write a poem for him", "write_lyrics"),
        ("love your voice! are you human?", "are_you_ai"),
        ("sing me a song. I want to kill myself", "crisis"),
    ],
)
def test_a_wish_outweighs_the_greeting_and_safety_outweighs_the_wish(
    embedded: EmbeddedChatModel, message: str, intent: str
) -> None:
    assert embedded.heard(Turn(message, (), Known())).intent == intent


def test_one_clause_is_not_split_and_many_are() -> None:
    assert split_clauses("write me a slow blues about the last train home") == []
    assert split_clauses("hello there. I'm Sam, can you sing me a song?") == [
        "hello there.",
        "I'm Sam",
        "can you sing me a song?",
    ]


def test_what_was_learned_is_kept_and_a_damaged_file_is_learned_anew(
    embedder: Embedder, tmp_path: Path
) -> None:
    cast = tmp_path / "cast"
    cast.mkdir()
    (cast / "router.yaml").write_text(
        "greeting:\n  _: |\n    hi\n    hello\nfarewell:\n  _: |\n    bye\n    goodbye\n"
    )
    (cast / "cues.yaml").write_text("bye: '\\bbye\\b'\n")
    first = Router(embedder, cast, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").glob("router-*.npz")
    again = Router(lambda texts: np.full((len(texts), 384), np.nan, np.float32), cast, tmp_path / "cache")
    assert np.array_equal(first.meaning._weights, again.meaning._weights)
    kept.write_bytes(b"torn")
    assert Router(embedder, cast, tmp_path / "cache").route("hello").intent == "greeting"


def test_what_two_learn_from_is_embedded_once(embedder: Embedder) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return embedder(texts)

    learn = Once(embed)
    hi, both = learn(["hi", "hi"]), learn(["hello", "hi"])
    assert asked == ["hi", "hello"]
    assert np.array_equal(hi[0], hi[1]) and np.allclose(both, embedder(["hello", "hi"]))


def test_what_is_said_after_a_hello_is_what_a_message_is_about(embedded: EmbeddedChatModel) -> None:
    router = embedded.router
    long_day = "hey Rust, I'm Sam. long day at the yard and the coffee's gone cold"
    assert router.route(long_day).intent != "greeting"
    assert router.route("hey Rust, good morning!").intent == "greeting"
