"""Address: one place on a stage, as text, so that it can be stored and posted to after a restart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """`discord:<guild>/<channel>`, `terminal:`, `web:<room>`, `mastodon:<account>`."""

    stage: str
    place: str = ""

    @staticmethod
    def parse(text: str) -> Address:
        stage, colon, place = text.partition(":")
        if not colon or not stage.isidentifier():
            raise ValueError(
                f"an address looks like 'discord:<guild>/<channel>' or 'terminal:', not {text!r}"
            )
        return Address(stage, place)

    def __str__(self) -> str:
        return f"{self.stage}:{self.place}"
