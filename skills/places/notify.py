"""Telegram and every other service that apprise knows. None of them drops a repeat: what may have been said is not
said again."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from skills.places.errors import Lost, NotYet, Perhaps
from skills.places.limits import Limits, limits_of
from skills.places.social import Item
from skills.post import PostError

STAGE = "apprise"
_ONE_AT_A_TIME = threading.Lock()
BUSY = 60.0  # seconds
# What apprise logs of an attempt is all that it tells of a failure.
STATUS = re.compile(r"error=(\d{3})")
NEVER_SENT = re.compile(
    r"Failed to establish a new connection|NameResolutionError|ConnectTimeout|Name or service"
)


class AppriseOutlet:
    """One apprise URL, such as tgram://<bot token>/<chat>. The URL is a secret."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    @cached_property
    def limits(self) -> Limits:
        service = self._service
        known = limits_of("telegram" if self._telegram else STAGE)
        return replace(known, characters=min(known.characters, int(service.body_maxlen)))

    def send(self, item: Item) -> str:
        import apprise

        clip = (
            item.media.need("mp3", self.limits.file)
            if item.media and self._service.attachment_support
            else None
        )
        sender = apprise.Apprise()
        sender.add(self._service)
        with _overheard() as heard:
            made = sender.notify(
                body=item.text, body_format=apprise.NotifyFormat.TEXT, attach=str(clip) if clip else None
            )
        if made:
            return ""
        said = "\n".join(heard)
        # A service that sends the words before the clip may have said the words: only one request is surely one.
        if clip is None or self._telegram:
            if NEVER_SENT.search(said):
                raise NotYet(f"{self.name} cannot be reached", BUSY)
            status = int((STATUS.findall(said) or ["0"])[-1])
            if status == 429:
                raise NotYet(f"{self.name} is busy", BUSY)
            if 400 <= status < 500:
                raise PostError(f"{self.name} declined ({status}): are its token and its chat right?")
        raise Lost(f"{self.name} did not confirm the post")

    def find(self, item: Item) -> str | None:
        raise Perhaps(
            f"{self.name} did not confirm this post and cannot be asked: it may be there, and is not said again"
        )

    def look(self) -> str:
        return f"{self._service.service_name} (not asked: apprise can only send)"

    @cached_property
    def _service(self) -> Any:
        import apprise

        service = apprise.Apprise.instantiate(self.url, suppress_exceptions=True)
        if service is None:
            raise PostError(
                f"apprise cannot read the address of {self.name!r}: docs/places.md shows how they are written"
            )
        return service

    @property
    def _telegram(self) -> bool:
        return str(self._service.secure_protocol) == "tgram"


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """What apprise logs meanwhile, down to its details, and nobody else hears it: its details hold the token."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    heard: list[str] = []
    ear, logger = Ear(), logging.getLogger("apprise")
    with _ONE_AT_A_TIME:
        level, logger.propagate = logger.level, False
        logger.addHandler(ear)
        logger.setLevel(logging.DEBUG)
        try:
            yield heard
        finally:
            logger.setLevel(level)
            logger.removeHandler(ear)
            logger.propagate = True
