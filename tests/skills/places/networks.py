"""Mastodon, Bluesky and Telegram on loopback, as their public documentation describes them."""

from __future__ import annotations

import base64
import html
import json
import time
from datetime import UTC, datetime
from typing import Any

from tests.secrets import SIGN
from tests.skills.places.loopback import Answer, Asked, Loopback

TOKEN = f"a-token-{SIGN}"


class Mastodon(Loopback):
    """docs.joinmastodon.org: a file is processed after its upload (202, 206), an Idempotency-Key is kept."""

    def __init__(self, looks: int = 2) -> None:
        super().__init__()
        self.bot = False
        self.looks = looks  # at a file, until it is processed
        self.files: dict[str, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.keys: dict[str, dict[str, Any]] = {}

    def reply(self, asked: Asked) -> Answer:
        match asked.method, asked.path.rstrip("/").split("/")[1:]:
            case "GET", ["api", "v1" | "v2", "instance"]:
                return Answer(200, self._instance())
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"error": "The access token is invalid"})
        match asked.method, asked.path.rstrip("/").split("/")[1:]:
            case "GET", ["api", "v1", "accounts", "verify_credentials"]:
                return Answer(200, self._account())
            case "PATCH", ["api", "v1", "accounts", "update_credentials"]:
                self.bot = asked.form["bot"] in ("true", "True", "1")
                return Answer(200, self._account())
            case "POST", ["api", "v2", "media"]:
                return self._upload(asked)
            case "GET", ["api", "v1", "media", id]:
                return self._file(id)
            case "POST", ["api", "v1", "statuses"]:
                return self._post(asked)
            case "GET", ["api", "v1", "accounts", "1", "statuses"]:
                return Answer(200, self.statuses[::-1][: int(asked.query.get("limit", 20))])
        return Answer(404, {"error": "Record not found"})

    def _instance(self) -> dict[str, Any]:
        return {
            "version": "4.4.1",
            "api_versions": {"mastodon": 6},
            "configuration": {
                "statuses": {"max_characters": 200, "characters_reserved_per_url": 23},
                "media_attachments": {"description_limit": 1500, "video_size_limit": 10_000_000},
            },
        }

    def _account(self) -> dict[str, Any]:
        return {"id": "1", "username": "rust", "acct": "rust", "bot": self.bot}

    def _upload(self, asked: Asked) -> Answer:
        form, id = asked.form, str(len(self.files) + 1)
        self.files[id] = {**form, "looks": self.looks}
        return Answer(202 if self.looks else 200, self._described(id))

    def _file(self, id: str) -> Answer:
        if id not in self.files:
            return Answer(404, {"error": "Record not found"})
        self.files[id]["looks"] = max(0, self.files[id]["looks"] - 1)
        return Answer(206 if self.files[id]["looks"] else 200, self._described(id))

    def _described(self, id: str) -> dict[str, Any]:
        ready = not self.files[id]["looks"]
        return {"id": id, "type": "audio", "url": f"{self.url}/file/{id}.mp3" if ready else None}

    def _post(self, asked: Asked) -> Answer:
        key, form = asked.headers.get("idempotency-key", ""), asked.form
        if key in self.keys:
            return Answer(200, self.keys[key])
        files = [form[name] for name in form if name.startswith("media_ids")]
        if any(id not in self.files or self.files[id]["looks"] for id in files):
            return Answer(422, {"error": "Validation failed: media is not there, or not processed"})
        number = str(len(self.statuses) + 1)
        paragraphs = html.escape(form["status"]).split("\n\n")
        status = {
            "id": number,
            "url": f"{self.url}/@rust/{number}",
            "created_at": datetime.now(UTC).isoformat(),
            "content": "".join(f"<p>{each}</p>" for each in paragraphs).replace("\n", "<br />"),
            "media": files,
            "text": form["status"],
        }
        self.statuses.append(status)
        self.keys[key] = status
        return Answer(200, status)


