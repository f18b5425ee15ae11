"""Text as people write it -> words as they are sung: numbers, signs, quotes, hyphens, pictures."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

PLAIN_MARKS = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-"})
LIGATURES = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ß": "ss", "đ": "d", "ł": "l", "ð": "th", "þ": "th"}
)
_SIGNS = {"&": "and", "+": "plus", "@": "at", "%": "percent", "=": "equals"}
_MONEY = {"$": "dollar", "£": "pound", "€": "euro"}
_TOKEN = re.compile(
    r"[$£€]?\d+(?:,\d\d\d)*(?:\.\d+)?(?:st|nd|rd|th|s|'s)?(?![^\W\d_])|[^\W\d_][\w']*|'[^\W\d_][\w']*|'\d0s|\d+|[&+@%=]",
    re.UNICODE,
)


@dataclass(frozen=True)
class Reading:
    """A line's `words` to sing, and `notes`: a sentence about each thing that was left out."""

    words: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_line(text: str) -> Reading:
    """The words of a line: numbers and '&' written out, no punctuation, 'heart-broken' kept whole."""
    flat = text.translate(PLAIN_MARKS)
    words: list[str] = []
    dropped: list[str] = []
    for chunk in re.split(r"[\s—–/…]+|--+", flat):
        words += _words_of(chunk)
        dropped += [c for c in chunk if unicodedata.category(c) in ("So", "Cs", "Co") and c not in _SIGNS]
    foreign = [
        w
        for w in words
        if not re.search(r"[a-z]", unicodedata.normalize("NFD", w.lower().translate(LIGATURES)))
    ]
    words = [w for w in words if w not in foreign]
    notes = [f"{' '.join(dict.fromkeys(dropped))} cannot be sung and was left out"] if dropped else []
    notes += [f"'{w}' is not in Latin letters and was left out" for w in dict.fromkeys(foreign)]
    return Reading(tuple(words), tuple(notes))


_COUNT = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
_SMALL, _TENS = _COUNT.split()[:20], _COUNT.split()[20:]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def spell_number(digits: str) -> list[str]:
    """'42' -> forty, two; a year ('1969') in pairs; a leading 0, or more than 12 digits, digit by digit."""
    if (len(digits) > 1 and digits.startswith("0")) or len(digits) > 12:
        return ["oh" if digit == "0" else _SMALL[int(digit)] for digit in digits]
    if len(digits) == 4 and "1100" <= digits <= "2099" and digits[1:3] != "00":
        head, tail = _cardinal(int(digits[:2])), digits[2:]
        if tail == "00":
            return [*head, "hundred"]
        return [*head, *(["oh"] if tail[0] == "0" else []), *_cardinal(int(tail))]
    return _cardinal(int(digits))


def _cardinal(number: int) -> list[str]:
    if number < 20:
        return [_SMALL[number]]
    if number < 100:
        return [_TENS[number // 10 - 2], *([_SMALL[number % 10]] if number % 10 else [])]
    name, size = next(
        (name, size)
        for name, size in (("billion", 10**9), ("million", 10**6), ("thousand", 1000), ("hundred", 100))
        if number >= size
    )
    rest = number % size
    return [*_cardinal(number // size), name, *(_cardinal(rest) if rest else [])]


def _ordinal(number: int) -> list[str]:
    *words, last = _cardinal(number)
    return [*words, _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")]


def _plural(words: list[str]) -> list[str]:
    """1960s -> nineteen sixties."""
    *rest, last = words
    return [*rest, last[:-1] + "ies" if last.endswith("y") else last + ("es" if last.endswith("x") else "s")]


def _words_of(chunk: str) -> list[str]:
    """One stretch without blanks: 'heart-broken,' -> heart-broken; '$5' -> five dollars."""
    words: list[str] = []
    end_of_last = -2
    for found in _TOKEN.finditer(chunk):
        token = found.group()
        if token in _SIGNS:
            words.append(_SIGNS[token])
        elif token[0].isdigit() or token[0] in _MONEY or re.match(r"'\d", token):
            words += _number(token)
        else:
            joined = found.start() == end_of_last + 1 and chunk[end_of_last] == "-" and words
            token = _unquoted(token)
            if joined:
                words[-1] += "-" + token
            elif token:
                words.append(token)
            end_of_last = found.end()
            continue
        end_of_last = -2
    return words


# Words whose apostrophe in front stands for something, and is no quotation mark.
_CLIPPED_WORDS = """
til tis twas twere twill cause em bout round neath fore gainst cept cross long way fraid nother nuff ere
n cuz cos s d ll ve re merica tween mongst stead less specially kay course scuse lectric
"""
_CLIPPED = frozenset(_CLIPPED_WORDS.split())


def _unquoted(token: str) -> str:
    """Without quotation marks around it, but with the apostrophes of 'til, lovin' and o'."""
    if token.startswith("'") and token.endswith("'") and len(token) > 2:
        token = token[1:-1]
    elif token.startswith("'") and token[1:].lower() not in _CLIPPED:
        token = token[1:]
    if token.endswith("'") and not re.search(r"(in|s|an|ol|o|th|lil|wi)'$", token.lower()):
        token = token.rstrip("'")
    return token.rstrip("_")


def _number(token: str) -> list[str]:
    if token.startswith("'"):  # '60s
        return _plural(spell_number(token[1:-1]))
    money = _MONEY.get(token[0])
    body = token.lstrip("$£€").replace(",", "")
    ending = re.sub(r"^[\d.]+", "", body)
    whole, _, fraction = re.sub(r"[a-z']+$", "", body).partition(".")
    if ending in ("st", "nd", "rd", "th"):
        return _ordinal(int(whole[-12:]))
    if ending:
        return _plural(spell_number(whole))
    if money:
        words = _cardinal(int(whole[-12:]))
        words.append(money if whole == "1" and not fraction else money + "s")
        return words + (spell_number(fraction) if fraction else [])
    words = _cardinal(int(whole[-12:])) if "," in token else spell_number(whole)
    return words + (["point", *(w for digit in fraction for w in spell_number(digit))] if fraction else [])
