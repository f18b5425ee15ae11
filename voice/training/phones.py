"""Phonemes of a dataset, in ARPABET or Kokoro's IPA, as the network's tokens and the sounds that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from voice.alphabet import CONSONANTS, STRESSES, VOWELS, to_kokoro
from voice.timing import DIPHTHONGS, Passage, Sound, Token, turn_of
from voice.underlay import HELD, full_vowel

SILENCES = frozenset({"", "SP", "<SP>", "pau", "sil"})
BREATHS = frozenset({"AP", "<AP>", "br"})
COLOUR = 0.1  # seconds of the r at the end of a vowel such as in 'bird', a third of the whole at most

_VOWEL = f"[{STRESSES}]?[{''.join(sorted(VOWELS))}]ɹ?"
_PHONE = re.compile(f"{_VOWEL}|[{''.join(sorted(CONSONANTS))}]")


@dataclass(frozen=True)
class Phone:
    """`symbols` in Kokoro's IPA, a stress mark before a vowel; "" is silence, and so is a breath. Seconds."""

    symbols: str
    start: float
    end: float
    breath: bool = False
    starts_word: bool = False  # a silence parts words in any case

    @property
    def is_vowel(self) -> bool:
        return any(symbol in VOWELS for symbol in self.symbols)


def known_symbols(phones: Iterable[str]) -> dict[str, str]:
    """Each of a whole dataset's symbols in Kokoro's IPA; what is missing is unknown.

    Y and W mean one thing in ARPABET and another in Kokoro's IPA: a dataset is in one alphabet.
    """
    symbols = {phone: phone.rpartition("/")[2] for phone in phones}
    arpabet = {phone: _from_arpabet(symbol) for phone, symbol in symbols.items()}
    ipa = {phone: _from_ipa(symbol) for phone, symbol in symbols.items()}
    chosen = max(arpabet, ipa, key=lambda known: sum(one is not None for one in known.values()))
    return {phone: known for phone, known in chosen.items() if known is not None}


def _from_arpabet(symbol: str) -> str | None:
    if symbol in SILENCES | BREATHS:
        return ""
    try:
        return to_kokoro([symbol.upper()])
    except KeyError:
        return None


def _from_ipa(symbol: str) -> str | None:
    if symbol in SILENCES | BREATHS:
        return ""
    plain = symbol.replace("dʒ", "ʤ").replace("tʃ", "ʧ").replace("g", "ɡ").replace("r", "ɹ")
    return plain if _PHONE.fullmatch(plain) else None


def as_held(phones: Sequence[Phone]) -> list[Phone]:
    """Long vowels without a stress are read as the singer reads them: full, with a secondary one."""
    return [
        replace(p, symbols=full_vowel(p.symbols)) if p.is_vowel and p.end - p.start >= HELD else p
        for p in phones
    ]


def sounds_of(phones: Sequence[Phone]) -> tuple[Passage, list[Sound]]:
    """The tokens that the network reads, and when each of them sounds. A stretch between silences is a phrase.

    What lies between words is read too, where a dataset says where they begin: in speech it takes time.
    """
    tokens = [Token("", -1)]
    sounds: list[Sound] = []
    phrase, open_ = 0, False
    for phone in phones:
        if not phone.symbols:
            if open_:
                tokens.append(Token(",", -1))
                phrase, open_ = phrase + 1, False
            continue
        if phone.starts_word and len(tokens) > 1:
            tokens.append(Token(" ", -1))
        open_ = True
        mark = len(tokens) if phone.symbols[0] in STRESSES else -1
        first = len(tokens) + (mark >= 0)
        tokens += [Token(symbol, phrase) for symbol in phone.symbols]
        sounds += _sounds(phone, phrase, first, mark)
    if open_:
        tokens.append(Token(",", -1))
        phrase += 1
    return Passage((), tuple(range(phrase)), (*tokens, Token("", -1))), sounds


def _sounds(phone: Phone, phrase: int, token: int, mark: int) -> list[Sound]:
    start, end = phone.start, phone.end
    symbol, colour = phone.symbols.lstrip(STRESSES)[0], phone.symbols.lstrip(STRESSES)[1:]
    if not phone.is_vowel:
        return [Sound(symbol, "onset", phrase, token, start, end)]
    if symbol in DIPHTHONGS:
        turn = turn_of(start, end)
        first, second = tuple(DIPHTHONGS[symbol])
        return [
            Sound(first, "vowel", phrase, token, start, turn, mark, half=0),
            Sound(second, "glide", phrase, token, turn, end, half=1),
        ]
    if not colour:
        return [Sound(symbol, "vowel", phrase, token, start, end, mark)]
    turn = end - min(COLOUR, (end - start) / 3)
    return [
        Sound(symbol, "vowel", phrase, token, start, turn, mark),
        Sound(colour, "coda", phrase, token + 1, turn, end),
    ]
