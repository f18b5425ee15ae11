"""Router: what a message wants, by meaning. Learns at load from the examples in cast/router.yaml.

A kernel machine over examples: every example votes by its nearness in meaning (MiniLM), sharpened by the cues that
both share (cast/cues.yaml: who is meant, what is asked for, the little words that a small embedder does not hear).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from persona.card import CAST

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Matrix = NDArray[np.float32]

SHARPNESS = 3.0  # of the meaning kernel exp(-s (1 - cosine)); chosen by leave-one-out on the examples
CUE_FLOOR = 1.0  # how much meaning counts where no cue is shared
RIDGE = 0.1
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
    """Tells the intent and topic of a message. `cache`: a folder for what was learned, by hash of its sources."""

    def __init__(self, embed: Embed, cast: Path = CAST, cache: Path | None = None) -> None:
        self._embed = embed
        sources = [(cast / name).read_text(encoding="utf-8") for name in ("router.yaml", "cues.yaml")]
        self.examples = read_examples(sources[0])
        self._cues = {name: re.compile(cue) for name, cue in yaml.safe_load(sources[1]).items()}
        self.intents = tuple(dict.fromkeys(self.examples.intents))
        key = hashlib.sha256(
            "\0".join([*sources, Path(__file__).read_text(encoding="utf-8")]).encode()
        ).hexdigest()
        self._vectors, self._weights = self._learned(cache / f"router-{key[:16]}.npz" if cache else None)
        self._cued = self.cues(self.examples.texts)

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
        vectors = self._embed([tidy(text) for text in texts])
        nearness = vectors @ self._vectors.T  # [texts, examples]
        kernel = _kernel(nearness, self.cues(texts), self._cued)
        scores = kernel @ self._weights  # [texts, intents]
        return [self._named(row, kernel[place], nearness[place]) for place, row in enumerate(scores)]

    def _named(self, scores: Matrix, kernel: Matrix, nearness: Matrix) -> Route:
        intent = self.intents[int(scores.argmax())]
        ours = [place for place, name in enumerate(self.examples.intents) if name == intent]
        nearest = max(ours, key=lambda place: float(kernel[place]))
        topic = self.examples.topics[nearest] if kernel[nearest] > TOPIC_FLOOR else "_"
        alarm = float(scores[self.intents.index("crisis")]) if "crisis" in self.intents else 0.0
        return Route(intent, topic, float(scores.max()), float(nearness[ours].max()), alarm)

    def cues(self, texts: Sequence[str]) -> Matrix:
        """Which cues are in each text: float32 [texts, cues], 0 or 1."""
        rows = [[bool(cue.search(text)) for cue in self._cues.values()] for text in map(tidy, texts)]
        return np.array(rows, np.float32).reshape(len(texts), len(self._cues))

    def leave_one_out(self) -> list[str]:
        """The intent of every example as the others would have it: an honest figure without a second set."""
        cued = self.cues(self.examples.texts)
        kernel = _kernel(self._vectors @ self._vectors.T, cued, cued)
        inverse = np.linalg.inv(kernel.astype(np.float64) + RIDGE * np.eye(len(kernel)))
        wanted = self._wanted()
        left_out = wanted - (inverse @ wanted) / np.diag(inverse)[:, None]
        return [self.intents[place] for place in left_out.argmax(1)]

    def _wanted(self) -> Matrix:
        return np.array(
            [[intent == each for each in self.intents] for intent in self.examples.intents], np.float32
        )

    def _learned(self, path: Path | None) -> tuple[Matrix, Matrix]:
        if path and path.is_file():
            try:
                with np.load(path) as kept:
                    return kept["vectors"], kept["weights"]
            except (OSError, ValueError, KeyError):
                path.unlink(missing_ok=True)  # a damaged cache is made anew
        vectors = self._embed([tidy(text) for text in self.examples.texts])
        cued = self.cues(self.examples.texts)
        kernel = _kernel(vectors @ vectors.T, cued, cued) + RIDGE * np.eye(len(vectors), dtype=np.float32)
        weights = np.linalg.solve(kernel.astype(np.float64), self._wanted()).astype(np.float32)
        if path:
            _keep(path, vectors, weights)
        return vectors, weights


TOPIC_FLOOR = 0.45  # a topic's nearest example must be this near; else the intent's general lines serve


def read_examples(text: str) -> Examples:
    rows = [
        (line.strip(), intent, topic)
        for intent, topics in yaml.safe_load(text).items()
        for topic, block in topics.items()
        for line in block.splitlines()
        if line.strip()
    ]
    texts, intents, topics = zip(*rows, strict=True)
    return Examples(texts, intents, topics)


def tidy(text: str) -> str:
    """Lower case, plain quotes, the commonest short forms written out; at most 400 characters."""
    text = " ".join(text[:400].lower().replace("’", "'").split())
    for short, long in SHORT_FORMS:
        text = short.sub(long, text)
    return text


SHORT_FORMS = [
    (re.compile(rf"\b{short}\b"), long)
    for short, long in {
        "u": "you", "ya": "you", "ur": "your", "r": "are", "im": "i'm", "ive": "i've", "dont": "don't",
        "cant": "can't", "wanna": "want to", "gonna": "going to", "pls": "please", "plz": "please",
        "bout": "about", "whats": "what's", "hows": "how's", "wheres": "where's", "youre": "you're",
        "thats": "that's", "didnt": "didn't", "doesnt": "doesn't", "isnt": "isn't", "n": "and", "4": "for",
        "2day": "today", "2nite": "tonight", "tmrw": "tomorrow", "b4": "before", "bday": "birthday",
    }.items()
]  # fmt: skip


def split_clauses(text: str) -> list[str]:
    """The sentences of a message, and what stands after ', can you' and the like. Empty if there is only one."""
    parts = [part.strip() for part in re.split(r"(?<=[.!?;])\s+|\n+", text[:1000])]
    parts = [
        piece.strip(" ,")
        for part in parts
        for piece in re.split(r",\s+(?=(?:can|could|would|will|please|so|but|and|write|sing|make)\b)", part)
    ]
    parts = [part for part in parts if len(part) > 1]
    return parts[:8] if len(parts) > 1 else []


def _kernel(nearness: Matrix, left: Matrix, right: Matrix) -> Matrix:
    """[n, m]: nearness in meaning, times the share of cues in common."""
    norms = np.sqrt((left.sum(1) + 1)[:, None] * (right.sum(1) + 1)[None, :])
    shared = (left @ right.T + 1) / norms
    kernel: Matrix = (np.exp(SHARPNESS * (nearness - 1)) * (CUE_FLOOR + shared)).astype(np.float32)
    return kernel


def _weight(intent: str) -> int:
    return WEIGHT.index(intent) if intent in WEIGHT else len(WEIGHT)


def _keep(path: Path, vectors: Matrix, weights: Matrix) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.stem + ".new.npz")
    np.savez(new, vectors=vectors, weights=weights)
    new.replace(path)
