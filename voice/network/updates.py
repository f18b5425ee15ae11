"""Low-rank updates of the decoder (arXiv 2106.09685): what a voice may learn beyond its style.

A weight [out, ...] gets `up` [out, rank] times `down` [rank, the rest] added: the layers through which the style
steers, and the convolutions at the low frame rate. The generator's own convolutions stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from voice.network.network import Network


class UpdatesError(ValueError):
    """Updates that do not fit the network."""


class LowRank(nn.Module):
    """Adds its product to a weight; nothing at first."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rest = math.prod(weight.shape[1:])
        down = torch.randn(rank, rest, generator=generator) / math.sqrt(rest)
        self.down = nn.Parameter(down.to(weight.device))
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def updatable(network: Network) -> dict[str, nn.Module]:
    """The layers that can be updated, by name."""
    named = {f"decoder.{name}": module for name, module in network.decoder.named_modules()}
    return {
        name: module
        for name, module in named.items()
        if isinstance(module, nn.Linear | nn.Conv1d)
        and (name.endswith(".fc") or name.startswith(("decoder.encode.", "decoder.decode.")))
    }


def begin_updates(network: Network, rank: int, seed: int) -> dict[str, nn.Parameter]:
    """Makes the decoder's layers updatable; the parameters to learn, by name."""
    generator = torch.Generator().manual_seed(seed)
    parameters: dict[str, nn.Parameter] = {}
    for name, module in updatable(network).items():
        update = LowRank(cast(Tensor, module.weight), rank, generator)
        parametrize.register_parametrization(module, "weight", update)
        parameters |= {f"{name}.down": update.down, f"{name}.up": update.up}
    return parameters


def with_updates(network: Network, updates: Mapping[str, Tensor]) -> Network:
    """Another network that shares all but the updated weights, ready to sing. Raises UpdatesError."""
    from voice.network.network import Network

    known, tensors = updatable(network), dict(network.state_dict())
    for name in sorted({key.rpartition(".")[0] for key in updates}):
        up, down = updates.get(f"{name}.up"), updates.get(f"{name}.down")
        if name not in known or up is None or down is None:
            raise UpdatesError(f"the updates name {name}, which this network cannot update")
        weight = tensors[f"{name}.weight"]
        fits = up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]
        if not fits or (up.shape[0], down.shape[1]) != (weight.shape[0], weight[0].numel()):
            raise UpdatesError(f"the updates of {name} have another shape than this network")
        tensors[f"{name}.weight"] = weight + (up @ down).view_as(weight)
    with torch.inference_mode(mode=False), torch.device("meta"):
        other = Network()
    other.load_state_dict(tensors, assign=True)
    other.requires_grad_(False).eval()
    if network.threads:
        other.quicken(network.threads)
    return other
