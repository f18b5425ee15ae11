"""The parts of a real artist, built once: the embedder and the embedded model take seconds to learn."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.embedder import Embedder
from persona.card import Card, load_card
from persona.models import chat_model
from persona.models.embedded import EmbeddedChatModel
from persona.settings import ChatSettings
from tests.conftest import CACHE


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="session")
def card() -> Card:
    return load_card("breaking-rust")


@pytest.fixture(scope="session")
def embedded(card: Card, embedder: Embedder) -> EmbeddedChatModel:
    model = chat_model(ChatSettings(), card, embedder, cache=Path(CACHE))
    assert isinstance(model, EmbeddedChatModel)
    return model
