"""A pronouncing dictionary in one compressed file, searched by halves without being parsed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


class Dictionary:
    """Lines `word<TAB>first|second` sorted by the bytes of the word. Read at the first look-up."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _text(self) -> bytes:
        return gzip.decompress(self._path.read_bytes())

    def get(self, word: str) -> tuple[str, ...]:
        """The word's pronunciations, the usual one first; () if it is not here."""
        text, wanted = self._text, word.encode()
        low, high = 0, len(text)
        while low < high:
            start = text.rfind(b"\n", 0, (low + high) // 2) + 1
            end = text.index(b"\n", start)
            head, _, said = text[start:end].partition(b"\t")
            if head == wanted:
                return tuple(said.decode().split("|"))
            if head < wanted:
                low = end + 1
            else:
                high = start
        return ()

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for line in self._text.decode().splitlines():
            word, _, said = line.partition("\t")
            yield word, tuple(said.split("|"))


@lru_cache(maxsize=1)
def cmu() -> Dictionary:
    """The CMU Pronouncing Dictionary: ARPABET with stress digits."""
    return Dictionary(DATA / "cmudict.txt.gz")


@lru_cache(maxsize=1)
def gold() -> Dictionary:
    """misaki's checked American dictionary, in the symbols that the singing network was trained on."""
    return Dictionary(DATA / "misaki_us_gold.txt.gz")
