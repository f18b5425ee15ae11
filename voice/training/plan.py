"""How a voice is to be learned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """steps on the style's first half by sound, beside which the second is foretold; then update_steps on low-rank
    updates of `rank` and the style together.

    seconds: of a piece, as far as phrases allow; batch: pieces a step; rates: of Adam at the start; held_out: the
    share of recordings that only judge; judge_every: steps between two judgements and checkpoints.
    """

    steps: int = 200
    update_steps: int = 0
    rank: int = 4
    seconds: float = 3.0
    batch: int = 1
    rate: float = 0.2
    update_rate: float = 0.001
    held_out: float = 0.1
    judge_every: int = 20
    seed: int = 0

    @property
    def all_steps(self) -> int:
        return self.steps + self.update_steps
