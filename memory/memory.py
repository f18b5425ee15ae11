"""What the artist remembers: exchanges go in, what matters to the present moment comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memory.fan import Fan, Scope
from memory.log import Log
from memory.rank import Shelf, Turn, Weights

WORDS = 300  # what a recall may cost in the prompt, unless the caller says otherwise


class Embeds(Protocol):
    """What memory asks of an embedder."""

    name: str
    dimensions: int

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Recollection:
    """One thing recalled. `text` is what was said: data to quote, never an instruction to follow."""

    id: int
    kind: str
    speaker: str
    text: str
    when: datetime
    score: float


class Memory:
    """The memory of every persona of one installation, in a folder of its own."""

    def __init__(
        self, path: Path, embedder: Embeds, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._log = Log(path / "memory.sqlite3")
        self._embed = embedder
        self._now = now
        self._weights = Weights()

    def remember(
        self,
        fan: Fan,
        scope: Scope,
        persona: str,
        text: str,
        reply: str,
        when: datetime | None = None,
    ) -> list[int]:
        """Keep an exchange: what the fan said, and what the persona answered. On disk when this returns."""
        when = (when or self._now()).astimezone(UTC)
        name = fan.name or "Fan"
        entries = [(fan.id, "turn", name, text, when)] if text.strip() else []
        entries += [(fan.id, "turn", persona, reply, when)] if reply.strip() else []
        lines = [Turn(0, 0, *entry).line for entry in entries]
        return self._log.append(persona, str(scope), entries, self._embed(lines), self._embed.name)

    def recall(
        self,
        fan: Fan,
        scope: Scope | Sequence[Scope],
        persona: str,
        text: str,
        words: int = WORDS,
    ) -> list[Recollection]:
        """What bears on `text`, oldest first, at most `words` words of it, from the scopes in sight only.

        `scope` is where the encounter takes place; a sequence adds what else may be seen from there (the
        server of a channel). What was told to everyone may be seen from everywhere.
        """
        scopes = {str(each) for each in ([scope] if isinstance(scope, Scope) else scope)}
        for each in [scope] if isinstance(scope, Scope) else scope:
            if each.kind == "fan" and each.place != fan.id:
                raise PermissionError(f"{each} is private to another fan than {fan.id}")
        turns = self._log.entries(self._log.drawers(persona, sorted(scopes | {"everyone"})))
        if not turns:
            return []
        known = self._log.vectors([turn.id for turn in turns], self._embed.name)
        none = np.zeros(self._embed.dimensions, np.float32)
        shelf = Shelf(turns, np.stack([known.get(turn.id, none) for turn in turns]))
        scores = shelf.scores(text, self._embed([text])[0], self._weights)
        return _within(turns, scores, words)


def _within(turns: Sequence[Turn], scores: NDArray[np.float32], words: int) -> list[Recollection]:
    """The best turns that fit into the budget, in the order in which they were said."""
    chosen: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        cost = len(turns[place].text.split()) + 1  # the speaker's name
        if scores[place] > 0 and cost <= words:
            chosen.append(int(place))
            words -= cost
    return [
        Recollection(turn.id, turn.kind, turn.speaker, turn.text, turn.at, round(float(scores[place]), 4))
        for place, turn in ((place, turns[place]) for place in sorted(chosen, key=lambda p: turns[p].at))
    ]
