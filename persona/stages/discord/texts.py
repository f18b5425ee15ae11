"""Text within Discord's limits."""

from __future__ import annotations

import re

LIMIT = 2000  # characters of one message
ROOM_FOR_NAMES = 100  # of them, that a mention or an artist's name may need before a text
BAR = 12
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")


def split(text: str, limit: int = LIMIT) -> list[str]:
    """Cuts at paragraphs, else at lines, else at sentences, else at words; inside a word only if it must."""
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        end = _cut(rest[: limit + 1], limit)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*pieces, rest] if rest else pieces


def _cut(window: str, limit: int) -> int:
    least = limit // 3  # a cut so early would make a stub of a message
    for cuts in (
        [match.end() for match in re.finditer(r"\n\s*\n", window)],
        [match.end() for match in re.finditer(r"\n", window)],
        [match.end() for match in _SENTENCE.finditer(window)],
        [match.end() for match in re.finditer(r"\s+", window)],
    ):
        fitting = [cut for cut in cuts if least <= cut <= limit]
        if fitting:
            return fitting[-1]
    return limit


def bar(fraction: float, width: int = BAR) -> str:
    full = round(max(0.0, min(1.0, fraction)) * width)
    return "▰" * full + "▱" * (width - full)


def plain(text: str) -> str:
    """A fan's own words inside ours: no formatting, no pings, one line."""
    text = re.sub(r"([\\*_~`|>#\[\]()<@])", r"\\\1", " ".join(text.split()))
    return text.replace("@everyone", "@\u200beveryone").replace("@here", "@\u200bhere")


def spoiler(text: str) -> str:
    """Words behind a spoiler; bars inside would end it early."""
    return f"||{text.replace('|', '¦')}||"


def shorten(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
