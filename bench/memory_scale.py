"""Memory at size: `python -m bench.memory_scale FOLDER [--sizes 10000,100000,1000000] [--shared] [--server HOST:PORT]`.

Fills a memory with made-up fans of 50 memories each, or with one shared drawer of everybody (--shared), and at
every size opens it in a fresh process and measures start, recall, write, memory and disk. One JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

EACH = 50  # memories of one fan
PROBES = 300
SAYINGS = (
    "My {kin} {name} moved to {town} and {verb} every {day}",
    "I {verb} with {name} in {town} since {day}, it keeps me sane",
    "{name} and I bought a {thing} in {town}, my {kin} laughed",
    "The {thing} that my {kin} gave me broke on {day}",
    "I love how {name} talks about the {thing} from {town}",
)
WORDS = {
    "kin": "sister brother mother father aunt uncle cousin wife husband daughter son friend".split(" "),
    "name": "Maya Theo Omar Karin Janne Leila Amira Bia Tomas Marta Djon Sandra Ruth Felix Wren Noah".split(
        " "
    ),
    "town": "Leeds York Oslo Bergen Porto Mindelo Whitby Durham Lisbon Ghent Graz Split Tromso Malmo".split(
        " "
    ),
    "verb": "swim paint sing cook dance study work walk read write climb sail bake garden".split(" "),
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday spring summer autumn winter".split(" "),
    "thing": "guitar bicycle boat kettle lamp radio tractor piano lantern clock camera harmonica".split(" "),
}


def say(dice: random.Random) -> str:
    """A made-up memory with a number in it, so that no two are the same."""
    filled = {slot: dice.choice(words) for slot, words in WORDS.items()}
    return f"{dice.choice(SAYINGS).format(**filled)}, number {dice.randrange(10**6)}."


def fill(folder: Path, start: int, end: int, shared: bool) -> None:
    """Write memories `start` to `end` straight into the log, with random vectors."""
    from memory.fan import Scope
    from memory.log import Entry, Log

    log, dice, numbers = Log(folder / "memory.sqlite3"), random.Random(start), np.random.default_rng(start)
    log.connection().execute("PRAGMA synchronous=OFF")  # for filling only
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    for first in range(start, end, EACH):
        fan = f"discord:{first // EACH}"
        scope = Scope("server", "discord:g1") if shared else Scope("fan", fan)
        whens = [begin + timedelta(hours=7 * n) for n in range(EACH)]
        entries = [Entry(fan, "turn", f"Fan{first // EACH}", say(dice), when) for when in whens]
        vectors = numbers.normal(size=(EACH, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        log.append("rust", str(scope), entries, vectors, "all-MiniLM-L6-v2-int8")
    log.checkpoint()


def measure(folder: Path, size: int, shared: bool, server: str | None) -> dict[str, object]:
    """Figures of one fresh process: seconds, milliseconds, megabytes."""
    began = time.perf_counter()
    import psutil

    from memory.embedder import Embedder
    from memory.fan import Fan, Scope
    from memory.memory import Memory

    memory = Memory(folder, Embedder(), server=server)
    dice = random.Random(size)
    me = Fan("discord:0", "Fan0")
    here = Scope("server", "discord:g1") if shared else Scope("fan", me.id)
    memory.recall(me, here, "rust", "what did I say about the boat?")
    start = time.perf_counter() - began
    if shared:
        memory.search.settle()
    indexed = time.perf_counter() - began - start
    recalls, writes, remembers = [], [], 0
    busy: list[list[float]] = [[], []]  # processor time, which other load on the machine does not stretch
    for _ in range(PROBES):
        number = dice.randrange(size // EACH)
        fan = Fan(f"discord:{number}", f"Fan{number}")
        here = Scope("server", "discord:g1") if shared else Scope("fan", fan.id)
        then, used = time.perf_counter(), time.process_time()
        memory.recall(fan, here, "rust", f"what did I tell you about {dice.choice(WORDS['name'])}?")
        recalls.append(1000 * (time.perf_counter() - then))
        busy[0].append(1000 * (time.process_time() - used))
        then, used = time.perf_counter(), time.process_time()
        remembers += bool(memory.remember(fan, here, "rust", say(dice), "Go on."))
        writes.append(1000 * (time.perf_counter() - then))
        busy[1].append(1000 * (time.process_time() - used))
    process = psutil.Process()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    memory.close()
    return {
        "memories": size,
        "drawers": "one, shared" if shared else f"{size // EACH} private",
        "chroma": "unused" if not shared else server or "in-process",
        "start_s": round(start, 2),
        "index_s": round(indexed, 1),
        "recall_ms": _percentiles(recalls),
        "write_ms": _percentiles(writes),
        "recall_cpu_ms": _percentiles(busy[0]),
        "write_cpu_ms": _percentiles(busy[1]),
        "load": round(os.getloadavg()[0], 1),
        "kept_of_writes": round(remembers / PROBES, 3),
        "rss_mb": round(process.memory_info().rss / 1e6),
        "disk_mb": round(disk / 1e6),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 1) for p in (50, 95, 99)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--server")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.folder, given.measure, given.shared, given.server)), flush=True)
        return
    start = 0
    for size in map(int, given.sizes.split(",")):
        fill(given.folder, start, size, given.shared)
        start = size
        subprocess.run(
            [sys.executable, "-m", "bench.memory_scale", *sys.argv[1:], "--measure", str(size)], check=True
        )


if __name__ == "__main__":
    main()
