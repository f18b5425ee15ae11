"""iSTFTNet generator (arXiv 2203.02395) with a harmonic source: decoder features to sound."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.norms import AdaptiveInstanceNorm, FrameWeights
from voice.network.source import HarmonicSource
from voice.network.spectrum import BINS, ShortSpectrum

RATES = (10, 6)  # times the frame rate
UP_KERNELS = (20, 12)
KERNELS = (3, 7, 11)
DILATIONS = (1, 3, 5)
CHANNELS = 512


class Generator(nn.Module):
    """Two steps up in time, each with the source mixed in and three residual stacks averaged."""

    def __init__(self, style: int = 128) -> None:
        super().__init__()
        stages = [CHANNELS >> (i + 1) for i in range(len(RATES))]
        self.source = HarmonicSource()
        self.spectrum = ShortSpectrum()
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(2 * width, width, kernel, stride=rate, padding=(kernel - rate) // 2)
            for width, rate, kernel in zip(stages, RATES, UP_KERNELS, strict=True)
        )
        # The source's spectra come at the last stage's rate: the first stage takes every sixth.
        self.source_in = nn.ModuleList(
            [
                nn.Conv1d(2 * BINS, stages[0], 2 * RATES[1], stride=RATES[1], padding=RATES[1] // 2),
                nn.Conv1d(2 * BINS, stages[1], 1),
            ]
        )
        self.source_stacks = nn.ModuleList(
            [ResidualStack(stages[0], 7, style), ResidualStack(stages[1], 11, style)]
        )
        self.stacks = nn.ModuleList(
            nn.ModuleList(ResidualStack(width, kernel, style) for kernel in KERNELS) for width in stages
        )
        self.out = nn.Conv1d(stages[-1], 2 * BINS, 7, padding=3)

    def forward(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """x: [batch, 512, frames] at 80 a second; excitation: [batch, 300 * frames] -> the same shape."""
        log_magnitude, phase = self.spectra(x, excitation, style, weights).chunk(2, dim=1)
        return self.spectrum.synthesise(torch.exp(log_magnitude), torch.sin(phase))

    def spectra(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """As forward, but stops at log magnitudes and phases: [batch, 22, 60 * frames + 1]."""
        source = self.spectrum.analyse(excitation)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, 0.1))
            if i == len(RATES) - 1:
                x = F.pad(x, (1, 0), mode="reflect")  # n frames between, n + 1 spectra
            x = x.add_(self.source_stacks[i](self.source_in[i](source), style, weights))
            x = torch.stack([stack(x, style, weights) for stack in cast(nn.ModuleList, self.stacks[i])]).mean(
                0
            )
        return cast(Tensor, self.out(F.leaky_relu_(x, 0.01)))


class ResidualStack(nn.Module):
    """Three residual steps of two convolutions, with Snake (arXiv 2006.08195) after style-steered norms."""

    def __init__(self, channels: int, kernel: int, style: int) -> None:
        super().__init__()
        steps = range(len(DILATIONS))
        self.norms1 = nn.ModuleList(AdaptiveInstanceNorm(style, channels) for _ in steps)
        self.norms2 = nn.ModuleList(AdaptiveInstanceNorm(style, channels) for _ in steps)
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * (kernel // 2)) for d in DILATIONS
        )
        self.convs2 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in DILATIONS
        )
        self.alpha1 = nn.ParameterList(torch.ones(1, channels, 1) for _ in steps)
        self.alpha2 = nn.ParameterList(torch.ones(1, channels, 1) for _ in steps)

    def forward(self, x: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """x: [batch, channels, time] -> the same; x is left as it was."""
        for norm1, norm2, conv1, conv2, a1, a2 in zip(
            self.norms1, self.norms2, self.convs1, self.convs2, self.alpha1, self.alpha2, strict=True
        ):
            h = conv1(snake(norm1(x, style, weights), a1))
            x = conv2(snake(norm2(h, style, weights), a2)) + x
        return x


def snake(x: Tensor, alpha: Tensor) -> Tensor:
    """x + sin^2(alpha x) / alpha: leaves the pitch of what it bends in place."""
    return torch.addcdiv(x, torch.sin(x * alpha).square_(), alpha)
