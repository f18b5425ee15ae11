"""Who may see what: the one place that decides which drawers an encounter may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memory.fan import Fan, Scope

EVERYONE = str(Scope("everyone"))


@dataclass(frozen=True)
class Sight:
    """What may be seen: `open` scopes with all in them, and a fan's own public words, where `own` is their id."""

    open: frozenset[str]
    own: str = ""


def sight(fan: Fan, scope: Scope | Sequence[Scope], allowed: Sequence[Scope] = ()) -> Sight:
    """What may be recalled to `fan` in the first scope; further scopes are what surrounds it (a channel's server).

    `allowed` are the scopes in which this fan lets their private talk be recalled. In private a fan sees their
    private talk, what was told to everyone, and what they themselves said in public; in public nobody sees
    anything private, and one server sees nothing of another.
    """
    here, *around = [scope] if isinstance(scope, Scope) else list(scope)
    for each in around:
        surrounds = (
            each.kind == "server" and here.kind == "channel" and here.place.startswith(f"{each.place}/")
        )
        if each.kind != "everyone" and not surrounds:
            raise PermissionError(f"{each} is not in sight from {here}")
    if here.kind == "fan":
        if here.place != fan.id:
            raise PermissionError(f"{here} is private to another fan than {fan.id}")
        return Sight(frozenset((str(here), EVERYONE)), fan.id)
    scopes = {str(here), EVERYONE, *map(str, around)}
    if here in allowed:
        scopes.add(str(Scope("fan", fan.id)))
    return Sight(frozenset(scopes))
