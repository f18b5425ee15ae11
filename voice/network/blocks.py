"""The residual block that predictor and decoder share."""

from __future__ import annotations

import math
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.norms import AdaptiveInstanceNorm, FrameWeights


class AdaptiveBlock(nn.Module):
    """Two convolutions, each after a style-steered norm, around a shortcut; may double the frame rate."""

    def __init__(self, channels_in: int, channels_out: int, style: int, doubling: bool = False) -> None:
        super().__init__()
        self.doubling = doubling
        self.norm1 = AdaptiveInstanceNorm(style, channels_in)
        self.norm2 = AdaptiveInstanceNorm(style, channels_out)
        self.conv1 = nn.Conv1d(channels_in, channels_out, 3, padding=1)
        self.conv2 = nn.Conv1d(channels_out, channels_out, 3, padding=1)
        if doubling:
            self.pool = nn.ConvTranspose1d(
                channels_in, channels_in, 3, stride=2, groups=channels_in, padding=1, output_padding=1
            )
        if channels_in != channels_out:
            self.conv1x1 = nn.Conv1d(channels_in, channels_out, 1, bias=False)

    def forward(self, x: Tensor, style: Tensor, weights: FrameWeights | None = None) -> Tensor:
        """x: [batch, channels_in, time] -> [batch, channels_out, time or 2 * time]."""
        h = F.leaky_relu_(self.norm1(x, style, weights), 0.2)
        if self.doubling:
            h = self.pool(h)
        h = self.conv1(h)
        h = self.conv2(F.leaky_relu_(self.norm2(h, style, weights), 0.2))
        if hasattr(self, "conv1x1"):
            x = self.conv1x1(x)  # each frame by itself: so before the doubling, on half the frames
        if self.doubling:
            x = x.repeat_interleave(2, dim=2)
        return cast(Tensor, h.add_(x).mul_(math.sqrt(0.5)))
