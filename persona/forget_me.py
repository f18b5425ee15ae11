"""A fan who asks to be forgotten, in plain words in any chat: the artist asks once whether they are sure, then does."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Protocol

from langchain.agents.middleware import hook_config
from langchain_core.messages import AIMessage

from persona.forgetting import Receipt
from persona.hearing import turned
from persona.middleware import Context, Middleware, State, spoken
from persona.repertoire import Repertoire

ASKED_FOR = timedelta(minutes=10)  # how long a "yes" still means this
ASKED = 1000  # fans who have been asked and have not answered; the oldest question lapses

_ASK = r"""^\W*
    (?:(?:please|pls|ok(?:ay)?|hey|now|and|so|(?:can|could|would|will)\ you
        |i\ want\ you\ to|i'?d\ like\ you\ to|you\ should)[\s,]+)*
    (?:forget|delete|erase|wipe|remove)\s+"""
_TOLD = r"""(?:i|i've|i\ have|you)\ (?:ever\ )?(?:said|told|mentioned|wrote|know|have|keep|remember|kept)"""
_END = r"""(?:\ (?:from|out\ of)\ (?:your|the)\ (?:memory|records|notes|database))?
    (?:,?\ (?:please|ok|now|again))?\W*$"""
ALL = re.compile(
    rf"""{_ASK}(?:
      (?:about\ )?me
    | (?:all|everything)\ (?:about\ me|of\ me|of\ mine
        |(?:that\ )?{_TOLD}(?:\ (?:to\ )?(?:you|about\ me|of\ me|on\ me))?)
    | my\ (?:data|memories) | (?:your\ )?memor(?:y|ies)\ of\ me
    | what\ (?:i|i've)\ (?:said|told\ you) | what\ you\ know\ about\ me
    ){_END}""",
    re.IGNORECASE | re.VERBOSE,
)
ABOUT = re.compile(
    rf"""{_ASK}(?:(?:what|everything|all|anything|the\ things?|that\ which)\s*)?(?:that\s*)?
    (?:{_TOLD}(?:\ (?:to\ )?you)?\ )?(?:about|of)\ (?P<about>[^.!?]{{2,80}}?){_END}""",
    re.IGNORECASE | re.VERBOSE,
)
MINE = re.compile(rf"{_ASK}(?P<about>my\ [^.!?]{{2,60}}?){_END}", re.IGNORECASE | re.VERBOSE)
NOT_MEANT = re.compile(
    r"\b(?:song|songs|verse|line|rules?|instructions?|prompt|guidelines?|it|training)\b", re.IGNORECASE
)
YES = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|sure|do it|do that|go ahead|forget (?:it|me|that)|i'?m sure|please do|ok(?:ay)?)\b",
    re.IGNORECASE,
)


def wanted(text: str) -> str | None:
    """What is to be forgotten: '' for all of the fan, or the matter in the fan's words; None: nothing was asked."""
    one_line = " ".join(text.replace("’", "'").split())
    if len(one_line) > 200:
        return None
    if ALL.match(one_line):
        return ""
    match = ABOUT.match(one_line) or MINE.match(one_line)
    if match is None:
        return None
    about = match["about"].strip()
    if about.lower() in ("me", "myself"):
        return ""
    return None if NOT_MEANT.search(about) else about


def sure(text: str) -> bool:
    return bool(YES.match(text.strip()))


class Forgets(Protocol):
    """What forgets everywhere (persona/forgetting.py)."""

    def fan(self, fan: str, about: str = "", clips: bool = False) -> Receipt: ...


class ForgetMe(Middleware):
    """Stands before the model: forgetting is done by a rule, never by what a model makes of it."""

    def __init__(self, repertoire: Repertoire, artist: str, forgetting: Forgets) -> None:
        super().__init__()
        self._lines, self._artist, self._forgetting = repertoire, artist, forgetting
        self._asked: OrderedDict[str, tuple[str, datetime]] = (
            OrderedDict()
        )  # by fan: what, and when they said it

    @hook_config(can_jump_to=["end"])
    async def abefore_agent(self, state: State, runtime: Context) -> dict[str, Any] | None:
        if state.get("jump_to"):
            return None
        encounter = runtime.context
        fan, text, now = encounter.fan.id, encounter.message.text, encounter.message.when
        about = wanted(text)
        if about is not None:
            self._asked[fan] = (about, now)
            while len(self._asked) > ASKED:
                self._asked.popitem(last=False)
            return self._say(state, "some" if about else "all", {"about": turned(about)})
        asked = self._asked.pop(fan, None)
        if asked is None or now - asked[1] > ASKED_FOR or not sure(text):
            return None
        receipt = await asyncio.to_thread(self._forgetting.fan, fan, asked[0])
        return self._say(
            state, "done" if any(receipt.counts.values()) else "nothing", {"receipt": str(receipt)}
        )

    def _say(self, state: State, topic: str, slots: dict[str, str]) -> dict[str, Any]:
        """Neither the request nor the answer is remembered."""
        answer: AIMessage = spoken(
            self._lines, "forgetting", topic, state["messages"], {"artist": self._artist} | slots
        )
        return {"messages": [answer], "private": True, "jump_to": "end"}
