"""The embedded chat model: it understands by meaning, calls tools, and says only what was written for the persona.

To LangChain it is a chat model like any other: messages in, text or tool calls out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import ConfigDict

from persona import hearing
from persona.guard import rules
from persona.prompt import Known, read_known
from persona.repertoire import ANY, Repertoire
from persona.router import Route, Router
from persona.telling import tell

ASKING = "asking"  # topic of the lines that ask what a song should be about
SKILLS = {"request_song": "request_song", "write_lyrics": "write_lyrics", "song_status": "song_status"}
POINTING = re.compile(  # at the end of a wish: what was told before is what it is about
    r"(?:\b(?:about|of|from|out of|into|on)\s+)?\b(?:that|this|it|what i (?:just )?(?:told|said)(?: you)?|my story)"
    r"(?:\s+into a (?:song|tune|blues|poem))?\s*(?:please)?[.!?]*$",
    re.IGNORECASE,
)
# What would hurt if it were misheard is said only where one of these words proves it.
PROOFS = {
    shelf: re.compile(rf"\b(?:{'|'.join(words.split())})\b", re.IGNORECASE)
    for shelf, words in {
        ("sad_news", "death"): (
            r"died dead death dying pass(?:ed|ing) los[ts] lose gone funeral buried bury killed grie\w+ miss "
            r"anniversary make\sit would\shave\sbeen since late scattered grave ashes"
        ),
        ("sad_news", "pet"): r"dogs? cats? horse bird pet vet puppy kitten rabbit hamster parrot fish",
        ("sad_news", "heartbreak"): (
            r"left broke\w* ex dump\w* divorc\w* cheat\w* loves? loved girlfriend boyfriend wife husband he "
            r"she him her proposed heart marriage wedding relationship"
        ),
        ("happy_news", "birthday"): r"birthday bday turn(?:s|ed|ing)? sweet\ssixteen \d+(?:st|nd|rd|th)",
        ("happy_news", "love"): (
            r"loves? married marry engaged wedding proposed yes date kissed anniversary together met out crush"
        ),
    }.items()
}
ALARM = 0.3  # finds 97 % of crises left out of the examples, and asks in vain after 0.6 % of other messages
TALK = (
    "sad_news",
    "happy_news",
    "small_talk",
    "farewell",
    "tell_about_me",
    "advice",
    "criticism",
    "music_talk",
)
UNSURE = (
    0.42  # below this score nearly half of what is heard is misheard: then it asks on, and guesses nothing
)
CLEAR = ("crisis", "are_you_ai", "out_of_bounds", "remember_me", "greeting", "farewell", "thanks")
IDLE = set("you remember what told about the who know tell said say did have can your still anything".split())
SURE_TOPIC = 0.35  # a memory must be this near to a question to count as its answer


@dataclass(frozen=True)
class Turn:
    """What the model has in front of it: the fan's words, what came before, what is known."""

    text: str
    earlier: tuple[BaseMessage, ...]
    known: Known

    @property
    def said(self) -> list[str]:
        """Ids of the lines already said in this conversation, oldest first."""
        return [
            str(message.additional_kwargs["line"])
            for message in self._own
            if "line" in message.additional_kwargs
        ]

    @property
    def _own(self) -> list[BaseMessage]:
        return [message for message in self.earlier if isinstance(message, AIMessage)]

    @property
    def fan_texts(self) -> list[str]:
        """What the fan said earlier in this conversation, newest first."""
        return [message.text for message in reversed(self.earlier) if isinstance(message, HumanMessage)]

    @property
    def last_line(self) -> str:
        return self.said[-1] if self.said else ""

    @property
    def name(self) -> str:
        """The fan's name: as given now, in this conversation, in memories, or by the stage."""
        told = [
            self.text,
            *self.fan_texts,
            *(m.text for m in reversed(self.known.memories) if m.speaker == "they"),
        ]
        return next((name for name in map(hearing.fan_name, told) if name), self.known.name)

    @property
    def last_wish(self) -> str:
        """The brief of the last song that was asked for in this conversation, or ''."""
        calls = [call for message in reversed(self._own) for call in getattr(message, "tool_calls", ())]
        return next(
            (str(call["args"].get("brief", "")) for call in calls if call["name"] == "request_song"), ""
        )


