"""How English words are said and rhyme, in ARPABET with stress digits (1 primary, 2 secondary, 0 none).

A pronunciation comes from the CMU dictionary; else from misaki's dictionary; else from the word's parts
(lovin', train's, moonlit, heart-broken, 1969); else a small network guesses it from the letters.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

from voice import spelling
from voice.alphabet import count_vowels, is_vowel, to_arpabet, vowel_stresses
from voice.dictionary import DATA, cmu, gold
from voice.spelling import Reading, read_line

__all__ = [
    "PronunciationError", "Reading", "known", "normalise", "pronounce", "pronunciations", "read_line",
    "rhyme_part", "rhymes", "stresses",
]  # fmt: skip

Phones = tuple[str, ...]

# Words that carry no stress of their own in a line, though CMU marks some of them.
_WEAK = """
a an the and or but nor of to for from in on at by with as than that if so am is are was were be been do
does did has have had can could will would shall should may might must i me my we us our you your he him
his she her it its they them their there i'm i'll i've i'd you're you'll you've we're we'll he's she's
it's they're 'em ya an' o' th' til 'til till some into
"""
WEAK = frozenset(_WEAK.split())
_NAMES = """
a=EY1;b=B IY1;c=S IY1;d=D IY1;e=IY1;f=EH1 F;g=JH IY1;h=EY1 CH;i=AY1;j=JH EY1;k=K EY1;l=EH1 L;m=EH1 M;
n=EH1 N;o=OW1;p=P IY1;q=K Y UW1;r=AA1 R;s=EH1 S;t=T IY1;u=Y UW1;v=V IY1;w=D AH1 B AH0 L Y UW0;x=EH1 K S;
y=W AY1;z=Z IY1
"""
_LETTER_NAMES = dict(pair.strip().split("=") for pair in _NAMES.split(";"))
_SIBILANTS = ("S", "Z", "SH", "ZH", "CH", "JH")
_VOICELESS = ("P", "T", "K", "F", "TH", "S", "SH", "CH", "HH")


class PronunciationError(ValueError):
    """A word that cannot be said: it has no Latin letters. The message says so and what to do."""


def normalise(text: str) -> tuple[str, ...]:
    """The words of a line, numbers and signs written out, as `read_line(text).words`."""
    return read_line(text).words


def plain(word: str) -> str:
    """`word` in small Latin letters with straight apostrophes and no accents: the key of every table."""
    flat = unicodedata.normalize("NFD", word.translate(spelling.PLAIN_MARKS))
    flat = "".join(c for c in flat if not unicodedata.combining(c)).lower().translate(spelling.LIGATURES)
    return re.sub(r"[^a-z0-9'\-]", "", flat).strip("-")


def known(word: str) -> bool:
    """Whether `word` is said from a dictionary, or from parts that are in one (lovin', moonlit), not guessed."""
    key = plain(word)
    if "-" in key:
        return bool(_listed(key)) or all(known(part) for part in key.split("-") if part)
    if any(c.isdigit() for c in key):
        return True
    return bool(
        _listed(key) or _dropped_g(key) or _listed(key.strip("'")) or _from_parts(key) or _drawn_out(key)
    )


def sung_otherwise(key: str) -> bool:
    """Whether the table of sung words, which goes before the dictionaries, holds `key`."""
    return key in _sung()


def pronounce(word: str) -> Phones:
    """How `word` is said. Raises PronunciationError if it has no letters that can be read."""
    return pronunciations(word)[0]


@lru_cache(maxsize=1 << 16)
def pronunciations(word: str) -> tuple[Phones, ...]:
    """Every way in which `word` is said, the one to sing first."""
    key = plain(word)
    if not re.search(r"[a-z0-9]", key):
        raise PronunciationError(f"'{word}' has no letters that can be sung: write it in Latin letters")
    found = _listed(key) or _dropped_g(key)
    if not found and key.strip("'") != key:
        found = _listed(key.strip("'"))
    if not found and word.isupper() and word.isalpha() and len(key) in (2, 3):
        found = (_spelled_out(key),)  # NYC
    found = found or _from_parts(key) or _drawn_out(key) or (_guessed(key),)
    return tuple(dict.fromkeys(found))


def stresses(word: str) -> tuple[int, ...]:
    """The stress of each syllable in a line: 1 primary, 2 secondary, 0 none (and for 'the', 'of', 'my')."""
    digits = tuple(int(phone[-1]) for phone in pronounce(word) if is_vowel(phone))
    if len(digits) == 1:
        return (0 if plain(word) in WEAK else 1,)
    return digits


def rhyme_part(word: str) -> Phones:
    """What must sound alike in a rhyme: from the last primary-stressed vowel on, stress digits dropped."""
    return _rhyme_part(pronounce(word))


def rhymes(first: str, second: str) -> bool:
    """A perfect rhyme: alike from the last stressed vowel on, unlike just before it."""
    if plain(first) == plain(second):
        return False
    for a in pronunciations(first):
        for b in pronunciations(second):
            part = _rhyme_part(a)
            if part == _rhyme_part(b) and _onset(a, len(part)) != _onset(b, len(part)):
                return True
    return False


@lru_cache(maxsize=1)
def _sung() -> dict[str, tuple[str, ...]]:
    lines = (DATA / "sung.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {word: tuple(said.split("|")) for word, said in pairs}


def _rhyme_part(phones: Phones) -> Phones:
    vowels = [i for i, phone in enumerate(phones) if is_vowel(phone)]
    for wanted in "120":
        at = [i for i in vowels if phones[i].endswith(wanted)]
        if at:
            return tuple(phone.rstrip("012") for phone in phones[at[-1] :])
    return phones


def _onset(phones: Phones, part: int) -> Phones:
    """The consonants just before the rhyming part of `part` phones."""
    before = phones[: len(phones) - part]
    start = len(before)
    while start and not is_vowel(before[start - 1]):
        start -= 1
    return before[start:]


def _listed(key: str) -> tuple[Phones, ...]:
    """What the tables and dictionaries hold, the variant first that agrees with misaki's checked one."""
    entries = [tuple(said.split()) for said in _sung().get(key, ())]
    if not entries and key.endswith("in") and not gold().get(key):
        # CMU reads 'nothin' and 'lovin' as names.
        entries = list(_dropped_g(key + "'"))
    variants = [tuple(said.split()) for said in cmu().get(key)]
    variants = [v for v in variants if any(map(is_vowel, v))]
    checked = gold().get(key)
    if checked and count_vowels(checked[0]):
        marks = vowel_stresses(checked[0])
        likeness = to_arpabet(checked[0])
        variants.sort(key=lambda v: (_marks(v) != _marks_of(marks), _unlike(v, likeness)))
        variants = variants or [_spoken(checked[0])]
    if re.search(
        r"ire(s|d|r|rs|less|ment|ments)?$", key
    ):  # 'fire', 'desired' are sung on one note less than CMU counts
        short = [tuple(" ".join(v).replace("AY1 ER0", "AY1 R").split()) for v in variants]
        variants = short + variants
    return tuple(entries + variants)


def _unlike(phones: Phones, others: Phones) -> float:
    """How far two pronunciations of a word are apart, stress digits aside: 0 alike, 1 nothing in common."""
    plain_phones = [p.rstrip("012") for p in phones], [p.rstrip("012") for p in others]
    return 1 - SequenceMatcher(None, *plain_phones, autojunk=False).ratio()


def _marks(phones: Phones) -> tuple[int, int]:
    return _marks_of(tuple(int(phone[-1]) for phone in phones if is_vowel(phone)))


def _marks_of(marks: tuple[int, ...]) -> tuple[int, int]:
    """The number of syllables and the place of the main stress (0 in a word of one)."""
    return len(marks), marks.index(1) if 1 in marks and len(marks) > 1 else 0


def _spoken(phonemes: str) -> Phones:
    phones = to_arpabet(phonemes)
    if sum(map(is_vowel, phones)) == 1 or not any(p.endswith("1") for p in phones):
        first = next(i for i, phone in enumerate(phones) if is_vowel(phone))
        phones = (*phones[:first], phones[first][:-1] + "1", *phones[first + 1 :])
    return phones


def _dropped_g(key: str) -> tuple[Phones, ...]:
    """lovin' = loving without its g."""
    if not key.endswith("in'") or len(key) < 5:
        return ()
    whole = _listed(key[:-1] + "g") or _from_parts(key[:-1] + "g")
    return tuple((*phones[:-1], "N") for phones in whole if phones[-1] == "NG" and len(phones) > 3)


def _from_parts(key: str) -> tuple[Phones, ...]:
    """Numbers, hyphenated words, endings and compounds of words that are known; () if it is none of them."""
    if any(c.isdigit() for c in key):
        return (_joined([w for w in read_line(key).words if not any(map(str.isdigit, w))] or ["zero"]),)
    if "-" in key:
        return (_joined([part for part in key.split("-") if part]),)
    if key.endswith("in'") and len(key) > 5:
        return ()
    return _with_ending(key) or _compound(key) or _with_prefix(key)


def _joined(words: list[str]) -> Phones:
    """One word's phones of several; only the last keeps its primary stress marks as they are."""
    return tuple(phone for word in words for phone in pronounce(word))


def _with_prefix(key: str) -> tuple[Phones, ...]:
    """unsung = un + sung; the word keeps its stress."""
    for prefix, phones in _PREFIXES:
        stem = key.removeprefix(prefix)
        if stem != key and len(stem) > 3 and gold().get(stem) and (found := _listed(stem)):
            return ((*phones.split(), *found[0]),)
    return ()


_PREFIXES = (
    ("un", "AH0 N"), ("re", "R IY0"), ("over", "OW2 V ER0"), ("out", "AW2 T"), ("under", "AH2 N D ER0"),
    ("mis", "M IH0 S"), ("non", "N AA0 N"), ("dis", "D IH0 S"), ("super", "S UW2 P ER0"),
)  # fmt: skip


def _with_ending(key: str) -> tuple[Phones, ...]:
    bare = key.rstrip("'")
    for stem, ending in _stems(bare):
        for phones in _listed(stem):
            last = phones[-1]
            if ending == "s":
                tail: Phones = (
                    ("IH0", "Z") if last in _SIBILANTS else ("S",) if last in _VOICELESS else ("Z",)
                )
            elif ending == "d":
                tail = ("IH0", "D") if last in ("T", "D") else ("T",) if last in _VOICELESS else ("D",)
            else:
                tail = tuple(ending.split())
            return ((*phones, *tail),)
    return ()


_ENDINGS = (
    ("ed", "d"), ("ing", "IH0 NG"), ("er", "ER0"), ("est", "AH0 S T"), ("ly", "L IY0"), ("less", "L AH0 S"),
    ("ness", "N AH0 S"), ("ful", "F AH0 L"), ("y", "IY0"), ("like", "L AY2 K"),
)  # fmt: skip


def _stems(word: str) -> list[tuple[str, str]]:
    """(stem, ending) pairs that `word` may be made of, the likelier first."""
    found: list[tuple[str, str]] = []
    if word.endswith("'s"):
        found.append((word[:-2], "s"))
    elif word.endswith("s") and not word.endswith("ss"):
        found += [(word[:-1], "s")]
        found += [(word[:-2], "s")] if word.endswith("es") else []
        found += [(word[:-3] + "y", "s")] if word.endswith("ies") else []
    for ending, phones in (
        ("'ll", "AH0 L"),
        ("'d", "d"),
        ("'ve", "AH0 V"),
        ("'re", "ER0"),
        ("n't", "AH0 N T"),
    ):
        if word.endswith(ending):
            found.append((word[: -len(ending)], phones))
    for ending, phones in _ENDINGS:
        stem = word[: -len(ending)]
        if not word.endswith(ending) or len(stem) < 3:
            continue
        found.append((stem, phones))
        if ending in ("ed", "ing", "er", "est", "y"):
            found.append((stem + "e", phones))
            if stem[-1] == stem[-2]:
                found.append((stem[:-1], phones))
        if stem.endswith("i"):
            found.append((stem[:-1] + "y", phones))
    return found


def _compound(key: str) -> tuple[Phones, ...]:
    """moonlit = moon + lit: two words of misaki's dictionary, the longer first part first."""
    for cut in range(len(key) - 3, 2, -1):
        first, second = key[:cut], key[cut:]
        if gold().get(first) and gold().get(second) and cmu().get(first) and cmu().get(second):
            weaker = tuple(phone.replace("1", "2") for phone in pronounce(second))
            return ((*pronounce(first), *weaker),)
    return ()


def _drawn_out(key: str) -> tuple[Phones, ...]:
    """'looove', 'yeahhh': a letter written three times or more stands for itself, once or twice."""
    shorter = [re.sub(r"([a-z])\1\1+", once, key) for once in (r"\1\1", r"\1")]
    if shorter[0] == key:
        return ()
    for short in sorted(shorter, key=lambda short: not gold().get(short)):
        if found := _listed(short) or _dropped_g(short):
            return found
    return ()


def _spelled_out(letters: str) -> Phones:
    return tuple(phone for letter in letters for phone in _LETTER_NAMES[letter].split())


def _guessed(key: str) -> Phones:
    letters = re.sub(r"[^a-z]", "", key)
    if not letters:
        raise PronunciationError(f"'{key}' has no letters that can be sung")
    if not re.search(r"[aeiouy]", letters):
        return _spelled_out(letters)
    from voice.g2p import guess

    phones = guess(letters)
    return phones if any(map(is_vowel, phones)) else (*phones, "AH1")
