"""A whole artist on real parts: memory, request book and library on this test's disk, any chat model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from memory.embedder import Embedder
from memory.fan import Fan, Scope
from memory.memory import Memory
from persona.agent import Artist
from persona.card import Card
from persona.encounter import Encounter, Message
from persona.guard.book import GuardBook
from persona.guard.guard import Guard
from persona.guard.judge import Judge
from persona.guard.private import Private
from persona.models import close_model
from persona.prompt import private_parts
from skills.address import Address
from skills.book import RequestBook
from skills.database import Database
from skills.library import Library
from skills.requesting import Skills
from skills.words import EmbeddedAuthor
from tests.conftest import CACHE

TERMINAL = Address("terminal")
SAM = Fan("terminal:sam", "Sam")


@dataclass
class Talk:
    """One artist, one loop, any number of fans."""

    artist: Artist
    book: RequestBook
    memory: Memory
    runner: asyncio.Runner
    guard: Guard
    met: bool = True  # they know already that it is an AI, and are not told again
    count: int = 0
    pieces: list[str] = field(default_factory=list)
    address: Address = TERMINAL

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def say(self, text: str, fan: Fan = SAM) -> str:
        """The artist's whole answer; its pieces are kept in `pieces`."""
        self.count += 1
        encounter = Encounter(Message(f"m{self.count}", text, self.now), fan, TERMINAL, Scope("fan", fan.id))
        if self.met:
            self.guard.book.told(fan.id, encounter.address, encounter.message.when)
        self.pieces = self.runner.run(self._listen(encounter))
        return "".join(self.pieces)

    async def _listen(self, encounter: Encounter) -> list[str]:
        return [piece async for piece in self.artist.answer(encounter)]

    def remembered(self, text: str, fan: Fan = SAM) -> Sequence[str]:
        """What memory gives back for `text`."""
        found = self.memory.recall(fan, Scope("fan", fan.id), self.artist.name, text)
        return [each.text for each in found]


@contextmanager
def talking(model: BaseChatModel, card: Card, embedder: Embedder, folder: Path) -> Iterator[Talk]:
    folder.mkdir(parents=True, exist_ok=True)
    memory = Memory(folder / "memory", embedder)
    book = RequestBook(Database(f"sqlite:///{folder / 'requests.sqlite'}"))
    skills = Skills(book, Library(folder / "songs"), lambda: EmbeddedAuthor(embedder))
    with asyncio.Runner() as runner:
        guard = Guard(
            Judge(embedder, cache=Path(CACHE)),
            GuardBook(folder / "guard.sqlite"),
            Private(private_parts(card)),
        )
        yield Talk(Artist(card, model, memory, skills, guard), book, memory, runner, guard)
        runner.run(close_model(model))
    book.close()