class EmbeddedChatModel(BaseChatModel):
    """Routes by meaning, answers from the repertoire. `embed` gives unit vectors."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    router: Router
    repertoire: Repertoire
    artist: str
    embed: Any

    @property
    def _llm_type(self) -> str:
        return "troubadour-embedded"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        names = [
            tool.name if isinstance(tool, BaseTool) else str(getattr(tool, "__name__", tool))
            for tool in tools
        ]
        return self.bind(tools=names)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = self.answer(messages, kwargs.get("tools") or ())
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """Word by word; what is known about the whole message comes with its last piece."""
        message = self.answer(messages, kwargs.get("tools") or ())
        pieces = re.findall(r"\s*\S+", message.text)
        for place, piece in enumerate(pieces or [""]):
            last = place >= len(pieces) - 1
            chunk = AIMessageChunk(
                content=piece,
                additional_kwargs=message.additional_kwargs if last else {},
                tool_call_chunks=[
                    tool_call_chunk(
                        name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index
                    )
                    for index, call in enumerate(message.tool_calls if last else ())
                ],
            )
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=ChatGenerationChunk(message=chunk))
            yield ChatGenerationChunk(message=chunk)

    def answer(self, messages: Sequence[BaseMessage], tools: Sequence[str]) -> AIMessage:
        """The next message of the artist."""
        known = read_known(message.text for message in messages if isinstance(message, SystemMessage))
        spoken = [message for message in messages if not isinstance(message, SystemMessage)]
        place = next((i for i in range(len(spoken) - 1, -1, -1) if isinstance(spoken[i], HumanMessage)), None)
        if place is None:
            return self._line(Turn("", tuple(spoken), known), "greeting", "_", {})
        turn = Turn(spoken[place].text, tuple(spoken[:place]), known)
        if isinstance(spoken[-1], ToolMessage):
            return self._after_tool(turn, spoken[-1])
        return self._respond(turn, tools)

    def _respond(self, turn: Turn, tools: Sequence[str]) -> AIMessage:
        route = self.heard(turn)
        if route.intent in SKILLS and SKILLS[route.intent] in tools:
            return self._use(turn, route)
        slots = self._slots(turn, route)
        if route.score < UNSURE and route.intent not in CLEAR:
            return self._line(turn, "listening", ANY, slots)
        return self._line(turn, route.intent, _shelf(route, turn, slots), slots)

    def heard(self, turn: Turn) -> Route:
        """Clear rules first, then meaning; an answer to our own question belongs to that question."""
        verdict = rules.crisis(turn.text)
        if verdict is None and rules.asks_human(turn.text):
            verdict = rules.Verdict("are_you_ai", "_")
        verdict = verdict or rules.out_of_bounds(turn.text)
        if verdict:
            return Route(verdict.intent, verdict.topic, 1.0, 1.0)
        if hearing.asks_hit(turn.text):
            return Route("own_hits", "_" if _hit(turn) else "none", 1.0, 1.0)
        route = self.router.route(turn.text)
        if route.alarm > ALARM and route.intent in TALK and route.topic not in ("death", "pet"):
            return replace(route, intent="crisis", topic="check")  # rather asked once too often
        free = (
            "crisis",
            "are_you_ai",
            "out_of_bounds",
            "farewell",
            "song_status",
            "write_lyrics",
            "request_song",
            "remember_me",
        )
        if f"/{ASKING}/" in turn.last_line and route.intent not in free:
            intent = "write_lyrics" if turn.last_line.startswith("written") else "request_song"
            return Route(intent, ASKING, route.score, route.nearest)
        return route

    def _use(self, turn: Turn, route: Route) -> AIMessage:
        if route.intent == "song_status":
            return _call(turn, "song_status", {})
        brief = self._brief(turn, route)
        if not brief:
            shelf = "written" if route.intent == "write_lyrics" else "ordered"
            return self._line(turn, shelf, ASKING, self._slots(turn, route))
        return _call(turn, SKILLS[route.intent], {"brief": brief})

    def _brief(self, turn: Turn, route: Route) -> str:
        """The wish in the fan's own words, with what they said before where they point back at it; '' to ask."""
        if route.topic == ASKING:
            before = turn.fan_texts[0] if turn.fan_texts else ""
            about = (
                turn.text
                if re.match(r"\W*(?:about|for|on)\b", turn.text, re.IGNORECASE)
                else f"about {turn.text}"
            )
            return f"{before.rstrip(' .!?')} {about}".strip()
        if route.topic == "change" and turn.last_wish:
            return f"{turn.last_wish.rstrip(' .!')}. {turn.text}"
        pointing = POINTING.search(turn.text)
        stories = [text for text in turn.fan_texts[:4] if hearing.retell(text).startswith("you told")]
        if pointing and stories:
            wish = turn.text[: pointing.start()].rstrip(" ,.!?") or "a song"
            story = max(stories, key=len)
            about = hearing.subject(story)
            return f"{wish} about {about}. {story}" if about else f"{wish} about {story}"
        themed = hearing.theme(turn.text) or hearing.people(turn.text) or hearing.person(turn.text)
        return turn.text if (themed and not pointing) or len(turn.text.split()) > 7 else ""

    def _after_tool(self, turn: Turn, result: ToolMessage) -> AIMessage:
        told = tell(self.repertoire, result, turn.name, turn.said, self._seed(turn))
        return AIMessage(told.text, additional_kwargs={"line": told.line.id})

    def _slots(self, turn: Turn, route: Route) -> dict[str, str]:
        slots = {
            "artist": self.artist,
            "name": turn.name,
            "who": hearing.person(turn.text),
            "thing": hearing.theme(turn.text),
            "memory": self._memory(turn, route),
            "hit": _hit(turn),
        }
        return {slot: text for slot, text in slots.items() if text}

    def _memory(self, turn: Turn, route: Route) -> str:
        """What to bring up of what the fan told: an answer to their question, or a hello after some time."""
        told = [memory.text for memory in turn.known.memories if memory.speaker == "they"]
        past = {turn.text, *(memory.text for memory in turn.known.memories if memory.past)}
        told = [text for text in [*told, *reversed(turn.fan_texts)] if text not in past]
        clauses = {text: clause for text in told if (clause := hearing.retell(text))}
        if not clauses:
            return ""
        if route.intent == "greeting":
            return "" if turn.fan_texts else list(clauses.values())[-1]
        if route.intent != "remember_me":
            return ""
        return clauses[self._nearest(turn.text, list(clauses))]

    def _nearest(self, question: str, told: list[str]) -> str:
        """The telling that answers a question best; a name said in both decides, the newest where none is near."""
        vectors = self.embed([question, *told])
        nearness = vectors[1:] @ vectors[0]
        asked = set(re.findall(r"[a-z']{3,}", question.lower())) - IDLE
        shared = np.array([len(asked & set(re.findall(r"[a-z']{3,}", text.lower()))) for text in told])
        weight = np.array([_substance(text) for text in told])
        if not asked or (nearness.max() < SURE_TOPIC and not shared.any()):
            return told[int(weight.argmax())]  # no question in particular: what says most about the fan
        if re.search(r"\bwho\b", question, re.IGNORECASE):
            shared = shared + np.array([bool(hearing.people(text)) for text in told])
        return told[int((nearness + 0.3 * np.minimum(shared, 2) + 0.03 * weight).argmax())]

    def _line(self, turn: Turn, intent: str, topic: str, slots: dict[str, str]) -> AIMessage:
        line = self.repertoire.choose(intent, topic, slots, turn.said, self._seed(turn), turn.text)
        return AIMessage(line.filled(slots), additional_kwargs={"line": line.id})

    def _seed(self, turn: Turn) -> str:
        return f"{len(turn.earlier)} {turn.text}"


