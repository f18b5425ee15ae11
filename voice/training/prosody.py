"""The half of a style that says how long and how loud words are spoken, fitted to how they are sung.

Vowels are as long as their notes and as loud as the singer makes them, so consonants teach: their durations, and
their energy beside the vowels'. Where the singer would bound what is predicted, the bounded value counts: beyond, a
recording tells nothing. The network that predicts both is small, so this takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voice.alignment import EARLY, FRAMES
from voice.energy import CONSONANT_FLOORS
from voice.network.network import STYLE, Network
from voice.rendering import CURVE
from voice.timing import LIMITS
from voice.training.dataset import Recording
from voice.training.mel import energy_of
from voice.training.pieces import Read, levelled, read

RATE = 0.01
ENERGY_SHARE = 0.3  # of an energy's error beside a duration's, in logarithms
HOLD = 0.01  # of the squared distance from the start: consonants alone do not settle 128 numbers


@dataclass(frozen=True)
class _Lesson:
    """One recording: context [1, length, 512], what its consonants [count] sound like, and their bounds."""

    context: Tensor
    consonants: Tensor
    frames: Tensor
    shortest: Tensor  # frames
    longest: Tensor
    energy: Tensor
    floors: Tensor


def fit_prosody(recordings: Sequence[Recording], network: Network, start: Tensor, steps: int) -> Tensor:
    """start: [256] -> [256], of which the first half is as it was."""
    lessons = [_lesson(one, network, start) for one in recordings]
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
    frames, features = network.predictor.durations(lesson.context, style[None])
    natural = frames[0].detach().round().clamp(min=1).long()
    energy = network.contours(
        features.repeat_interleave(natural, dim=2), torch.cat([torch.zeros(STYLE), style])[None]
    )
    edges = torch.cat([torch.zeros(1, dtype=torch.long), torch.cumsum(natural, 0)])
    spoken = torch.stack([_mean(energy.energy[0], edges, int(t)) for t in lesson.consonants])
    sung = frames[0, lesson.consonants].clamp(lesson.shortest, lesson.longest)
    durations = F.smooth_l1_loss(sung.log(), lesson.frames.log())
    return durations + ENERGY_SHARE * F.smooth_l1_loss(spoken.maximum(lesson.floors), lesson.energy)


def _mean(energy: Tensor, edges: Tensor, token: int) -> Tensor:
    """Of one token's own frames; sound comes EARLY."""
    first, last = (max(2 * int(edge) - round(EARLY * CURVE), 0) for edge in edges[token : token + 2])
    return energy[first : max(last, first + 1)].mean()


@torch.no_grad()
def _lesson(recording: Recording, network: Network, style: Tensor) -> _Lesson:
    from voice.network.network import vocabulary

    own: Read = read(recording, network, style)
    table = vocabulary()
    tokens = torch.tensor([[table[t.symbol] if t.symbol else 0 for t in own.passage.tokens]])
    energy = energy_of(levelled(torch.from_numpy(recording.samples()), own))
    there = [s for s in own.sounds if s.role == "onset" and s.end - s.start > 1 / CURVE]
    return _Lesson(
        context=network.narrow(network.albert(tokens)),
        consonants=torch.tensor([s.token for s in there], dtype=torch.long),
        frames=torch.tensor([(s.end - s.start) * FRAMES for s in there]),
        shortest=torch.tensor([LIMITS[s.symbol][0] * FRAMES for s in there]),
        longest=torch.tensor([LIMITS[s.symbol][1] * FRAMES for s in there]),
        floors=torch.tensor([CONSONANT_FLOORS[s.symbol] for s in there]),
        energy=torch.tensor(
            [
                float(energy[int(s.start * CURVE) : int(np.ceil(s.end * CURVE))].mean())
                if int(s.start * CURVE) < len(energy)
                else float(energy[-1])
                for s in there
            ]
        ),
    )
