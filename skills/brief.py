"""Brief: what a song is to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class BriefError(ValueError):
    """A brief that cannot become a song; the message says what to do about it."""


@dataclass(frozen=True)
class Brief:
    """What a fan asked for, in fields. Empty text or None means: a musical default.

    `theme` in the fan's words ('the last train home'); `mood` one of the moods of the styles' data;
    `style` the name of a style file ('blues', 'soul'); `form` a form's name ('aab', 'verse-chorus');
    `dedication` a name; `mentions` / `avoid` things to sing of, or not; `seconds` sung, about;
    `bpm` None for the style's own; `words` lyrics given by the fan, to be sung as they are;
    `shift` semitones above (or below) the key in which it would be sung.
    """

    theme: str
    mood: str = ""
    style: str = ""
    form: str = ""
    dedication: str = ""
    mentions: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    seconds: float = 20.0
    bpm: float | None = None
    language: str = "en"
    words: str = ""
    shift: int = 0

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Brief:
        """The brief that dataclasses.asdict() and JSON made a mapping of: its lists are tuples again."""
        return Brief(**{**raw, "mentions": tuple(raw["mentions"]), "avoid": tuple(raw["avoid"])})