class Bluesky(Loopback):
    """A personal data server and the video service in one, after the lexicons of com.atproto and app.bsky.video."""

    DID = "did:plc:abcdefghijklmnopqrstuvwx"
    PASSWORD = f"abcd-{SIGN}"

    def __init__(self, looks: int = 2) -> None:
        super().__init__()
        self.looks = looks  # at a job, until it is done
        self.jobs: dict[str, dict[str, Any]] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.logins = 0

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [record for key, record in self.records.items() if key.startswith("app.bsky.feed.post/")]

    @property
    def profile(self) -> dict[str, Any]:
        return self.records.get("app.bsky.actor.profile/self", {})

    def reply(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/xrpc/")
        if name == "com.atproto.server.createSession":
            return self._log_in(asked)
        if name == "com.atproto.server.describeServer":
            return Answer(200, {"did": "did:web:127.0.0.1", "availableUserDomains": [".test"]})
        if name == "app.bsky.video.getJobStatus":
            return self._job(asked.query["jobId"])
        if name == "app.bsky.video.uploadVideo":
            return self._upload(asked)
        if asked.headers.get("authorization") != f"Bearer {self._jwt('access')}":
            return Answer(400, {"error": "ExpiredToken", "message": "Token has expired"})
        match name:
            case "com.atproto.server.getSession":
                return Answer(200, {"did": self.DID, "handle": "rust.test"})
            case "com.atproto.server.getServiceAuth":
                return Answer(200, {"token": f"for {asked.query['aud']} {asked.query['lxm']}"})
            case "com.atproto.repo.getRecord":
                return self._get(f"{asked.query['collection']}/{asked.query['rkey']}")
            case "com.atproto.repo.putRecord":
                key = f"{asked.json['collection']}/{asked.json['rkey']}"
                self.records[key] = asked.json["record"]
                return Answer(200, self._at(key))
        return Answer(501, {"error": "MethodNotImplemented", "message": name})

    def _jwt(self, kind: str) -> str:
        def part(value: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        # The number of logins stands in the token: an older one has expired.
        claims = {"scope": kind, "sub": self.DID, "iat": 1, "exp": 4_000_000_000, "jti": str(self.logins)}
        return f"{part({'alg': 'ES256K', 'typ': 'at+jwt'})}.{part(claims)}.c2lnbmF0dXJl"

    def _log_in(self, asked: Asked) -> Answer:
        if asked.json.get("password") != self.PASSWORD:
            return Answer(
                401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}
            )
        self.logins += 1
        session = {"did": self.DID, "handle": "rust.test", "active": True}
        return Answer(200, {**session, "accessJwt": self._jwt("access"), "refreshJwt": self._jwt("refresh")})

    def _at(self, key: str) -> dict[str, Any]:
        return {
            "uri": f"at://{self.DID}/{key}",
            "cid": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
        }

    def _get(self, key: str) -> Answer:
        if key not in self.records:
            return Answer(400, {"error": "RecordNotFound", "message": f"Could not locate record: {key}"})
        return Answer(200, {**self._at(key), "value": self.records[key]})

    def _upload(self, asked: Asked) -> Answer:
        if asked.headers["authorization"] != "Bearer for did:web:127.0.0.1 com.atproto.repo.uploadBlob":
            return Answer(401, {"error": "Unauthorized", "message": "wrong audience or method"})
        for id, job in self.jobs.items():
            if job["film"] == asked.body:
                again = {
                    "jobId": id,
                    "did": self.DID,
                    "state": "JOB_STATE_COMPLETED",
                    "error": "already_exists",
                }
                return Answer(409, again)
        id = f"job{len(self.jobs) + 1}"
        self.jobs[id] = {"film": asked.body, "looks": self.looks}
        return Answer(200, {"jobId": id, "did": self.DID, "state": "JOB_STATE_CREATED"})

    def _job(self, id: str) -> Answer:
        job = self.jobs[id]
        job["looks"] = max(0, job["looks"] - 1)
        status: dict[str, Any] = {"jobId": id, "did": self.DID, "state": "JOB_STATE_ENCODING", "progress": 40}
        if not job["looks"]:
            blob = {
                "$type": "blob",
                "ref": {"$link": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
                "mimeType": "video/mp4",
                "size": len(job["film"]),
            }
            status |= {"state": "JOB_STATE_COMPLETED", "blob": blob}
        return Answer(200, {"jobStatus": status})


class Telegram(Loopback):
    """core.telegram.org/bots/api: sendMessage and sendAudio. It drops no repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def reply(self, asked: Asked) -> Answer:
        if "/bot123456:" not in asked.path:
            return Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        form = asked.form if "multipart" in asked.headers.get("content-type", "") else asked.json
        self.said.append({"method": asked.path.rsplit("/", 1)[1], **form})
        return Answer(200, {"ok": True, "result": {"message_id": len(self.said)}})


def busy(seconds: int) -> Answer:
    """429 with the headers of all of them."""
    reset = int(time.time()) + seconds
    return Answer(
        429,
        {
            "error": "Too many requests",
            "message": "slow down",
            "ok": False,
            "parameters": {"retry_after": seconds},
        },
        {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": datetime.fromtimestamp(reset, UTC).isoformat(),
            "ratelimit-reset": str(reset),
            "Retry-After": str(seconds),
        },
    )
