"""Memory at size: `python -m bench.memory_scale FOLDER [--sizes 10000,100000,1000000] [--shared] [--server HOST:PORT]`.

Fills a memory with made-up fans of 50 memories each, or with one shared drawer of everybody (--shared), and at
every size opens it in a fresh process and measures start, recall, write, memory and disk. One JSON object a line.
A folder that is there already is filled up from where it was left, so a cut run goes on, and a full one is only
measured again: `python -m bench.memory_scale FOLDER --sizes 1000000`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

EACH = 50  # memories of one fan
PROBES = 300
STEP = 10_000  # memories between two notes of how far the filling is
NOISE = 0.05  # of each number of a vector, whose words add up to a length of some 3
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


def fill(folder: Path, size: int, shared: bool) -> None:
    """Write memories straight into the log until there are `size`. A vector is what its words mean, and noise."""
    from memory.embedder import Embedder
    from memory.fan import Scope
    from memory.log import Entry, Log

    filled = folder / "filled"
    start = int(filled.read_text()) if filled.is_file() else 0
    if start >= size:
        return
    log, dice, numbers = Log(folder / "memory.sqlite3"), random.Random(start), np.random.default_rng(start)
    for pragma in ("synchronous=OFF", "cache_size=-400000"):  # for filling only
        log.connection().execute(f"PRAGMA {pragma}")
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    words = sorted({word for some in WORDS.values() for word in some})
    meanings = dict(zip(words, Embedder()(words), strict=True))
    for first in range(start, size, EACH):
        fan = f"discord:{first // EACH}"
        scope = Scope("server", "discord:g1") if shared else Scope("fan", fan)
        whens = [begin + timedelta(hours=7 * n) for n in range(EACH)]
        entries = [Entry(fan, "turn", f"Fan{first // EACH}", say(dice), when) for when in whens]
        said = [
            sum(meanings[word] for word in re.findall(r"\w+", e.text) if word in meanings) for e in entries
        ]
        vectors = np.array(said, np.float32) + numbers.normal(scale=NOISE, size=(EACH, 384)).astype(
            np.float32
        )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        log.append("rust", str(scope), entries, vectors, "all-MiniLM-L6-v2-int8")
        if not (first + EACH) % STEP or first + EACH >= size:
            filled.write_text(str(first + EACH))
    log.checkpoint()


def index(folder: Path, server: str | None) -> None:
    """Let the index take in what the log has more of; goes on where it was cut."""
    from memory.embedder import Embedder
    from memory.memory import Memory

    memory, began = Memory(folder, Embedder(), server=server), time.perf_counter()
    for (drawer,) in memory.log.connection().execute("SELECT id FROM drawer WHERE big").fetchall():
        memory.search.follow(drawer)
    memory.close()
    print(json.dumps({"indexed_s": round(time.perf_counter() - began, 1)}), flush=True)


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
    kept = memory.log.connection().execute("SELECT count(*) FROM entry").fetchone()[0]
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    memory.close()
    return {
        "memories": kept - kept % EACH,
        "drawers": "one, shared" if shared else f"{size // EACH} private",
        "chroma": "unused" if not shared else server or "in-process",
        "start_s": round(start, 2),
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
    parser.add_argument("--only", choices=("index", "measure"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    if given.only == "index":
        index(given.folder, given.server)
    elif given.only == "measure":
        print(json.dumps(measure(given.folder, sizes[0], given.shared, given.server)), flush=True)
    else:
        for size in sizes:
            fill(given.folder, size, given.shared)
            same = [sys.executable, "-m", "bench.memory_scale", *sys.argv[1:], "--sizes", str(size), "--only"]
            for step in ("index", "measure") if given.shared else ("measure",):
                subprocess.run([*same, step], check=True)


if __name__ == "__main__":
    main()
