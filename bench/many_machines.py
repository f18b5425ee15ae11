"""Many machines, as processes of this one: PostgreSQL, a Chroma server, an S3 store, the bot, and workers that share no
folder with it or with each other.

    python -m bench.many_machines --requests 100          # the proof: a worker is killed in the middle
    python -m bench.many_machines --ratio 24              # songs an hour, with one worker and with two

Fans talk with the real bot over a Discord on loopback (tests/persona/discord/gateway.py). What was posted is held
against what lies in the store, byte by byte. Needs PostgreSQL (Debian: postgresql-15) and requirements/dev.txt;
one thread a worker. `--voice hum` (the default) needs no network; any voice of `troubadour voices list` will do.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import itertools
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona.crashes import postgres
from skills.address import Address
from skills.book import RequestBook
from skills.brief import Brief
from skills.database import Database
from skills.provenance.operator import load_operator
from skills.store import Store
from tests.persona.discord.gateway import LoopbackDiscord

PATIENCE = 900.0  # seconds without any progress
EACH = 2  # songs that a fan asks for
THEMES = [
    f"{what} {where}"
    for what in ("the rain", "an old dog", "my first guitar", "the last train", "a letter", "a harvest moon",
                 "the lighthouse", "a red truck", "the river", "my sister")
    for where in ("in June", "on the hill", "by the sea", "in Memphis", "at midnight", "after the war", "in the snow",
                  "far from home", "down the road", "at the station")
]  # fmt: skip
# Words that a fan gives, at a brisk pace, make a song of a few seconds: the work of a step, without its length.
WORDS = "Rain on the roof tonight\nNobody home but the light"
SHORT = Brief("rain", style="country", seconds=5.0, bpm=200.0, words=WORDS)


@dataclass(frozen=True)
class Proof:
    """`made`: songs by worker, who finished them. `differ`: posted clips that are not the store's."""

    requests: int
    done: int
    posted: int
    lost: list[str]
    twice: list[str]
    differ: list[str]
    made: dict[str, int]
    killed_at: int  # songs that were done when a worker was killed
    remembered: bool  # the bot's memory took up what the workers made
    seconds: float
    cpu_seconds: float
    load: float

    @property
    def clean(self) -> bool:
        return self.done == self.posted == self.requests and not (self.lost or self.twice or self.differ)


