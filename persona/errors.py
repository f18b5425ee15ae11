"""Which errors are a sentence that a person can act on. All others are faults of ours and go to the log whole."""

from __future__ import annotations

import errno

from memory.embedder import EmbedderError
from persona.backed_up import BackupError
from persona.card import CardError
from persona.models.errors import ModelError
from persona.settings import SettingsError
from persona.stages.discord.token import TokenHeld, TokenRefused
from skills.brief import BriefError
from skills.calendar.entry import CalendarError
from skills.database import DatabaseError
from skills.drawing.paint import PaletteError
from skills.library import LibraryError
from skills.post import PostError
from skills.provenance.bench import WatermarkBenchError
from skills.provenance.credentials import CredentialsError
from skills.provenance.ledger import LedgerError
from skills.provenance.operator import OperatorError
from skills.provenance.verify import VerifyError
from skills.store import StoreError
from skills.studio.errors import StudioError
from skills.style import StyleError
from skills.tune.errors import TuneError
from skills.worker import WorkerBusy
from voice.bench.hearing import BenchError
from voice.consent import ConsentError
from voice.score import ScoreError
from voice.voices import VoiceError
from voice.weights import WeightsError

CLEAR = (
    BackupError,
    BenchError,
    BriefError,
    CalendarError,
    CardError,
    ConsentError,
    CredentialsError,
    DatabaseError,
    EmbedderError,
    LedgerError,
    LibraryError,
    ModelError,
    PaletteError,
    OperatorError,
    PostError,
    ScoreError,
    SettingsError,
    StoreError,
    StudioError,
    StyleError,
    TuneError,
    TokenHeld,
    TokenRefused,
    VerifyError,
    VoiceError,
    WatermarkBenchError,
    WeightsError,
    WorkerBusy,
)


def sentence_for(error: BaseException) -> str | None:
    """The sentence for a person, or None where the error is a fault of the program."""
    if hasattr(error, "format_message"):  # a usage error of the command line; typer keeps its click to itself
        return str(error.format_message())
    if isinstance(error, CLEAR):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full: free some space and try again; what was finished before is kept"
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError | FileNotFoundError):
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
    return None
