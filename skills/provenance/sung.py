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
    folders = sorted(library.root.iterdir()) if library.root.is_dir() else []
    found = []
    for folder in folders:
        try:
            sang = [entry.facts.get("voice", "") for entry in read(folder) if entry.what == "sang"]
            if any(voice in names or Path(voice).stem in names for voice in sang):
                found.append(library.read(folder.name))
        except (LedgerError, LibraryError):
            continue
    return found
