"""Patience: which errors pass by themselves, how long to wait for that, and how often a step is tried.

What waiting cannot mend is set aside at once, with its reason. What nobody foresaw is tried a few times: a request
on which the program breaks each time is poison, and must not hold up the others.
"""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass

from skills.brief import BriefError
from skills.library import LibraryError
from skills.post import PostError
from skills.studio.errors import StudioError
from skills.style import StyleError
from skills.tune.errors import TuneError
from voice.score import ScoreError
from voice.voices import VoiceError
from voice.weights import WeightsError


@dataclass(frozen=True)
class Patience:
    """`tries` of a step in all; the pause before the next is `pause` seconds, doubled each time up to `longest`."""

    kind: str
    tries: int
    pause: float
    longest: float

    def wait(self, tried: int, asked: float | None = None) -> float | None:
        """Seconds to wait after `tried` tries, or what the other side asked for; None: no more tries."""
        if tried >= self.tries:
            return None
        # Longer doublings than sixty lie beyond every `longest`, and beyond a float.
        return max(asked or 0.0, min(self.longest, self.pause * 2.0 ** min(tried - 1, 60)))


HOPELESS = Patience("cannot be made", 1, 0.0, 0.0)
UNFORESEEN = Patience("a fault of ours", 3, 1.0, 4.0)
ROOM = Patience("no room on the disk", 40, 5.0, 300.0)  # three hours, for somebody to make room
BUSY = Patience("the database is busy", 12, 0.5, 30.0)
AWAY = Patience("another service does not answer", 30, 2.0, 300.0)  # two hours
DIED = Patience("the worker died", 5, 0.0, 0.0)  # tries of one step that ended with the process

_FULL = (errno.ENOSPC, errno.EDQUOT)
_BROKEN = (BriefError, StudioError, StyleError, TuneError, ScoreError, VoiceError, WeightsError)


def patience_for(error: BaseException) -> Patience:
    """How much patience an error deserves, by its kind."""
    if isinstance(error, OSError) and (error.errno in _FULL or isinstance(error, LibraryError)):
        return ROOM
    if isinstance(error, sqlite3.OperationalError) or "OperationalError" in type(error).__name__:
        return BUSY
    if isinstance(error, PostError):
        return AWAY if hasattr(error, "wait") else HOPELESS
    if isinstance(error, _BROKEN):
        return HOPELESS
    if isinstance(error, ConnectionError | TimeoutError) or _of_a_client(error):
        return AWAY
    return UNFORESEEN


def _of_a_client(error: BaseException) -> bool:
    """Errors of HTTP clients that pass: no connection, too slow, too many requests, a fault on the other side."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {
        "APIConnectionError",
        "APITimeoutError",
        "RateLimitError",
        "InternalServerError",
        "TransportError",
    }:
        return True
    status = getattr(error, "status_code", None)
    return isinstance(status, int) and (status == 429 or status >= 500)


def asked_wait(error: BaseException) -> float | None:
    """Seconds that the other side asked us to wait, where it did."""
    wait = getattr(error, "wait", None)
    return float(wait) if isinstance(wait, int | float) else None
