"""Mastodon: the clip as audio with its cover, by Mastodon.py. A repeat within an hour is dropped by its key."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from skills.places.errors import Lost, NotYet
from skills.places.limits import Limits, limits_of
from skills.places.media import Media, mime
from skills.places.social import Item
from skills.post import PostError

if TYPE_CHECKING:
    from mastodon import Mastodon

STAGE = "mastodon"
BUSY = 60.0  # seconds to wait where the server does not say
CLOCKS = 300.0  # seconds by which the server's clock may differ from ours
LOOKED_BACK = 40  # posts of our own that are looked through for one that was perhaps made


class MastodonOutlet:
    """One account. `patience`: seconds that a server may take to process a file."""

    def __init__(
        self,
        server: str,
        token: str,
        timeout: float = 60.0,
        patience: float = 300.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server, self.token, self.timeout = server.rstrip("/"), token, timeout
        self.patience, self.pause = patience, pause

    @cached_property
    def limits(self) -> Limits:
        """What this server takes: its own figures where it tells them."""
        ours = limits_of(STAGE)
        with _told(self._client):
            told = dict(self._client.instance()).get("configuration") or {}
        statuses, files = told.get("statuses") or {}, told.get("media_attachments") or {}
        return replace(
            ours,
            characters=int(statuses.get("max_characters") or ours.characters),
            link=int(statuses.get("characters_reserved_per_url") or ours.link or 0),
            file=int(files.get("video_size_limit") or ours.file),
            cover=int(files.get("image_size_limit") or ours.cover),
            alt=int(files.get("description_limit") or ours.alt),
        )

    def send(self, item: Item) -> str:
        self._be_a_bot()
        files = [self._upload(item, item.media)] if item.media else None
        try:
            with _told(self._client, lost=True):
                made = self._client.status_post(
                    item.text, media_ids=files, idempotency_key=item.nonce, language="en"
                )
        except _Unprocessable:
            # A file that was uploaded for an earlier attempt may have been dropped since.
            if item.notes.pop("file", None) is None:
                raise
            item.keep()
            raise NotYet(f"{self.server} does not have the file any more", 1.0) from None
        return str(made.url or "")

    def find(self, item: Item) -> str | None:
        with _told(self._client):
            mine = self._client.account_statuses(self._me.id, limit=LOOKED_BACK, exclude_reblogs=True)
        for status in mine:
            late = status.created_at.timestamp() >= item.begun - CLOCKS
            if late and _letters(_plain(status.content)) == _letters(item.text):
                return str(status.url or "")
        return None

    def look(self) -> str:
        me = self._me
        return f"@{me.acct} on {self.server}, {'' if me.bot else 'not yet '}marked as automated"

    # ---- with the server

    @cached_property
    def _client(self) -> Mastodon:
        from mastodon import Mastodon

        return Mastodon(
            access_token=self.token,
            api_base_url=self.server,
            ratelimit_method="throw",
            request_timeout=self.timeout,
            user_agent="troubadour",
        )

    @cached_property
    def _me(self) -> Any:
        with _told(self._client):
            return self._client.me()

    def _be_a_bot(self) -> None:
        """The profile says that the account is automated, before anything is posted."""
        if not self._me.bot:
            with _told(self._client):
                self._me = self._client.account_update_credentials(bot=True)

    def _upload(self, item: Item, media: Media) -> str:
        """The id of the uploaded clip, processed. An earlier attempt's is used again."""
        if "file" not in item.notes:
            clip = media.need("mp3", self.limits.file)
            cover = media.find("cover", self.limits.cover)
            with _told(self._client):
                made = self._client.media_post(
                    clip.read_bytes(),  # of paths Mastodon.py leaves open files behind
                    mime_type=mime(clip),
                    description=media.alt(self.limits.alt),
                    thumbnail=cover.read_bytes() if cover else None,
                    thumbnail_mime_type=mime(cover) if cover else None,
                )
            item.notes["file"] = str(made.id)
            item.keep()
            if made.url:
                return str(made.id)
        file, waited, wait = str(item.notes["file"]), 0.0, 0.5
        try:
            while True:
                with _told(self._client):
                    if self._client.media(file).url:
                        return file
                if waited >= self.patience:
                    raise NotYet(f"{self.server} is still processing the clip", BUSY)
                self.pause(wait)
                waited, wait = waited + wait, min(wait * 2, 10.0)
        except _Unprocessable:
            item.notes.pop("file")
            item.keep()
            raise


class _Unprocessable(PostError):
    """The server understood and declined (404, 422)."""


@contextmanager
def _told(client: Mastodon, lost: bool = False) -> Iterator[None]:
    """Mastodon.py's errors as ours. `lost`: the request makes a post, and may have made it though it failed."""
    from mastodon import errors

    try:
        yield
    except errors.MastodonRatelimitError:
        wait = (client.ratelimit_reset or 0) - time.time()
        raise NotYet(f"{client.api_base_url} is busy", wait if wait > 0 else BUSY) from None
    except (errors.MastodonNetworkError, errors.MastodonServerError) as error:
        said = f"{client.api_base_url} cannot be reached or failed ({_cause(error)})"
        raise (Lost(said) if lost else NotYet(said, BUSY)) from None
    except errors.MastodonUnauthorizedError:
        raise PostError(
            f"{client.api_base_url} refuses the token: make a new one (docs/places.md) and set it"
        ) from None
    except errors.MastodonAPIError as error:
        status = error.args[1] if len(error.args) > 1 else None
        kind = _Unprocessable if status in (404, 422) else PostError
        raise kind(f"{client.api_base_url} declined ({_cause(error)})") from None


def _cause(error: Exception) -> str:
    """Status and sentence; never a request with its headers."""
    return " ".join(str(part) for part in error.args[1:] if part) or type(error).__name__


def _plain(content: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", content))


def _letters(text: str) -> str:
    """Without spaces: the server makes paragraphs of them."""
    return re.sub(r"\s+", "", text)
