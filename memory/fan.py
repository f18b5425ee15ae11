"""Who is remembered, and who may see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fan:
    """A person as a stage knows them. `id` is `<stage>:<account>` ('discord:1234', 'terminal:local')."""

    id: str
    name: str = ""


@dataclass(frozen=True)
class Scope:
    """Who may see a memory: `kind` is 'fan' (that fan in private), 'channel', 'server' or 'everyone'.

    `place` is the fan's id, the channel's address, or the server ('discord:<guild>'); '' for everyone.
    """

    kind: str
    place: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("fan", "channel", "server", "everyone"):
            raise ValueError(f"a scope is 'fan', 'channel', 'server' or 'everyone', not {self.kind!r}")
        if bool(self.place) == (self.kind == "everyone"):
            raise ValueError("every scope but 'everyone' names its place")

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}" if self.place else self.kind
