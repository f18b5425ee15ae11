"""A small HTTP server on loopback that fails when told to: before it does a thing, or after (a lost answer)."""

from __future__ import annotations

import email
import email.policy
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found

    @property
    def form(self) -> dict[str, Any]:
        """Fields of a form; files as (name, type, bytes)."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/"):
            return {key: values[-1] for key, values in parse_qs(self.body.decode()).items()}
        message = email.message_from_bytes(
            f"Content-Type: {kind}\r\n\r\n".encode() + self.body, policy=email.policy.HTTP
        )
        found: dict[str, Any] = {}
        for part in message.iter_parts():  # type: ignore[attr-defined]
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            found[name] = (
                (part.get_filename(), part.get_content_type(), data) if part.get_filename() else data.decode()
            )
        return found


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens to the next request whose 'METHOD /path' matches. `after`: it is done, and its answer lost."""

    where: str
    answer: Answer | None = None
    after: bool = False


class Loopback:
    """`reply(asked)` is the network that is followed; `asked` keeps what came."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []

    def reply(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def count(self, where: str) -> int:
        return sum(bool(re.search(where, f"{asked.method} {asked.path}")) for asked in self.asked)

    def handle(self, asked: Asked) -> Answer | None:
        """None: the connection breaks without an answer."""
        self.asked.append(asked)
        for fault in self.faults:
            if re.search(fault.where, f"{asked.method} {asked.path}"):
                self.faults.remove(fault)
                if fault.after:
                    self.reply(asked)
                return fault.answer
        return self.reply(asked)

    @contextmanager
    def up(self) -> Iterator[None]:
        network = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                headers = {key.lower(): value for key, value in self.headers.items()}
                answer = network.handle(Asked(self.command, parts.path, query, headers, body))
                self.close_connection = True
                if answer is None:
                    return
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for key, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = _any

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
