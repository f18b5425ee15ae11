"""The outbox: what is to be said on Discord waits here, durably, until the bot's process has said it.

What workers want said comes through the inbox (skills/post.py), from any machine. A parcel is done when Discord's
message id stands beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from persona.stages.discord.store import Store
from skills.address import Address
from skills.post import Inbox

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0  # seconds before a parcel is tried again
GIVEN_UP = "undeliverable"
STAGE = "discord"


@dataclass(frozen=True)
class Parcel:
    """`kind`: 'clip', 'apology', 'voice' or 'words'. `tried`: how often sending it was begun."""

    nonce: str
    address: Address
    text: str
    clip: Path | None
    tried: int

    @property
    def kind(self) -> str:
        return self.nonce.rpartition(":")[2]

    @property
    def song(self) -> str:
        """A song may be posted more than once, each time with a nonce of its own; its clip names it."""
        return self.clip.parent.name if self.clip else self.nonce.rpartition(":")[0]


class Outbox:
    """The bot's own queue; it fills itself from `inbox`."""

    def __init__(self, store: Store, inbox: Inbox, now: Callable[[], float] = time.time) -> None:
        self._store, self.inbox, self._now = store, inbox, now

    def collect(self) -> None:
        """Takes what workers left. A kill in between takes it again, under the same nonce."""
        for post in self.inbox.waiting(STAGE):
            self.add(post.nonce, post.address, post.text, post.clip)
            self.inbox.take_one(post.nonce)

    def add(self, nonce: str, address: Address, text: str = "", clip: Path | None = None) -> None:
        self._store.write(
            "insert or ignore into outbox (nonce, address, text, clip, due) values (?, ?, ?, ?, ?)",
            nonce, str(address), text, str(clip or ""), self._now(),
        )  # fmt: skip

    def due(self) -> list[Parcel]:
        """Everything to be said by now, oldest first."""
        self.collect()
        rows = self._store.read(
            "select nonce, address, text, clip, tried from outbox where message = '' and due <= ? order by rowid",
            self._now(),
        )
        return [
            Parcel(nonce, Address.parse(address), text, Path(clip) if clip else None, tried)
            for nonce, address, text, clip, tried in rows
        ]

    def begin(self, parcel: Parcel) -> None:
        """From here on the parcel may have been said, though nobody wrote it down."""
        self._store.write("update outbox set tried = tried + 1 where nonce = ?", parcel.nonce)

    def done(self, parcel: Parcel, message: str) -> None:
        self._store.write("update outbox set message = ? where nonce = ?", message, parcel.nonce)

    def later(self, parcel: Parcel) -> float:
        """Puts it off, longer each time; returns the seconds."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**parcel.tried)
        self._store.write("update outbox set due = ? where nonce = ?", self._now() + pause, parcel.nonce)
        return pause
