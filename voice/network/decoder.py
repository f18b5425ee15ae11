"""Decoder of StyleTTS 2 (arXiv 2306.07691): aligned phoneme features, F0 and energy to sound."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from voice.network.blocks import AdaptiveBlock
from voice.network.generator import Generator
from voice.network.norms import FrameWeights

WIDE = 1024
RESIDUAL = 64


class Decoder(nn.Module):
    """Four residual blocks that are reminded of text, F0 and energy at each step, then the generator."""

    def __init__(self, channels: int = 512, style: int = 128) -> None:
        super().__init__()
        self.encode = AdaptiveBlock(channels + 2, WIDE, style)
        reminded = WIDE + 2 + RESIDUAL
        self.decode = nn.ModuleList(
            [
                AdaptiveBlock(reminded, WIDE, style),
                AdaptiveBlock(reminded, WIDE, style),
                AdaptiveBlock(reminded, WIDE, style),
                AdaptiveBlock(reminded, channels, style, doubling=True),
            ]
        )
        self.f0_in = nn.Conv1d(1, 1, 3, stride=2, padding=1)
        self.energy_in = nn.Conv1d(1, 1, 3, stride=2, padding=1)
        self.text_in = nn.Conv1d(channels, RESIDUAL, 1)
        self.generator = Generator(style)

    def features(
        self, text: Tensor, f0: Tensor, energy: Tensor, style: Tensor, weights: FrameWeights | None
    ) -> Tensor:
        """text: [batch, 512, frames]; f0, energy: [batch, 2 * frames] -> [batch, 512, 2 * frames]."""
        frames = text.shape[2]
        if f0.shape[1] != 2 * frames or energy.shape[1] != 2 * frames:
            raise ValueError(
                f"F0 and energy need {2 * frames} frames each for {frames} of text, "
                f"not {f0.shape[1]} and {energy.shape[1]}"
            )
        curves = torch.cat([self.f0_in(f0[:, None]), self.energy_in(energy[:, None])], dim=1)
        x = self.encode(torch.cat([text, curves], dim=1), style, weights)
        reminder = torch.cat([self.text_in(text), curves], dim=1)
        for block in self.decode:
            x = block(torch.cat([x, reminder], dim=1), style, weights)
        return cast(Tensor, x)
