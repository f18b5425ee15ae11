"""A chat endpoint on loopback that does as it is told: streams, calls tools, refuses, fails, stalls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Says:
    """A streamed answer, a piece at a time."""

    text: str


@dataclass(frozen=True)
class Calls:
    """A tool call. `arguments` is sent as it is: it may be broken JSON."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Fails:
    """A status, and what goes with it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stalls:
    """Takes the request, says `text`, and then nothing more until the endpoint closes."""

    text: str = ""


@dataclass(frozen=True)
class BreaksOff:
    """Says `text`, and dies before the end."""

    text: str


Answer = Says | Calls | Fails | Stalls | BreaksOff


class ScriptedEndpoint:
    """Answers in order; the last answer is repeated. `asked` holds the requests' bodies as they came."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.closing = threading.Event()
        self.base_url = ""

    def next(self, body: dict[str, Any]) -> Answer:
        self.asked.append(body)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@contextmanager
def scripted(*answers: Answer) -> Iterator[ScriptedEndpoint]:
    """A running endpoint, on a free port of this machine."""
    endpoint = ScriptedEndpoint(answers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(endpoint))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    endpoint.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield endpoint
    finally:
        endpoint.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(endpoint: ScriptedEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = endpoint.next(body)
            if isinstance(answer, Fails):
                self._fail(answer)
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            if isinstance(answer, BreaksOff):
                self.send_header("content-length", "100000")
            self.end_headers()
            self.close_connection = True
            for delta in _deltas(answer):
                self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            if isinstance(answer, Stalls):
                endpoint.closing.wait()
                return
            if isinstance(answer, BreaksOff):
                return
            reason = "tool_calls" if isinstance(answer, Calls) else "stop"
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, part: dict[str, Any]) -> None:
            whole = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"} | part
            self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
            self.wfile.flush()

        def _fail(self, answer: Fails) -> None:
            body = json.dumps({"error": {"message": f"status {answer.status}", "type": "scripted"}}).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if isinstance(answer, Calls):
        function = {"name": answer.name, "arguments": ""}
        yield {
            "role": "assistant",
            "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}],
        }
        half = len(answer.arguments) // 2
        for piece in (answer.arguments[:half], answer.arguments[half:]):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    elif isinstance(answer, Says | Stalls):
        yield {"role": "assistant", "content": ""}
        for place in range(0, len(answer.text), 7):
            yield {"content": answer.text[place : place + 7]}
