"""Fitting a voice to recordings: gradient descent on its style, then, if asked, on low-rank updates of the decoder.

Every draw comes from the seed and the step's number, so a run that was cut off goes on exactly: what a checkpoint
holds is all that there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voice.network import store
from voice.network.network import STYLE, Network
from voice.network.updates import begin_updates
from voice.training.dataset import Dataset, Recording
from voice.training.kindred import Kindred
from voice.training.mel import unlikeness
from voice.training.pieces import Piece, pieces_of
from voice.training.plan import Plan

JUDGED_BY = 6  # held-out pieces at the most
SLOWEST = 0.05  # of the rate, at the end
REMEMBERED = 0.97  # of the mean over past steps, at each step
OTHER_NOISE = 500_000_009  # seeds apart
METHOD = 7  # a checkpoint of another one is not taken up


@dataclass(frozen=True)
class Judgement:
    """After `step` steps: the mean distance [dB] from the pieces learned from since the last, and from the held-out."""

    step: int
    loss: float
    held_out: float


@dataclass(frozen=True)
class Fitted:
    """The style [256] and updates with the smallest held-out loss, and how it went."""

    style: tuple[float, ...]
    updates: dict[str, Tensor]
    history: tuple[Judgement, ...]
    best: int  # the step that it was found at


Told = Callable[[int, float], None]  # steps done, the last one's loss


def checkpoint_path(folder: Path, dataset: Dataset, start: Sequence[float], plan: Plan) -> Path:
    """Another dataset, start or plan has another checkpoint."""
    key = f"{METHOD} {dataset.fingerprint} {list(start)} {asdict(plan)}"
    return folder / f"checkpoint-{sha256(key.encode()).hexdigest()[:16]}.safetensors"


def fit(
    dataset: Dataset,
    network: Network,
    start: Sequence[float],
    plan: Plan,
    checkpoint: Path,
    told: Told = lambda step, loss: None,
    judged: Callable[[Judgement], None] = lambda judgement: None,
) -> Fitted:
    """Goes on from `checkpoint` where there is one. network: plain, on the CPU or a GPU. Raises OSError."""
    fitting = Fitting(dataset, network, start, plan, checkpoint)
    while fitting.step < plan.all_steps:
        told(fitting.step + 1, fitting.learn())
        if fitting.due:
            judged(fitting.judge())
        fitting.save()
    return fitting.fitted()


class Fitting:
    """One run: where it is, and what it learns."""

    def __init__(
        self, dataset: Dataset, network: Network, start: Sequence[float], plan: Plan, checkpoint: Path
    ) -> None:
        self.network, self.plan, self.checkpoint = network, plan, checkpoint
        self.device = next(network.parameters()).device
        learned, judging = split(dataset.recordings, plan)
        kept = store.read(checkpoint) if checkpoint.exists() else None
        self._learned, held = (
            [piece.to(self.device) for one in some for piece in pieces_of(one, plan.seconds)]
            for some in (learned, judging)
        )
        self._held = held[:JUDGED_BY]
        self._kindred = Kindred()
        self._start = torch.tensor(start[:STYLE], device=self.device)
        # From the start, along the ways in which voices differ.
        self.away = torch.zeros(STYLE, device=self.device).requires_grad_()
        self._updates = begin_updates(network, plan.rank, plan.seed) if plan.update_steps else {}
        self._optimiser = torch.optim.Adam(
            [
                {"params": [self.away], "base": plan.rate},
                {"params": list(self._updates.values()), "base": plan.update_rate},
            ],
            betas=(0.9, 0.98),
        )
        self.step = 0
        self._losses: list[float] = []
        self._history: list[Judgement] = []
        # Steps stray about what they seek: their mean is nearer to it than any of them (Polyak and Juditsky, 1992).
        self._mean = self._learnable()
        self._best = self._mean
        if kept:
            self._take_up(kept)
        else:
            self.judge()

    @property
    def due(self) -> bool:
        return self.step % self.plan.judge_every == 0 or self.step == self.plan.all_steps

    def learn(self) -> float:
        """One step; the loss before it [dB]."""
        plan, rng = self.plan, np.random.default_rng([self.plan.seed, 1000 + self.step])
        sizes = np.array([one.frames for one in self._learned], float)
        chosen = rng.choice(len(sizes), size=plan.batch, p=sizes / sizes.sum())
        self._set_rates()
        self._optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for i in chosen:  # one after the other: phrases differ in length
            with torch.enable_grad():
                apart, stray = self._compared(self._learned[i], plan.seed * 1_000_003 + self.step)
                # Half of `stray`, of which only one rendering has a gradient: by symmetry that is half of it.
                ((apart - stray) / plan.batch).backward()  # type: ignore[no-untyped-call]
            total += float(apart.detach() - stray.detach() / 2) / plan.batch
        self._optimiser.step()
        self.step += 1
        kept = min(REMEMBERED, self.step / (self.step + 10))
        self._mean = {name: self._mean[name].lerp(now, 1 - kept) for name, now in self._learnable().items()}
        self._losses.append(float(np.float32(total)))  # as a checkpoint keeps it
        return total

    def judge(self) -> Judgement:
        """The held-out loss of the steps' mean now; it is kept if it was never smaller."""
        now = self._learnable()
        self._put(self._mean)
        with torch.no_grad():
            compared = [self._compared(piece, 7) for piece in self._held]
            held_out = float(np.mean([float(apart - stray / 2) for apart, stray in compared]))
        self._put(now)
        if held_out < min((one.held_out for one in self._history), default=math.inf):
            self._best = self._mean
        loss = float(np.mean(self._losses)) if self._losses else held_out
        self._losses = []
        # As a checkpoint keeps it, so that a run that goes on tells the same story.
        self._history.append(Judgement(self.step, float(np.float32(loss)), float(np.float32(held_out))))
        return self._history[-1]

    def fitted(self) -> Fitted:
        best = min(self._history, key=lambda one: one.held_out)
        style = self._style(self._best["away"].to(self.device))
        changed = self.step > self.plan.steps and best.step > self.plan.steps
        updates = {name: self._best[name] for name in self._updates} if changed else {}
        return Fitted(tuple(style.tolist()), updates, tuple(self._history), best.step)

    def save(self) -> None:
        """All or nothing. Raises OSError."""
        now = {f"now.{name}": value for name, value in self._learnable().items()}
        mean = {f"mean.{name}": value for name, value in self._mean.items()}
        best = {f"best.{name}": value for name, value in self._best.items()}
        moments = {
            f"adam.{i}.{name}": value.cpu().reshape(-1)
            for i, state in self._optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        history = torch.tensor([[one.step, one.loss, one.held_out] for one in self._history])
        losses = torch.tensor(self._losses, dtype=torch.float32)
        place = {
            "step": torch.tensor([float(self.step)]),
            "history": history,
            "losses": losses,
        }
        store.write(self.checkpoint, now | mean | best | moments | place)

    def _take_up(self, kept: dict[str, Tensor]) -> None:
        self.step = int(kept["step"])
        self._losses = kept["losses"].tolist()
        self._history = [Judgement(int(step), loss, held) for step, loss, held in kept["history"].tolist()]
        parameters = self._parameters()
        now, self._mean, self._best = (
            {name: kept[f"{which}.{name}"].clone() for name in parameters}
            for which in ("now", "mean", "best")
        )
        self._put(now)
        state = self._optimiser.state_dict()
        for i, parameter in enumerate(parameters.values()):
            own = {n.split(".")[2]: v.clone() for n, v in kept.items() if n.startswith(f"adam.{i}.")}
            if own:
                step = own.pop("step").reshape(())
                state["state"][i] = {"step": step, **{n: v.view_as(parameter) for n, v in own.items()}}
        self._optimiser.load_state_dict(state)

    def _parameters(self) -> dict[str, Tensor]:
        return {"away": self.away, **self._updates}

    def _learnable(self) -> dict[str, Tensor]:
        return {name: value.detach().cpu().clone() for name, value in self._parameters().items()}

    @torch.no_grad()
    def _put(self, learned: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters().items():
            parameter.copy_(learned[name])

    def _set_rates(self) -> None:
        """The style's rate falls to SLOWEST over its steps; with updates, both begin again and fall together."""
        updating = self.step >= self.plan.steps
        done = (
            (self.step - self.plan.steps) / max(self.plan.update_steps, 1)
            if updating
            else self.step / self.plan.steps
        )
        share = SLOWEST + (1 - SLOWEST) * 0.5 * (1 + math.cos(math.pi * done))
        style, updates = self._optimiser.param_groups
        style["lr"] = style["base"] * share * (0.1 if updating else 1.0)
        updates["lr"] = updates["base"] * share
        for parameter in self._updates.values():
            parameter.requires_grad_(updating)

    def _style(self, away: Tensor) -> Tensor:
        voicing = self._kindred.moved(self._start, away)
        return torch.cat([voicing, self._kindred.prosody(voicing)])

    def _compared(self, piece: Piece, seed: int) -> tuple[Tensor, Tensor]:
        """How far a rendering lies from the piece, and from a rendering with other noise [dB].

        The first less half of the second is the energy distance (Gritsenko et al., NeurIPS 2020), which is least for
        the voice whose noise is the recording's too. The first alone is least for a voice with less noise.
        """
        style = self._style(self.away)

        def rendered(drawn: int) -> Tensor:
            return piece.rendered(self.network, style, torch.Generator(self.device).manual_seed(drawn))

        with torch.no_grad():
            other = rendered(seed + OTHER_NOISE)
        sung, heard = rendered(seed), piece.heard[None]
        return (
            unlikeness(sung, piece.audio[None], heard, levels=False),
            unlikeness(sung, other, heard, levels=False),
        )


def split(recordings: Sequence[Recording], plan: Plan) -> tuple[list[Recording], list[Recording]]:
    """(to learn from, to judge by), drawn by the plan's seed."""
    order = np.random.default_rng(plan.seed).permutation(len(recordings))
    count = min(max(1, round(plan.held_out * len(recordings))), len(recordings) - 1)
    held = set(order[:count].tolist())
    return [r for i, r in enumerate(recordings) if i not in held], [recordings[i] for i in sorted(held)]
