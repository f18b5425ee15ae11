"""Mel spectra: what a recording and a rendering are compared by. They ignore phase: the source's is nobody's."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 24_000  # Hz
RESOLUTIONS = ((512, 128), (1024, 256), (2048, 512))  # samples of window and hop
BANDS = 80
BELOW = 2  # of them lie below 80 Hz
FLOOR = 0.03  # of magnitude, some 60 dB below a loud vowel: silence is alike, however silent
SLOW = 0.25  # seconds over which a change of level is how loud somebody sings, not with which voice


@cache
def mel_bands(size: int) -> Tensor:
    """Triangles that overlap by half, evenly spaced in mel: [BANDS, size // 2 + 1]."""
    hertz = torch.linspace(0, RATE / 2, size // 2 + 1, dtype=torch.float64)
    top = 2595 * torch.log10(torch.tensor(1 + RATE / 1400, dtype=torch.float64))
    edges = 700 * (10 ** (torch.linspace(0, 1, BANDS + 2, dtype=torch.float64) * top / 2595) - 1)
    low, middle, high = (edges[i : BANDS + i, None] for i in range(3))
    up, down = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return torch.minimum(up, down).clamp(min=0).float()


def log_mel(audio: Tensor, size: int, hop: int) -> Tensor:
    """[batch, samples] -> [batch, BANDS, samples // hop + 1], natural logarithms of magnitude."""
    window = torch.hann_window(size, device=audio.device)
    spectrum = torch.stft(audio, size, hop, window=window, return_complex=True)
    power = torch.view_as_real(spectrum).square().sum(-1)
    # The root of a sum, not of each bin: its slope stays finite where a bin is silent.
    return 0.5 * torch.log(mel_bands(size).to(audio.device) @ power + FLOOR**2)


def unlikeness(audio: Tensor, wanted: Tensor, heard: Tensor, *, levels: bool = True) -> Tensor:
    """How far two sounds are apart in mel, in dB, whatever their gains; the mean over resolutions.

    The bands below a voice are left out: there the network hums, and rooms rumble. Without `levels` a gain that
    changes slowly does not count either.

    audio, wanted: [batch, samples]; heard: [batch, samples], 1 where the difference counts, 0 where not.
    """
    gain = ((wanted * heard).square().sum(1) / (audio * heard).square().sum(1).clamp(min=1e-9)).sqrt()
    audio = audio * gain.detach()[:, None]
    apart = []
    for size, hop in RESOLUTIONS:
        difference = (log_mel(audio, size, hop) - log_mel(wanted, size, hop))[:, BELOW:]
        counts = heard[:, ::hop][:, None, : difference.shape[2]]
        counts = F.pad(counts, (0, difference.shape[2] - counts.shape[2]))
        if not levels:
            difference = difference - _slowly(difference.mean(1, keepdim=True), round(SLOW * RATE / hop))
        share = counts / ((BANDS - BELOW) * counts.sum(dim=(1, 2), keepdim=True)).clamp(min=1)
        apart.append((difference.abs() * share).sum(dim=(1, 2)).mean())
    return torch.stack(apart).mean() * DECIBELS


def _slowly(curve: Tensor, frames: int) -> Tensor:
    """[batch, 1, time] as a moving mean."""
    return F.avg_pool1d(curve, 2 * (frames // 2) + 1, 1, frames // 2, count_include_pad=False)


DECIBELS = 20 / torch.log(torch.tensor(10.0)).item()  # of a natural logarithm of magnitude