def _hit(turn: Turn) -> str:
    """The title of the artist's number one, as far as it is known here."""
    titles = (hearing.hit(memory.text) for memory in turn.known.memories if memory.speaker == "you")
    return next((title for title in titles if title), "")


def _substance(text: str) -> int:
    """How much a telling says about somebody: names, people, and what they do or love."""
    clause = hearing.retell(text)
    return (
        2 * bool(hearing.people(text))
        + bool(hearing.person(text))
        + len(
            re.findall(r"\b(?:live|work|play|love|from|named?|called|years?|moved|born|job|teach)\b", clause)
        )
        + (len(clause.split()) > 6)
    )


def _shelf(route: Route, turn: Turn, slots: dict[str, str]) -> str:
    """The topic to answer on. What would hurt if it were misheard is said only with the words that prove it."""
    text = turn.text
    if route.intent == "sad_news" and any(line.startswith("sad_news/death/") for line in turn.said[-3:]):
        return "death"  # 'I miss her', after a death was told, is still about that death
    if route.intent == "remember_me" and route.topic in (ANY, "name"):
        return {
            ANY: ANY if "memory" in slots else "nothing",
            "name": "name" if "name" in slots else "no_name",
        }[route.topic]
    if route.intent == "tell_about_me" and (route.topic == "name" or hearing.fan_name(text)):
        return "name" if hearing.fan_name(text) else ANY
    proof = PROOFS.get((route.intent, route.topic))
    return ANY if proof and not proof.search(text) else route.topic


def _call(turn: Turn, name: str, args: dict[str, str]) -> AIMessage:
    return AIMessage("", tool_calls=[tool_call(name=name, args=args, id=f"{name}-{len(turn.earlier)}")])
