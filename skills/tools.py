"""The skills as LangChain tools. The asker is injected from the encounter: the model neither sees nor sets it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import BaseTool

from skills import requesting
from skills.brief import BriefError
from skills.requesting import Asker, Skills


def song_tools(skills: Skills) -> list[BaseTool]:
    """Tools whose runtime context has an attribute `asker: Asker`. Their results are JSON objects as text."""

    @tool
    def request_song(brief: str, runtime: ToolRuntime[Any, Any]) -> str:
        """Order a sung song for the person you talk with. `brief`: what it is to be, in their own words (theme,
        mood, style, whom it is for, length). Returns at once with its place in the queue; the clip is posted when
        it is made."""
        try:
            receipt = requesting.request_song(skills, _asker(runtime), brief)
        except BriefError as error:
            return json.dumps({"refused": str(error)}, ensure_ascii=False)
        return json.dumps(dataclasses.asdict(receipt), ensure_ascii=False)

    @tool
    def song_status(runtime: ToolRuntime[Any, Any]) -> str:
        """How the songs go that the person you talk with has ordered: state, step, place in the queue, title."""
        news = [dataclasses.asdict(each) for each in requesting.song_status(skills, _asker(runtime))[:5]]
        return json.dumps({"songs": news}, ensure_ascii=False)

    @tool
    def write_lyrics(brief: str, runtime: ToolRuntime[Any, Any]) -> str:
        """Write the words of a song, as text only, without singing it. `brief`: what they are to be about."""
        try:
            return json.dumps(
                {"lyrics": requesting.write_lyrics(skills, _asker(runtime), brief)}, ensure_ascii=False
            )
        except BriefError as error:
            return json.dumps({"refused": str(error)}, ensure_ascii=False)

    return [request_song, song_status, write_lyrics]


def _asker(runtime: ToolRuntime[Any, Any]) -> Asker:
    asker: Asker = runtime.context.asker
    return asker
