"""`python -m voice.training.child consent|dataset|samples PATH`: reads other people's recordings within bounds.

Standard output: JSON, or samples as little-endian float32. What is wrong is the last line of standard error.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from voice.apart import confine
from voice.training.dataset import BOUNDS, DatasetError, decoded, parse_consent_file, parse_dataset, to_plain


def main() -> None:
    confine(BOUNDS)
    what, path = sys.argv[1], Path(sys.argv[2])
    try:
        if what == "samples":
            told = decoded(path).astype("<f4").tobytes()
        elif what == "consent":
            told = json.dumps([asdict(one) for one in parse_consent_file(path)]).encode()
        else:
            told = json.dumps(to_plain(parse_dataset(path))).encode()
    except DatasetError as error:
        sys.exit(" ".join(str(error).split()))
    except (MemoryError, RecursionError):
        sys.exit(f"{path} is too large to be read")
    sys.stdout.buffer.write(told)


if __name__ == "__main__":
    main()
