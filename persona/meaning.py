"""Meaning: a kernel machine that learns labels from examples at load; the router and the judge are built on it.

Every example votes by its nearness in meaning (MiniLM), sharpened by the cues that both share (cast/cues.yaml: who is
meant, what is asked for, the little words that a small embedder does not hear).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Heard:
    """Of some texts: `scores` [texts, labels], about 0..1; `votes` and `nearness` (cosine) [texts, examples]."""

    scores: Matrix
    votes: Matrix
    nearness: Matrix


class Once:
    """Embeds each text once, however many learn from it: nearly all of the router's examples are the judge's too."""

    def __init__(self, embed: Embed) -> None:
        self._embed, self._known = embed, dict[str, Matrix]()

    def __call__(self, texts: Sequence[str]) -> Matrix:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= dict(zip(new, self._embed(new), strict=True)) if new else {}
        return np.stack([self._known[text] for text in texts])


class Meaning:
    """Learns `labels[i]` from `texts[i]`. `cache`: a folder for what was learned, by hash of all it came from; `learn`:
    embeds the examples, where others learn from them too.
    """

    def __init__(
        self,
        embed: Embed,
        texts: Sequence[str],
        labels: Sequence[str],
        name: str,
        cast: Path = CAST,
        cache: Path | None = None,
        learn: Embed | None = None,
    ) -> None:
        self._learn = learn or embed
        self._embed, self.texts, self.of = embed, tuple(texts), tuple(labels)
        self.labels = tuple(dict.fromkeys(labels))
        cues = (cast / "cues.yaml").read_text(encoding="utf-8")
        self._cues = {cue: re.compile(pattern) for cue, pattern in yaml.safe_load(cues).items()}
        sources = [*self.texts, *self.of, cues, Path(__file__).read_text(encoding="utf-8")]
        key = hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]
        self._vectors, self._weights = self._learned(cache / f"{name}-{key}.npz" if cache else None)
        self._cued = self.cues(self.texts)

    def hear(self, texts: Sequence[str]) -> Heard:
        nearness = self._embed([tidy(text) for text in texts]) @ self._vectors.T
        votes = _kernel(nearness, self.cues(texts), self._cued)
        return Heard(votes @ self._weights, votes, nearness)

    def cues(self, texts: Sequence[str]) -> Matrix:
        """Which cues are in each text: float32 [texts, cues], 0 or 1."""
        rows = [[bool(cue.search(text)) for cue in self._cues.values()] for text in map(tidy, texts)]
        return np.array(rows, np.float32).reshape(len(texts), len(self._cues))

    def leave_one_out(self) -> Matrix:
        """The scores of every example as the others would have them: an honest figure without a second set."""
        kernel = _kernel(self._vectors @ self._vectors.T, self._cued, self._cued)
        inverse = np.linalg.inv(kernel.astype(np.float64) + RIDGE * np.eye(len(kernel)))
        wanted = self._wanted()
        left_out: Matrix = (wanted - (inverse @ wanted) / np.diag(inverse)[:, None]).astype(np.float32)
        return left_out

    def _wanted(self) -> Matrix:
        return np.array([[label == each for each in self.labels] for label in self.of], np.float32)

    def _learned(self, path: Path | None) -> tuple[Matrix, Matrix]:
        if path and path.is_file():
            try:
                with np.load(path) as kept:
                    return kept["vectors"], kept["weights"]
            except (OSError, ValueError, KeyError):
                path.unlink(missing_ok=True)  # a damaged cache is made anew
        vectors = self._learn([tidy(text) for text in self.texts])
        cued = self.cues(self.texts)
        kernel = _kernel(vectors @ vectors.T, cued, cued) + RIDGE * np.eye(len(vectors), dtype=np.float32)
        weights = np.linalg.solve(kernel.astype(np.float64), self._wanted()).astype(np.float32)
        if path:
            _keep(path, vectors, weights)
        return vectors, weights


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


def split_clauses(text: str, length: int = 1000, most: int = 8) -> list[str]:
    """The sentences of a message, and what stands after ', can you' and the like. Empty if there is only one."""
    parts = [part.strip() for part in re.split(r"(?<=[.!?;])\s+|\n+", text[:length])]
    parts = [
        piece.strip(" ,")
        for part in parts
        for piece in re.split(r",\s+(?=(?:can|could|would|will|please|so|but|and|write|sing|make)\b)", part)
    ]
    parts = [part for part in parts if len(part) > 1]
    return parts[:most] if len(parts) > 1 else []


def _kernel(nearness: Matrix, left: Matrix, right: Matrix) -> Matrix:
    """[n, m]: nearness in meaning, times the share of cues in common."""
    norms = np.sqrt((left.sum(1) + 1)[:, None] * (right.sum(1) + 1)[None, :])
    shared = (left @ right.T + 1) / norms
    kernel: Matrix = (np.exp(SHARPNESS * (nearness - 1)) * (CUE_FLOOR + shared)).astype(np.float32)
    return kernel


def _keep(path: Path, vectors: Matrix, weights: Matrix) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.stem + ".new.npz")
    np.savez(new, vectors=vectors, weights=weights)
    new.replace(path)
