"""Trouble: the one place where a chat model's failure becomes a sentence in character and a line for the operator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import structlog

log = structlog.get_logger()


@dataclass(frozen=True)
class Cause:
    """`topic` of the repertoire's trouble lines; `advice` for the operator; `wait` seconds that a server asked for."""

    topic: str
    advice: str
    wait: float | None = None

    @property
    def slots(self) -> dict[str, str]:
        return {"wait": _spoken(self.wait)}


def cause_of(error: BaseException) -> Cause:
    """What went wrong between us and a model, by the errors that an OpenAI-compatible server and httpx give."""
    import openai

    causes: list[tuple[tuple[type[BaseException], ...], Cause]] = [
        (
            (openai.AuthenticationError, openai.PermissionDeniedError),
            Cause("auth", "the endpoint refuses the key: set TROUBADOUR_CHAT__API_KEY"),
        ),
        (
            (openai.NotFoundError,),
            Cause(
                "auth", "the endpoint does not know the address or the model: set chat.base_url and chat.name"
            ),
        ),
        (
            (openai.RateLimitError,),
            Cause("busy", "the endpoint's rate limit is reached", _retry_after(error)),
        ),
        (
            (openai.APITimeoutError, TimeoutError),
            Cause("slow", "the endpoint did not answer in time: raise chat.timeout or take a faster model"),
        ),
        ((openai.InternalServerError,), Cause("down", "the endpoint failed; its own log says why")),
        (
            (openai.APIConnectionError, ConnectionError),
            Cause("down", "the endpoint cannot be reached: is it running, and is chat.base_url right?"),
        ),
        (
            (openai.BadRequestError,),
            Cause(
                "broken",
                "the endpoint refuses the request: is its context too short, can its model call tools?",
            ),
        ),
    ]
    unforeseen = Cause("broken", "the chat model failed in a way that nobody foresaw")
    return next((cause for kinds, cause in causes if isinstance(error, kinds)), unforeseen)


def log_model_failure(error: BaseException, cause: Cause, **where: Any) -> None:
    """One line with what to do; the stack only for what we did not foresee."""
    import openai

    foreseen = isinstance(error, openai.OpenAIError | TimeoutError | ConnectionError)
    log.error(
        "chat model failed",
        cause=type(error).__name__,
        status=getattr(error, "status_code", None),
        retry_after=cause.wait,
        advice=cause.advice,
        exc_info=None if foreseen else error,
        **where,
    )


def _retry_after(error: Any) -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except (AttributeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _spoken(seconds: float | None) -> str:
    if seconds is None:
        return "a little while"
    if seconds < 90:
        return "a minute" if seconds > 20 else "half a minute"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 3600 else "an hour or more"
