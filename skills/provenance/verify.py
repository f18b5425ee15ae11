"""Verify: what a file says of its origin, what its sound says, and what our library knows of it.

`verify(path, anchors, library)` is the one function behind the command, the page and the Discord command.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from skills.library import Library, LibraryError
from skills.provenance import ledger
from skills.provenance.credentials import FORMATS, Credentials, sha256
from skills.provenance.payload import song_number
from voice.apart import ApartError, Bounds, apart

LARGEST = 100_000_000  # bytes
BOUNDS = Bounds(memory=4_000_000_000, cpu=60, patience=120.0)  # of the process that looks

Verdict = Literal["genuine", "signed", "changed", "marked", "unknown"]
HEADLINES: dict[Verdict, str] = {
    "genuine": "It is as it left the studio.",
    "signed": "Its credentials are valid, but nobody whom this installation knows has signed them.",
    "changed": "It was changed after it was signed.",
    "marked": "It carries our watermark, but no credentials: somebody coded it again, cut it or took them out.",
    "unknown": "Nothing in it says that Troubadour made it.",
}
CODES: dict[Verdict, int] = {"genuine": 0, "signed": 3, "changed": 4, "marked": 5, "unknown": 6}


class VerifyError(ValueError):
    """A file that cannot be looked at; the message says why."""


@dataclass(frozen=True)
class Mark:
    """A watermark: the number of a song's id and of its artist's name (None: it could not be read), and where."""

    song: str | None
    artist: str | None
    score: float
    start: float


@dataclass(frozen=True)
class Origin:
    """What the library knows: `id`, title, artist, when it was made, by which version of the program, and under which
    label. `as_sealed`: the file is to the byte one that was signed there."""

    id: str
    title: str
    artist: str
    made: str
    version: str
    label: str
    as_sealed: bool


@dataclass(frozen=True)
class Report:
    """`score`: how strong the strongest mark is, found or not. `origin`: None where our library has no such song."""

    file: str
    seconds: float
    credentials: Credentials
    marks: tuple[Mark, ...]
    score: float
    origin: Origin | None

    @property
    def verdict(self) -> Verdict:
        state = self.credentials.state
        if state == "changed":
            return "changed"
        if state == "valid":
            return "genuine" if self.credentials.trusted else "signed"
        return "marked" if self.marks else "unknown"

    @property
    def headline(self) -> str:
        return HEADLINES[self.verdict]

    @property
    def code(self) -> int:
        """The command's exit status."""
        return CODES[self.verdict]

    @property
    def sentences(self) -> tuple[str, ...]:
        """For people, the headline first."""
        return (self.headline, *self._said(), *self._heard(), *self._known())

    def _said(self) -> Iterator[str]:
        told, state = self.credentials.statement, self.credentials.state
        if state == "missing":
            yield "Content credentials: none."
            return
        problems = f" ({', '.join(self.credentials.problems)})" if self.credentials.problems else ""
        signer = f", signed by {self.credentials.signer}" if self.credentials.signer else ""
        yield f"Content credentials: {state}{problems}{signer}."
        if told and state == "valid":
            yield f"They say: {told.get('label', '')} Made {told.get('made', '')} by {told.get('program', '')}."

    def _heard(self) -> Iterator[str]:
        if not self.seconds:
            yield "There is no sound in it that could be read."
            return
        if not self.marks:
            yield f"Watermark: not found (score {self.score:.1f}; 6.5 and more would be one)."
        for mark in self.marks:
            which = (
                f"song {mark.song}, artist {mark.artist}" if mark.song else "its message is too faint to read"
            )
            yield f"Watermark: found (score {mark.score:.1f}): {which}."

    def _known(self) -> Iterator[str]:
        if self.origin:
            one = self.origin
            made = f"made {one.made}, {one.version}"
            yield f"In this library: \u201c{one.title}\u201d by {one.artist} ({one.id}), {made}."
            yield f"Label: {one.label}"
            if not one.as_sealed:
                yield "The file is not, byte for byte, one that was signed here."

    def as_json(self) -> dict[str, Any]:
        extra = {"verdict": self.verdict, "headline": self.headline, "sentences": self.sentences}
        return {**dataclasses.asdict(self), **extra}


def verify(
    path: Path, anchors: str = "", library: Library | None = None, beside: Path | None = None
) -> Report:
    """Looks at a file in a bounded process. `anchors`: PEM of the roots that are trusted (`Operator.anchors`);
    `beside`: its sidecar, where that is not <name>.c2pa. Raises VerifyError."""
    found = _inspected(path, anchors, beside)
    credentials = Credentials(**{**found["credentials"], "problems": tuple(found["credentials"]["problems"])})
    marks = tuple(Mark(**mark) for mark in found["marks"])
    number = credentials.statement.get("song") if credentials.state == "valid" else None
    number = number or next((mark.song for mark in marks if mark.song), None)
    origin = _origin(library, number, path) if library and number else None
    return Report(path.name, found["seconds"], credentials, marks, found["score"], origin)


def _inspected(path: Path, anchors: str, beside: Path | None) -> dict[str, Any]:
    if not path.is_file():
        raise VerifyError(f"there is no file {path}")
    if path.stat().st_size > LARGEST:
        raise VerifyError(f"{path.name} has more than {LARGEST // 1_000_000} MB, the most that is looked at")
    arguments = [str(path.absolute()), *([str(beside.absolute())] if beside else [])]
    try:
        found = json.loads(apart("skills.provenance.inspect", arguments, BOUNDS, anchors.encode()))
    except (ApartError, ValueError) as error:
        raise VerifyError(
            f"{path.name} cannot be looked at: it is broken, or no sound file ({', '.join(FORMATS)}, .ogg): {error}"
        ) from None
    return dict(found)


def _origin(library: Library, number: str, path: Path) -> Origin | None:
    """The song whose id ends in `number`."""
    name = next((song for song in library.ids() if f"{song_number(song):010x}" == number), "")
    try:
        song = library.read(name)
        entries = ledger.read(library.folder(name))
    except (LibraryError, ledger.LedgerError):
        return None
    sealed = [entry.facts for entry in entries if entry.what == "sealed"]
    hashes = {digest for facts in sealed for digest in facts["files"].values()}
    return Origin(
        song.id,
        song.title,
        song.credits.get("artist", ""),
        song.made,
        f"Troubadour {song.versions.get('troubadour', '')}".strip(),
        next((facts["label"] for facts in reversed(sealed) if "label" in facts), ""),
        sha256(path) in hashes,
    )
