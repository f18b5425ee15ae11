"""Other misfortunes than a kill: the disk is full, the database locked or away, the endpoint or the place dead, a
worker of two killed, the clock jumps, the program is updated or rolled back with requests in flight.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from persona.crashes import postgres
from persona.crashes.matrix import SHORT, Matrix, until
from persona.crashes.victim import Plan, Setup
from skills.brief import Brief

LOCKED = 35.0  # seconds; SQLite waits 30
DISK = 450  # MB of the small disk
AWAY = 10.0  # seconds for which a database is dead
CLOSED = 8.0  # seconds for which a place is dead
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
VERSION_1 = Path(__file__).with_name("version_1")
NOTHING = Plan({}, {})


@dataclass(frozen=True)
class Scene:
    """`passed` None: it could not be played here, and `note` says why."""

    name: str
    passed: bool | None
    note: str
    seconds: float = 0.0


class Impossible(RuntimeError):
    """A scene that this machine cannot play; the message says why."""


def play(folder: Path, only: Sequence[str] = ()) -> Iterator[Scene]:
    for name, scene in SCENES.items():
        if only and name not in only:
            continue
        began = time.monotonic()
        try:
            note = scene(folder / name.replace(" ", "-"))
            yield Scene(name, True, note, round(time.monotonic() - began, 1))
        except (Impossible, postgres.PostgresMissing) as why:
            yield Scene(name, None, str(why))
        except Exception as error:  # whatever went wrong is what the scene found
            note = f"{type(error).__name__}: {error}"
            yield Scene(name, False, note, round(time.monotonic() - began, 1))


def disk_full(folder: Path) -> str:
    with _small_disk(folder) as disk:
        matrix = Matrix(Setup(disk))
        requests = matrix.order(1, SHORT)
        with _living(matrix) as process:
            until(lambda: _begun(matrix, "band"), process)
            full = _fill(disk)
            try:
                until(lambda: _tried(matrix, requests[0]) or full.age() > 30, process)
                waited = full.age()
            finally:
                full.end()
            _finish(matrix, process)
        note = _judged(matrix, requests)
        return f"library and database on a disk of {DISK} MB, full for {waited:.0f} s in the middle of a song; {note}"


def database_locked(folder: Path) -> str:
    matrix = Matrix(Setup(folder))
    requests = matrix.order(1, SHORT)
    with _living(matrix) as process:
        until(lambda: _begun(matrix, "score"), process)
        with closing(sqlite3.connect(folder / "requests.sqlite", timeout=60, isolation_level=None)) as other:
            other.execute("begin exclusive")
            time.sleep(LOCKED)
            other.execute("rollback")
        _finish(matrix, process)
    return f"held by another process for {LOCKED:.0f} s; {_judged(matrix, requests)}"


def database_away(folder: Path) -> str:
    with postgres.cluster() as cluster:
        matrix = Matrix(Setup(folder, database=postgres.new_database(cluster.address)))
        requests = matrix.order(2, SHORT)
        with _living(matrix) as process:
            until(lambda: _begun(matrix, "band"), process)
            cluster.die()
            time.sleep(AWAY)
            cluster.start()
            _finish(matrix, process)
        note = _judged(matrix, requests)
    return f"PostgreSQL dead for {AWAY:.0f} s in the middle of a song, and recovered; {note}"


def endpoint_dead(folder: Path) -> str:
    note = _written(folder, "http://127.0.0.1:9/v1")
    return f"nothing listens; the words came from the written material; {note}"


def endpoint_dies(folder: Path) -> str:
    """It sends the first lines of the song and breaks off; whoever asks again finds nobody."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _BreaksOff) as server:
        _BreaksOff.asked = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        note = _written(folder, f"http://127.0.0.1:{server.server_address[1]}/v1")
        server.shutdown()
    if not _BreaksOff.asked:
        raise AssertionError("the endpoint was never asked")
    return (
        f"broke off in its first line, asked {_BreaksOff.asked} times; the written material went on; {note}"
    )


def place_dead(folder: Path) -> str:
    folder.mkdir(parents=True)
    closed = folder / "closed"
    closed.touch()
    matrix = Matrix(Setup(folder, closed=closed))
    requests = matrix.order(1, SHORT)
    with _living(matrix) as process:
        until(lambda: _begun(matrix, "post"), process)
        time.sleep(CLOSED)
        closed.unlink()
        _finish(matrix, process)
    return f"it took nothing for {CLOSED:.0f} s; {_judged(matrix, requests)}"


def one_of_two_killed(folder: Path) -> str:
    with postgres.server() as address:
        matrix = Matrix(Setup(folder, database=postgres.new_database(address)))
        requests = matrix.order(6, SHORT)
        # Whoever gets to the mix of any of them first is killed there, once each for three of them.
        plan = Plan(dict.fromkeys(requests[1:4], ("mix:before",)), {})
        with _living(matrix, plan) as first, _living(matrix) as second:
            until(lambda: not first.is_alive() or not matrix.open(), second)
            killed = time.monotonic()
            if first.is_alive():
                raise RuntimeError("the first worker was not killed: the second made all songs")
            _finish(matrix, second)
            took = time.monotonic() - killed
        note = _judged(matrix, requests)
        return f"PostgreSQL 15, two workers, one killed: the other made the rest in {took:.0f} s; {note}"


