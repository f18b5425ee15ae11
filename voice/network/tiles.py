"""Convolution over time with fewer multiplications: tile by tile, in a transformed space.

A tile of `step` outputs is back @ ((taps @ kernel) * (forth @ window)), the products summed over channels; with
`points` products in place of step * kernel. Fourier tilings have the discrete Fourier transform's points, three
real products to a complex one; Toom-Cook tilings (Winograd's, arXiv 1509.09308) suit the shortest kernels. All
three matrix products run in the BLAS. Both are exact but for rounding: 1e-6 of the signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from voice.network.crew import Crew, Scratch


@dataclass(frozen=True)
class Tiling:
    """In doubles: forth [points, window], taps [points, kernel], back [step, points]; window = step + kernel - 1."""

    forth: Tensor
    taps: Tensor
    back: Tensor


def fourier(window: int, kernel: int) -> Tiling:
    """A circular correlation of an even `window`; the outputs that wrap around are not computed."""
    step = window - kernel + 1
    time = torch.arange(window, dtype=torch.float64)
    one, alternating = torch.ones_like(time), 1 - 2 * (time % 2)
    forth, taps, back = [one], [one[:kernel]], [one[:step] / window]
    for k in range(1, window // 2):
        c, s = torch.cos(2 * math.pi * k * time / window), torch.sin(2 * math.pi * k * time / window)
        # (xr + i xi) (a + i b) by three products: a (xr + xi), xr (b - a), xi (a + b)
        forth += [c - s, c, -s]
        a, b = c[:kernel], s[:kernel]
        taps += [a, b - a, a + b]
        c, s = c[:step] * 2 / window, s[:step] * 2 / window
        back += [c - s, -s, -c]
    return Tiling(
        torch.stack([*forth, alternating]),
        torch.stack([*taps, alternating[:kernel]]),
        torch.stack([*back, alternating[:step] / window], dim=1),
    )


def toom_cook(kernel: int, points: tuple[float, ...]) -> Tiling:
    """Polynomials multiplied at `points` and at infinity."""
    size = len(points) + 1
    step = size - kernel + 1

    def evaluated(length: int) -> Tensor:
        powers = torch.tensor([[p**i for i in range(length)] for p in points], dtype=torch.float64)
        return torch.cat([powers, torch.eye(length, dtype=torch.float64)[-1:]])

    taps, back = evaluated(kernel), evaluated(step)
    size_of_taps, size_of_back = taps.norm(dim=1, keepdim=True), back.norm(dim=1, keepdim=True)
    forth = torch.linalg.inv(evaluated(size)).T * size_of_taps * size_of_back
    return Tiling(forth, taps / size_of_taps, (back / size_of_back).T)


def tiling_for(kernel: int) -> Tiling:
    """The quickest of those tried on a CPU with AVX2, 128 and 256 channels (docs/decisions/voice.md)."""
    if kernel <= 3:
        return toom_cook(kernel, (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5))
    return fourier(24 if kernel <= 7 else 34, kernel)


@dataclass(frozen=True)
class Rows:
    """[channels, length] in rows that have room at their end, to be read in any number of phases."""

    values: Tensor
    length: int

    ROOM = 8

    @property
    def used(self) -> Tensor:
        return self.values[:, : self.length]

    def phases(self, count: int, first: int, last: int) -> Tensor:
        """Every `count`th column, from each of `count` starts: [channels, count, last - first]."""
        channels, row = self.values.shape
        start = self.values.storage_offset() + first * count
        return self.values.as_strided((channels, count, last - first), (row, 1, count), start)


@dataclass(frozen=True)
class Moments:
    """Weighted sums over time of the values and of their squares, [channels] each; the weights sum to 1."""

    mean: Tensor
    square: Tensor


class TiledConvolution:
    """Snake, then a convolution without bias, over one signal; the outputs' moments come with them.

    Snake is x + sin^2(alpha x) / alpha. Here it is (w + sin^2 w) / alpha with w = alpha x: alpha goes into the
    scale and offset that the norm before has anyway, and 1 / alpha into the kernel.
    """

    def __init__(self, kernel: Tensor, alpha: Tensor, dilation: int) -> None:
        """kernel: [out, in, taps], an odd number of taps; alpha: [in]."""
        tiling = tiling_for(kernel.shape[2])
        self.alpha = alpha
        self.dilation = dilation
        self.half = kernel.shape[2] // 2
        self._forth = tiling.forth.float()
        self._back = tiling.back.T.float().contiguous()
        scaled = (kernel / alpha[:, None]).flatten(0, 1)
        points = tiling.taps.float() @ scaled.T
        self._kernel = points.view(-1, *kernel.shape[:2])

    def __call__(
        self, x: Rows, scale: Tensor, offset: Tensor, out: Rows, *, add: bool, weights: Tensor, crew: Crew
    ) -> Moments:
        """Writes (or adds) to `out` the convolution of snake(x * scale + offset).

        scale, offset: [in]; weights: [length], summing to 1, the frames' share in the moments.
        """
        taken, phases, step = self._kernel.shape[2], self.dilation, self._back.shape[1]
        tiles = -(-self._columns(x) // step)
        size = _chunk(tiles, taken * phases)
        w, b = (scale * self.alpha)[:, None, None], (offset * self.alpha)[:, None, None]
        share = Rows(F.pad(weights, (0, Rows.ROOM))[None], x.length)

        def chunk(first: int) -> Moments:
            count = min(size, tiles - first)
            windows = self._windows(x, w, b, first * step, count, crew.scratch)
            values = self._products(windows, phases * count, crew.scratch)
            last = min((first + count) * step, self._columns(x))
            values = values.view(len(values), phases, -1)[:, :, : last - first * step]
            target = out.phases(phases, first * step, last)
            if add:
                values = target.add_(values)
            else:
                target.copy_(values)
            return moments_of(values, share.phases(phases, first * step, last)[0], crew.scratch)

        parts = crew.each(chunk, range(0, tiles, size))
        return Moments(
            torch.stack([part.mean for part in parts]).sum(0),
            torch.stack([part.square for part in parts]).sum(0),
        )

    def _columns(self, x: Rows) -> int:
        return -(-x.length // self.dilation)

    def _products(self, windows: Tensor, tiles: int, scratch: Scratch) -> Tensor:
        """windows: [in * tiles, window] -> [out, tiles * step]."""
        points, made, taken = self._kernel.shape
        there = scratch.take("there", points, taken * tiles)
        torch.mm(self._forth, windows.t(), out=there)
        product = scratch.take("product", points, made, tiles)
        torch.bmm(self._kernel, there.view(points, taken, tiles), out=product)
        back = scratch.take("back", made * tiles, self._back.shape[1])
        return torch.mm(product.view(points, -1).t(), self._back, out=back).view(made, -1)

    def _windows(
        self, x: Rows, scale: Tensor, offset: Tensor, start: int, count: int, scratch: Scratch
    ) -> Tensor:
        """Snake of the input around `count` tiles from column `start` on: [channels * phases * count, window]."""
        channels, phases = x.values.shape[0], self.dilation
        columns = self._columns(x)
        step, window = self._back.shape[1], self._forth.shape[1]
        row = count * step + 2 * self.half
        first, last = max(start - self.half, 0), min(start - self.half + row, columns)
        bent = scratch.take("bent", channels, phases, row)
        inside = slice(first - start + self.half, last - start + self.half)
        bent[:, :, : inside.start].zero_()
        bent[:, :, inside.stop :].zero_()
        inner = bent[:, :, inside]
        torch.addcmul(offset, x.phases(phases, first, last), scale, out=inner)
        sine = scratch.take("sine", channels, phases, row)[:, :, inside]
        torch.sin(inner, out=sine)
        inner.addcmul_(sine, sine)
        if last == columns:  # the last column is past the end in some phases
            bent[:, x.length - phases * (columns - 1) :, inside.stop - 1].zero_()
        tiles = bent.as_strided((channels, phases, count, window), (phases * row, row, step, 1))
        return scratch.take("windows", channels, phases, count, window).copy_(tiles).view(-1, window)


def _chunk(tiles: int, rows: int) -> int:
    """How many tiles to take at a time: what stays in a CPU's cache, in fours, so that each of a crew has some.

    It does not depend on the crew: sums must round alike on one thread and on two.
    """
    fours = -(-tiles * rows // (4 << 15))
    chunks = max(1, min(4 * fours, tiles * rows // (1 << 12)))
    return -(-tiles // chunks)


def moments_of(values: Tensor, share: Tensor, scratch: Scratch) -> Moments:
    """values: [channels, phases, columns]; share: [phases, columns]."""
    mean, square = torch.zeros(len(values)), torch.zeros(len(values))
    squares = torch.mul(values, values, out=scratch.take("squares", *values.shape))
    for phase in range(len(share)):
        mean.addmv_(values[:, phase], share[phase])
        square.addmv_(squares[:, phase], share[phase])
    return Moments(mean, square)
