"""Verses of ours among public-domain song verses, rated blind: docs/ratings.json -> figures, and docs/ratings.md.

    python bench/rated_verses.py

A round of the file holds verses (kind, source, lines) and what each reader gave them, 1 to 5.
Intervals: 95 %, by 4,000 draws of verses with replacement, the mean of a verse's readers at each.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
ASPECTS = ("sense", "image", "singability")
DRAWS = 4000


def main() -> None:
    told = json.loads((DOCS / "ratings.json").read_text("utf-8"))
    rounds = told["rounds"]
    parts = [f"## {one['name']}\n\n{one['about']}\n\n{figures(one['verses'])}" for one in rounds]
    parts += [f"## The verses of: {one['name']}\n\n{texts(one['verses'])}" for one in rounds]
    (DOCS / "ratings.md").write_text("\n\n".join([told["about"], *parts]) + "\n", "utf-8")
    for one in rounds:
        print(one["name"], figures(one["verses"]), sep="\n")


def figures(verses: Sequence[dict[str, Any]]) -> str:
    """A table of means with their intervals, and how far each kind is from the real verses."""
    kinds = sorted({verse["kind"] for verse in verses}, key=lambda kind: (kind != "real", kind))
    real = [score(verse) for verse in verses if verse["kind"] == "real"]
    rows = [
        "| verses | sense | image | singability | all three | above the real ones |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        own = [verse for verse in verses if verse["kind"] == kind]
        by_aspect = [spread([score(verse, (aspect,)) for verse in own]) for aspect in ASPECTS]
        scores = [score(verse) for verse in own]
        above = "" if kind == "real" else spread(scores, real)
        rows.append("| " + " | ".join((f"{kind} ({len(own)})", *by_aspect, spread(scores), above)) + " |")
    return "\n".join([*rows, "", agreement(verses)])


def score(verse: dict[str, Any], aspects: Sequence[str] = ASPECTS) -> float:
    return mean(reader[aspect] for reader in verse["ratings"] for aspect in aspects)


def spread(scores: Sequence[float], others: Sequence[float] = ()) -> str:
    """The mean (above that of `others`) and its interval."""
    rng = random.Random(0)

    def drawn(of: Sequence[float]) -> float:
        return mean(rng.choices(of, k=len(of)))

    means = sorted(drawn(scores) - (drawn(others) if others else 0.0) for _ in range(DRAWS))
    low, high = means[DRAWS // 40], means[-DRAWS // 40]
    found = mean(scores) - (mean(others) if others else 0.0)
    sign = "+" if others else ""
    return f"{found:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


def agreement(verses: Sequence[dict[str, Any]]) -> str:
    """How far two readers are apart on the same verse and aspect."""
    pairs = [
        abs(one[aspect] - other[aspect])
        for verse in verses
        for i, one in enumerate(verse["ratings"])
        for other in verse["ratings"][:i]
        for aspect in ASPECTS
    ]
    if not pairs:
        return "One reader."
    return f"Two readers differ by {mean(pairs):.2f} in the mean, by more than one in {mean(p > 1 for p in pairs):.0%}."


def texts(verses: Sequence[dict[str, Any]]) -> str:
    rows = ["| | verse | from | sense, image, singability by reader |", "|---|---|---|---|"]
    for number, verse in enumerate(verses, 1):
        given = "; ".join(" ".join(str(reader[aspect]) for aspect in ASPECTS) for reader in verse["ratings"])
        source = (
            f"{verse['title']}, {verse['source']}"
            if verse["kind"] == "real"
            else f"{verse['kind']}: {verse['source']}"
        )
        rows.append(
            f"| {number} | {' / '.join(verse['lines'])} | {source} | {given} |".replace("|  |", "| |")
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
