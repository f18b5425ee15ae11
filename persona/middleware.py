"""What stands around the chat model, from the outside in: limits, bounds, disclosure, recall, trouble, remembering."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NotRequired

import structlog
from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse, hook_config
from langchain.agents.middleware.types import PrivateStateAttr, ToolCallRequest
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.runtime import Runtime
from langgraph.types import Command

from memory.memory import Memory, Recollection
from persona.card import Card
from persona.encounter import Encounter
from persona.guard import helplines, rules
from persona.guard.book import GuardBook
from persona.guard.guard import Guard
from persona.guard.private import Private
from persona.keepsakes import Keepsakes
from persona.logs import log_fault
from persona.models.errors import BrokenCall
from persona.prompt import card_lines, character, known_section, lore, read_known, sentences
from persona.repertoire import Repertoire
from persona.telling import lyrics_of, tell
from persona.trouble import cause_of, log_model_failure

log = structlog.get_logger()
UNUSABLE = "the model gave no answer, or a tool call that cannot be read: take one that can call tools"
LONGEST = 4000  # characters of one message that a model reads
HISTORY = 6000  # words of the conversation that go along with a message
ECHOES = 6  # of the artist's answers that a fan may say back
ROUNDS = 5  # model calls for one message
Context = Runtime[Encounter]
Request = ModelRequest[Encounter]
Handler = Callable[[Request], Awaitable[ModelResponse[Any]]]


class State(AgentState[Any]):
    """What the turn adds to the messages: what was recalled, and whether it is to be remembered."""

    recalled: NotRequired[Annotated[str, PrivateStateAttr]]
    private: NotRequired[Annotated[bool, PrivateStateAttr]]


class Middleware(AgentMiddleware[State, Encounter, Any]):
    state_schema = State


class Limits(Middleware):
    """Bounds what goes to the model: one message's length, the history, the rounds of tool calls."""

    def __init__(self, repertoire: Repertoire) -> None:
        super().__init__()
        self._lines = repertoire

    async def abefore_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        message = state["messages"][-1]
        if len(message.text) <= LONGEST:
            return None
        return {"messages": [HumanMessage(message.text[:LONGEST], id=message.id)]}

    @hook_config(can_jump_to=["end"])
    async def abefore_model(self, state: State, runtime: Context) -> dict[str, Any] | None:
        rounds = sum(isinstance(message, AIMessage) for message in this_turn(state["messages"]))
        if rounds < ROUNDS:
            return None
        log.warning("chat model kept calling tools", conversation=runtime.context.conversation, rounds=rounds)
        return {"messages": [spoken(self._lines, "trouble", "limit", state["messages"])], "jump_to": "end"}

    async def awrap_model_call(self, request: Request, handler: Handler) -> ModelResponse[Any]:
        return await handler(request.override(messages=recent(request.messages)))


class Bounds(Middleware):
    """What the guard stops never reaches the model; what it finds wrong in a reply never reaches the fan."""

    def __init__(self, repertoire: Repertoire, artist: str, guard: Guard) -> None:
        super().__init__()
        self._lines, self._slots, self._guard = repertoire, {"artist": artist}, guard

    @hook_config(can_jump_to=["end"])
    async def abefore_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        encounter, text = runtime.context, state["messages"][-1].text
        verdict = await asyncio.to_thread(self._guard.hear, encounter.fan.id, encounter.address, text)
        if verdict is None:
            return {"private": False}
        answer = self._say(verdict.intent, verdict.topic, state["messages"])
        if verdict.intent == "crisis":
            young = self._guard.policy_for(encounter.fan.id, encounter.address).minors
            where = helplines.country_of(encounter.locale, text)
            near = helplines.referral(where, verdict.topic, young)
            answer = answer.model_copy(update={"content": f"{answer.text} {near}".strip()})
        return {"messages": [answer], "private": True, "jump_to": "end"}

    async def aafter_model(self, state: State, runtime: Context) -> dict[str, Any] | None:
        reply = state["messages"][-1]
        if not isinstance(reply, AIMessage) or reply.tool_calls:
            return None
        asked = rules.asks_human(runtime.context.message.text)
        wrong = await asyncio.to_thread(self._guard.wrong, reply.text, quoted(state["messages"]))
        if not wrong and asked and not rules.answers_human(reply.text):
            wrong = "did not say what it is"
        if not wrong:
            return None
        log.warning("guard", verdict=wrong)
        intent, topic = INSTEAD.get(wrong, ("are_you_ai", "_"))
        return {"messages": [self._say(intent, topic, state["messages"], reply.id)]}

    def _say(self, intent: str, topic: str, messages: list[AnyMessage], id: str | None = None) -> AIMessage:
        return spoken(self._lines, intent, topic, messages, self._slots, id)


