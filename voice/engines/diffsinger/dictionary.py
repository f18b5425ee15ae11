"""From words to a voicebank's phonemes: its own dictionary first, then ours of English, written as the bank does."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voice.alphabet import ARPABET_VOWELS, to_arpabet
from voice.engines.diffsinger.config import read_yaml
from voice.engines.protocol import EngineError

PAUSES = ("SP", "AP")  # silence and a breath
_VOICELESS = frozenset("p t k f th s sh ch hh h q cl SP AP".split())


@dataclass(frozen=True)
class Dictionary:
    """`entries` by word; `kinds` of symbols ('vowel', 'stop' ...); `replacements` of ARPABET by the bank's symbols."""

    language: str
    entries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    replacements: dict[str, str] = field(default_factory=dict)

    def word(self, text: str) -> tuple[str, ...] | None:
        """The bank's own pronunciation, or None."""
        return self.entries.get(text) or self.entries.get(text.lower())

    def spell(self, phonemes: str, known: Collection[str]) -> tuple[str, ...]:
        """Kokoro's IPA in the bank's symbols, of which `known` are sung. Raises EngineError."""
        return tuple(self._symbol(phone.rstrip("012").lower(), known) for phone in to_arpabet(phonemes))

    def _symbol(self, phone: str, known: Collection[str]) -> str:
        prefix = f"{self.language}/"
        several = any(symbol.startswith(prefix) for symbol in known)  # a bank of several languages says which
        tried = (self.replacements.get(phone), prefix + phone if several else None, phone)
        for symbol in tried:
            if symbol is not None and (symbol in known or bare(symbol) in known):
                return symbol
        raise EngineError(f"this voicebank has no phoneme for the English sound {phone!r}")

    def is_vowel(self, symbol: str) -> bool:
        names = (symbol, bare(symbol), f"{self.language}/{symbol}")
        kind = next((self.kinds[name] for name in names if name in self.kinds), None)
        if kind is None:
            return symbol in PAUSES or bare(symbol).upper() in ARPABET_VOWELS
        return kind == "vowel"

    def syllables(self, phones: Sequence[str], count: int) -> list[tuple[str, ...]]:
        """A word's phones shared out to `count` syllables: one vowel each, and the consonant before it.

        Vowels too many stay with the last syllable; where there are too few, the last one is held.
        """
        nuclei = [i for i, phone in enumerate(phones) if self.is_vowel(phone)][:count] or [0]
        cuts = [0, *(i - 1 if i - 1 > before else i for before, i in itertools.pairwise(nuclei))]
        parts = [tuple(phones[a:b]) for a, b in zip(cuts, [*cuts[1:], len(phones)], strict=True)]
        return parts + [()] * (count - len(parts))


def bare(symbol: str) -> str:
    """'en/hh' -> 'hh'."""
    return symbol.rsplit("/", 1)[-1]


def voiceless(symbol: str) -> bool:
    return bare(symbol) in _VOICELESS


def read_dictionary(folders: Sequence[Path], language: str) -> Dictionary:
    """The first of dsdict-<language>.yaml, dsdict.yaml in `folders`; an empty one if there is none."""
    names = (f"dsdict-{language}.yaml", "dsdict.yaml")
    path = next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)
    if path is None:
        return Dictionary(language)
    raw = read_yaml(path, plain=True)
    try:
        return Dictionary(
            language,
            {one["grapheme"]: _listed(one["phonemes"]) for one in raw.get("entries") or []},
            {one["symbol"]: one["type"] for one in raw.get("symbols") or []},
            {one["from"]: one["to"] for one in raw.get("replacements") or []},
        )
    except (TypeError, KeyError) as error:
        raise EngineError(
            f"{path} is not a dictionary for DiffSinger: an entry has no {error}; entries have grapheme and "
            "phonemes, symbols have symbol and type, replacements have from and to"
        ) from error


def _listed(phonemes: object) -> tuple[str, ...]:
    return tuple(phonemes.split()) if isinstance(phonemes, str) else tuple(map(str, phonemes or ()))  # type: ignore[call-overload]


def tokenize(symbols: Sequence[str], tokens: dict[str, int], language: str, where: Path) -> list[int]:
    """The numbers of `symbols` in a stage. 'en/hh' is 'hh' where there is no such, and 'hh' is 'en/hh'."""
    numbers = []
    for symbol in symbols:
        tried = (symbol, bare(symbol), f"{language}/{bare(symbol)}")
        found = next((tokens[one] for one in tried if one in tokens), None)
        if found is None:
            raise EngineError(f"{where} has no number for the phoneme {symbol!r}")
        numbers.append(found)
    return numbers
