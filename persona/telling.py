"""Telling: what a tool's result is in the persona's words. Used by the embedded model, and when a model fails."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import ToolMessage

from persona.hearing import turned
from persona.repertoire import Line, Repertoire

# No wry turn goes with these; and 'your mother died' does not fill a slot.
GRAVE = re.compile(
    r"\b(?:died|dead|death|dying|pass(?:ed|ing)|funeral|buried|grief|griev\w+|lost|loss|gone|cancer|hospital|killed|"
    r"miss(?:ing)?|left (?:me|us)|divorc\w+|lonel\w+|suicid\w+|murder\w*|war|sick|ill|goodbye|grave|hospice|"
    r"miscarriage|stillborn)\b",
    re.IGNORECASE,
)
LONGEST_THEME = 8  # words that still read as a thing
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
STEPS = {
    "": "in the kitchen",
    "open": "in the kitchen",
    "lyrics": "getting its words",
    "score": "finding its tune",
    "sing": "being sung",
    "band": "with the band",
    "mix": "on the mixing desk",
    "finish": "getting its last polish",
    "post": "on its way to you",
}


@dataclass(frozen=True)
class Told:
    """A line with its slots filled. `extra` follows it word for word, such as a poem."""

    line: Line
    slots: dict[str, str] = field(default_factory=dict)
    extra: str = ""

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in (self.line.filled(self.slots), self.extra) if part)


def tell(repertoire: Repertoire, result: ToolMessage, name: str, said: Collection[str], seed: str) -> Told:
    """What to say after a tool has answered. Never says more than the result does."""
    slots = {"name": name} if name else {}
    news = _read(result)
    if news is None:
        return Told(repertoire.choose("trouble", "skill", slots, said, seed), slots)
    intent, topic, more, extra = _TELL.get(result.name or "", _unknown)(news)
    slots |= more
    return Told(repertoire.choose(intent, topic, slots, said, seed), slots, extra)


def spoken_theme(theme: str) -> str:
    """A theme as it may stand in a sentence of ours, or '' where it is better not repeated."""
    return "" if GRAVE.search(theme) or len(theme.split()) > LONGEST_THEME else turned(theme)


def lyrics_of(result: ToolMessage) -> str:
    """The words in a result of write_lyrics, or ''."""
    return str((_read(result) or {}).get("lyrics") or "")


def _read(result: ToolMessage) -> dict[str, Any] | None:
    if result.status == "error":
        return None
    try:
        news = json.loads(str(result.content))
    except ValueError:
        return None
    return news if isinstance(news, dict) and "failed" not in news else None


Telling = tuple[str, str, dict[str, str], str]


def _unknown(news: dict[str, Any]) -> Telling:
    return "trouble", "skill", {}, ""


def _ordered(news: dict[str, Any]) -> Telling:
    if "refused" in news:
        return "ordered", "refused", {"reason": str(news["refused"])}, ""
    theme, dedication, ahead = str(news.get("theme") or ""), str(news.get("dedication") or ""), _ahead(news)
    slots = {"thing": thing} if (thing := spoken_theme(theme)) else {}
    if dedication:
        slots["who"] = turned(dedication)
    if ahead:
        slots |= {"place_in_queue": _place(ahead), "ahead": _songs(ahead)}
    extra = " ".join(str(each) for each in news.get("set_aside") or ())
    topic = "queued" if ahead else "gently" if GRAVE.search(theme) else "_"
    return "ordered", topic, slots, extra


def _status(news: dict[str, Any]) -> Telling:
    songs = [each for each in news.get("songs") or () if isinstance(each, dict)]
    if not songs:
        return "status", "none", {}, ""
    newest = next(
        (each for each in songs if each.get("state") not in ("done", "failed", "cancelled")), songs[0]
    )
    slots = {"thing": spoken_theme(str(newest.get("theme") or "")) or "what you told me"}
    if newest.get("state") == "done":
        slots["title"] = str(newest.get("title") or newest.get("theme"))
        return "status", "done", slots, ""
    if newest.get("state") in ("failed", "cancelled"):
        return "status", str(newest["state"]), slots, ""
    if ahead := _ahead(newest):
        return "status", "queued", slots | {"place_in_queue": _place(ahead), "ahead": _songs(ahead)}, ""
    return "status", "working", slots | {"step": STEPS.get(str(newest.get("step") or ""), STEPS[""])}, ""


def _written(news: dict[str, Any]) -> Telling:
    if "refused" in news:
        return "ordered", "refused", {"reason": str(news["refused"])}, ""
    return "written", "_", {}, str(news.get("lyrics") or "")


_TELL = {"request_song": _ordered, "song_status": _status, "write_lyrics": _written}


def _ahead(news: dict[str, Any]) -> int:
    ahead = news.get("ahead")
    return ahead if isinstance(ahead, int) and ahead > 0 else 0


def _place(ahead: int) -> str:
    return f"{ORDINALS[ahead]} in line" if ahead < len(ORDINALS) else f"number {ahead + 1} in line"


def _songs(ahead: int) -> str:
    return "one song" if ahead == 1 else f"{ahead} songs"
