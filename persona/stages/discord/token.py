"""The token: one process holds it, since two would answer everything twice."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO


class TokenRefused(RuntimeError):
    """Discord does not know this token; trying again does not help."""


class TokenHeld(RuntimeError):
    """Another process runs this very bot; the message says which one."""


def hold_token(token: str, folder: Path | None = None) -> IO[str]:
    """Holds the token until the file is closed or the process ends. One place for all data folders of a machine."""
    folder = folder or Path(tempfile.gettempdir())
    name = hashlib.sha256(token.encode()).hexdigest()[:16]
    path = folder / f"troubadour-{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = file.read().strip() or "another process"
        file.close()
        raise TokenHeld(
            f"this Discord bot runs already: {holder}. Two at once would answer everything twice; stop that one first"
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M}")
    file.flush()
    return file
