"""The artist: the whole graph on one page. A message goes in; an answer in character comes out.

limits -> bounds (in) -> forget me -> recall -> model <-> skills -> bounds (out) -> remember -> disclose
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, RemoveMessage

from memory.memory import Memory
from persona.card import Card
from persona.conversations import Conversations, Heard
from persona.encounter import Encounter
from persona.forget_me import ForgetMe
from persona.guard import rules
from persona.guard.guard import Guard
from persona.middleware import Bounds, Disclose, Limits, Recall, Remember, Trouble, quoted
from persona.models import close_model
from persona.repertoire import Repertoire
from persona.speech import Speech
from skills.requesting import Skills
from skills.tools import song_tools

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from persona.forgetting import Forgetting
    from persona.keepsakes import Keepsakes


class Artist:
    """Answers encounters, one at a time in a conversation, any number of conversations at once."""

    def __init__(
        self,
        card: Card,
        model: BaseChatModel,
        memory: Memory,
        skills: Skills,
        guard: Guard,
        words: int = 300,
        forgetting: Forgetting | None = None,
        keepsakes: Keepsakes | None = None,
        checkpointer: BaseCheckpointSaver[Any] | None = None,
    ) -> None:
        self.name, self.greeting = card.name, card.first_mes
        self._card, self._memory, self._lines = card, memory, Repertoire.of(card)
        self._model, self._guard = model, guard
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._conversations = checkpointer or Conversations()
        self._heard = Heard(forgetting.stones if forgetting else None)
        self._graph = create_agent(
            model,
            tools=song_tools(skills),
            middleware=[
                Limits(self._lines),
                Bounds(self._lines, card.name, guard),
                *([ForgetMe(self._lines, card.name, forgetting)] if forgetting else []),
                Disclose(self._lines, card.name, guard.book),
                Recall(card, memory, words, guard.private, keepsakes),
                Trouble(self._lines, card.name),
                Remember(card, memory),
            ],
            context_schema=Encounter,
            checkpointer=self._conversations,
            name="artist",
        )

    async def answer(self, encounter: Encounter) -> AsyncIterator[str]:
        """The answer, in pieces as they come, each past the guard. A model that fails is a sentence, not an error."""
        async with self._turns.setdefault(encounter.conversation, asyncio.Lock()):
            await self._drop_if_forgotten(encounter.conversation)
            self._heard.note(encounter.conversation, encounter.fan.id)
            speech = Speech(self._guard.wrong_so_far, hold=rules.asks_human(encounter.message.text))
            messages: list[Any] = []
            news: Any
            async for mode, news in self._graph.astream(
                {"messages": [HumanMessage(encounter.message.text, id=encounter.message.id)]},
                {"configurable": {"thread_id": encounter.conversation}},
                context=encounter,
                stream_mode=["messages", "values"],
                durability="exit",
            ):
                if mode == "values":
                    messages = news["messages"]
                    speech.quoted = quoted(messages)
                elif isinstance(news[0], AIMessageChunk) and news[1].get("langgraph_node") == "model":
                    for piece in speech.hear(news[0].id or "", news[0].text):
                        yield piece
            for piece in speech.finish(messages[-1].id or "", messages[-1].text):
                yield piece
            await self._drop_if_forgotten(encounter.conversation)

    async def reply(self, encounter: Encounter) -> str:
        """The answer, whole."""
        return "".join([piece async for piece in self.answer(encounter)])

    async def unsay(self, conversation: str, message: str) -> None:
        """Takes a message that its author took back out of a conversation, with what was answered to it."""
        async with self._turns.setdefault(conversation, asyncio.Lock()):
            thread: Any = {"configurable": {"thread_id": conversation}}
            messages = (await self._graph.aget_state(thread)).values.get("messages", [])
            place = next((i for i, each in enumerate(messages) if each.id == message), None)
            if place is None:
                return
            after = [i for i, each in enumerate(messages) if i > place and isinstance(each, HumanMessage)]
            gone = messages[place : after[0] if after else len(messages)]
            taken = {"messages": [RemoveMessage(id=each.id) for each in gone]}
            await self._graph.aupdate_state(thread, taken, as_node="model")

    async def drop(self, conversation: str) -> None:
        """Ends a conversation: nothing that was said in it is read again."""
        await self._conversations.adelete_thread(conversation)

    async def _drop_if_forgotten(self, conversation: str) -> None:
        """A fan who spoke here was forgotten, perhaps by another process: the talk ends for everybody in it."""
        if await asyncio.to_thread(self._heard.forgotten, conversation):
            await self.drop(conversation)

    async def close(self) -> None:
        """Ends what the chat model holds open; in the loop in which it answered."""
        await close_model(self._model)
