"""The short spectra of iSTFTNet (arXiv 2203.02395): 20 samples long, 5 apart, Hann window."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIZE = 20
HOP = 5
BINS = SIZE // 2 + 1


class ShortSpectrum(nn.Module):
    """Signal to magnitude and phase, and back."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(SIZE, device="cpu"), persistent=False)

    def analyse(self, signal: Tensor) -> Tensor:
        """[batch, samples] -> [batch, 2 * BINS, samples / HOP + 1]: magnitudes, then phases in radians."""
        spectrum = torch.stft(signal, SIZE, HOP, window=self.window, return_complex=True)
        return torch.cat([spectrum.abs(), spectrum.angle()], dim=1)

    def synthesise(self, magnitude: Tensor, phase: Tensor) -> Tensor:
        """Two of [batch, BINS, frames] -> [batch, (frames - 1) * HOP]."""
        return torch.istft(torch.polar(magnitude, phase), SIZE, HOP, window=self.window)
