"""A score's words as a voicebank sings them: syllables with the bank's phonemes, gathered into phrases."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.engines.diffsinger.dictionary import Dictionary
from voice.engines.protocol import EngineError
from voice.score import Score, ScoreError
from voice.underlay import LEGATO, Sung

BREATH = 0.28  # seconds that a breath mark takes from its note, at the most


@dataclass(frozen=True)
class Unit:
    """One syllable as it sounds: consonants before its vowel, then all the rest. `sung` has its notes and its time."""

    onset: tuple[str, ...]
    rest: tuple[str, ...]
    sung: Sung


def phrases(score: Score, dictionary: Dictionary, known: set[str]) -> list[list[Unit]]:
    """Phrases, parted by rests and breath marks. Raises ScoreError naming bar and word."""
    units: list[Unit] = []
    words = _words(score)
    for word, following in zip(words, [*words[1:], None], strict=True):
        parts = _pronounce(score, word, following, dictionary, known)
        for position, (first, phones) in enumerate(zip(word, parts, strict=True)):
            if not phones and units:  # fewer vowels than notes: the last one is held
                notes = (*units[-1].sung.notes, *_notes(score, first))
                units[-1:] = _sounding(score, units[-1].onset, units[-1].rest, notes, False)
                continue
            vowel = next((i for i, phone in enumerate(phones) if dictionary.is_vowel(phone)), 0)
            notes = _notes(score, first)
            units += _sounding(score, phones[:vowel], phones[vowel:], notes, position == 0)
    return _gathered(score, units)


def _gathered(score: Score, units: list[Unit]) -> list[list[Unit]]:
    gathered: list[list[Unit]] = [[]]
    breathed = False
    for unit in units:
        if gathered[-1] and (breathed or unit.sung.start - gathered[-1][-1].sung.end >= LEGATO):
            gathered.append([])
        end = unit.sung.end
        if breathed := score.notes[unit.sung.notes[-1]].breath_after:
            end -= min(BREATH, (end - unit.sung.start) / 3)
        gathered[-1].append(dataclasses.replace(unit, sung=dataclasses.replace(unit.sung, end=end)))
    return gathered


def _words(score: Score) -> list[list[int]]:
    """The notes on which the syllables of each word begin."""
    words: list[list[int]] = []
    for i, note in enumerate(score.notes):
        if note.syllable is None:
            continue
        if (
            words
            and note.syllabic in ("middle", "end")
            and score.notes[words[-1][-1]].syllabic in ("begin", "middle")
        ):
            words[-1].append(i)
        else:
            words.append([i])
    return words


def _notes(score: Score, first: int) -> tuple[int, ...]:
    """The note and those that go on with its syllable."""
    last = first
    while last + 1 < len(score.notes) and score.notes[last + 1].syllable is None:
        last += 1
    return tuple(range(first, last + 1))


def _sounding(
    score: Score,
    onset: tuple[str, ...],
    rest: tuple[str, ...],
    notes: Sequence[int],
    starts_word: bool,
) -> Iterator[Unit]:
    """The syllable on its notes; after a rest between them its vowel is sung again."""
    runs: list[list[int]] = [[notes[0]]]
    for before, i in itertools.pairwise(notes):
        gap = score.seconds(score.notes[i].tick) - score.seconds(score.notes[before].end)
        if gap >= LEGATO or score.notes[before].breath_after:
            runs.append([i])
        else:
            runs[-1].append(i)
    for r, run in enumerate(runs):
        own = rest if r == len(runs) - 1 else rest[:1]
        before_vowel = onset if r == 0 else ()
        start, end = (score.seconds(t) for t in (score.notes[run[0]].tick, score.notes[run[-1]].end))
        text = " ".join((*before_vowel, *own))
        yield Unit(before_vowel, own, Sung(text, tuple(run), starts_word and r == 0, start, end))


def _pronounce(
    score: Score, word: list[int], following: list[int] | None, dictionary: Dictionary, known: set[str]
) -> list[tuple[str, ...]]:
    """The phones of each syllable of a word, in the bank's symbols."""
    notes = [score.notes[i] for i in word]
    place = score.where(notes[0])
    written = [(note.syllable or "").strip("-") for note in notes]
    text = "".join(written).strip('.,;:!?"()…“”')
    try:
        if dictionary.language == "en" and all(note.phonemes for note in notes):
            return [dictionary.spell(note.phonemes or "", known) for note in notes]
        if entry := dictionary.word(text):
            return dictionary.syllables(entry, len(notes))
        if dictionary.language != "en":
            raise EngineError(f"the dictionary of this voicebank has no {text!r}")
        from voice.syllables import align  # the dictionaries are read when first needed

        after = "".join((score.notes[i].syllable or "").strip("-") for i in following) if following else None
        found = [one.phonemes for one in align("".join(written), written, following=after)]
        return [
            dictionary.spell(note.phonemes or phonemes, known)
            for note, phonemes in zip(notes, found, strict=True)
        ]
    except (EngineError, ValueError, KeyError) as error:
        raise ScoreError(f"{place}: {error}") from error
