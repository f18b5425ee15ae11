"""The half of a style that says how long words are spoken, fitted to how they are sung.

Vowels are as long as their notes, so consonants teach. Where the singer would bound what is predicted, the bounded
value counts: beyond, a recording tells nothing. The network that predicts it is small, so this takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from voice.alignment import FRAMES
from voice.network.network import STYLE, Network
from voice.rendering import CURVE
from voice.timing import LIMITS
from voice.training.dataset import Recording
from voice.training.pieces import read

RATE = 0.01
ROUNDED = 0.05  # frames by which a duration may be off where it is written
HOLD = 0.003  # of the squared distance from the start: consonants alone do not settle 128 numbers


@dataclass(frozen=True)
class _Lesson:
    """One recording: context [1, length, 512]; its consonants' tokens, and the frames that they may be spoken for."""

    context: Tensor
    consonants: Tensor
    least: Tensor
    most: Tensor


def fit_prosody(recordings: Sequence[Recording], network: Network, start: Tensor, steps: int) -> Tensor:
    """start: [256] -> [256], of which the first half is as it was."""
    lessons = [_lesson(one, network) for one in recordings]
    lessons = [one for one in lessons if len(one.consonants)]
    first = start[STYLE:]
    own = first.clone().requires_grad_()
    optimiser = torch.optim.Adam([own], lr=RATE)
    for step in range(steps if lessons else 0):
        lesson = lessons[step % len(lessons)]
        with torch.enable_grad():
            loss = _strangeness(lesson, network, own) + HOLD * (own - first).square().sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return torch.cat([start[:STYLE], own.detach()])


def _strangeness(lesson: _Lesson, network: Network, style: Tensor) -> Tensor:
    frames, _ = network.predictor.durations(lesson.context, style[None])
    spoken = frames[0, lesson.consonants]
    return F.smooth_l1_loss(spoken.log(), spoken.clamp(lesson.least, lesson.most).log())


@torch.no_grad()
def _lesson(recording: Recording, network: Network) -> _Lesson:
    from voice.network.network import vocabulary

    own = read(recording)
    table = vocabulary()
    tokens = torch.tensor([[table[t.symbol] if t.symbol else 0 for t in own.passage.tokens]])
    there = [s for s in own.sounds if s.role == "onset" and s.end - s.start > 1 / CURVE]
    sung = torch.tensor([(s.end - s.start) * FRAMES for s in there])
    shortest, longest = (torch.tensor([LIMITS[s.symbol][i] * FRAMES for s in there]) for i in (0, 1))
    return _Lesson(
        context=network.narrow(network.albert(tokens)),
        consonants=torch.tensor([s.token for s in there], dtype=torch.long),
        least=torch.where(sung > shortest + ROUNDED, sung, 0.1),
        most=torch.where(sung < longest - ROUNDED, sung, math.inf),
    )
