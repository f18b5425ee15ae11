"""Our own singer, behind the protocol that all engines share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voice.engines.protocol import Progress
from voice.expression import Expression
from voice.score import Score
from voice.take import Take

if TYPE_CHECKING:
    from voice.singer import Singer


class OwnSinger:
    """A thin face: `singer` does the work."""

    engine = "troubadour"
    languages = ("en",)
    controls = tuple(Expression().knobs())

    def __init__(self, singer: Singer) -> None:
        self.singer = singer

    @staticmethod
    def load(voice: str | Path, cache: Path, threads: int = 2, weights: str = "wheels") -> OwnSinger:
        """Raises VoiceError, WeightsError."""
        from voice.singer import Singer

        return OwnSinger(Singer.load(voice, cache, threads, weights))

    @property
    def name(self) -> str:
        return self.singer.voice.name

    @property
    def low(self) -> int:
        return self.singer.low

    @property
    def high(self) -> int:
        return self.singer.high

    @property
    def licence(self) -> str:
        return self.singer.voice.licence

    @property
    def expression(self) -> Expression:
        return self.singer.voice.expression

    def sing(
        self,
        score: Score,
        expression: Expression | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Take:
        return self.singer.sing(score, expression, seed, progress)
