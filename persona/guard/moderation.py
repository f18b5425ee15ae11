"""Moderation: the endpoint's own opinion of a text (OpenAI-compatible POST /moderations), where it has one.

One layer more, never one less: an endpoint that has none, that is late or that fails leaves the other layers to decide.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from persona.guard.rules import Verdict

if TYPE_CHECKING:
    from persona.settings import Settings

log = structlog.get_logger()

# The published categories, the gravest first, and what each is here. Violence by itself is none: songs tell of it.
MEANT: Mapping[str, tuple[str, str]] = {
    "sexual/minors": ("out_of_bounds", "minors"),
    "self-harm/intent": ("crisis", "_"),
    "self-harm/instructions": ("out_of_bounds", "selfharm"),
    "sexual": ("out_of_bounds", "sexual"),
    "hate/threatening": ("out_of_bounds", "hate"),
    "hate": ("out_of_bounds", "hate"),
    "harassment/threatening": ("out_of_bounds", "harass"),
    "harassment": ("out_of_bounds", "harass"),
    "illicit/violent": ("out_of_bounds", "crime"),
    "illicit": ("out_of_bounds", "crime"),
}
NONE_THERE = (
    404,
    405,
    501,
)  # statuses by which a server says that it has no moderation: it is not asked again
PAUSE = 60.0  # seconds without questions after one that failed, so that a dead server slows nobody
LONGEST = 8000  # characters of one text


@dataclass
class Moderation:
    """Safe to use from any thread. `name`: a model, or '' for the server's own choice."""

    base_url: str
    api_key: SecretStr
    name: str = ""
    timeout: float = 2.0  # seconds, for the whole question
    clock: Callable[[], float] = time.monotonic
    _not_before: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def verdict(self, text: str) -> Verdict | None:
        """What the endpoint flags in this text, in our topics; None also where it does not answer."""
        if not text.strip() or self.clock() < self._not_before:
            return None
        import httpx

        body = {"input": text[:LONGEST]} | ({"model": self.name} if self.name else {})
        key = self.api_key.get_secret_value()
        try:
            answer = httpx.post(
                f"{self.base_url.rstrip('/')}/moderations",
                json=body,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=self.timeout,
            )
            if answer.status_code in NONE_THERE:
                self._rest(float("inf"), "the endpoint has none")
                return None
            answer.raise_for_status()
            flagged = answer.json()["results"][0]["categories"]
            return next(
                (
                    Verdict(*meant, why="endpoint")
                    for category, meant in MEANT.items()
                    if flagged.get(category) is True
                ),
                None,
            )
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ) as error:
            self._rest(PAUSE, type(error).__name__)
            return None

    def _rest(self, seconds: float, cause: str) -> None:
        with self._lock:
            self._not_before = self.clock() + seconds
        log.warning("moderation", cause=cause, advice="the guard's own layers decide without it")


def moderation_of(settings: Settings) -> Moderation | None:
    """The server that the settings name; else the chat endpoint, in case it has a moderation; else nobody."""
    chosen = settings.guard.moderation
    if not chosen.use:
        return None
    if chosen.base_url:  # another server: the chat endpoint's key is not for it
        return Moderation(chosen.base_url, chosen.api_key, chosen.name, chosen.timeout)
    if settings.chat.model != "endpoint":
        return None
    return Moderation(settings.chat.base_url, settings.chat.api_key, chosen.name, chosen.timeout)
