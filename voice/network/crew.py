"""A few threads that share out one step of the work, and memory that each uses again.

torch's own threads meet after every operation and wait for each other spinning: on a machine that does anything
else beside, two of them were seven times slower than one. These meet once a convolution, and sleep.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
R = TypeVar("R")


class Scratch:
    """Memory that is used again: fresh memory costs as much time as the arithmetic that fills it."""

    def __init__(self) -> None:
        self._buffers: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """Whatever was in it, in this shape; the next taker of `name` overwrites it."""
        size = math.prod(shape)
        if name not in self._buffers or self._buffers[name].numel() < size:
            self._buffers.pop(name, None)
            self._buffers[name] = torch.empty(size)
        return self._buffers[name][:size].view(shape)


class Crew:
    """`each` runs a function over items on `size` threads; results come in order."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, "voice") if size > 1 else None
        self._alone = Scratch()
        self._own = threading.local()

    @property
    def scratch(self) -> Scratch:
        """The memory of the crew's thread that asks."""
        if self._pool is None:
            return self._alone
        if not hasattr(self._own, "scratch"):
            self._own.scratch = Scratch()
        scratch: Scratch = self._own.scratch
        return scratch

    def each(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """No gradients are kept, in any thread."""

        def one(item: T) -> R:
            with torch.inference_mode():
                return work(item)

        if self._pool is None or len(items) < 2:
            return [one(item) for item in items]
        return list(self._pool.map(one, items))
