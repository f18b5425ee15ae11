"""Router: what a message wants, by meaning. Learns at load from the examples in cast/router.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache as once
from pathlib import Path

import yaml

from persona.card import CAST
from persona.meaning import Embed, Matrix, Meaning, split_clauses

ALOUD = 0.3  # a clause of a longer message must be this sure before it decides alone
# What of several clauses decides: a wish outweighs the greeting around it, and safety outweighs all.
WEIGHT = (
    "crisis",
    "are_you_ai",
    "out_of_bounds",
    "request_song",
    "write_lyrics",
    "song_status",
    "remember_me",
)
TOPIC_FLOOR = 0.45  # a topic's nearest example must be this near; else the intent's general lines serve


@dataclass(frozen=True)
class Route:
    """`score` in about 0..1: how sure; `nearest` the cosine of the nearest example of that intent; `alarm` the
    score of a crisis, whatever has won.
    """

    intent: str
    topic: str
    score: float
    nearest: float
    alarm: float = 0.0


@dataclass(frozen=True)
class Examples:
    """`texts[i]` is said with `intents[i]` about `topics[i]`."""

    texts: tuple[str, ...]
    intents: tuple[str, ...]
    topics: tuple[str, ...]


class Router:
    """Tells the intent and topic of a message. `cache`: a folder for what was learned."""

    def __init__(
        self, embed: Embed, cast: Path = CAST, cache: Path | None = None, learn: Embed | None = None
    ) -> None:
        self.examples = read_examples(cast)
        self.meaning = Meaning(
            embed, self.examples.texts, self.examples.intents, "router", cast, cache, learn
        )
        self.intents = self.meaning.labels

    def route(self, text: str) -> Route:
        """The one thing that matters most in a message."""
        clauses = [text, *split_clauses(text)]
        routes = self.routes(clauses)
        best = routes[0]
        for route in routes[1:]:
            if route.score >= ALOUD and _weight(route.intent) < _weight(best.intent):
                best = route
        if best.intent == "greeting":  # what is said after a hello is what the message is about
            rest = [route for route in routes[1:] if route.intent != "greeting" and route.score >= ALOUD]
            best = max(rest, key=lambda route: route.score, default=best)
        return replace(best, alarm=max(route.alarm for route in routes))

    def routes(self, texts: Sequence[str]) -> list[Route]:
        """Each text by itself, as one clause."""
        heard = self.meaning.hear(texts)
        return [
            self._named(scores, heard.votes[place], heard.nearness[place])
            for place, scores in enumerate(heard.scores)
        ]

    def _named(self, scores: Matrix, votes: Matrix, nearness: Matrix) -> Route:
        intent = self.intents[int(scores.argmax())]
        ours = [place for place, name in enumerate(self.examples.intents) if name == intent]
        nearest = max(ours, key=lambda place: float(votes[place]))
        topic = self.examples.topics[nearest] if votes[nearest] > TOPIC_FLOOR else "_"
        alarm = float(scores[self.intents.index("crisis")]) if "crisis" in self.intents else 0.0
        return Route(intent, topic, float(scores.max()), float(nearness[ours].max()), alarm)


@once
def read_examples(cast: Path = CAST) -> Examples:
    """What cast/router.yaml holds."""
    rows = [
        (line.strip(), intent, topic)
        for intent, topics in yaml.safe_load((cast / "router.yaml").read_text(encoding="utf-8")).items()
        for topic, block in topics.items()
        for line in block.splitlines()
        if line.strip()
    ]
    texts, intents, topics = zip(*rows, strict=True)
    return Examples(texts, intents, topics)


def _weight(intent: str) -> int:
    return WEIGHT.index(intent) if intent in WEIGHT else len(WEIGHT)
