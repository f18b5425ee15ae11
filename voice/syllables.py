"""Words -> sung syllables: letters, phonemes and stress of each, one vowel to a syllable.

Phonemes are divided by the maximal onset principle (a consonant goes to the vowel after it as far as English words
begin so), except at the seam of a compound, after a silent e ('care-less') and, for s + stop, after a short
stressed vowel ('dus-ty'). Letters are divided as printed music does: 'nev-er', 'rol-ling', 'walk-ing'.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from voice.alphabet import STRESSES, VOWELS, count_vowels, vowel_stresses
from voice.dictionary import gold
from voice.lexicon import WEAK, plain, read_line
from voice.orthography import Spelled, spell
from voice.phonemes import beside, candidates, to_phonemes

_ONSETS = (
    "pɹ bɹ tɹ dɹ kɹ ɡɹ fɹ θɹ ʃɹ pl bl kl ɡl fl sl tw dw kw ɡw sw θw sp st sk sm sn spɹ stɹ skɹ spl skw "
    "pj bj fj vj kj ɡj mj hj spj skj"
)
_LEGAL_ONSETS = frozenset(_ONSETS.split())
_CHECKED = frozenset("æɛɪʌʊ")  # short vowels, which like a consonant after them
# Printed so by custom, whatever rule.
_PRINTED = {
    "every": "ev-ery",
    "everything": "ev-ery-thing",
    "everyone": "ev-ery-one",
    "everybody": "ev-ery-bod-y",
}


@dataclass(frozen=True)
class SungSyllable:
    """`text`: its letters; `phonemes`: Kokoro's IPA with its stress mark; `stress` 0 none, 1 primary, 2 secondary."""

    text: str
    phonemes: str
    stress: int


class SyllableCountError(ValueError):
    """The notes given to a word are fewer or more than its syllables; `syllables` are what it has."""

    def __init__(self, word: str, written: Sequence[str], syllables: Sequence[SungSyllable]) -> None:
        self.word, self.written, self.syllables = word, tuple(written), tuple(syllables)
        split_up = "-".join(syllable.text.strip("-") for syllable in syllables)
        has = f"'{word}' has {_plural(len(syllables), 'syllable')} ({split_up})"
        super().__init__(f"{has} but {_plural(len(written), 'note')}: give each syllable a note of its own")


def split(
    word: str,
    overrides: Mapping[str, str] | None = None,
    following: str | None = None,
    preceding: str | None = None,
) -> tuple[SungSyllable, ...]:
    """The sung syllables of `word`; their texts joined are `word`. Raises PronunciationError."""
    return _split(word, to_phonemes(word, overrides, following, preceding))


def line_syllables(
    text: str, overrides: Mapping[str, str] | None = None
) -> tuple[tuple[SungSyllable, ...], ...]:
    """The sung syllables of each word of a line of text."""
    lined_up = beside(read_line(text).words)
    return tuple(split(word, overrides, following, preceding) for preceding, word, following in lined_up)


def align(
    word: str,
    written: Sequence[str],
    overrides: Mapping[str, str] | None = None,
    following: str | None = None,
    preceding: str | None = None,
) -> tuple[SungSyllable, ...]:
    """The phonemes of each syllable as a composer wrote it: ('fi', 're'), ('heav', 'en'), ('lo', 'o', 'ove').

    Pronunciations of another number of syllables are looked for ('fire' on one note or two, 'memory' on two).
    Raises SyllableCountError if the word cannot be sung on so many notes.
    """
    said = candidates(word, overrides, following, preceding)
    wanted = len(written)
    for phonemes in [*said, *(other for form in said for other in _other_lengths(form))]:
        if count_vowels(phonemes) == wanted:
            parts = _split(word, phonemes)
            return tuple(SungSyllable(t, p.phonemes, p.stress) for t, p in zip(written, parts, strict=True))
    if count_vowels(said[0]) < wanted and (drawn := _drawn_out(said[0], written)):
        return drawn
    raise SyllableCountError(word, written, _split(word, said[0]))


