"""`python -m voice.formats.child FILE`: reads one score within bounds; one JSON object on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from voice.apart import confine
from voice.formats.files import BOUNDS, parse
from voice.score import ScoreError


def main() -> None:
    confine(BOUNDS)
    try:
        told = {"score": parse(Path(sys.argv[1])).to_json()}
    except ScoreError as error:
        told = {"trouble": str(error)}
    except (MemoryError, RecursionError):
        told = {"trouble": f"{Path(sys.argv[1]).name} is too large or too deeply nested to be a song's score"}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
