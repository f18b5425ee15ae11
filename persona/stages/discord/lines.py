"""The artist's own words for what happens on Discord: receipts, refusals, progress. Written in the cast's files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import yaml

from persona.card import CAST, CardError

PLAIN = "_plain.discord.yaml"  # for a card that has none of its own


class Lines:
    """`say(name, **slots)` gives one of the rows written under a name; `seed` chooses which, always the same one."""

    def __init__(self, rows: Mapping[str, tuple[str, ...]]) -> None:
        self._rows = rows

    @staticmethod
    def load(persona: str, cast: Path = CAST) -> Lines:
        """The lines of a persona, by the name or path of its card, beside which they lie; the rest is said plainly."""
        card = Path(persona)
        own = (card.parent if card.suffix else cast) / f"{card.stem}.discord.yaml"
        rows = _read(cast / PLAIN)
        if own.is_file():
            mine = _read(own)
            if strange := sorted(mine.keys() - rows.keys()):
                raise CardError(f"{own} words what nobody says: {', '.join(strange)}")
            rows |= mine
        return Lines(rows)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._rows)

    def say(self, name: str, seed: str = "", /, **slots: object) -> str:
        rows = self._rows[name]
        place = int.from_bytes(hashlib.sha256(f"{name} {seed}".encode()).digest()[:4], "big") % len(rows)
        return rows[place].format_map(slots)


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {
            name: tuple(row.strip() for row in block.splitlines() if row.strip())
            for name, block in raw.items()
        }
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise CardError(f"the lines {path} cannot be read: {error}") from None
