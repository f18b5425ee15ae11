"""Prosody: a written line's syllables with their stress, its beats, and whether two lines rhyme."""

from __future__ import annotations

import functools
import re

from skills.lyrics import Line, Syllable
from voice import lexicon

WORD = re.compile(r"[^\W_]+(?:[’'\-][^\W_]+)*[’']?")

# One-syllable words that a line may stress or pass over, as its metre asks.
LIGHT = frozenset(
    """a an the and or but nor so yet if as than of to in on at by for from with up out off down over into
    i i'm i'll i've i'd me my mine you you're you'll you've you'd your he he's he'd his him she she's she'd her
    it it's it'll its we we're we'll we've we'd us our they they're they'll they've they'd them their this that
    that's these those there there's here who whose what what's when where how why which is am are was were be been
    do does did don't didn't can can't could would will won't should shall must may might has had have let let's
    not no just still all some any one too then now oh lord well yes get got go say said like 'cause 'til till
    through since while each both more most such ain't every""".split()
)
# Never a beat of the line if it can be helped.
WEAK = frozenset("a an the of to and or but as than if at is 'cause".split())


def words_of(text: str) -> tuple[str, ...]:
    """The words of a line, without punctuation ('midnight', "don't", 'worn-out')."""
    return tuple(word.strip("-’'") if word.strip("-’'").isdigit() else word for word in WORD.findall(text))


def make_line(text: str, rhyme: str = "", bars: int = 2) -> Line:
    words = words_of(text)
    return Line(text=text, words=words, syllables=_syllables(words), rhyme=rhyme, bars=bars)


@functools.lru_cache(maxsize=1 << 15)
def count_syllables(text: str) -> int:
    return sum(len(_stressed(word)) for word in words_of(text))


def last_word(text: str) -> str:
    words = words_of(text)
    return words[-1].lower() if words else ""


def rhymes(first: str, second: str) -> bool:
    """A true rhyme: alike from the last stressed vowel on, unlike just before it. No word rhymes with itself."""
    try:
        return lexicon.rhymes(first, second)
    except lexicon.PronunciationError:
        return False


@functools.lru_cache(maxsize=1 << 15)
def beats(text: str) -> tuple[int, float]:
    """How many beats the line takes when it is sung evenly, and what that costs its natural stress (0: nothing).

    Beats stand one or two weak syllables apart. The cheapest reading is found by going through the syllables
    once: a beat on a weak syllable costs, and so does a strong syllable that gets none; of readings that are
    nearly as cheap, the one with more beats is sung.
    """
    weights = _weights(words_of(text))
    if not weights:
        return 0, 0.0
    best: list[
        tuple[float, int]
    ] = []  # [i]: (cost, beats) of the cheapest reading whose last beat is syllable i
    for i, (on, _) in enumerate(weights):
        readings = [(on + _passed(weights, 0, i) + (1.0 if i > 2 else 0.0), 1)]
        for gap, strain in ((1, 0.8), (2, 0.0), (3, 0.1), (4, 0.9)):
            if i >= gap:
                cost, number = best[i - gap]
                readings.append((cost + strain + on + _passed(weights, i - gap + 1, i), number + 1))
        best.append(min(readings, key=_rank))
    ends = [
        (cost + _passed(weights, i + 1, len(weights)) + (0.8 if len(weights) - 1 - i > 1 else 0.0), number)
        for i, (cost, number) in enumerate(best)
    ]
    cost, number = min(ends, key=_rank)
    return number, cost


def _rank(reading: tuple[float, int]) -> float:
    cost, number = reading
    return cost - 0.3 * number


def _passed(weights: list[tuple[float, float]], start: int, end: int) -> float:
    return sum(off for _, off in weights[start:end])


def _weights(words: tuple[str, ...]) -> list[tuple[float, float]]:
    """(cost as a beat, cost without one) per syllable."""
    out: list[tuple[float, float]] = []
    for word in words:
        stresses = _stressed(word)
        if len(stresses) == 1:
            light = word.lower() in LIGHT
            out.append((0.5, 0.0) if word.lower() in WEAK else (0.1, 0.0) if light else (0.0, 0.35))
        else:
            out += [{0: (1.2, 0.0), 1: (0.0, 1.0), 2: (0.1, 0.1)}[stress] for stress in stresses]
    return out


@functools.lru_cache(maxsize=20_000)
def _stressed(word: str) -> tuple[int, ...]:
    return lexicon.stresses(word)


def _syllables(words: tuple[str, ...]) -> tuple[Syllable, ...]:
    from voice.syllables import split

    return tuple(
        Syllable(text=sung.text, word=i, stress=sung.stress)
        for i, word in enumerate(words)
        for sung in split(word)
    )
