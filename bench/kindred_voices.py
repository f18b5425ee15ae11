"""What published voices have in common, for `voices train`: python -m bench.kindred_voices FOLDER_OF_VOICES

FOLDER_OF_VOICES: `voices/` of the npm package kokoro-js 1.2.1 (Apache-2.0): 54 voices, each 510 style rows of 256
numbers. Writes voice/training/kindred.npz: their mean, and the axes along which they differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from voice.training.kindred import FILE

# Those that the training bench's hidden voice is made of: what is to be found must not be known.
LEFT_OUT = ("am_fenrir", "bm_george", "am_michael")
ROWS = slice(20, 120, 10)  # a row for each length of text in tokens; phrases are as long as this
KEPT = 96  # axes


def main() -> None:
    files = [file for file in sorted(Path(sys.argv[1]).glob("*.bin")) if file.stem not in LEFT_OUT]
    styles = np.concatenate([np.fromfile(file, np.float32).reshape(-1, 256)[ROWS] for file in files])
    mean = styles.mean(axis=0)
    _, sizes, axes = np.linalg.svd((styles - mean) / np.sqrt(len(styles)), full_matrices=False)
    scaled = sizes[:KEPT, None] * axes[:KEPT]
    np.savez(FILE, mean=mean.astype(np.float16), axes=scaled.astype(np.float16))
    print(
        f"{len(files)} voices, {KEPT} axes hold {(sizes[:KEPT] ** 2).sum() / (sizes**2).sum():.1%} of what differs"
    )


if __name__ == "__main__":
    main()
