"""pyworld, whose 0.3.5 asks for `pkg_resources` that setuptools no longer brings."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any


@cache
def world() -> Any:
    """The pyworld module."""
    if importlib.util.find_spec("pkg_resources"):
        return importlib.import_module("pyworld")
    stand_in = ModuleType("pkg_resources")
    stand_in.get_distribution = lambda name: SimpleNamespace(  # type: ignore[attr-defined]
        version=importlib.metadata.version(name)
    )
    sys.modules["pkg_resources"] = stand_in
    try:
        return importlib.import_module("pyworld")
    finally:
        del sys.modules["pkg_resources"]
