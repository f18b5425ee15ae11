"""Which errors are a sentence that a person can act on. All others are faults of ours and go to the log whole."""

from __future__ import annotations

import errno

import typer
from click import ClickException

from memory.embedder import EmbedderError
from persona.settings import SettingsError
from skills.brief import BriefError
from skills.library import LibraryError
from skills.post import PostError
from skills.style import StyleError
from voice.score import ScoreError
from voice.weights import WeightsError

CLEAR = (
    BriefError,
    EmbedderError,
    LibraryError,
    PostError,
    ScoreError,
    SettingsError,
    StyleError,
    WeightsError,
)


def sentence_for(error: BaseException) -> str | None:
    """The sentence for a person, or None where the error is a fault of the program."""
    if isinstance(error, ClickException | typer.BadParameter):
        return error.format_message()
    if isinstance(error, CLEAR):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space and try again; what was finished before is kept"
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError | FileNotFoundError):
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
    return None
