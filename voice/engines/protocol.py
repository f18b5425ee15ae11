"""What every engine answers to. A score singer is given the notes; a song model finds its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from voice.expression import Expression
from voice.score import Score
from voice.take import STUDIO_RATE, Take
from voice.voices import VoiceError

Progress = Callable[[float], None]  # told the share done, 0 to 1


class EngineError(VoiceError):
    """An engine that cannot be used; the message says which file, tensor or server, and what to do."""


@runtime_checkable
class ScoreSinger(Protocol):
    """A score, a way of singing it and a seed go in; a dry take comes out."""

    @property
    def name(self) -> str:
        """Of the voice."""
        ...

    @property
    def engine(self) -> str:
        """The name that chose the engine."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639 codes of what it can sing."""
        ...

    @property
    def low(self) -> int:
        """The lowest comfortable note, a MIDI number."""
        ...

    @property
    def high(self) -> int: ...

    @property
    def controls(self) -> tuple[str, ...]:
        """The knobs of Expression that it obeys; the others are passed over."""
        ...

    @property
    def expression(self) -> Expression:
        """How it sings when nobody says."""
        ...

    @property
    def licence(self) -> str: ...

    def sing(
        self,
        score: Score,
        expression: Expression | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Take:
        """Raises ScoreError where the score cannot be sung, EngineError where the engine fails."""
        ...


@dataclass(frozen=True)
class SongOrder:
    """What a song model is told. Nothing of a melody: it takes none.

    prompt: style, mood, instruments. lyrics: with [Verse] and [Chorus] lines; empty: instrumental. seconds: 10 to
    600. bpm: 30 to 300, or None to let the model choose; so with key ('A minor') and beats (2, 3, 4 or 6 a bar).
    """

    prompt: str
    lyrics: str = ""
    seconds: float = 30.0
    bpm: int | None = None
    key: str = ""
    beats: int | None = None
    language: str = "en"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise EngineError("a song model needs to be told what the song is to be like")
        if not 10 <= self.seconds <= 600:
            raise EngineError(f"a song model makes 10 to 600 seconds, not {self.seconds:g}")
        if self.bpm is not None and not 30 <= self.bpm <= 300:
            raise EngineError(f"a song model's tempo goes from 30 to 300 beats a minute, not {self.bpm}")
        if self.beats not in (None, 2, 3, 4, 6):
            raise EngineError(f"a song model knows bars of 2, 3, 4 or 6 beats, not {self.beats}")


@dataclass(frozen=True)
class SongMix:
    """A finished mix: audio [2, samples] float32, -1..1, at STUDIO_RATE. It has no stems, and no score."""

    audio: NDArray[np.float32]
    model: str
    seed: str

    @property
    def seconds(self) -> float:
        return float(self.audio.shape[1] / STUDIO_RATE)


@runtime_checkable
class SongModel(Protocol):
    """A description and words go in; a whole mix comes out, sung to a melody of the model's own."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    @property
    def controls(self) -> tuple[str, ...]:
        """The fields of SongOrder that it obeys."""
        ...

    @property
    def licence(self) -> str: ...

    def make(self, order: SongOrder, progress: Progress | None = None) -> SongMix:
        """Raises EngineError."""
        ...
