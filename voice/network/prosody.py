"""Prosody predictor of StyleTTS 2 (arXiv 2306.07691): how long, how high and how loud it would be spoken."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from voice.network.blocks import AdaptiveBlock
from voice.network.norms import AdaptiveLayerNorm

LONGEST = 50  # alignment frames that one phoneme can be given


class ProsodyPredictor(nn.Module):
    """From contextual features and a style: durations, and from aligned features F0 and energy."""

    def __init__(self, style: int = 128, channels: int = 512, depth: int = 3) -> None:
        super().__init__()
        wide = channels + style
        self.text_encoder = DurationEncoder(style, channels, depth)
        self.lstm = nn.LSTM(wide, channels // 2, batch_first=True, bidirectional=True)
        self.duration = nn.Linear(channels, LONGEST)
        self.shared = nn.LSTM(wide, channels // 2, batch_first=True, bidirectional=True)
        self.f0 = self._contour(style, channels)
        self.energy = self._contour(style, channels)
        self.f0_out = nn.Conv1d(channels // 2, 1, 1)
        self.energy_out = nn.Conv1d(channels // 2, 1, 1)

    @staticmethod
    def _contour(style: int, channels: int) -> nn.ModuleList:
        half = channels // 2
        return nn.ModuleList(
            [
                AdaptiveBlock(channels, channels, style),
                AdaptiveBlock(channels, half, style, doubling=True),
                AdaptiveBlock(half, half, style),
            ]
        )

    def durations(self, context: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """context: [batch, length, channels] -> frames [batch, length], not rounded, and
        features [batch, wide, length].
        """
        features = self.text_encoder(context, style)
        h, _ = self.lstm(features)
        frames = torch.sigmoid(self.duration(h)).sum(dim=2)
        return frames, features.transpose(1, 2)

    def contours(self, aligned: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """aligned: [batch, wide, frames] at 40 a second -> F0 [Hz] and energy, [batch, 2 * frames] each."""
        shared, _ = self.shared(aligned.transpose(1, 2))
        f0 = energy = shared.transpose(1, 2)
        for block in self.f0:
            f0 = block(f0, style)
        for block in self.energy:
            energy = block(energy, style)
        return self.f0_out(f0)[:, 0], self.energy_out(energy)[:, 0]


class DurationEncoder(nn.Module):
    """LSTMs with the style beside their input, each followed by a norm that the style steers."""

    def __init__(self, style: int, channels: int, depth: int) -> None:
        super().__init__()
        self.lstms = nn.ModuleList(
            nn.LSTM(channels + style, channels // 2, batch_first=True, bidirectional=True)
            for _ in range(depth)
        )
        self.norms = nn.ModuleList(AdaptiveLayerNorm(style, channels) for _ in range(depth))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x: [batch, length, channels] -> [batch, length, channels + style]."""
        beside = style[:, None].expand(-1, x.shape[1], -1)
        x = torch.cat([x, beside], dim=2)
        for lstm, norm in zip(self.lstms, self.norms, strict=True):
            h, _ = lstm(x)
            x = torch.cat([norm(h, style), beside], dim=2)
        return x
