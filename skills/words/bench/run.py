"""Runs the briefs through an author, a row a song in a file that a run which was cut off goes on with."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, Protocol

from skills.brief import Brief
from skills.lyrics import Lyrics
from skills.reading import read_brief
from skills.words.bench.checks import KINDS, Asked, common_lines, faults, plain
from skills.words.write import Author, write_lyrics

WORST = 12  # faults that are told by their lines


class Writer(Protocol):
    """Who writes in a mode. `begin` is told of each song before it is written; `said` is what its model then said."""

    author: Author

    def begin(self, brief: Brief, seed: int, used: frozenset[str]) -> None: ...

    def said(self) -> Sequence[str]: ...


def run(
    asked: Sequence[Asked], writer: Writer, rows: Path, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for each brief, in order; those that the file holds already are not written again."""
    rows.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(row) for row in rows.read_text("utf-8").splitlines()] if rows.exists() else []
    if [row["brief"] for row in done] != [one.text for one in asked[: len(done)]]:
        raise ValueError(f"{rows} holds other briefs than these: take another file, or delete it")
    sung: set[str] = {line for row in done for line in row["own"]}
    used = {line for row in done for line in row["used"]}
    with rows.open("a", encoding="utf-8") as file:
        for seed, one in enumerate(asked[len(done) :], len(done)):
            row = _row(one, seed, writer, frozenset(used), sung)
            sung |= set(row["own"])
            used |= set(row["used"])
            done.append(row)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            tell(f"{seed + 1}/{len(asked)} {row['seconds']:.1f} s {row['title']}" + _told(row))
    return done


def _row(one: Asked, seed: int, writer: Writer, used: frozenset[str], sung: set[str]) -> dict[str, Any]:
    brief = read_brief(one.text)
    writer.begin(brief, seed, used)
    began = time.perf_counter()
    lyrics = write_lyrics(brief, seed, writer.author, used)
    seconds = time.perf_counter() - began
    answers = writer.said()
    heard = {plain(line.partition(".")[2] or line) for answer in answers for line in answer.splitlines()}
    lines = list(dict.fromkeys(line.text for line in lyrics.lines))
    return {
        "brief": one.text,
        "title": lyrics.title,
        "form": lyrics.form,
        "stanzas": [[stanza.name, *(line.text for line in stanza.lines)] for stanza in lyrics.stanzas],
        "asked": {
            "name": bool(one.name),
            "things": len(one.things),
            "topic": len(one.topic),
            "avoided": len(one.avoid),
        },
        "lines": len(lines),
        "answers": len(answers),
        "by the model": sum(plain(line) in heard for line in lines) if answers else 0,
        "faults": [dataclasses.asdict(fault) for fault in faults(lyrics, one, sung)],
        "own": sorted(common_lines(lyrics)),
        "used": sorted(_used(lyrics)),
        "seconds": round(seconds, 2),
    }


def _used(lyrics: Lyrics) -> set[str]:
    """What the next songs are told is used: as the library tells it."""
    answered = lyrics.form == "call-response"
    return {line.text for line in lyrics.lines if not (answered and line.text == lyrics.hook)}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """For each check how many songs, and of all lines how many, are without a fault; and the worst cases."""
    bad = {kind: sum(any(f["kind"] == kind for f in row["faults"]) for row in rows) for kind in KINDS}
    lines = Counter(fault["kind"] for row in rows for fault in row["faults"])
    held = {"name": "name", "things": "things", "topic": "topic", "avoided": "avoided"}
    songs = {
        kind: sum(bool(row["asked"][held[kind]]) for row in rows) if kind in held else len(rows)
        for kind in KINDS
    }
    total = sum(row["lines"] for row in rows)
    worst = [
        {"brief": row["brief"], **fault}
        for kind in KINDS
        for row in rows
        for fault in row["faults"]
        if fault["kind"] == kind
    ]
    seconds = sorted(row["seconds"] for row in rows)
    return {
        "songs": len(rows),
        "lines": total,
        "forms": dict(Counter(row["form"] for row in rows)),
        "right": {
            kind: {"songs": songs[kind], "without a fault": songs[kind] - bad[kind], "faults": lines[kind]}
            for kind in KINDS
        },
        "different titles": len({row["title"] for row in rows}),
        "answers of the model a song": round(mean(row["answers"] for row in rows), 2),
        "lines by the model": sum(row["by the model"] for row in rows),
        "seconds, median and longest": (seconds[len(seconds) // 2], seconds[-1]),
        "worst": worst[:WORST],
    }


def _told(row: dict[str, Any]) -> str:
    kinds = Counter(fault["kind"] for fault in row["faults"])
    return "".join(f", {count} {kind}" for kind, count in kinds.items())
