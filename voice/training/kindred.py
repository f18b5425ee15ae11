"""What the voices have in common that the network was published with (bench/kindred_voices.py).

A style's first half is how a voice sounds, its second how it speaks: they go together. From recordings the first can be
learned by sound, the second hardly; but voices that sound alike speak alike, and so it can be foretold. This is speaker
adaptation by eigenvoices (Kuhn et al., IEEE Trans. Speech and Audio Processing 8, 2000).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voice.network.network import STYLE

FILE = Path(__file__).with_name("kindred.npz")
STRAY = 0.02  # variance of each number beyond the axes; .01 to .02 foretell voices that were left out alike, and best


class Kindred:
    def __init__(self) -> None:
        with np.load(FILE) as kept:
            mean, axes = (torch.from_numpy(kept[name].astype(np.float64)) for name in ("mean", "axes"))
        self._mean = mean
        voicing, prosody = axes[:, :STYLE], axes[:, STYLE:]
        sizes, ways = torch.linalg.eigh(voicing.T @ voicing + STRAY * torch.eye(STYLE, dtype=axes.dtype))
        self._foretelling = prosody.T @ voicing @ ways / sizes @ ways.T
        self._ways = (ways * sizes.sqrt()).float()

    def prosody(self, voicing: Tensor) -> Tensor:
        """The likeliest second half of a style [128] beside that first half [128]."""
        away = voicing.detach().cpu().double() - self._mean[:STYLE]
        foretold: Tensor = self._mean[STYLE:] + self._foretelling @ away
        return foretold.to(voicing)

    def moved(self, voicing: Tensor, by: Tensor) -> Tensor:
        """A first half moved along the ways in which voices differ, each as far as it is wide. [128] all."""
        return torch.addmv(voicing, self._ways.to(by), by)
