"""Two hundred fans, a thousand messages, songs rendered meanwhile: what the Discord stage does, measured.

    python -m bench.discord_crowd [--fans 200] [--rounds 5] [--pause 4] [--shards 1] [--json]

The real client speaks with a Discord on loopback (tests/persona/discord/gateway.py), which keeps its own time; the
artist answers at once; another process makes real songs, one after the other, at the worker's priority. From a
checkout, with requirements/dev.txt installed. Meant for an idle machine: busy with other things, it measures those.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.persona.discord.gateway import BOT, LoopbackDiscord
from tests.persona.discord.test_gateway import on_stage, said, until

ME = f"<@{BOT}>"
Place = tuple[int, int, int | None]  # fan, channel, guild or None


@dataclass(frozen=True)
class Figures:
    """`right`: every message that deserved an answer got exactly one, and no other got any. Times: milliseconds."""

    fans: int
    messages: int
    shards: int
    right: bool
    p50: float
    p95: float
    commands: int
    acknowledged: float  # the slowest command's acknowledgement
    late: float  # the latest heartbeat
    grown: float  # megabytes, from the second round to the end
    songs: int  # made meanwhile
    left: int  # turns, tasks and locks that are still held at the end
    load: float  # the machine's load average when it began


def crowd(server: LoopbackDiscord, fans: int) -> list[Place]:
    """Half of the fans in private, half in ten servers."""
    places: list[Place] = [(fan, 5_000_000 + fan, None) for fan in range(1000, 1000 + fans // 2)]
    for _ in range(10):
        guild, channels = server.add_guild(5)
        first = 1000 + len(places)
        places += [(fan, channels[fan % 5], guild) for fan in range(first, first + fans // 20)]
    return places


async def speak(
    server: LoopbackDiscord, places: list[Place], rounds: int, pause: float
) -> dict[tuple[int, str], float]:
    """In the server's own time: what each fan says, and when. Some events come twice, some deserve no answer."""
    heard = {}
    random.Random(5).shuffle(places)
    for number in range(rounds):
        began = time.monotonic()
        for place, (fan, channel, guild) in enumerate(places):
            call = ME if guild else ""
            event = server.message(fan, channel, f"{call} {fan} says {number}", guild, send=False)
            heard[channel, f"{fan} says {number}"] = time.monotonic()
            await server._dispatch("MESSAGE_CREATE", event)
            if place % 20 == 0:
                await server._dispatch("MESSAGE_CREATE", event)
                if guild:
                    await _beside(server, fan, channel, guild)
            await asyncio.sleep(max(0.0, began + (place + 1) * pause / len(places) - time.monotonic()))
    return heard


async def _beside(server: LoopbackDiscord, fan: int, channel: int, guild: int) -> None:
    """A command, a message to somebody else, and another bot's."""
    await server._dispatch("INTERACTION_CREATE", server.slash(fan, channel, guild, "queue"))
    for other in (
        server.message(fan + 5000, channel, "not for you", guild, send=False),
        server.message(fan + 9000, channel, f"{ME} beep", guild, bot=True, send=False),
    ):
        await server._dispatch("MESSAGE_CREATE", other)


async def measure(
    data: Path, fans: int = 200, rounds: int = 5, pause: float = 4.0, shards: int = 1, songs: bool = True
) -> Figures:
    load, process = os.getloadavg()[0], psutil.Process()
    with LoopbackDiscord(heartbeat=2.0, shards=shards) as server:
        places = crowd(server, fans)
        async with on_stage(data / "stage", server, gather=0.3) as parts:
            with rendering(data / "songs" if songs else None) as made:
                speaking = asyncio.run_coroutine_threadsafe(
                    speak(server, places, rounds, pause), server._loop
                )
                warm = time.monotonic() + pause * min(2, rounds - 1)
                await until(lambda: time.monotonic() > warm, 600)
                memory = process.memory_info().rss
                heard = await asyncio.wrap_future(speaking)
                talk = parts.elsewhere.artist.stages[-1].main.talk
                await until(lambda: not talk._tasks and len(answered(server, places)) >= len(heard), 60)
                grown = (process.memory_info().rss - memory) / 1e6
                count = made()
        waits = sorted(_first_call_after(server, at, channel) for (channel, _), at in heard.items())
        called = [(c.at, c.path.split("/")[2]) for c in server.calls if c.path.endswith("/callback")]
        return Figures(
            fans=fans,
            messages=len(heard),
            shards=shards,
            right=sorted(answered(server, places)) == sorted(heard),
            p50=1000 * waits[len(waits) // 2],
            p95=1000 * waits[int(0.95 * len(waits))],
            commands=len(called),
            acknowledged=1000 * max(at - (int(n) >> 22) / 1000 - server.epoch for at, n in called),
            late=1000 * max(0.0, _latest_beat(server)),
            grown=grown,
            songs=count,
            left=len(talk._tasks) + len(talk._turns) + len(talk._locks),
            load=load,
        )


@contextmanager
def rendering(folder: Path | None) -> Iterator[Any]:
    """A process beside us that makes songs until the block ends; yields a function that counts them."""
    if folder is None:
        yield lambda: 0
        return
    command = f'while :; do nice -n 10 {sys.executable} -m persona.cli song "the last train home" --out {folder}; done'
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield lambda: len(list(folder.glob("*/clip.mp3")))
    finally:
        os.killpg(shell.pid, 9)
        shell.wait()


def answered(server: LoopbackDiscord, places: list[Place]) -> list[tuple[int, str]]:
    """(channel, message) for all that was answered. What was said in one breath has one answer, and is in it whole."""
    return [
        (channel, line)
        for channel in {channel for _, channel, _ in places}
        for text in said(server, channel)
        for line in text.removeprefix("You said: ").split("\n")
    ]


def _first_call_after(server: LoopbackDiscord, at: float, channel: int) -> float:
    path = f"/channels/{channel}/"
    return next(call.at for call in server.calls if call.at >= at and call.path.startswith(path)) - at


def _latest_beat(server: LoopbackDiscord) -> float:
    """Seconds; each shard beats for itself."""
    beats = [beats for beats in server.beats.values() if len(beats) > 1]
    return max(b - a for each in beats for a, b in itertools.pairwise(each)) - server.heartbeat


def main() -> None:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--fans", type=int, default=200)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--pause", type=float, default=4.0, help="seconds between two messages of one fan")
    reader.add_argument("--shards", type=int, default=1)
    reader.add_argument("--json", action="store_true")
    chosen = reader.parse_args()
    import structlog

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), chosen.fans, chosen.rounds, chosen.pause, chosen.shards))
    told = dataclasses.asdict(found)
    print(
        json.dumps(told) if chosen.json else "\n".join(f"{name:>13}: {value}" for name, value in told.items())
    )


if __name__ == "__main__":
    main()
