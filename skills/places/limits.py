"""What each place takes, as data (limits.yaml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

LIMITS = Path(__file__).with_name("limits.yaml")
LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


@dataclass(frozen=True)
class Limits:
    """`characters` as people count them; `link` what a link counts (None: its length); `bytes` of UTF-8.

    `media` is what the place wants of a song; `file` and `cover` bytes; at most `posts` in `per` seconds.
    """

    characters: int
    media: Literal["mp3", "mp4"]
    file: int
    posts: int
    per: float
    link: int | None = None
    bytes: int | None = None
    cover: int = 0
    alt: int = 0

    def holds(self, text: str) -> bool:
        fits = self.bytes is None or len(text.encode()) <= self.bytes
        return fits and self.length(text) <= self.characters

    def length(self, text: str) -> int:
        import regex

        if self.link is not None:
            text = LINK.sub("x" * self.link, text)
        return len(regex.findall(r"\X", text))


@cache
def _read() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(LIMITS.read_text("utf-8"))
    return raw


def limits_of(place: str) -> Limits:
    return Limits(**_read()[place])


def labelled(text: str, clip: bool) -> str:
    """The text with what it is: a post that does not itself say so is told to be an AI's."""
    if re.search(r"\bAI\b", text):
        return text
    return f"{text}\n\n{_read()['labels']['clip' if clip else 'text']}"
