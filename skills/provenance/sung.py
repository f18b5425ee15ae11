"""Which songs a voice sang: asked when somebody takes a consent back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from skills.library import Library, LibraryError, Song
from skills.provenance.ledger import LedgerError, read


def songs_sung_with(library: Library, files: Iterable[Path]) -> list[Song]:
    """Songs, finished or not, whose ledger names one of these voice files or the voicebank that a card lies in."""
    names = {name for path in files for name in (str(path), path.stem, str(path.parent), path.parent.name)}
    names -= {"voices", ""}
    found = []
    for song in library.ids():
        try:
            entries = read(library.root / song)
            sang = [entry.facts.get("voice", "") for entry in entries if entry.what == "sang"]
            if any(voice in names or Path(voice).stem in names for voice in sang):
                found.append(library.read(song))
        except (LedgerError, LibraryError):
            continue
    return found
