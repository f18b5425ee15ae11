"""The verify page: a small web server on loopback where a file can be dropped. Nothing that is dropped is kept."""

from __future__ import annotations

import json
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from urllib.parse import unquote

from skills.library import Library
from skills.provenance.verify import LARGEST, VerifyError, verify

HOST = "127.0.0.1"
AT_ONCE = 2  # files that are looked at at the same time
PATIENCE = 30.0  # seconds without a byte after which a visitor is dropped
PIECE = 1 << 16  # bytes


class Page:
    """`with Page(...) as page: page.serve()`. Other web pages cannot use it: it answers only its own address."""

    def __init__(self, library: Library, anchors: str, port: int = 0) -> None:
        self._server = ThreadingHTTPServer((HOST, port), _handler(library, anchors))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._server.server_port}/"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        self._server.shutdown()

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()


def _handler(library: Library, anchors: str) -> type[BaseHTTPRequestHandler]:
    places = BoundedSemaphore(AT_ONCE)
    html = resources.files("skills.provenance").joinpath("page.html").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE
        server_version, sys_version = "Troubadour", ""

        def do_GET(self) -> None:
            if not self._ours():
                self._answer(403, {"error": "this page answers on its own address only"})
            elif self.path == "/":
                self._send(200, "text/html; charset=utf-8", html)
            else:
                self._answer(404, {"error": "there is nothing here"})

        def do_POST(self) -> None:
            said = self.headers.get("Content-Length", "")
            length = int(said) if said.isdecimal() and len(said) < 16 else 0
            if not self._ours():
                self._answer(403, {"error": "this page answers on its own address only"})
            elif self.path != "/verify":
                self._answer(404, {"error": "there is nothing here"})
            elif not length:
                self._answer(411, {"error": "the file's size is missing"})
            elif length > LARGEST:
                self._answer(413, {"error": f"the file has more than {LARGEST // 1_000_000} MB"})
            elif not places.acquire(blocking=False):
                self._answer(503, {"error": "two files are being looked at already: try again in a moment"})
            else:
                try:
                    self._verify(length)
                finally:
                    places.release()

        def _verify(self, length: int) -> None:
            name = Path(unquote(self.headers.get("X-Name", ""))).name[:200] or "file"
            with tempfile.TemporaryDirectory(prefix="troubadour-verify-") as folder:
                path = Path(folder) / f"file{Path(name).suffix[:8]}"
                with path.open("wb") as file:
                    while length and (piece := self.rfile.read(min(PIECE, length))):
                        file.write(piece)
                        length -= len(piece)
                if length:
                    return
                try:
                    self._answer(200, {**verify(path, anchors, library).as_json(), "file": name})
                except VerifyError as error:
                    self._answer(422, {"error": str(error).replace(path.name, name)})

        def _ours(self) -> bool:
            """Asked by its own name and, if by a page, by ours: a foreign page cannot reach it through a browser."""
            own = f"{HOST}:{self.connection.getsockname()[1]}"
            return (
                self.headers.get("Host") == own
                and self.headers.get("Origin", f"http://{own}") == f"http://{own}"
            )

        def _answer(self, status: int, told: dict[str, object]) -> None:
            self._send(status, "application/json", json.dumps(told, ensure_ascii=False).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)
            if status != 200:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """File names are nobody's business."""

    return Handler
