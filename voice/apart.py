"""Apart: a stranger's file is read in a process of its own, with bounds on time, on memory and on what it may write.

The parent calls `apart`; the child calls `confine` before it opens the file. Of the parent's environment the child sees
only what Python needs to start: no token, no key.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")
SETTINGS = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}


class ApartError(RuntimeError):
    """The child did not come to an end by itself."""


@dataclass(frozen=True)
class Bounds:
    """memory: bytes of address space; cpu: seconds of computing; patience: seconds by the clock."""

    memory: int
    cpu: int
    patience: float


def apart(module: str, arguments: Sequence[str], bounds: Bounds, given: bytes = b"") -> bytes:
    """What `python -m module arguments` writes to its standard output, which is `given` on its input.

    Raises ApartError if it takes longer than its patience, is stopped by its bounds or breaks.
    """
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | SETTINGS
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=bounds.patience, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise ApartError(f"it took more than {bounds.patience:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ApartError(said or f"reading it ended with status {done.returncode}")
    return done.stdout


def confine(bounds: Bounds, writes: bool = False) -> None:
    """In the child: from here on this process has no more than its bounds, and writes no file unless it may."""
    try:
        import resource
    except ImportError:  # Windows knows no such bounds; the parent's patience still holds there
        return
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu, bounds.cpu))
    if not writes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
