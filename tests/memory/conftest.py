"""One embedder for all tests of memory, and a memory in a fresh folder."""

from datetime import UTC, datetime

import pytest

from memory.embedder import Embedder
from memory.memory import Memory

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def embed():
    return Embedder()


@pytest.fixture
def memory(tmp_path, embed):
    memory = Memory(tmp_path / "memory", embed, now=lambda: NOW)
    yield memory
    memory.close()