def clock_jumps(folder: Path) -> str:
    """The plain `troubadour worker`, under a clock that we set; then another that replays its work, in the past."""
    if not Path(FAKETIME).exists():
        raise Impossible("libfaketime is not installed: apt-get install faketime")
    matrix, clock = Matrix(Setup(folder)), folder / "clock"
    requests = matrix.order(2, SHORT)
    clock.write_text("+0")
    with _under(clock, folder) as worker:
        until(lambda: _has_begun(matrix, requests[0]), worker)
        clock.write_text("+2d")
        until(lambda: _has_begun(matrix, requests[1]), worker)
        clock.write_text("-1d")
        until(lambda: matrix.book.status(requests[1]).progress.get("score") == 1.0, worker)
        worker.kill()
    with _under(clock, folder) as worker:
        until(lambda: not matrix.open(), worker)
    return (
        "two days forward in one song, three back in the next, which is killed and replayed by a worker that "
        f"never knew the other time (libfaketime); {_judged(matrix, requests)}"
    )


def updated(folder: Path) -> str:
    """What version 1 of the workflow left: one request killed as it was sung, one queued; no tables but DBOS' own."""
    left_by_version_1(folder)
    matrix = Matrix(Setup(folder))
    requests = [status.request.id for status in matrix.book.open_requests()]
    with _living(matrix) as process:
        _finish(matrix, process)
    return f"{len(requests)} requests of version 1 of the workflow, one of them begun; {_judged(matrix, requests)}"


def rolled_back(folder: Path) -> str:
    """Killed under a later version of the workflow with one request begun and one queued; then the present one."""
    later = Matrix(Setup(folder, version="later"))
    requests = later.order(2, SHORT)
    with _living(later, Plan({requests[0]: ("mix:before",)}, {})) as process:
        process.join(300)
    present = Matrix(replace(later.setup, version=""))
    with _living(present) as process:
        _finish(present, process)
    return f"one begun under a later version, one queued; {_judged(present, requests)}"


SCENES: dict[str, Callable[[Path], str]] = {
    "disk full": disk_full,
    "database locked": database_locked,
    "database away": database_away,
    "endpoint dead": endpoint_dead,
    "endpoint dies in the words": endpoint_dies,
    "place dead": place_dead,
    "one of two workers killed": one_of_two_killed,
    "clock jumps": clock_jumps,
    "updated in flight": updated,
    "rolled back in flight": rolled_back,
}


# ---- what they share


def left_by_version_1(folder: Path) -> None:
    """Data of 2026-11-22, before turns, tries and deadlines: its database as SQL, the begun song's folder."""
    shutil.copytree(VERSION_1 / "songs", folder / "songs")
    with closing(sqlite3.connect(folder / "requests.sqlite")) as book:
        book.executescript((VERSION_1 / "requests.sql").read_text("utf-8"))


def _written(folder: Path, endpoint: str) -> str:
    """A song whose words an endpoint is asked for."""
    matrix = Matrix(Setup(folder, endpoint=endpoint))
    requests = matrix.order(1, Brief("the mill that closed", style="country", seconds=10.0, bpm=160.0))
    with _living(matrix) as process:
        _finish(matrix, process)
    return _judged(matrix, requests)


class _BreaksOff(BaseHTTPRequestHandler):
    """An endpoint that dies in the middle of its first answer."""

    asked = 0

    def do_POST(self) -> None:
        _BreaksOff.asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        if _BreaksOff.asked == 1:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", "100000")
            self.end_headers()
            piece = {"index": 0, "delta": {"role": "assistant", "content": "1. The mill went qu"}}
            whole = {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "any",
                "choices": [piece],
            }
            self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def _under(clock: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for whom it is as late as the file says."""
    environment = {
        **os.environ, "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TROUBADOUR_DATA_DIR": str(folder), "TROUBADOUR_VOICE__NAME": "hum",
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-m", "persona.cli", "worker"], env=environment)
    try:
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(30)
        finally:
            worker.kill()


def _has_begun(matrix: Matrix, request: str) -> bool:
    return matrix.book.status(request).state != "queued"


@contextmanager
def _living(matrix: Matrix, plan: Plan = NOTHING) -> Iterator[Any]:
    process = matrix.live(plan)
    try:
        yield process
    finally:
        process.terminate()
        process.join(20)
        if process.is_alive():
            process.kill()
            process.join()


def _begun(matrix: Matrix, step: str) -> bool:
    return any(each["what"] == "begin" and each["step"] == step for each in matrix.record.read())


def _finish(matrix: Matrix, process: Any) -> None:
    until(lambda: not matrix.open(), process)


def _tried(matrix: Matrix, request: str) -> bool:
    """Whether a step of it has failed and is to be tried again."""
    try:
        return any(each.reason for each in matrix.book.tries.of(request))
    except Exception:  # the disk is full for us as well
        return False


def _judged(matrix: Matrix, requests: Sequence[str]) -> str:
    result = matrix.judge(requests)
    if result.lost or result.twice or result.corrupt:
        raise AssertionError(f"lost {result.lost}, twice {result.twice}, corrupt {result.corrupt}")
    return f"{result.done} of {result.songs} made, each posted once, no file torn"


class _Filler:
    """Keeps a disk full: what others free is taken again."""

    def __init__(self, disk: Path) -> None:
        self.path, self.began = disk / "filler", time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._fill, daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            while not self._ended.is_set():
                try:
                    file.write(b"\0" * 65536)
                except OSError:
                    self._ended.wait(0.02)

    def age(self) -> float:
        return time.monotonic() - self.began

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self.path.unlink()


_fill = _Filler


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    if os.getuid() != 0:
        raise Impossible("only root can mount a small disk")
    with tempfile.TemporaryDirectory() as mount:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", mount], check=False, capture_output=True
        )
        if done.returncode:
            raise Impossible(f"a small disk could not be mounted: {done.stderr.decode().strip()}")
        try:
            yield Path(mount) / folder.name
        finally:
            subprocess.run(["umount", "--lazy", mount], check=True)


def as_json(scene: Scene) -> dict[str, Any]:
    return asdict(scene)
