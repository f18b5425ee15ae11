"""Phonetic hints as OpenUtau writes them behind a word: 'lead[l eh d]', ARPABET in small letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from voice.alphabet import ARPABET_VOWELS, count_vowels, to_arpabet, to_kokoro
from voice.score import Score
from voice.syllables import syllabify

_PHONES = frozenset("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()) | ARPABET_VOWELS


def hinted(score: Score, lyrics: Iterable[str]) -> Iterator[str]:
    """The lyrics, with a hint behind each word whose syllables all carry phonemes."""
    notes = score.notes
    for i, (note, lyric) in enumerate(zip(notes, lyrics, strict=True)):
        if note.syllable is None or note.syllabic not in ("single", "begin"):
            yield lyric
            continue
        word = [note]
        for following in notes[i + 1 :] if note.syllabic == "begin" else ():
            if following.syllable is not None:
                word.append(following)
                if following.syllabic != "middle":
                    break
        own = [one.phonemes or "" for one in word]
        yield f"{lyric}[{hint(own)}]" if all(own) else lyric


def hint(syllables: Sequence[str]) -> str:
    """Kokoro's IPA -> 'l eh d'."""
    return " ".join(phone.rstrip("012").lower() for phone in to_arpabet("".join(syllables)))


def without_hint(lyric: str) -> tuple[str, str]:
    """'lead[l eh d]' -> ('lead', 'l eh d')."""
    found = re.fullmatch(r"([^\[]*)\[([^\]]*)\]?\s*", lyric)
    return (found[1].strip(), found[2].strip()) if found else (lyric, "")


def said(hint: str) -> tuple[str, ...]:
    """The phonemes of each syllable; none where the hint is in a voicebank's own symbols. 'en/l' is read as 'l'."""
    phones = [phone.rsplit("/")[-1].upper().rstrip("012") for phone in hint.split()]
    if not phones or any(phone not in _PHONES for phone in phones):
        return ()
    vowels = [i for i, phone in enumerate(phones) if phone in ARPABET_VOWELS]
    if not vowels:
        return ()
    # Hints have no stress: the first vowel that can bear it does.
    stressed = next((i for i in vowels if phones[i] != "AH"), vowels[0])
    marked = [
        f"{phone}{1 if i == stressed else 0 if phone == 'AH' else ''}" if i in vowels else phone
        for i, phone in enumerate(phones)
    ]
    phonemes = to_kokoro(marked)
    return syllabify(phonemes) if count_vowels(phonemes) > 1 else (phonemes,)
