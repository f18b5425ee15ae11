"""What a clip carries away: the mark in its sound, and credentials over the finished file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from skills.backing import STEM
from skills.files import write_text_whole
from skills.provenance import ledger
from skills.provenance.credentials import Statement, sha256, sign
from skills.provenance.operator import Operator, load_operator
from skills.provenance.payload import Payload, song_number
from skills.provenance.watermark import Audio, mark

if TYPE_CHECKING:
    from skills.brief import Brief

# What the ledger calls the making of each part; the parts are those of DDEX's AI declaration.
PARTS = {
    "wrote": "lyrics",
    "composed": "composition",
    "sang": "vocals",
    "sang with": "vocals",
    "played": "instrumentation",
    "mixed": "post-production",
}
SEALED = "sealed.json"
COMPARED = "originality.json"
MADE_FROM = {"score": "score.json", "voice": "stems/vocal.wav"}  # beside the other stems


def marked(mixed: Audio, song: str, artist: str) -> Audio:
    """The mix ([2, samples]) with the watermark in it. It moves peaks, so the master's limiter comes after it."""
    return mark(mixed, Payload.of(song, artist))


def note_order(folder: Path, brief: Brief, seed: int, fan: str = "") -> None:
    """The ledger's first entry: somebody asked for a song. Their words, and who they are, can be erased."""
    words = {
        "by": fan,
        "theme": brief.theme,
        "dedication": brief.dedication,
        "mentions": ", ".join(brief.mentions),
        "avoid": ", ".join(brief.avoid),
        "lyrics": brief.words,
    }
    facts = {"style": brief.style, "mood": brief.mood, "seconds": brief.seconds, "seed": seed}
    ledger.append(folder, "asked", "person", facts | {"gave lyrics": bool(brief.words)}, words)


def seal(
    folder: Path, files: Sequence[Path], title: str, artist: str, label: str, operator: Operator
) -> None:
    """Signs finished files of the song in `folder`, tags and all, and writes their hashes into its ledger.

    The credentials hold the hash of the ledger so far. Files that cannot hold credentials get them beside. How it was
    sealed stands in sealed.json, so that what is made of the song later is sealed alike.
    """
    _note_likeness(folder)
    certificate, key = (str(path.absolute()) for path in operator.files)
    how = {"title": title, "artist": artist, "label": label, "certificate": certificate, "key": key}
    write_text_whole(folder / SEALED, json.dumps(how, ensure_ascii=False, indent=1) + "\n")
    _seal(folder, files, title, artist, label, operator)


def seal_more(folder: Path, files: Sequence[Path]) -> None:
    """Signs further files of a song: a video, its stems. A song from before there were credentials stays without.

    Raises OperatorError where the certificate that sealed the song is gone.
    """
    if (folder / SEALED).is_file():
        how = json.loads((folder / SEALED).read_text("utf-8"))
        operator = load_operator(folder, Path(how["certificate"]), Path(how["key"]))
        _seal(folder, files, how["title"], how["artist"], how["label"], operator)


def _seal(
    folder: Path, files: Sequence[Path], title: str, artist: str, label: str, operator: Operator
) -> None:
    entries = ledger.read(folder)
    asked = next((entry for entry in entries if entry.what == "asked"), None)
    statement = Statement(
        title=title,
        artist=artist,
        song=f"{song_number(folder.name):010x}",
        made=entries[-1].when if entries else "",
        label=label,
        program=f"Troubadour {version('troubadour')}",
        models={
            entry.facts.get("part", PARTS[entry.what]): entry.facts["model"]
            for entry in entries
            if entry.what in PARTS and "model" in entry.facts
        },
        ingredients=_ingredients(folder),
        asked_by=asked.commitments.get("by", "") if asked else "",
        ledger=ledger.head(folder),
    )
    for file in files:
        sign(file, statement, operator)
    hashes = {file.name: sha256(file) for file in files}
    ledger.append(folder, "sealed", facts={"label": label, "files": hashes})


def _note_likeness(folder: Path) -> None:
    """The figures of the comparison with what is known. What came closest is left out: it may be a fan's song."""
    path = folder / COMPARED
    if path.is_file():
        found = json.loads(path.read_text("utf-8"))
        told = {kind: {name: one[name] for name in one if name != "closest"} for kind, one in found.items()}
        ledger.append(folder, "compared", facts=told)


def _ingredients(folder: Path) -> dict[str, str]:
    """SHA-256 of the score, the voice and the players' stems (the samples of the band), by name."""
    there = {name: folder / path for name, path in MADE_FROM.items() if (folder / path).is_file()}
    for stem in sorted((folder / "stems").glob("*.wav")):
        if stem.stem != "vocal":
            kind = "voice" if stem.stem.startswith(STEM) else "samples"
            there[f"{kind}: {stem.stem}"] = stem
    return {name: sha256(path) for name, path in there.items()}
