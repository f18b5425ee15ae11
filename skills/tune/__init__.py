"""Tunes: a sung melody over chords for given words."""

from skills.tune.compose import compose
from skills.tune.errors import TuneError
from skills.tune.plan import Plan, plan, sung_bars

__all__ = ["Plan", "TuneError", "compose", "plan", "sung_bars"]
