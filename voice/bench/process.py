"""A process of its own that does nothing but sing: how soon it is ready, how fast it sings, what memory it takes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from voice.score import TICKS_PER_QUARTER, Score


@dataclass(frozen=True)
class Alone:
    """start: seconds from a cold process to a singer that is ready; rtf: singing over sounding seconds, the faster of
    two passages; memory: the peak, in GB, once it has sung a stem of a minute and more; transformers: whether that
    package was loaded."""

    start: float
    rtf: float
    memory: float
    transformers: bool


def alone(voice: str, cache: Path, threads: int) -> Alone:
    """Starts the process, waits for it and measures it."""
    begun = time.time()
    command = [sys.executable, "-m", __name__, voice, str(cache), str(threads), str(begun)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Alone(**json.loads(done.stdout))


def main(voice: str, cache: str, threads: str, begun: str) -> None:
    from voice.singer import Singer

    singer = Singer.load(voice, Path(cache), int(threads))
    start = time.time() - float(begun)

    from voice.bench.lines import bench_lines

    lines = {line.name: line for line in bench_lines()}
    speeds = []
    for name in ("dusty-road", "lonesome"):
        now = time.perf_counter()
        take = singer.sing(lines[name].score)
        speeds.append((time.perf_counter() - now) / take.seconds)
    singer.sing(_again(lines["dusty-road"].score, times=8))
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    measured = {
        "start": start, "rtf": min(speeds), "memory": memory, "transformers": "transformers" in sys.modules
    }  # fmt: skip
    sys.stdout.write(json.dumps(measured) + "\n")


def _again(score: Score, times: int) -> Score:
    """The score so many times, two beats of silence between."""
    every = (score.ticks // TICKS_PER_QUARTER + 2) * TICKS_PER_QUARTER
    notes = [replace(note, tick=note.tick + i * every) for i in range(times) for note in score.notes]
    return replace(score, notes=tuple(notes))


if __name__ == "__main__":
    main(*sys.argv[1:])