def syllabify(phonemes: str, seams: frozenset[int] = frozenset()) -> tuple[str, ...]:
    """Phonemes divided into syllables. `seams`: places (stress marks not counted) where one must begin."""
    bare = _bare(phonemes)
    nuclei = [i for i, symbol in enumerate(bare) if symbol in VOWELS]
    cuts = [_cut(bare, a, b, seams, vowel_stresses(phonemes)[n]) for n, (a, b) in enumerate(_pairs(nuclei))]
    marked = [mark + symbol for mark, symbol in re.findall(r"([ˈˌ]?)([^ˈˌ])", phonemes)]
    bounds = [0, *cuts, len(bare)]
    return tuple("".join(marked[a:b]) for a, b in _pairs(bounds))


@lru_cache(maxsize=1 << 14)
def _split(word: str, phonemes: str) -> tuple[SungSyllable, ...]:
    bare = _bare(phonemes)
    groups = spell(word, bare)
    compound = _compound_seam(word, bare)
    seams = set(_silent_e_seams(groups, bare))
    if compound and bare[compound[1]] not in VOWELS:
        seams.add(compound[1])
    parts = syllabify(phonemes, frozenset(seams))
    texts = _texts(word, groups, parts, phonemes, compound)
    stresses = vowel_stresses(phonemes) if len(parts) > 1 or plain(word) not in WEAK else (0,)
    return tuple(SungSyllable(t, p, s) for t, p, s in zip(texts, parts, stresses, strict=True))


def _cut(bare: str, nucleus: int, following: int, seams: frozenset[int], stress: int) -> int:
    """Where the syllable of the vowel at `following` begins."""
    for seam in sorted(seams):
        if nucleus < seam <= following:
            return seam
    first = nucleus + 1
    if bare[nucleus] == "ɜ" and bare[first : first + 1] == "ɹ":
        first += 1  # ɜɹ is one vowel
    cluster = bare[first:following]
    for start in range(len(cluster)):
        if _begins_a_word(cluster[start:], bare[following]):
            if start == 0 and stress and bare[nucleus] in _CHECKED and re.match("s[ptk]", cluster):
                return first + 1
            return first + start
    return following


def _begins_a_word(cluster: str, vowel: str) -> bool:
    if len(cluster) == 1:
        return cluster != "ŋ"
    if cluster.endswith("j"):
        return vowel in "uʊəɜ" and cluster in _LEGAL_ONSETS
    return cluster in _LEGAL_ONSETS


def _compound_seam(word: str, bare: str) -> tuple[int, int] | None:
    """(letter, phoneme) at which a compound of two known words is joined: bed|room, rail|road."""
    key = word.lower()
    for cut in range(3, len(key) - 2):
        first, second = gold().get(key[:cut].rstrip("-")), gold().get(key[cut:])
        if first and second:
            head, tail = _loose(first[0]), _loose(second[0])
            whole = _loose(bare)
            if key[:cut] in ("for", "when", "where", "what"):  # weakened in 'forever', 'whenever'
                head = whole[: len(head)]
            if count_vowels(head) and count_vowels(tail) and head + tail == whole:
                return cut, len(head)
    return None


def _loose(phonemes: str) -> str:
    return _bare(phonemes).translate(str.maketrans("ɾʔᵊᵻ", "ttəɪ"))


def _silent_e_seams(groups: Sequence[Spelled], bare: str) -> list[int]:
    """A silent e between consonants ends its syllable: care|less, base|ment."""
    seams = []
    for before, e, after in zip(groups, groups[1:], groups[2:], strict=False):
        inside = e.silent and e.letters == "e" and not before.silent and not after.silent
        if inside and bare[before.end - 1] not in VOWELS and bare[after.start] not in VOWELS:
            upcoming = re.match(f"[^{''.join(VOWELS)}]+(.)", bare[after.start :])
            if upcoming and _begins_a_word(upcoming.group()[:-1], upcoming.group(1)):
                seams.append(after.start)
    return seams


def _texts(
    word: str,
    groups: Sequence[Spelled],
    parts: Sequence[str],
    phonemes: str,
    compound: tuple[int, int] | None,
) -> list[str]:
    """The word's letters, divided where printed music would."""
    printed = _PRINTED.get(word.lower(), "").split("-")
    if len(printed) == len(parts) > 1:
        bounds = [0, *itertools.accumulate(map(len, printed))]
        return [word[a:b] for a, b in _pairs(bounds)]
    cuts: list[int] = []
    ending = _kept_ending(word, parts[-1])
    place = 0
    for n, part in enumerate(parts[:-1]):
        place += len(_bare(part))
        if compound and n + 1 == count_vowels(_bare(phonemes)[: compound[1]]):
            cut = compound[0]
        elif ending and n + 2 == len(parts):
            cut = ending
        else:
            cut = _letter_cut(groups, place, part, parts[n + 1])
        # Every syllable gets a letter at least, as far as there are enough: kim-l-er.
        earliest = min(cuts[-1] + 1 if cuts else 1, len(word))
        cuts.append(max(earliest, min(cut, len(word) - (len(parts) - 1 - n))))
    return [word[a:b] for a, b in _pairs([0, *cuts, len(word)])]


