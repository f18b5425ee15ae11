"""An ACE-Step server on loopback: the published interface, and the ways in which it fails."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import soundfile

TASK = "550e8400-e29b-41d4-a716-446655440000"
FILE = "/tmp/api_audio/a song & more.flac"
RATE = 44_100


def sines() -> bytes:
    """Two seconds of stereo FLAC: 220 Hz left, 330 Hz right."""
    times = np.arange(2 * RATE) / RATE
    out = io.BytesIO()
    sound = np.stack([np.sin(2 * np.pi * hertz * times) for hertz in (220, 330)], 1) * 0.5
    soundfile.write(out, sound, RATE, format="FLAC")
    return out.getvalue()


@dataclass
class Server:
    """What it answers: `failures` are (path, status) given once each in turn; `ends` is the task's last status."""

    key: str = ""
    questions: int = 2  # until the task is done
    ends: int = 1
    audio: bytes = field(default_factory=sines)
    failures: list[tuple[str, int]] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)  # by path, in place of the right ones
    redirect: str = ""
    address: str = ""
    orders: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        parts = urlsplit(path)
        self.seen.append(f"{method} {parts.path}")
        for failure in self.failures:
            if failure[0] == parts.path:
                self.failures.remove(failure)
                return failure[1], json.dumps({"detail": f"made to fail with {failure[1]}"}).encode()
        if self.redirect:
            return 307, b""
        if parts.path in self.answers:
            return 200, self.answers[parts.path]
        match method, parts.path:
            case "GET", "/health":
                return wrapped({"status": "ok", "service": "ACE-Step API", "version": "1.0"})
            case "GET", "/v1/models":
                models = [{"name": "acestep-v15-base", "is_default": False}]
                models.append({"name": "acestep-v15-turbo", "is_default": True})
                return wrapped({"models": models, "default_model": "acestep-v15-turbo"})
            case "POST", "/release_task":
                self.orders.append(body)
                return wrapped({"task_id": TASK, "status": "queued", "queue_position": 1})
            case "POST", "/query_result":
                assert body["task_id_list"] == [TASK]
                return wrapped([self._state()])
            case "GET", "/v1/audio":
                if parse_qs(parts.query)["path"] == [FILE]:
                    return 200, self.audio
        return 404, json.dumps({"detail": "Not Found"}).encode()

    def _state(self) -> dict[str, Any]:
        self.questions -= 1
        if self.questions >= 0:
            at_work = [{"file": "", "status": 0, "progress": 0.5, "stage": "diffusing"}]
            return {"task_id": TASK, "status": 0, "result": json.dumps(at_work)}
        if self.ends == 2:
            return {
                "task_id": TASK,
                "status": 2,
                "result": json.dumps([{"status": 2, "error": "CUDA out of memory"}]),
            }
        made = {
            "file": f"/v1/audio?path={quote(FILE, safe='')}", "wave": "", "status": 1, "seed_value": "7",
            "dit_model": "acestep-v15-turbo", "metas": {"bpm": 90, "duration": 2},
        }  # fmt: skip
        return {"task_id": TASK, "status": 1, "result": json.dumps([made])}


def wrapped(data: Any, code: int = 200, error: str | None = None) -> tuple[int, bytes]:
    return 200, json.dumps(
        {"data": data, "code": code, "error": error, "timestamp": 0, "extra": None}
    ).encode()


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            given = self.headers.get("Authorization", "")
            server.headers.append(given)
            if server.key and given != f"Bearer {server.key}":
                status, data = 401, json.dumps({"detail": "Invalid API key"}).encode()
            else:
                status, data = server.answer(self.command, self.path, body)
            self.send_response(status)
            if status == 307:
                self.send_header("Location", server.redirect + self.path)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
