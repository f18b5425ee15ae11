"""Underlay: which syllable is sung on which notes, and with which phonemes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from voice.alphabet import CONSONANTS, STRESSES, VOWELS
from voice.score import Note, Score, ScoreError

HELD = 0.28  # seconds; a shorter syllable may keep its reduced vowel
FULL = {"ə": "ʌ", "ᵊ": "ʊ", "ᵻ": "ɪ", "ɐ": "ʌ"}
LEGATO = 0.06  # seconds; a shorter gap between notes is how someone plays, not a rest


@dataclass(frozen=True)
class Sung:
    """One syllable under its notes. `notes` indexes Score.notes; `phonemes` are Kokoro's IPA.

    `start` (where its vowel is meant to begin) and `end` are seconds from tick 0.
    """

    phonemes: str
    notes: tuple[int, ...]
    starts_word: bool
    start: float
    end: float


def lay_words(score: Score) -> list[Sung]:
    """Every syllable with its notes and phonemes. Raises ScoreError naming bar and word."""
    sung: list[Sung] = []
    words = _words(score)
    for preceding, word, following in zip([None, *words], words, [*words[1:], None], strict=False):
        said = _pronounce(score, word, preceding, following)
        for position, (first, phonemes) in enumerate(zip(word, said, strict=True)):
            notes = [first]
            while notes[-1] + 1 < len(score.notes) and score.notes[notes[-1] + 1].syllable is None:
                notes.append(notes[-1] + 1)
            sung += _held(score, phonemes, notes, position == 0)
    return sung


def pronounced(score: Score, words: Mapping[str, str]) -> Score:
    """The score with those words said as given (Kokoro's IPA), wherever they stand: {'lead': 'lˈɛd'}.

    Notes that carry phonemes of their own keep them. Raises ScoreError where a word does not fit its notes.
    """
    from voice.syllables import align

    notes = list(score.notes)
    own = {word.lower(): phonemes for word, phonemes in words.items()}
    for word in _words(score):
        written = _written(score, word)
        plain = "".join(written).strip('.,;:!?"()…“”').lower().replace("’", "'")
        if plain not in own:
            continue
        _checked(score, notes[word[0]], own[plain])
        try:
            parts = align(plain, written, {plain: own[plain]})
        except ValueError as error:
            raise ScoreError(f"{score.where(notes[word[0]])}: {error}") from error
        for i, part in zip(word, parts, strict=True):
            if not notes[i].phonemes:
                notes[i] = dataclasses.replace(notes[i], phonemes=part.phonemes)
    return dataclasses.replace(score, notes=tuple(notes))


def _written(score: Score, word: list[int] | None) -> list[str]:
    return [(score.notes[i].syllable or "").strip("-") for i in word or ()]


def _held(score: Score, phonemes: str, notes: list[int], starts_word: bool) -> list[Sung]:
    """The syllable on its notes; where a rest parts them, its vowel is sung again after the rest."""
    runs: list[list[int]] = [[notes[0]]]
    for i in notes[1:]:
        gap = score.seconds(score.notes[i].tick) - score.seconds(score.notes[i - 1].end)
        if gap >= LEGATO:
            runs.append([i])
        else:
            runs[-1].append(i)
    vowels = [i for i, symbol in enumerate(phonemes) if symbol in VOWELS]
    marked = vowels[0] - (vowels[0] > 0 and phonemes[vowels[0] - 1] in STRESSES)
    parts = []
    for r, run in enumerate(runs):
        begin = 0 if r == 0 else marked
        end = len(phonemes) if r == len(runs) - 1 else vowels[-1] + 1
        start, stop = score.seconds(score.notes[run[0]].tick), score.seconds(score.notes[run[-1]].end)
        own = phonemes[begin:end]
        own = full_vowel(own) if stop - start >= HELD else own
        parts.append(Sung(own, tuple(run), starts_word and r == 0, start, stop))
    return parts


def full_vowel(phonemes: str) -> str:
    """As singers do it: a reduced vowel that is held becomes a full one. The network hums or hisses it otherwise."""
    if set(phonemes) & set(STRESSES):
        return phonemes
    i = next(i for i, symbol in enumerate(phonemes) if symbol in VOWELS)
    vowel = phonemes[i]
    full = "ɜ" if vowel == "ə" and phonemes[i + 1 : i + 2] == "ɹ" else FULL.get(vowel, vowel)
    return phonemes[:i] + "ˌ" + full + phonemes[i + 1 :]


def _words(score: Score) -> list[list[int]]:
    """Indices of the notes that begin the syllables of each word."""
    words: list[list[int]] = []
    for i, note in enumerate(score.notes):
        if note.syllable is None:
            continue
        goes_on = note.syllabic in ("middle", "end") and words
        if goes_on and score.notes[words[-1][-1]].syllabic in ("begin", "middle"):
            words[-1].append(i)
        else:
            words.append([i])
    return words


def _pronounce(
    score: Score, word: list[int], preceding: list[int] | None, following: list[int] | None
) -> list[str]:
    notes = [score.notes[i] for i in word]
    given = [note.phonemes for note in notes]
    found = [""] * len(notes)
    if not all(given):
        from voice.syllables import align  # the dictionaries are read when first needed

        written = _written(score, word)
        before, after = ("".join(_written(score, beside)) or None for beside in (preceding, following))
        try:
            found = [s.phonemes for s in align("".join(written), written, following=after, preceding=before)]
        except ValueError as error:
            raise ScoreError(f"{score.where(notes[0])}: {error}") from error
    return [
        _checked(score, note, own or phonemes)
        for note, own, phonemes in zip(notes, given, found, strict=True)
    ]


def _checked(score: Score, note: Note, phonemes: str) -> str:
    strange = set(phonemes) - VOWELS - CONSONANTS - set(STRESSES)
    if strange:
        raise ScoreError(f"{score.where(note)}: no such phonemes: {' '.join(sorted(strange))}")
    if not set(phonemes) & VOWELS:
        raise ScoreError(f"{score.where(note)}: {phonemes!r} has no vowel to sing")
    return phonemes
