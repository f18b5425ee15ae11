"""Prints songs for reading: N briefs, N seeds, no line twice.

python bench/read_lyrics.py --songs 20 --seed 0 [--seconds 20] [--brief "a slow blues about ..."]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import yaml

from memory.embedder import Embedder
from skills.reading import read_brief
from skills.words import EmbeddedAuthor, write_lyrics

BRIEFS = Path(__file__).parent.parent / "tests" / "skills" / "briefs.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--brief", action="append", help="a brief of your own; may be given several times")
    asked = parser.parse_args()
    texts: list[str] = asked.brief or yaml.safe_load(BRIEFS.read_text("utf-8"))
    author, used = EmbeddedAuthor(Embedder()), set[str]()
    for number in range(asked.songs):
        text, seed = texts[(asked.seed + number) % len(texts)], asked.seed + number
        brief = read_brief(text)
        if asked.seconds:
            brief = type(brief)(**{**brief.__dict__, "seconds": asked.seconds})
        began = time.perf_counter()
        lyrics = write_lyrics(brief, seed, author, used)
        used |= {line.text for line in lyrics.lines}
        print(
            f"\n## {text}\n   {lyrics.form}, seed {seed}, {time.perf_counter() - began:.2f} s: {lyrics.title.upper()}\n"
        )
        print(
            "\n\n".join("\n".join(f"    {line.text}" for line in stanza.lines) for stanza in lyrics.stanzas)
        )


if __name__ == "__main__":
    main()
