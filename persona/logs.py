"""Logs for the operator: on standard error, as text or as JSON lines; never a secret, never a fan's words."""

from __future__ import annotations

import hashlib
import logging
import re
import sys

import structlog


def log_fault(event: str, error: BaseException, **where: str) -> None:
    """One line where a person can act on the error; its stack only where it is a fault of ours."""
    from persona.errors import sentence_for

    sentence = sentence_for(error)
    log = structlog.get_logger()
    if sentence is None:
        log.error(event, exc_info=error, **where)
    else:
        log.error(event, cause=sentence, **where)


NAMES = ("fan", "song", "request", "conversation", "address")  # what a line says these by is a hash


def masked(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """No name in a log: a fan's account, and a song's id, which is made of words that the fan said, become hashes.

    The same name has the same hash, so that lines belong together; a song keeps the digits that end its id.
    """
    for key in NAMES:
        if (name := str(event.get(key, ""))) not in ("", "None"):
            ending = re.search(r"-([0-9a-f]{10})$", name)
            event[key] = f"~{ending[1] if ending else hashlib.sha256(name.encode()).hexdigest()[:10]}"
    return event


QUIET = ("apprise", "httpx", "httpcore", "openai", "chromadb", "dbos", "urllib3")


def set_up_logs(level: str, json_lines: bool) -> None:
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The richer ones print local variables: a fan's words, a key.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            masked,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # the one of the moment of each line
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.ERROR))
