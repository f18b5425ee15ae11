"""The generator for singing: the same sound as generator.Generator, in less than half the time; no gradients.

What is saved, and why it is exact but for rounding:
- convolutions run tile by tile in a transformed space (tiles.py), which also yields the next norm's moments;
- a norm and Snake are one scale, one offset, one sine;
- a constant added to a channel vanishes in the norm that follows, so every bias inside a stage is left out, and
  those of the residual sums are added once at its end;
- leaky ReLU scales with its input, so the mean of three stacks is a sum, its third kept in the next weights.
"""

from __future__ import annotations

import threading
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.crew import Crew
from voice.network.generator import KERNELS, RATES, Generator, ResidualStack
from voice.network.norms import EPSILON, AdaptiveInstanceNorm, FrameWeights
from voice.network.tiles import Moments, Rows, TiledConvolution, moments_of


class QuickStack:
    """A ResidualStack whose convolutions are tiled."""

    def __init__(self, stack: ResidualStack) -> None:
        self._norms = [
            cast(AdaptiveInstanceNorm, norm)
            for pair in zip(stack.norms1, stack.norms2, strict=True)
            for norm in pair
        ]
        self._convolutions = [
            TiledConvolution(conv.weight, alpha.flatten(), conv.dilation[0])
            for pair in zip(
                zip(cast(list[nn.Conv1d], stack.convs1), stack.alpha1, strict=True),
                zip(cast(list[nn.Conv1d], stack.convs2), stack.alpha2, strict=True),
                strict=True,
            )
            for conv, alpha in pair
        ]
        self.bias = torch.stack([cast(Tensor, conv.bias) for conv in stack.convs2]).sum(0)

    def __call__(self, x: Rows, moments: Moments, style: Tensor, weights: Tensor, crew: Crew) -> None:
        """Adds to x what the stack adds, but for `bias`. style: [1, style]; weights: [length]."""
        between = Rows(crew.scratch.take("between", *x.values.shape), x.length)
        for i, (norm, convolution) in enumerate(zip(self._norms, self._convolutions, strict=True)):
            gain, shift = norm.fc(style)[0].chunk(2)
            variance = (moments.square - moments.mean.square()).clamp_(min=0)
            scale = (1 + gain) * torch.rsqrt(variance + EPSILON)
            offset = shift - moments.mean * scale
            source, target = (x, between) if i % 2 == 0 else (between, x)
            moments = convolution(source, scale, offset, target, add=i % 2 == 1, weights=weights, crew=crew)


class QuickGenerator:
    """Built from a Generator whose weights are final; batches are rendered one after the other.

    May be called from several threads; they take turns, since they share its memory.
    """

    @torch.inference_mode()
    def __init__(self, generator: Generator, threads: int = 1) -> None:
        self._plain = generator
        self._stacks = [
            [QuickStack(cast(ResidualStack, stack)) for stack in cast(nn.ModuleList, stage)]
            for stage in generator.stacks
        ]
        self._source_stacks = [QuickStack(cast(ResidualStack, s)) for s in generator.source_stacks]
        # The mean of three stacks is a sum whose third is in the weights after it.
        thirds = [1.0] + [1 / len(KERNELS)] * (len(RATES) - 1)
        self._ups = [
            (cast(nn.ConvTranspose1d, up), cast(Tensor, up.weight) * third)
            for up, third in zip(generator.ups, thirds, strict=True)
        ]
        self._out = generator.out.weight / len(KERNELS)
        self._crew = Crew(threads)
        self._turn = threading.Lock()

    @torch.inference_mode()
    def __call__(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """As Generator's."""
        log_magnitude, phase = self.spectra(x, excitation, style, weights).chunk(2, dim=1)
        return self._plain.spectrum.synthesise(torch.exp(log_magnitude), torch.sin(phase))

    @torch.inference_mode()
    def spectra(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """As Generator's."""
        with self._turn:
            return torch.cat(
                [
                    self._spectra(x[i : i + 1], excitation[i : i + 1], style[i : i + 1], weights, i)
                    for i in range(len(x))
                ]
            )

    def _spectra(
        self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None, item: int
    ) -> Tensor:
        plain = self._plain
        source = plain.spectrum.analyse(excitation)
        for i, (up, weight) in enumerate(self._ups):
            stride, padding = up.stride[0], int(up.padding[0])
            x = F.conv_transpose1d(F.leaky_relu(x, 0.1), weight, up.bias, stride, padding)
            if i == len(RATES) - 1:
                x = F.pad(x, (1, 0), mode="reflect")
            length = x.shape[2]
            share = torch.full((length,), 1 / length) if weights is None else weights.at(length)[item, :, 0]
            x = self._stage(i, x[0], plain.source_in[i](source)[0], style, share)[None]
        return F.conv1d(F.leaky_relu_(x, 0.01), self._out, plain.out.bias, padding=3)

    def _stage(self, i: int, x: Tensor, source: Tensor, style: Tensor, share: Tensor) -> Tensor:
        """x, source: [channels, length] -> the sum of the stacks, [channels, length]."""
        length, crew = x.shape[1], self._crew
        rows = self._rows("stage", source)
        self._source_stacks[i](
            rows, moments_of(rows.used[:, None], share[None], crew.scratch), style, share, crew
        )
        rows.used.add_(x)
        moments = moments_of(rows.used[:, None], share[None], crew.scratch)
        # The source stack's bias is in every stack's sum; each stack brings its own.
        total = (self._source_stacks[i].bias * len(KERNELS))[:, None].repeat(1, length)
        for stack in self._stacks[i]:
            branch = self._rows("branch", rows.used)
            stack(branch, moments, style, share, crew)
            total.add_(branch.used)
            total.add_(stack.bias[:, None])
        return total

    def _rows(self, name: str, values: Tensor) -> Rows:
        channels, length = values.shape
        rows = Rows(self._crew.scratch.take(name, channels, length + Rows.ROOM), length)
        rows.used.copy_(values)
        rows.values[:, length:].zero_()
        return rows
