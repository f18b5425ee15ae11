"""The sound of the vocal folds: harmonics where voiced, noise elsewhere (arXiv 1904.12088)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLE_RATE = 24_000  # Hz
FRAME = 300  # samples of one F0 frame
HARMONICS = 9  # the fundamental among them
VOICED_FROM = 10.0  # Hz; an F0 below is unvoiced


class HarmonicSource(nn.Module):
    """F0 to an excitation signal. The harmonics' mix is learned; their amplitude can be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(HARMONICS, 1)

    def forward(
        self, f0: Tensor, amplitude: float = 0.1, noise: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """f0: [batch, frames], Hz, 0 where unvoiced, 80 a second -> [batch, frames * FRAME].

        `noise` 1 is breath and hiss as trained, 0 none; `generator` makes it repeatable.
        """
        # Phase is counted in whole cycles and in doubles: a minute of singing must not drift out of tune.
        cycles = torch.cumsum(f0.double() * (FRAME / SAMPLE_RATE), dim=1)
        phase = F.interpolate(cycles[:, None], scale_factor=FRAME, mode="linear", align_corners=False)
        phase = (phase - phase.floor()).to(f0.dtype) * (2 * math.pi)
        order = torch.arange(1, HARMONICS + 1, device=f0.device, dtype=f0.dtype)[:, None]
        voiced = (f0 > VOICED_FROM).to(f0.dtype).repeat_interleave(FRAME, dim=1)[:, None]
        waves = torch.sin(phase * order).mul_(voiced * amplitude)
        if noise:
            level = voiced * 0.003 + (1 - voiced) * (amplitude / 3)
            hiss = torch.randn(waves.shape, generator=generator, device=f0.device, dtype=f0.dtype)
            waves = torch.addcmul(waves, hiss, level * noise)
        return torch.tanh(self.mix(waves.transpose(1, 2)))[:, :, 0]
