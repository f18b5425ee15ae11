"""Chat models: one factory, three ways. Heavy libraries are imported when a model is built."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from persona.card import Card
from persona.meaning import Embed
from persona.settings import ChatSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

PAUSE = 1.0  # seconds before an answer that broke off is asked for again; doubled each time


def chat_model(
    config: ChatSettings, card: Card, embed: Embed, cache: Path | None = None, learn: Embed | None = None
) -> BaseChatModel:
    """The chat model that the settings name. `cache`, `learn`: see Meaning; for the router. Raises ModelError."""
    if config.model == "endpoint":
        from persona.models.endpoint import endpoint_model

        return endpoint_model(config)
    if config.model == "gguf":
        from persona.models.gguf import gguf_model

        return gguf_model(config)
    from persona.models.embedded import EmbeddedChatModel
    from persona.repertoire import Repertoire
    from persona.router import Router

    return EmbeddedChatModel(
        router=Router(embed, cache=cache, learn=learn),
        repertoire=Repertoire.of(card),
        artist=card.name,
        embed=embed,
    )


class Ask(Protocol):
    """A plain question to a chat model, for skills that know no LangChain.

    With `longest`, an answer is cut off after so many characters: a small model may babble on to its context's end.
    """

    def __call__(self, system: str, user: str, longest: int = 0) -> str: ...


def ask_with(model: BaseChatModel) -> Ask:
    from langchain_core.messages import HumanMessage, SystemMessage

    def ask(system: str, user: str, longest: int = 0) -> str:
        asked = [SystemMessage(system), HumanMessage(user)]
        for tried in range(getattr(model, "max_retries", 0) or 0):
            try:
                return _answer(model, asked, longest)
            except Exception as error:
                if not _broke_off(error):
                    raise
                time.sleep(PAUSE * 2**tried)
        return _answer(model, asked, longest)

    return ask


def _answer(model: BaseChatModel, asked: list[BaseMessage], longest: int) -> str:
    if not longest:
        return model.invoke(asked).text
    answer = ""
    for piece in model.stream(asked):
        answer += piece.text
        if len(answer) >= longest:
            break
    return answer


def _broke_off(error: BaseException | None) -> bool:
    """Whether an endpoint died in the middle of an answer: its client tries again only what has not begun."""
    if error is None:
        return False
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"RemoteProtocolError", "ReadError"}) or _broke_off(error.__cause__)


async def close_model(model: BaseChatModel) -> None:
    """Closes what an endpoint's model holds open in the loop that it was asked in; others need nothing."""
    if (client := getattr(model, "http_async_client", None)) is not None:
        await client.aclose()


def release_model(model: BaseChatModel) -> None:
    """Closes what an endpoint's model holds open for those who ask outside of a loop, such as who writes lyrics."""
    if (client := getattr(model, "http_client", None)) is not None:
        client.close()
