"""Bluesky: the clip as a video, by atproto. Every post has a record key of our own: a repeat is the same record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from skills.places.errors import Lost, NotYet
from skills.places.limits import Limits, limits_of
from skills.places.media import Media
from skills.places.social import Item
from skills.post import PostError

if TYPE_CHECKING:
    from atproto import Client

STAGE = "bluesky"
POSTS = "app.bsky.feed.post"
BUSY = 60.0  # seconds to wait where the server does not say
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"  # of a TID, in their order
KEYS_FROM, KEYS_TO = (
    1_700_000_000_000_000,
    1_780_000_000_000_000,
)  # microseconds since 1970 that our keys lie in
SERVICE, VIDEO = "https://bsky.social", "https://video.bsky.app"


class BlueskyOutlet:
    """One account, with an app password. `patience`: seconds that the video service may take."""

    def __init__(
        self,
        handle: str,
        password: str,
        service: str = SERVICE,
        video: str = VIDEO,
        timeout: float = 60.0,
        patience: float = 600.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.handle, self.password, self.service = handle, password, service
        self.video, self.timeout = video.rstrip("/"), timeout
        self.patience, self.pause = patience, pause
        self._labelled = False

    @property
    def limits(self) -> Limits:
        return limits_of(STAGE)

    def send(self, item: Item) -> str:
        from atproto import models
        from atproto_client.utils.facet_detection import detect_facets

        self._be_a_bot()
        embed = self._film(item, item.media) if item.media else None
        record = models.AppBskyFeedPost.Record(
            text=item.text,
            facets=detect_facets(item.text) or None,
            langs=["en"],
            created_at=datetime.fromtimestamp(item.begun, UTC).isoformat(timespec="milliseconds"),
            embed=embed,
        )
        key = record_key(item.nonce)
        # Put, not created: the same record under the same key again changes nothing.
        self._ask(
            lambda client: client.com.atproto.repo.put_record(
                {"repo": self._did, "collection": POSTS, "rkey": key, "record": record}
            ),
            lost=True,
        )
        return self._link(key)

    def find(self, item: Item) -> str | None:
        key = record_key(item.nonce)
        return None if self._record(POSTS, key) is None else self._link(key)

    def look(self) -> str:
        profile = self._record("app.bsky.actor.profile", "self")
        return (
            f"@{self.handle} on {self.service}, {'' if _is_bot(profile) else 'not yet '}marked as automated"
        )

    # ---- the account

    def _be_a_bot(self) -> None:
        """The profile carries the self label 'bot' before anything is posted; all else in it stays."""
        if self._labelled:
            return
        profile = self._record("app.bsky.actor.profile", "self")
        if not _is_bot(profile):
            record = dict(
                profile.value.model_dump(by_alias=True, mode="json", exclude_none=True) if profile else {}
            )
            labels = dict(record.get("labels") or {})
            record |= {
                "$type": "app.bsky.actor.profile",
                "labels": {
                    "$type": "com.atproto.label.defs#selfLabels",
                    "values": [*(labels.get("values") or []), {"val": "bot"}],
                },
            }
            self._ask(
                lambda client: client.com.atproto.repo.put_record(
                    {
                        "repo": self._did,
                        "collection": "app.bsky.actor.profile",
                        "rkey": "self",
                        "record": record,
                        "swap_record": profile.cid if profile else None,
                    }
                )
            )
        self._labelled = True

    @cached_property
    def _client(self) -> Client:
        from atproto import Client, Request

        return Client(self.service, request=Request(timeout=self.timeout))

    @cached_property
    def _did(self) -> str:
        return str(self._ask(lambda client: client.com.atproto.server.get_session()).did)

    def _log_in(self) -> None:
        with _told(self.service, "the app password", lost=False):
            self._client.login(self.handle, self.password, fetch_bsky_profile=False)
        self._logged_in = True

    _logged_in = False

    def _ask(self, question: Callable[[Client], Any], lost: bool = False) -> Any:
        """Asks the account's server; a token that has expired is renewed once."""
        if not self._logged_in:
            self._log_in()
        try:
            with _told(self.service, "the app password", lost):
                return question(self._client)
        except _Expired:
            self._log_in()
            with _told(self.service, "the app password", lost):
                return question(self._client)

    def _record(self, collection: str, key: str) -> Any:
        """The record, or None where there is none."""
        try:
            return self._ask(
                lambda client: client.com.atproto.repo.get_record(
                    {"repo": self._did, "collection": collection, "rkey": key}
                )
            )
        except _Absent:
            return None

    def _link(self, key: str) -> str:
        return f"https://bsky.app/profile/{self.handle}/post/{key}"

    # ---- the video

    def _film(self, item: Item, media: Media) -> Any:
        from atproto import models

        film = media.need("mp4", self.limits.file)
        if "blob" not in item.notes:
            if "job" not in item.notes:
                item.notes["job"] = self._upload(film.read_bytes(), f"{media.song.id}.mp4")
                item.keep()
            try:
                item.notes["blob"] = self._processed(str(item.notes["job"]))
            except PostError as error:
                if not isinstance(error, NotYet):  # another attempt begins with another upload
                    item.notes.pop("job")
                    item.keep()
                raise
            item.keep()
        return models.AppBskyEmbedVideo.Main(
            video=models.blob_ref.BlobRef.model_validate(item.notes["blob"]),
            alt=media.alt(self.limits.alt),
            aspect_ratio=models.AppBskyEmbedDefs.AspectRatio(width=1, height=1),
        )

    def _upload(self, film: bytes, name: str) -> str:
        """Hands the film to the video service; returns the job's id. The same film again is the same job."""
        import httpx

        server = self._ask(lambda client: client.com.atproto.server.describe_server()).did
        token = self._ask(
            lambda client: client.com.atproto.server.get_service_auth(
                {
                    "aud": server,
                    "lxm": "com.atproto.repo.uploadBlob",  # what the service does with it, at our server
                    "exp": int(time.time()) + 1800,
                }
            )
        ).token
        try:
            answer = httpx.post(
                f"{self.video}/xrpc/app.bsky.video.uploadVideo",
                params={"did": self._did, "name": name},
                headers={"Authorization": f"Bearer {token}", "Content-Type": "video/mp4"},
                content=film,
                timeout=self.timeout,
            )
        except httpx.HTTPError as error:
            raise NotYet(f"{self.video} cannot be reached ({type(error).__name__})", BUSY) from None
        told = _json(answer)
        job = told.get("jobStatus") or told
        # 409: it has this very film already, and names the job that processed it.
        if job.get("jobId") and (answer.is_success or answer.status_code == httpx.codes.CONFLICT):
            return str(job["jobId"])
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise NotYet(f"{self.video} is busy ({answer.status_code})", _wait(dict(answer.headers)))
        raise PostError(
            f"{self.video} declined the video ({answer.status_code} "
            f"{job.get('message') or job.get('error') or ''}); is the account's e-mail address confirmed?"
        )

    def _processed(self, job: str) -> dict[str, Any]:
        """The blob of a film, as JSON, once the service has made it."""
        from atproto import Client, Request

        service = Client(self.video, request=Request(timeout=self.timeout))
        waited, wait = 0.0, 0.5
        while True:
            with _told(self.video, "the job", lost=False):
                status = service.app.bsky.video.get_job_status({"job_id": job}).job_status
            if status.blob is not None:
                return dict(status.blob.model_dump(by_alias=True, mode="json"))
            if status.state == "JOB_STATE_FAILED":
                raise PostError(f"{self.video} could not process the clip ({status.message or status.error})")
            if waited >= self.patience:
                raise NotYet(f"{self.video} is still processing the clip", BUSY)
            self.pause(wait)
            waited, wait = waited + wait, min(wait * 2, 10.0)


