"""Norms that a style steers: adaptive instance norm with a weight for every frame, adaptive layer norm.

An instance norm takes each channel's mean and variance over time. A sung vowel lasts ten times as long as a
spoken one, so the plain statistics are those of the vowels alone, and long notes collapse into noise.
Weighting each frame by natural / sung duration of its phoneme gives the statistics that it was trained on.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5


class FrameWeights:
    """How much each alignment frame counts in the norms, stretched to any layer's length."""

    def __init__(self, weights: Tensor) -> None:
        """weights: [batch, frames], 0 or more, 40 frames a second; each row has something above 0."""
        if weights.ndim != 2 or not bool((weights >= 0).all()) or not bool((weights.sum(1) > 0).all()):
            raise ValueError("frame weights are [batch, frames], none below 0, not all 0")
        self._weights = weights
        self._stretched: dict[int, Tensor] = {}

    def at(self, length: int) -> Tensor:
        """[batch, length, 1], summing to 1 over time."""
        if length not in self._stretched:
            w = F.interpolate(self._weights[:, None], size=length, mode="nearest").transpose(1, 2)
            self._stretched[length] = w / w.sum(dim=1, keepdim=True)
        return self._stretched[length]


def moments(x: Tensor, weights: FrameWeights | None) -> tuple[Tensor, Tensor]:
    """Mean and variance over time. x: [batch, channels, time] -> two of [batch, channels, 1]."""
    if weights is None:
        variance, mean = torch.var_mean(x, dim=2, correction=0, keepdim=True)
        return mean, variance
    w = weights.at(x.shape[2])
    mean = x @ w
    variance = (x - mean).square_() @ w
    return mean, variance


class AdaptiveInstanceNorm(nn.Module):
    """AdaIN (arXiv 1703.06868): the style sets each channel's scale and offset after the instance norm."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(style, 2 * channels)

    def affine(self, x: Tensor, style: Tensor, weights: FrameWeights | None) -> tuple[Tensor, Tensor]:
        """The norm as scale and offset, two of [batch, channels, 1], to be applied to x."""
        gain, offset = self.fc(style).unsqueeze(2).chunk(2, dim=1)
        mean, variance = moments(x, weights)
        scale = (1 + gain) * torch.rsqrt(variance + EPSILON)
        return scale, offset - mean * scale

    def forward(self, x: Tensor, style: Tensor, weights: FrameWeights | None = None) -> Tensor:
        """x: [batch, channels, time]; style: [batch, style] -> as x."""
        scale, offset = self.affine(x, style, weights)
        return torch.addcmul(offset, x, scale)


class AdaptiveLayerNorm(nn.Module):
    """Layer norm over channels whose scale and offset come from the style."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.fc = nn.Linear(style, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x: [batch, time, channels]; style: [batch, style] -> as x."""
        gain, offset = self.fc(style).unsqueeze(1).chunk(2, dim=2)
        return torch.addcmul(offset, F.layer_norm(x, (self.channels,), eps=EPSILON), 1 + gain)


class ChannelNorm(nn.Module):
    """Layer norm over channels of a [batch, channels, time] tensor, learned scale and offset."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.transpose(1, 2)
        return F.layer_norm(last, (last.shape[2],), self.gamma, self.beta, EPSILON).transpose(1, 2)
