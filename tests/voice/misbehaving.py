"""`python -m tests.voice.misbehaving HOW`: what a reader does that a stranger's file has got the better of."""

import os
import sys
from pathlib import Path

from voice.apart import Bounds, confine

confine(Bounds(memory=400_000_000, cpu=2, patience=0))
match sys.argv[1]:
    case "hog":
        kept = bytearray(1_000_000_000)
    case "loop":
        while True:
            pass
    case "write":
        Path(sys.argv[2]).write_text("something")
    case "secrets":
        print(sorted(os.environ))