def record_key(nonce: str) -> str:
    """A TID (atproto.com/specs/tid: 53 bits of microseconds, 10 of a clock) that is the same for a post for ever.

    Its time means nothing: the order of posts comes from what their records say.
    """
    seed = hashlib.sha256(nonce.encode()).digest()
    moment = KEYS_FROM + int.from_bytes(seed[:8], "big") % (KEYS_TO - KEYS_FROM)
    number = moment << 10 | int.from_bytes(seed[8:10], "big") % 1024
    return "".join(LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


class _Expired(PostError):
    """The session's token."""


class _Absent(PostError):
    """No such record."""


@contextmanager
def _told(server: str, secret: str, lost: bool) -> Iterator[None]:
    """atproto's errors as ours. `lost`: the request makes a post, and may have made it though it failed."""
    import httpx
    from atproto import exceptions as errors

    try:
        yield
    except httpx.HTTPError as error:  # a broken connection is not one of atproto's own
        said = f"{server} cannot be reached ({type(error).__name__})"
        raise (Lost(said) if lost else NotYet(said, BUSY)) from None
    except errors.RateLimitExceededError as error:
        raise NotYet(f"{server} is busy", _wait(_headers(error))) from None
    except errors.RequestErrorBase as error:
        name, status = _name(error), error.response.status_code if error.response else None
        if name == "ExpiredToken":
            raise _Expired(f"{server}: the session is over") from None
        if name == "RecordNotFound":
            raise _Absent(f"{server}: no such record") from None
        if status is None or status >= 500:
            said = f"{server} cannot be reached or failed ({status or type(error).__name__})"
            raise (Lost(said) if lost else NotYet(said, _wait(_headers(error)))) from None
        if isinstance(error, errors.UnauthorizedError):
            raise PostError(f"{server} refuses {secret} ({name}): make a new one (docs/places.md)") from None
        raise PostError(f"{server} declined ({status} {name})") from None


def _name(error: Any) -> str:
    return str(getattr(getattr(error.response, "content", None), "error", "") or "")


def _headers(error: Any) -> dict[str, str]:
    return dict(error.response.headers) if error.response else {}


def _wait(headers: dict[str, str]) -> float:
    """Seconds that a server asks for: 'retry-after', or 'ratelimit-reset' (seconds since 1970)."""
    low = {key.lower(): value for key, value in headers.items()}
    try:
        if "retry-after" in low:
            return max(1.0, float(low["retry-after"]))
        return max(1.0, float(low["ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return BUSY


def _json(answer: Any) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_bot(profile: Any) -> bool:
    labels = getattr(getattr(profile, "value", None), "labels", None)
    return any(label.val == "bot" for label in getattr(labels, "values", None) or ())
