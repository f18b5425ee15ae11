"""python -m voice.bench: the table of docs/voice.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from platformdirs import user_cache_path

from voice.bench.lines import bench_lines
from voice.bench.table import LineResult, as_json, as_text, run
from voice.singer import Singer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m voice.bench", description=__doc__)
    parser.add_argument("--voice", default="breaking-rust")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names of lines")
    parser.add_argument("--plot", type=Path, help="a folder for pictures")
    parser.add_argument("--cache", type=Path, default=user_cache_path("troubadour"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines = [line for line in bench_lines() if not options.only or line.name in options.only]
    singer = Singer.load(options.voice, options.cache, options.threads)
    results = run(singer, lines, options.plot, options.seed, told)
    sys.stdout.write(
        (json.dumps(as_json(results), ensure_ascii=False) if options.json else as_text(results)) + "\n"
    )


def told(result: LineResult) -> None:
    f = result.figures
    sys.stderr.write(
        f"{result.name:16} cents {f.cents_median:5.1f} p90 {f.cents_p90:6.1f} within {f.within_50:.3f} "
        f"onset {f.onset_median:4.0f}/{f.onset_p95:4.0f} ms v/uv {f.voicing_error:.3f} "
        f"level {f.level_spread:4.1f} CER {f.character_error_rate:.2f} (spoken {result.spoken_error:.2f}) "
        f"MOS {f.overall:.2f}/{f.p808:.2f} RTF {result.rtf:.2f}  {f.heard}\n"
    )
    sys.stderr.flush()


if __name__ == "__main__":
    main()
