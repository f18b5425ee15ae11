"""How long the chat model took, whoever asked it: noted in the database of the requests, for `troubadour metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from skills.database import Database
from skills.gauges import note_model


class Timing(BaseCallbackHandler):
    """Hung on a model. `database` is asked for when the first answer is there."""

    def __init__(self, model: str, database: Callable[[], Database]) -> None:
        self._model, self._database = model, database
        self._begun: dict[UUID, float] = {}

    def on_chat_model_start(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._begun[run_id] = time.monotonic()

    def on_llm_end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._note(run_id, answered=True)

    def on_llm_error(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._note(run_id, answered=False)

    def _note(self, run_id: UUID, answered: bool) -> None:
        began = self._begun.pop(run_id, None)
        if began is not None:
            note_model(self._database(), self._model, time.monotonic() - began, answered)
