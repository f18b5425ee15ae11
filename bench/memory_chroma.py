"""Where vectors of small drawers could lie in Chroma, and what it costs:
`python -m bench.memory_chroma FOLDER --entries 16000 --collections 4 [--server HOST:PORT]`.

Fills collections with drawers of 50 made-up vectors, told apart by metadata, and measures what a recall would do:
ask for the nearest of one drawer, or take the drawer's vectors out whole, by filter or by their ids, which the log
knows; beside them a write and an unfiltered query, and what it costs a fresh process to open it and take one drawer
out. One JSON object; milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

EACH = 50  # vectors of one drawer
BATCH = 1000
PROBES = 100
COSINE: Any = {"hnsw": {"space": "cosine", "ef_search": 200, "sync_threshold": 5000, "batch_size": 500}}


def measure(folder: Path, entries: int, collections: int, server: str | None) -> dict[str, object]:
    import psutil

    client = _open(folder, server)
    made: list[Any] = [
        client.get_or_create_collection(f"shelf-{n}", embedding_function=None, configuration=COSINE)
        for n in range(collections)
    ]
    dice, began, used = np.random.default_rng(0), time.perf_counter(), time.process_time()
    for start in range(0, entries, BATCH):
        numbers = range(start, start + BATCH)
        made[start // BATCH % collections].upsert(
            ids=[str(n) for n in numbers],
            embeddings=_units(dice, BATCH),
            metadatas=[{"drawer": n // EACH} for n in numbers],
        )
    filled = {
        "fill_s": round(time.perf_counter() - began, 1),
        "fill_cpu_s": round(time.process_time() - used, 1),
    }
    question = _units(dice, 1)

    def probe(ask: Callable[[Any, int], object]) -> dict[str, float]:
        times = []
        for _ in range(PROBES):
            drawer = int(dice.integers(entries // EACH))
            then = time.perf_counter()
            ask(made[drawer * EACH // BATCH % collections], drawer)
            times.append(1000 * (time.perf_counter() - then))
        return {f"p{p}": round(float(np.percentile(times, p)), 1) for p in (50, 95)}

    return {
        "entries": entries,
        "collections": collections,
        "chroma": server or "in-process",
        **filled,
        "nearest_of_a_drawer_ms": probe(
            lambda shelf, drawer: shelf.query(
                query_embeddings=question, n_results=EACH, where={"drawer": drawer}, include=["distances"]
            )
        ),
        "a_drawer_whole_ms": probe(
            lambda shelf, drawer: shelf.get(where={"drawer": drawer}, include=["embeddings"])
        ),
        "a_drawer_by_ids_ms": probe(
            lambda shelf, drawer: shelf.get(ids=_ids(drawer), include=["embeddings"])
        ),
        "nearest_of_all_ms": probe(
            lambda shelf, drawer: shelf.query(query_embeddings=question, n_results=100, include=["distances"])
        ),
        "write_ms": probe(
            lambda shelf, drawer: shelf.upsert(
                ids=[str(drawer * EACH)], embeddings=question, metadatas=[{"drawer": drawer}]
            )
        ),
        "rss_mb": round(psutil.Process().memory_info().rss / 1e6),
        "disk_mb": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6),
        "load": round(os.getloadavg()[0], 1),
    }


def reopen(folder: Path, server: str | None) -> dict[str, float]:
    """What a fresh process pays before it has one drawer."""
    import psutil

    began = time.perf_counter()
    shelf = _open(folder, server).get_collection("shelf-0", embedding_function=None)
    shelf.get(ids=_ids(0), include=["embeddings"])
    seconds = round(time.perf_counter() - began, 2)
    return {"reopen_s": seconds, "reopen_rss_mb": round(psutil.Process().memory_info().rss / 1e6)}


def _open(folder: Path, server: str | None) -> Any:
    import chromadb
    from chromadb.config import Settings

    quiet = Settings(anonymized_telemetry=False)
    if server:
        host, _, port = server.rpartition(":")
        return chromadb.HttpClient(host, int(port), settings=quiet)
    return chromadb.PersistentClient(str(folder), settings=quiet)


def _ids(drawer: int) -> list[str]:
    return [str(drawer * EACH + place) for place in range(EACH)]


def _units(dice: np.random.Generator, count: int) -> Any:
    vectors = dice.normal(size=(count, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=16_000)
    parser.add_argument("--collections", type=int, default=1)
    parser.add_argument("--server")
    parser.add_argument("--reopen", action="store_true", help="only open what is there")
    given = parser.parse_args()
    if given.reopen:
        print(json.dumps(reopen(given.folder, given.server)))
        return
    print(json.dumps(measure(given.folder, given.entries, given.collections, given.server)), flush=True)
    subprocess.run([sys.executable, "-m", "bench.memory_chroma", *sys.argv[1:], "--reopen"], check=True)


if __name__ == "__main__":
    main()
