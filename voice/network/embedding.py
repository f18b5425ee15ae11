"""An embedding table that is left unset until its weights are loaded.

torch would draw random numbers for it, and on the meta device that alone imports its compiler: a second and a half.
"""

from __future__ import annotations

import torch
from torch import nn


def unset_embedding(entries: int, width: int) -> nn.Embedding:
    return nn.Embedding(entries, width, _weight=torch.empty(entries, width))