class Town:
    """The servers, and the settings by which everybody finds them."""

    def __init__(self, folder: Path, voice: str, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.postgres = stack.enter_context(postgres.server())
        chroma, s3 = _free_port(), _free_port()
        quiet = {"ANONYMIZED_TELEMETRY": "FALSE", "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "65536"}
        program = str(Path(sys.executable).with_name("chroma"))
        self.begin("chroma", [program, "run", "--host", "127.0.0.1", "--port", str(chroma), "--path",
                              str(folder / "chroma")], quiet)  # fmt: skip
        self.begin("s3", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(s3)], quiet)
        self.endpoint, self.chroma = f"http://127.0.0.1:{s3}", f"127.0.0.1:{chroma}"
        certificate, key = load_operator(folder / "keys").files
        self.settings = {
            "TROUBADOUR_VOICE__NAME": voice, "TROUBADOUR_VOICE__THREADS": "1", "OMP_NUM_THREADS": "1",
            "TROUBADOUR_SONGS__SECONDS": "10", "TROUBADOUR_MEMORY__SERVER": self.chroma,
            "TROUBADOUR_SONGS__STORE__ENDPOINT": self.endpoint, "TROUBADOUR_SONGS__STORE__KEY": "key",
            "TROUBADOUR_SONGS__STORE__SECRET": "secret", "TROUBADOUR_PROVENANCE__CERTIFICATE": str(certificate),
            "TROUBADOUR_PROVENANCE__KEY": str(key), "TROUBADOUR_DISCORD__TOKEN": f"a-token-{os.getpid()}",
        }  # fmt: skip
        until(lambda: _answers(s3) and _answers(chroma), "the servers to answer")

    def begin(self, name: str, command: list[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A process that ends with us. What it says is in a file beside its folder."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        self.stack.callback(_end, process)
        return process

    def queue(self, name: str) -> Queue:
        return Queue(self, name)


class Queue:
    """One database, one place in the store, and whoever works at it."""

    def __init__(self, town: Town, name: str) -> None:
        self.town, self.name = town, name
        url = postgres.new_database(town.postgres)
        self.store = Store(f"s3://songs/{name}", town.endpoint, "key", "secret")
        if not self.store._bucket.exists("songs"):
            self.store._bucket.mkdir("songs")
        self.settings = town.settings | {
            "TROUBADOUR_SONGS__DATABASE_URL": url, "TROUBADOUR_SONGS__STORE__URL": self.store.url,
        }  # fmt: skip
        self.book = RequestBook(Database(url))
        town.stack.callback(self.book.close)
        self.names: dict[str, str] = {}  # by executor

    def start(self, name: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """`troubadour WORDS` on a machine of its own: its own data folder."""
        data = {"TROUBADOUR_DATA_DIR": str(self.town.folder / self.name / name / "data")}
        command = [sys.executable, "-m", "persona.cli", *words]
        return self.town.begin(f"{self.name}-{name}", command, {**self.settings, **data, **more})

    def work(self, *names: str) -> list[subprocess.Popen[bytes]]:
        """Workers that are ready."""
        workers = [self.start(name, "worker") for name in names]
        for name, process in zip(names, workers, strict=True):

            def known(process: subprocess.Popen[bytes] = process, name: str = name) -> bool:
                assert process.poll() is None, f"{name} ended; its log: {self.town.folder}"
                rows = self.book.database.read(
                    "select executor from workers where pid = :pid", pid=process.pid
                )
                self.names |= {executor: name for [executor] in rows}
                return bool(rows)

            until(known, f"{name} to begin")
        return workers

    def done(self) -> list[tuple[str, str, float]]:
        """(song, worker, seconds since 1970) of what is made and posted, in that order."""
        rows = self.book.database.read(
            "select workflow_uuid, executor_id, updated_at from dbos.workflow_status "
            "where name = 'make_song' and status = 'SUCCESS' order by updated_at"
        )
        return [(song, self.names.get(executor, executor), at / 1000) for song, executor, at in rows]


# ---- the proof


def prove(folder: Path, voice: str, requests: int, say: Callable[[str], None]) -> Proof:
    """Fans ask, two workers sing, one of them is killed and begun again, and everything is counted."""
    began, load = time.monotonic(), os.getloadavg()[0]
    with ExitStack() as stack:
        discord = stack.enter_context(LoopbackDiscord())
        queue = Town(folder, voice, stack).queue("proof")
        queue.start("bot", "run", "--without-worker", TROUBADOUR_DISCORD__API=discord.api,
                    TROUBADOUR_DISCORD__SONGS_PER_DAY=str(EACH))  # fmt: skip
        until(lambda: discord._sessions, "the bot to come on stage")
        say("the bot is on stage")
        ask(discord, requests)
        until(lambda: len(queue.book.open_requests()) == requests, "all orders to be taken")
        say(f"{requests} ordered; two workers begin")
        first, _ = queue.work("one", "two")
        until(
            lambda: len(queue.done()) >= max(1, requests // 3) and _at_work(queue, "one"),
            "a third",
            say,
            queue,
        )
        first.send_signal(signal.SIGKILL)
        killed_at = len(queue.done())
        say(f"worker one was killed when {killed_at} were done, and begins again")
        queue.work("one again")
        until(lambda: len(queue.done()) == requests, "all to be made", say, queue)
        until(lambda: len(clips(discord)) >= requests, "all to be posted")
        proof = judge(queue, discord, requests, killed_at)
        discord.message(900, 5_000_900, "hello, how are you?")
        until(lambda: not queue.book.database.read("select 1 from keepsakes"), "the memory to take it up")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    took = time.monotonic() - began
    return dataclasses.replace(
        proof, remembered=True, seconds=round(took, 1), cpu_seconds=round(cpu, 1), load=load
    )


def ask(discord: LoopbackDiscord, requests: int) -> None:
    """Each fan asks in private, for the next song when the last one was answered."""
    themes = itertools.islice(itertools.cycle(THEMES), requests)
    for number, theme in enumerate(themes):
        fan = 1000 + number // EACH
        channel = 5_000_000 + fan
        heard = len(discord.messages.get(channel, []))
        discord.message(
            fan, channel, f"Sing me a country song about {theme}, 200 bpm, with these words:\n{WORDS}"
        )
        until(lambda channel=channel, heard=heard: len(discord.messages.get(channel, [])) > heard, theme)  # type: ignore[misc]


def clips(discord: LoopbackDiscord) -> list[tuple[str, bytes]]:
    """(song, MP3) of every message of the artist with a song; its buttons name it."""
    found = []
    for call in list(discord.calls):
        songs = set(re.findall(r"song:\w+:([a-z0-9-]+)", json.dumps(call.body)))
        mp3 = [data for name, data in call.files.items() if name.endswith(".mp3") or data[:3] == b"ID3"]
        if call.method == "POST" and call.status == 200 and songs and mp3:
            found.append((songs.pop(), mp3[0]))
    return found


def judge(queue: Queue, discord: LoopbackDiscord, requests: int, killed_at: int) -> Proof:
    done, posted = queue.done(), clips(discord)
    counted = Counter(song for song, _ in posted)
    differ = []
    for song, data in posted:
        stored = queue.store._bucket.cat_file(f"songs/{queue.name}/{song}/clip.mp3")
        if hashlib.sha256(stored).digest() != hashlib.sha256(data).digest():
            differ.append(song)
    return Proof(
        requests=requests,
        done=len(done),
        posted=len(posted),
        lost=[song for song, _, _ in done if song not in counted],
        twice=[song for song, count in counted.items() if count > 1],
        differ=differ,
        made=dict(sorted(Counter(worker for _, worker, _ in done).items())),
        killed_at=killed_at,
        remembered=False,
        seconds=0.0,
        cpu_seconds=0.0,
        load=0.0,
    )


def _at_work(queue: Queue, name: str) -> bool:
    return any(
        queue.names.get(executor) == name
        for [executor] in queue.book.database.read(
            "select executor_id from dbos.workflow_status where status = 'PENDING'"
        )
    )


# ---- the ratio


def ratio(folder: Path, voice: str, songs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Songs an hour with one worker and with two, counted from when each has made its first."""
    found: dict[str, Any] = {"songs": songs, "voice": voice, "load": os.getloadavg()[0]}
    with ExitStack() as stack:
        town = Town(folder, voice, stack)
        for count in (1, 2):
            queue, names = town.queue(f"ratio-{count}"), ["one", "two"][:count]
            workers = queue.work(*names)
            for number in range(songs):
                one = dataclasses.replace(SHORT, theme=f"rain {number}")
                queue.book.order(f"terminal:fan-{number}", Address("terminal"), one, f"song {number}")
            until(lambda queue=queue: len(queue.done()) == songs, "the songs", say, queue)  # type: ignore[misc]
            for process in workers:
                _end(process)
            done = queue.done()
            warm = max(next(i for i, (_, who, _) in enumerate(done) if who == name) for name in names)
            rate = (songs - 1 - warm) / (done[-1][2] - done[warm][2]) * 3600
            found[f"songs_an_hour_{count}"] = round(rate)
            found[f"made_{count}"] = dict(Counter(who for _, who, _ in done))
    found["ratio"] = round(found["songs_an_hour_2"] / found["songs_an_hour_1"], 2)
    return found


# ---- what they share


def until(
    condition: Callable[[], Any],
    what: str,
    say: Callable[[str], None] | None = None,
    queue: Queue | None = None,
) -> None:
    """Waits, as long as something goes on."""
    deadline, before = time.monotonic() + PATIENCE, -1
    while not condition():
        count = len(queue.done()) if queue is not None else before
        if count != before:
            deadline, before = time.monotonic() + PATIENCE, count
            if say is not None:
                say(f"{count} done")
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s in vain for {what}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        yield Path(folder)


def main() -> None:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--requests", type=int, default=0, help="of the proof")
    reader.add_argument("--ratio", type=int, default=0, help="songs of each half of the comparison")
    reader.add_argument("--voice", default="hum")
    reader.add_argument("--folder", type=Path, help="kept afterwards, with every log")
    chosen = reader.parse_args()

    def say(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # with all that was begun
    with _folder(chosen.folder) as folder:
        if chosen.requests:
            proof = prove(folder, chosen.voice, chosen.requests, say)
            print(json.dumps({**dataclasses.asdict(proof), "clean": proof.clean}), flush=True)
        if chosen.ratio:
            print(json.dumps(ratio(folder, chosen.voice, chosen.ratio, say)), flush=True)


if __name__ == "__main__":
    main()