def _letter_cut(groups: Sequence[Spelled], place: int, part: str, following: str) -> int:
    """The number of letters before the syllable whose first phoneme is at `place`."""
    begin = next(
        (i for i, group in enumerate(groups) if group.start >= place and not group.silent), len(groups)
    )
    letters = sum(len(group.letters) for group in groups[:begin])
    onset = _bare(following)
    if begin == len(groups) or part[-1] not in VOWELS or onset[0] in VOWELS:
        return letters
    text = groups[begin].letters.lower()
    if (len(text) > 1 and text[0] == text[1]) or text == "st":
        return letters + 1  # rol-ling, ap-ply, whis-tle
    if onset[1] not in VOWELS:
        return letters
    if text == "r" and part.endswith("ə") and groups[begin - 1].letters.lower() == "e":
        return letters + 1  # dif-fer-ent
    checked = part[-1] in _CHECKED and part[-2:-1] in tuple(STRESSES)
    if text in ("ck", "tch", "dg", "x") or (checked and not set(text) & set("aeiouyhjw") - {"h"}):
        return letters + len(text)  # nev-er, pock-et, moth-er
    return letters


def _kept_ending(word: str, last: str) -> int | None:
    """Where -ing, -in', -ed, -est or n't begins, after a known word: walk-ing, wait-in', want-ed, could-n't."""
    low = plain(word)
    if len(low) != len(word):
        return None
    for ending in ("ing", "in'", "ed", "est", "n't"):
        stem = low.removesuffix(ending)
        if stem == low or len(stem) < 3 or (ending == "ed" and not re.search("[tdɾ][ᵻɪə]d$", last)):
            continue
        if stem[-1] == stem[-2] and ending != "n't":
            return None
        if gold().get(stem) or gold().get(stem + "e"):
            return len(stem)
    return None


def _other_lengths(phonemes: str) -> list[str]:
    """Shorter and longer ways to sing a word: mem(o)ry, fam(i)ly, flow'r, cur-ious; fi-re, fe-el."""
    vowels = "".join(VOWELS)
    found = []
    for pattern, by in (
        (f"(?<=[{vowels}])[əᵊ](?=[ɹln])", ""),
        (f"(?<=[^{vowels}ˈˌ])[əᵊ](?=[ɹln][{vowels}])", ""),
        (r"(?<=[^ˈˌ])i(?=[əᵊA])", "j"),
        (r"(?<=[AIOWYiu])(?=ɹ)", "ə"),
        (r"(?<=[AIOWYiu])(?=l$)", "ᵊ"),
    ):
        other, times = re.subn(pattern, by, phonemes, count=1)
        if times:
            found += [other, *(twice for twice in [re.sub(pattern, by, other, count=1)] if twice != other)]
    return found


def _drawn_out(phonemes: str, written: Sequence[str]) -> tuple[SungSyllable, ...]:
    """'lo', 'o', 'ove': a vowel that is written again is sung again. () if `written` is not that."""
    joined = "".join(written)
    if len(joined) > 64:
        return ()
    bare = _bare(phonemes)
    marked = [mark + symbol for mark, symbol in re.findall(r"([ˈˌ]?)([^ˈˌ])", phonemes)]
    out: list[SungSyllable] = []
    end = 0
    for piece in written:
        start, end = end, end + len(piece)
        sound, at = "", 0
        for group in spell(joined, bare):
            left, at = at, at + len(group.letters)
            if start <= left < end:
                sound += "".join(marked[group.start : group.end])
            elif left < start < at and bare[group.start : group.end] in tuple(VOWELS):
                sound += bare[group.start]
        if count_vowels(sound) != 1:
            return ()
        out.append(SungSyllable(piece, sound, vowel_stresses(sound)[0]))
    return tuple(out)


def _bare(phonemes: str) -> str:
    return phonemes.translate({ord(mark): None for mark in STRESSES})


def _pairs(items: Sequence[int]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(items))


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