INSTEAD = {"leaked": ("out_of_bounds", "secrets"), "said what it should not": ("out_of_bounds", "_")}


class Disclose(Middleware):
    """The first answer in a place, and one every three hours, says what it is. Once: it is written down."""

    def __init__(self, repertoire: Repertoire, artist: str, book: GuardBook) -> None:
        super().__init__()
        self._lines, self._slots, self._book = repertoire, {"artist": artist}, book

    async def aafter_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        encounter, last = runtime.context, state["messages"][-1]
        who, when = (encounter.fan.id, encounter.address), encounter.message.when
        try:
            due = await asyncio.to_thread(self._book.due, *who, when)
            if due:
                await asyncio.to_thread(self._book.told, *who, when)
        except Exception as error:  # rather told once too often
            log_fault("whom the artist told what it is could not be written down", error)
            due = "first"
        if not due or rules.answers_human(last.text):
            return None
        notice = spoken(self._lines, "disclosure", due, state["messages"], self._slots)
        return {"messages": [last.model_copy(update={"content": f"{last.text}\n{notice.text}"})]}


class Recall(Middleware):
    """Tells the model who the artist is and what it knows of this fan."""

    def __init__(
        self, card: Card, memory: Memory, words: int, private: Private, keepsakes: Keepsakes | None
    ) -> None:
        super().__init__()
        self._card, self._memory, self._words, self._keepsakes = card, memory, words, keepsakes
        self._character = character(card, private)

    async def abefore_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        encounter = runtime.context
        try:
            memories = await asyncio.to_thread(self._recall, encounter)
        except Exception as error:  # an artist that forgets for once is better than one that is silent
            log_fault("recall failed", error, fan=encounter.fan.id)
            memories = []
        told_as = encounter.fan.name or "Fan"
        return {"recalled": known_section(encounter.fan.name, told_as, self._card.name, memories)}

    def _recall(self, encounter: Encounter) -> list[Recollection]:
        if self._keepsakes is not None:
            self._keepsakes.take_into(self._memory)  # what was made since
        sight = (encounter.scope, *encounter.around)
        return self._memory.recall(
            encounter.fan, sight, self._card.name, encounter.message.text, words=self._words
        )

    async def awrap_model_call(self, request: Request, handler: Handler) -> ModelResponse[Any]:
        parts = (
            self._character,
            lore(self._card, request.runtime.context.message.text),
            str(request.state.get("recalled", "")),
        )
        prompt = SystemMessage("\n\n".join(part for part in parts if part))
        return await handler(request.override(system_message=prompt))


class Trouble(Middleware):
    """Whatever fails inside becomes a sentence in character; a song that was ordered before is still told of."""

    def __init__(self, repertoire: Repertoire, artist: str) -> None:
        super().__init__()
        self._lines, self._slots = repertoire, {"artist": artist}

    async def awrap_model_call(self, request: Request, handler: Handler) -> ModelResponse[Any] | AIMessage:
        where = {"conversation": request.runtime.context.conversation}
        topic, slots = "empty", dict(self._slots)
        for _ in range(2):  # an answer that cannot be used is asked for once more
            try:
                response = await handler(request)
            except BrokenCall:
                topic = "broken"
            except Exception as error:
                cause = cause_of(error)
                log_model_failure(error, cause, **where)
                topic, slots = cause.topic, slots | cause.slots
                break
            else:
                if usable(response.result[-1]):
                    return response
                topic = "empty"
            log.warning("chat model answered nothing usable", problem=topic, advice=UNUSABLE, **where)
        return self._instead(request.messages, topic, slots)

    def _instead(self, messages: list[AnyMessage], topic: str, slots: dict[str, str]) -> AIMessage:
        """What a skill has just done is told all the same; else the trouble is."""
        last = messages[-1]
        if isinstance(last, ToolMessage) and last.status != "error":
            told = tell(self._lines, last, "", said_lines(messages), str(last.tool_call_id))
            return AIMessage(told.text, additional_kwargs={"line": told.line.id})
        return spoken(self._lines, "trouble", topic, messages, slots)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        try:
            return await handler(request)
        except Exception as error:
            log_fault("skill failed", error, skill=request.tool_call["name"])
            failed = json.dumps({"failed": "it broke, and nothing was done; say so and do not try again now"})
            return ToolMessage(
                failed,
                tool_call_id=request.tool_call["id"] or "",
                name=request.tool_call["name"],
                status="error",
            )


