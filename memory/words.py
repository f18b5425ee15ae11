"""Words as stems, and BM25 over them: a few memories of one fan at a time, so plain numpy is enough."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import local

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
K1, B = 1.2, 0.75  # Robertson and Zaragoza (2009), section 3.4

# Words too common to tell one memory from another; question words are here since they only ask.
_COMMON = """
    a about after again all also am an and any are aren't as at be because been before being but by can
    can't could couldn't did didn't do does doesn't doing don't down each few for from further had hadn't has
    hasn't have haven't having he he'd he'll he's her here hers herself him himself his how how's i i'd i'll
    i'm i've if in into is isn't it it's its itself just let let's me more most my myself no nor not of off on
    once only or other our ours ourselves out over own same she she'd she'll she's should shouldn't so some
    such than that that's the their theirs them themselves then there there's these they they'd they'll
    they're they've this those through to too under until up very was wasn't we we'd we'll we're we've were
    weren't what what's when when's where where's which while who who's whom why why's will with won't would
    wouldn't you you'd you'll you're you've your yours yourself yourselves
"""
COMMON = frozenset(_COMMON.split())

_stemmers = local()  # a stemmer object is not safe to share between threads


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The English stem of a lower-case word ('sisters' -> 'sister'); words of other scripts stay whole."""
    import Stemmer

    if not hasattr(_stemmers, "english"):
        _stemmers.english = Stemmer.Stemmer("english")
    stemmed: str = _stemmers.english.stemWord(word)
    return stemmed


def stems(text: str) -> list[str]:
    """The stems of a text in order, without common words and possessive endings."""
    words = (word.lower().replace("’", "'") for word in WORD.findall(text))
    return [stem(word.removesuffix("'s")) for word in words if word not in COMMON]


def counts(documents: Sequence[Mapping[str, int]], terms: Sequence[str]) -> NDArray[np.float32]:
    """How often each term stands in each document, float32 [documents, terms]."""
    rows = [[document.get(term, 0) for term in terms] for document in documents]
    return np.array(rows, np.float32).reshape(len(documents), len(terms))


def inverse_frequency(found: NDArray[np.float32], documents: int) -> NDArray[np.float32]:
    """How telling each term is, float32 [terms], when `found` of the documents have it."""
    idf: NDArray[np.float32] = np.log1p((documents - found + 0.5) / (found + 0.5)).astype(np.float32)
    return idf


def bm25(
    tf: NDArray[np.float32], lengths: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """BM25 of every document, float32 [documents].

    tf: [documents, terms]; lengths: [documents], in stems; weights: [terms], each with its inverse frequency.
    """
    norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0))
    score: NDArray[np.float32] = ((tf * (K1 + 1) / (tf + norm[:, None])) @ weights).astype(np.float32)
    return score


@lru_cache(maxsize=20_000)
def bag(text: str) -> Mapping[str, int]:
    """How often each stem stands in a text."""
    return Counter(stems(text))
