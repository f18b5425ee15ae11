"""The stock that songs are written from, counted."""

from __future__ import annotations

from collections import Counter

from skills.words.material import common, scenes


def stock() -> dict[str, int]:
    """Themes, scenes, the units of each kind, their lines, and how many of them may carry a name or a thing."""
    every = [*scenes(), common()]
    units = [unit for scene in every for unit in scene.units]
    return {
        "themes": len({scene.theme for scene in scenes()}),
        "scenes": len(scenes()),
        **Counter(unit.kind for unit in units),
        "lines": sum(len(unit.lines) for unit in units),
        "units for a name": sum(unit.takes_name or unit.may_address for unit in units),
        "units for a thing": sum(unit.takes_thing for unit in units),
    }