class Remember(Middleware):
    """Keeps the exchange. Words said in a crisis, and what the guard declined, are not kept."""

    def __init__(self, card: Card, memory: Memory) -> None:
        super().__init__()
        self._card, self._memory = card, memory
        self._own = card_lines(card)

    async def aafter_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        if state.get("private"):
            return None
        encounter, last = runtime.context, state["messages"][-1]
        line = str(last.additional_kwargs.get("line", ""))
        reply = "" if line.startswith("trouble/") else last.text
        if line.startswith(("crisis/", "out_of_bounds/")):
            return None
        try:
            await asyncio.to_thread(
                self._memory.remember,
                encounter.fan,
                encounter.scope,
                self._card.name,
                encounter.message.text[:LONGEST],
                reply,
                encounter.message.when,
                shown=(*self._own, *recalled(state), *spoken_before(state["messages"])),
                messages=encounter.heard_in,
            )
        except Exception as error:
            log_fault("an exchange could not be remembered", error, fan=encounter.fan.id)
        return None


def recalled(state: State) -> list[str]:
    """What was recalled for this answer: it is known already, and must not come back as news."""
    return [memory.text for memory in read_known([str(state.get("recalled", ""))]).memories]


def spoken_before(messages: list[AnyMessage]) -> list[str]:
    """The artist's last sentences: its own fiction is no memory of a fan who says it back."""
    said = [message.text for message in messages if isinstance(message, AIMessage) and message.text][-ECHOES:]
    return [sentence for text in said for sentence in sentences(text)]


def usable(reply: BaseMessage) -> bool:
    return not isinstance(reply, AIMessage) or bool(reply.tool_calls) or bool(reply.text.strip())


def spoken(
    lines: Repertoire,
    intent: str,
    topic: str,
    messages: list[AnyMessage],
    slots: dict[str, str] | None = None,
    id: str | None = None,
) -> AIMessage:
    """A written line as the artist's message. With an `id` it takes the place of the message of that id."""
    slots = {"wait": "a little while"} | (slots or {})
    line = lines.choose(intent, topic, slots, said_lines(messages), f"{len(messages)} {intent}")
    return AIMessage(line.filled(slots), additional_kwargs={"line": line.id}, id=id)


def said_lines(messages: list[AnyMessage]) -> list[str]:
    return [
        str(message.additional_kwargs["line"]) for message in messages if "line" in message.additional_kwargs
    ]


def quoted(messages: list[AnyMessage]) -> str:
    """The lyrics that a skill wrote in this turn."""
    results = [message for message in this_turn(messages) if isinstance(message, ToolMessage)]
    return "\n".join(lyrics_of(result) for result in results if result.name == "write_lyrics")


def this_turn(messages: list[AnyMessage]) -> list[AnyMessage]:
    """What came after the fan's last message."""
    last = max(
        (place for place, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1
    )
    return messages[last + 1 :]


def recent(messages: list[AnyMessage]) -> list[AnyMessage]:
    """The end of the conversation that fits, beginning with a fan's message, so that no tool result stands alone."""
    words, start = 0, 0
    for place in range(len(messages) - 1, -1, -1):
        words += len(messages[place].text.split())
        if words > HISTORY:
            break
        if isinstance(messages[place], HumanMessage):
            start = place
    return messages[start:]
