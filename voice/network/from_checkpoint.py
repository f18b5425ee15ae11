"""The published checkpoint of Kokoro-82M (kokoro-v1_0.pth) to tensors under the same names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

PARTS = ("bert", "bert_encoder", "predictor", "text_encoder", "decoder")


def tensors_of_checkpoint(path: Path) -> dict[str, Tensor]:
    """Raises ValueError where the file is not such a checkpoint; never runs code that a file brings."""
    whole = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(whole, Mapping) or any(not isinstance(whole.get(part), Mapping) for part in PARTS):
        raise ValueError(f"it needs the parts {', '.join(PARTS)}")
    flat = {
        f"{part}.{name.removeprefix('module.')}": tensor.float()
        for part in PARTS
        for name, tensor in whole[part].items()
    }
    return {name: tensor for name, tensor in _without_weight_norm(flat).items() if not _unused(name, tensor)}


def _without_weight_norm(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weight norm (arXiv 1602.07868) keeps a length g and a direction v; we keep their product."""
    plain = dict(tensors)
    for name in tensors:
        if name.endswith(".weight_g"):
            stem = name.removesuffix("_g")
            gain, direction = plain.pop(name), plain.pop(f"{stem}_v")
            length = direction.flatten(1).norm(dim=1).reshape(gain.shape)
            plain[stem] = direction * (gain / length.clamp(min=1e-12))  # a channel of nothing stays nothing
    return plain


def _unused(name: str, tensor: Tensor) -> bool:
    """What has no effect: BERT's pooler, position ids, affine norms left at 1 and 0."""
    if name.startswith("bert.pooler.") or name.endswith("position_ids"):
        return True
    if name.endswith(".norm.weight") and name.startswith(("predictor.", "decoder.")):
        return bool((tensor == 1).all())
    if name.endswith(".norm.bias") and name.startswith(("predictor.", "decoder.")):
        return bool((tensor == 0).all())
    return False
