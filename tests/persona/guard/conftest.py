"""A guard on real parts, on this test's disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.embedder import Embedder
from persona.card import Card
from persona.guard.book import GuardBook
from persona.guard.guard import Guard
from persona.guard.judge import Judge
from persona.guard.private import Private
from persona.prompt import private_parts
from tests.conftest import CACHE


@pytest.fixture(scope="session")
def judge(embedder: Embedder) -> Judge:
    return Judge(embedder, cache=Path(CACHE))


@pytest.fixture
def guard(judge: Judge, card: Card, tmp_path: Path) -> Guard:
    return Guard(judge, GuardBook(tmp_path / "guard.sqlite"), Private(private_parts(card)))
