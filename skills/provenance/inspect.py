"""Looks at one file in a process of its own, with bounds on time and memory.

`python -m skills.provenance.inspect FILE [SIDECAR]`

A file from anybody is decoded and parsed here and nowhere else. Standard input: PEM of the roots that are trusted.
Standard output: one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skills.provenance.credentials import read_credentials
from skills.provenance.verify import BOUNDS
from skills.provenance.watermark import RATE, read_all
from voice.apart import confine

LONGEST = 900  # seconds of sound that are looked at
READS = "mp3,ogg,wav,mov,flac,aac,matroska"  # ffmpeg's names; nothing that opens other files or addresses


def main() -> None:
    confine(BOUNDS)
    path = Path(sys.argv[1])
    beside = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    credentials = read_credentials(path, sys.stdin.read(), beside)
    json.dump({"credentials": dataclasses.asdict(credentials), **_heard(path)}, sys.stdout)


def _heard(path: Path) -> dict[str, Any]:
    audio = _decoded(path)
    if len(audio) < RATE:
        return {"seconds": round(len(audio) / RATE, 2), "score": 0.0, "marks": []}
    best, found = read_all(audio)
    marks = [
        {
            "song": f"{mark.payload.song:010x}" if mark.payload else None,
            "artist": f"{mark.payload.artist:04x}" if mark.payload else None,
            "score": round(mark.score, 1),
            "start": mark.start,
        }
        for mark in found
    ]
    return {"seconds": round(len(audio) / RATE, 2), "score": round(best.score, 1), "marks": marks}


def _decoded(path: Path) -> NDArray[np.float32]:
    """[samples] at RATE, one channel; empty where there is no sound in it."""
    import imageio_ffmpeg

    done = subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-threads", "1"),
            *("-protocol_whitelist", "file", "-format_whitelist", READS, "-t", str(LONGEST)),
            *("-i", f"file:{path.absolute()}", "-map", "0:a:0", "-ac", "1", "-ar", str(RATE)),
            *("-f", "f32le", "pipe:1"),
        ],
        capture_output=True,
        check=False,
    )
    whole = done.stdout[: len(done.stdout) // 4 * 4]
    audio: NDArray[np.float32] = np.nan_to_num(np.frombuffer(whole, dtype="<f4"), posinf=0.0, neginf=0.0)
    return audio


if __name__ == "__main__":
    main()
