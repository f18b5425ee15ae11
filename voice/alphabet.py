"""The two alphabets of pronunciation, ARPABET (the CMU dictionary) and Kokoro's IPA, and the way between."""

from __future__ import annotations

from collections.abc import Sequence

# Kokoro writes diphthongs as one capital: A = eɪ, I = aɪ, O = oʊ, W = aʊ, Y = ɔɪ.
VOWELS = frozenset("AIOQWYaiueoæɑɒɔəɚɛɜɪʊʌᵻᵊɐ")
STRESSES = "ˈˌ"
CONSONANTS = frozenset("bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθʔ")

_KOKORO_VOWELS = "AA:ɑ AE:æ AH:ʌ AO:ɔ AW:W AY:I EH:ɛ ER:ɜɹ EY:A IH:ɪ IY:i OW:O OY:Y UH:ʊ UW:u"
_KOKORO_CONSONANTS = (
    "B:b CH:ʧ D:d DH:ð F:f G:ɡ HH:h JH:ʤ K:k L:l M:m N:n NG:ŋ P:p R:ɹ S:s SH:ʃ T:t TH:θ V:v W:w Y:j Z:z ZH:ʒ"
)
_KOKORO = dict(pair.split(":") for pair in f"{_KOKORO_VOWELS} {_KOKORO_CONSONANTS}".split())
ARPABET_VOWELS = frozenset(pair.split(":")[0] for pair in _KOKORO_VOWELS.split())
_ARPABET = {symbol: phone for phone, symbol in _KOKORO.items() if len(symbol) == 1} | {
    "ɾ": "T", "ʔ": "T", "ə": "AH", "ᵊ": "AH", "ɐ": "AH", "ᵻ": "IH", "ɜ": "AH", "ɒ": "AA", "a": "AA",
    "o": "OW", "e": "EH", "Q": "OW", "ɚ": "ER",
}  # fmt: skip


def is_vowel(phone: str) -> bool:
    """Whether an ARPABET phone, with or without its stress digit, is a vowel."""
    return phone.rstrip("012") in ARPABET_VOWELS


def count_vowels(phonemes: str) -> int:
    """The syllables of a pronunciation in Kokoro's IPA."""
    return sum(symbol in VOWELS for symbol in phonemes)


def vowel_stresses(phonemes: str) -> tuple[int, ...]:
    """The stress of each vowel: 1 primary, 2 secondary, 0 none."""
    stresses, mark = [], 0
    for symbol in phonemes:
        if symbol in STRESSES:
            mark = STRESSES.index(symbol) + 1
        elif symbol in VOWELS:
            stresses.append(mark)
            mark = 0
    return tuple(stresses)


def to_kokoro(phones: Sequence[str]) -> str:
    """ARPABET with stress digits -> Kokoro's American IPA, with its flaps and reduced vowels."""
    out: list[str] = []
    for i, phone in enumerate(phones):
        name, stress = phone.rstrip("012"), phone[-1] if phone[-1].isdigit() else ""
        before = phones[i - 1] if i else ""
        after = phones[i + 1] if i + 1 < len(phones) else ""
        symbol = _KOKORO[name]
        if name == "HH" and after == "W":
            continue  # 'where' as in 'wear'
        if name in ARPABET_VOWELS:
            if stress == "0":
                symbol = _reduced(name, before, after, last=i + 2 == len(phones))
            out.append({"1": "ˈ", "2": "ˌ"}.get(stress, "") + symbol)
        elif name == "T" and _flaps(before, after):
            out.append("ɾ")
        else:
            out.append(symbol)
    return "".join(out)


def _reduced(name: str, before: str, after: str, last: bool) -> str:
    if name == "ER":
        return "əɹ"
    if name == "AH":
        # 'little', 'heaven': Kokoro hears a syllabic l or n where a consonant stands before it.
        return "ᵊ" if after in ("L", "N") and last and before and not is_vowel(before) else "ə"
    if (
        name == "IH"
        and last
        and before in ("S", "Z", "SH", "ZH", "CH", "JH", "T", "D")
        and after in ("Z", "D")
    ):
        return "ᵻ"
    return _KOKORO[name]


def _flaps(before: str, after: str) -> bool:
    return (is_vowel(before) or before == "R") and after.endswith("0")


def to_arpabet(phonemes: str) -> tuple[str, ...]:
    """Kokoro's IPA -> ARPABET with stress digits; an unstressed word keeps 0 on every vowel."""
    out: list[str] = []
    mark, i = "0", 0
    while i < len(phonemes):
        symbol = phonemes[i]
        if symbol in STRESSES:
            mark = str(STRESSES.index(symbol) + 1)
        elif symbol in VOWELS:
            coloured = phonemes[i + 1 : i + 2] == "ɹ" and phonemes[i + 2 : i + 3] not in VOWELS
            if symbol == "ɚ" or (symbol == "ɜ" and phonemes[i + 1 : i + 2] == "ɹ"):
                out.append("ER" + mark)
                i += symbol == "ɜ"
            elif symbol == "ə" and coloured and phonemes[i + 2 : i + 3] not in tuple(STRESSES):
                out.append("ER" + mark)
                i += 1
            else:
                out.append(_ARPABET[symbol] + mark)
            mark = "0"
        elif symbol in _ARPABET:
            out.append(_ARPABET[symbol])
        i += 1
    return tuple(out)
