"""The generator for singing: the same sound as generator.Generator, in less than half the time; no gradients.

What is saved, and why it is exact but for rounding:
- convolutions run tile by tile in a transformed space (tiles.py), which also yields the next norm's moments;
- a norm and Snake are one scale, one offset, one sine;
- a constant added to a channel vanishes in the norm that follows, so every bias inside a stage is left out, and
  those of the residual sums are added once at its end;
- leaky ReLU scales with its input, so the mean of three stacks is a sum, its third kept in the next weights.
"""

from __future__ import annotations

import queue
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.crew import Crew, Scratch
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

    def __call__(
        self, x: Rows, moments: Moments, between: Rows, style: Tensor, weights: Tensor, crew: Crew
    ) -> None:
        """Adds to x what the stack adds, but for `bias`; `between` is overwritten.

        style: [1, style]; weights: [length].
        """
        for i, (norm, convolution) in enumerate(zip(self._norms, self._convolutions, strict=True)):
            gain, shift = norm.fc(style)[0].chunk(2)
            variance = (moments.square - moments.mean.square()).clamp_(min=0)
            scale = (1 + gain) * torch.rsqrt(variance + EPSILON)
            offset = shift - moments.mean * scale
            source, target = (x, between) if i % 2 == 0 else (between, x)
            moments = convolution(source, scale, offset, target, add=i % 2 == 1, weights=weights, crew=crew)


class QuickGenerator:
    """Built from a Generator whose weights are final; batches are rendered one after the other.

    May be called from several threads: two are served at a time, so that what one thread of the crew must do alone
    goes beside what can be shared out; further ones wait, since all memory is then in use.
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
        self._memories: queue.LifoQueue[Scratch] = queue.LifoQueue()
        for _ in range(min(2, threads)):
            self._memories.put(Scratch())

    @torch.inference_mode()
    def __call__(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """As Generator's."""
        log_magnitude, phase = self.spectra(x, excitation, style, weights).chunk(2, dim=1)
        return self._plain.spectrum.synthesise(torch.exp(log_magnitude), torch.sin(phase))

    @torch.inference_mode()
    def spectra(self, x: Tensor, excitation: Tensor, style: Tensor, weights: FrameWeights | None) -> Tensor:
        """As Generator's."""
        memory = self._memories.get()
        try:
            return torch.cat(
                [
                    self._spectra(x[i : i + 1], excitation[i : i + 1], style[i : i + 1], weights, i, memory)
                    for i in range(len(x))
                ]
            )
        finally:
            self._memories.put(memory)

    def _spectra(
        self,
        x: Tensor,
        excitation: Tensor,
        style: Tensor,
        weights: FrameWeights | None,
        item: int,
        memory: Scratch,
    ) -> Tensor:
        source = self._plain.spectrum.analyse(excitation)
        for i, (up, weight) in enumerate(self._ups):
            stride, padding = up.stride[0], int(up.padding[0])
            x = F.conv_transpose1d(F.leaky_relu(x, 0.1), weight, up.bias, stride, padding)
            if i == len(RATES) - 1:
                x = F.pad(x, (1, 0), mode="reflect")
            length = x.shape[2]
            share = torch.full((length,), 1 / length) if weights is None else weights.at(length)[item, :, 0]
            self._stage(i, x[0], source, style, share, memory)
        return F.conv1d(F.leaky_relu_(x, 0.01), self._out, self._plain.out.bias, padding=3)

    def _stage(
        self, i: int, x: Tensor, source: Tensor, style: Tensor, share: Tensor, memory: Scratch
    ) -> None:
        """x: [channels, length] becomes the sum of the stacks. source: [1, 22, spectra]."""
        rows, branch, between = (_rows(memory, name, *x.shape) for name in ("stage", "branch", "between"))
        rows.used.copy_(self._plain.source_in[i](source)[0])
        own = self._source_stacks[i]
        own(rows, self._moments(rows, share), between, style, share, self._crew)
        rows.used.add_(x)
        moments = self._moments(rows, share)
        # The source stack's bias is in every stack's sum; each stack brings its own.
        bias = own.bias * len(KERNELS) + sum(stack.bias for stack in self._stacks[i])
        x.copy_(bias[:, None].expand_as(x))
        for stack in self._stacks[i]:
            branch.used.copy_(rows.used)
            stack(branch, moments, between, style, share, self._crew)
            x.add_(branch.used)

    def _moments(self, rows: Rows, share: Tensor) -> Moments:
        """By a few channels at a time: their squares stay in the cache."""

        def some(channels: Tensor) -> Moments:
            return moments_of(channels[:, None], share[None], self._crew.scratch)

        parts = self._crew.each(some, torch.split(rows.used, 16))
        return Moments(torch.cat([part.mean for part in parts]), torch.cat([part.square for part in parts]))


def _rows(memory: Scratch, name: str, channels: int, length: int) -> Rows:
    rows = Rows(memory.take(name, channels, length + Rows.ROOM), length)
    rows.values[:, length:].zero_()
    return rows
