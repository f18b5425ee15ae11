"""Words -> phonemes in the symbols that the singing network was trained on (Kokoro's American IPA).

misaki's checked dictionary is taken where it agrees with `lexicon.pronounce` on the number of syllables and on
the stressed one; else ARPABET is rewritten. So lyrics counted by the lexicon and notes sung always agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from voice.alphabet import CONSONANTS, STRESSES, VOWELS, count_vowels, is_vowel, to_kokoro, vowel_stresses
from voice.dictionary import gold
from voice.homographs import in_context, is_verb_of_two
from voice.lexicon import WEAK, PronunciationError, plain, pronunciations, sung_otherwise

# As they are sung within a line: before a consonant, before a vowel.
_WEAK_FORMS = {
    "a": ("ə", "ə"), "an": ("ən", "ən"), "the": ("ðə", "ði"), "to": ("tə", "tu"), "into": ("ˈɪntə", "ˈɪntu"),
    "th'": ("ðə", "ð"), "o'": ("ə", "ə"), "and": ("ænd", "ænd"), "your": ("jɔɹ", "jɔɹ"),
}  # fmt: skip


def to_phonemes(
    word: str,
    overrides: Mapping[str, str] | None = None,
    following: str | None = None,
    preceding: str | None = None,
) -> str:
    """How `word` is sung. `overrides`: word in small letters -> phonemes; the words beside it in the line help.

    Raises PronunciationError for a word without Latin letters, or an override with unknown symbols.
    """
    return candidates(word, overrides, following, preceding)[0]


def line_phonemes(words: Sequence[str], overrides: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The phonemes of each word of a line, each fitted to the words beside it."""
    return tuple(
        to_phonemes(word, overrides, following, preceding) for preceding, word, following in beside(words)
    )


def beside(words: Sequence[str]) -> Iterator[tuple[str | None, str, str | None]]:
    """(the word before, the word, the word after) of a line's words."""
    return zip([None, *words[:-1]], words, [*words[1:], None], strict=True)


def candidates(
    word: str,
    overrides: Mapping[str, str] | None = None,
    following: str | None = None,
    preceding: str | None = None,
) -> tuple[str, ...]:
    """Every way to sing `word`, the usual one first."""
    if len(several := word.split()) > 1:
        return ("".join(line_phonemes(several, overrides)),)
    key = plain(word)
    given = (overrides or {}).get(key) or (overrides or {}).get(word)
    if given:
        return (checked(given, word),)
    said = _dictionary_forms(word if word.isupper() or not key else key)
    if key in _WEAK_FORMS:
        weak = _WEAK_FORMS[key][following is not None and _begins_with_vowel(following)]
        weak = "tu" if key == "to" and following is None else weak
        said = (weak, *said) if count_vowels(weak) else said
    elif is_verb_of_two(key, preceding):
        said = tuple(sorted(said, key=lambda form: _shape(form) != (2, 1)))
    elif here := in_context(key, preceding, following):
        said = (here, *said)
    return tuple(dict.fromkeys(said))


def checked(phonemes: str, word: str) -> str:
    """`phonemes` as given by a user, if they can be sung. Raises PronunciationError otherwise."""
    flat = phonemes.replace("dʒ", "ʤ").replace("tʃ", "ʧ").replace("g", "ɡ").replace("r", "ɹ").replace(" ", "")
    unknown = sorted(set(flat) - VOWELS - CONSONANTS - set(STRESSES))
    if unknown:
        odd = " ".join(unknown)
        raise PronunciationError(f"the pronunciation '{phonemes}' of '{word}' has unknown symbols: {odd}")
    if not count_vowels(flat):
        raise PronunciationError(f"the pronunciation '{phonemes}' of '{word}' has no vowel to sing")
    return flat


@lru_cache(maxsize=1 << 15)
def _dictionary_forms(word: str) -> tuple[str, ...]:
    spoken, key = pronunciations(word), plain(word)
    found = gold().get(key)
    forms = [to_kokoro(_weakened(key, phones)) for phones in spoken]
    if found:
        sung = _sung(found[0])
        usual = _shape(sung) == _shape(forms[0]) and not sung_otherwise(key)
        forms.insert(0 if usual else len(forms), sung)
    return tuple(form for form in forms if count_vowels(form)) or (to_kokoro(spoken[0]),)


def _weakened(key: str, phones: tuple[str, ...]) -> tuple[str, ...]:
    """Function words of one syllable carry no stress mark, as in misaki's dictionary."""
    if key in WEAK and sum(map(is_vowel, phones)) == 1:
        return tuple(p.replace("1", "2") for p in phones)
    return phones


def _sung(phonemes: str) -> str:
    """A dictionary's entry with a vowel in every syllable: 'button' bˈʌʔn -> bˈʌtᵊn."""
    return re.sub(
        r"([td])n(?![" + "".join(VOWELS) + "])", r"\1ᵊn", phonemes.replace("ʔ", "t").replace("hw", "w")
    )


def _shape(phonemes: str) -> tuple[int, int]:
    """The number of syllables and the place of the main stress."""
    marks = vowel_stresses(phonemes)
    return len(marks), marks.index(1) if 1 in marks and len(marks) > 1 else 0


@lru_cache(maxsize=4096)
def _begins_with_vowel(word: str) -> bool:
    try:
        first = _dictionary_forms(plain(word))[0].lstrip(STRESSES)
    except PronunciationError:
        return False
    return first[:1] in VOWELS
