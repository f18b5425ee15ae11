"""Timing: from syllables on notes to phonemes in seconds. Vowels begin on the beat; the consonants before a
vowel take their time from the note before, or from the rest. Times are real numbers of seconds from tick 0, never
sums of rounded frames, so nothing drifts.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voice.alphabet import STRESSES, VOWELS
from voice.score import Score
from voice.underlay import LEGATO, Sung

Role = Literal["rest", "onset", "vowel", "glide", "coda"]

LONGEST_PHRASE = 9.0  # seconds sung without a rest before a breath is taken
LONGEST_PASSAGE = 12.0  # seconds that the network renders in one go
REST_IN_PASSAGE = 0.45  # seconds; a longer rest is not rendered in full
TAIL = 0.25  # seconds rendered after the last sound
HEAD = 0.12  # seconds rendered before the first
SHORTEST_VOWEL = 0.5  # of the time from vowel to vowel, at the least
BREATH = 0.28  # seconds that an inserted breath takes from the note before, at the most

# Seconds that a consonant is given at the least and at the most (voice/bench chose them by the recogniser).
_LONG = dict.fromkeys("sʃfθʧ", (0.1, 0.15)) | dict.fromkeys("zʒ", (0.1, 0.125))
_TAPS = {"ɾ": (0.04, 0.06), "ʔ": (0.04, 0.075)}
LIMITS = dict.fromkeys("hvðmnŋlɹwjbdɡʤ", (0.075, 0.125)) | dict.fromkeys("ptk", (0.075, 0.15)) | _LONG | _TAPS

# A diphthong is sung on its first vowel; the second comes at the end.
DIPHTHONGS = {"A": "eɪ", "I": "aɪ", "W": "aʊ", "O": "oʊ", "Q": "əʊ", "Y": "ɔɪ"}
_GLIDE = (
    0.08,
    0.14,
)  # seconds of the second vowel, an eighth of the whole in between; longer, it is heard as a word


@dataclass(frozen=True)
class Token:
    """One of the network's symbols as it would be spoken. `syllable` indexes the passage's, -1 outside."""

    symbol: str
    syllable: int


@dataclass(frozen=True)
class Sound:
    """A phoneme as sung, `start` to `end` [seconds].

    `token` indexes the passage's tokens; a stressed vowel's mark is `mark`, or -1. `half` is 0 or 1 for the two
    vowels of a diphthong, which share a token, and None for all else.
    """

    symbol: str
    role: Role
    syllable: int
    token: int
    start: float
    end: float
    mark: int = -1
    half: int | None = None


@dataclass(frozen=True)
class Passage:
    """What the network renders in one go: phrases with rests between. `ends` are the last syllables of phrases."""

    syllables: tuple[Sung, ...]
    ends: tuple[int, ...]
    tokens: tuple[Token, ...]


def phrase_ends(syllables: Sequence[Sung], score: Score) -> list[int]:
    """The syllables after which there is a rest or a breath mark."""
    ends = []
    for i, (one, following) in enumerate(itertools.pairwise(syllables)):
        gap = following.start - one.end
        if gap >= LEGATO or score.notes[one.notes[-1]].breath_after:
            ends.append(i)
    return [*ends, len(syllables) - 1]


def with_breaths(syllables: Sequence[Sung], score: Score) -> tuple[list[Sung], list[str]]:
    """Room for a breath where one is marked, and where a phrase is longer than a singer's air.

    Gives the syllables, some let go earlier, and a sentence for each breath that the score does not ask for.
    """
    out, said = list(syllables), []
    begun = 0
    for i in range(len(out) - 1):
        if out[i + 1].start - out[i].end >= LEGATO:
            begun = i + 1
            continue
        if score.notes[out[i].notes[-1]].breath_after:
            out[i] = _let_go(out[i])
            begun = i + 1
            continue
        if out[i + 1].end - out[begun].start <= LONGEST_PHRASE:
            continue
        choices = [j for j in range(begun, i + 1) if out[j + 1].starts_word]
        late = [j for j in choices if out[j].end - out[begun].start > LONGEST_PHRASE / 3] or choices
        if late:
            j = max(late, key=lambda j: out[j].end - score.seconds(score.notes[out[j].notes[-1]].tick))
            out[j] = _let_go(out[j])
            said.append(
                f"a breath was taken after {score.where(score.notes[out[j].notes[0]])}: the phrase is long"
            )
            begun = j + 1
    return out, said


def _let_go(one: Sung) -> Sung:
    taken = min(BREATH, (one.end - one.start) / 3)
    return dataclasses.replace(one, end=one.end - max(taken, LEGATO))


def passages(syllables: Sequence[Sung], ends: Sequence[int]) -> list[Passage]:
    """Phrases gathered into passages of at most LONGEST_PASSAGE as rendered, so that rests cost little."""
    gathered: list[list[tuple[int, int]]] = []
    length = 0.0
    start = 0
    for end in ends:
        own = syllables[end].end - syllables[start].start + REST_IN_PASSAGE
        if gathered and length + own <= LONGEST_PASSAGE:
            gathered[-1].append((start, end))
            length += own
        else:
            gathered.append([(start, end)])
            length = own
        start = end + 1
    return [_passage(syllables, phrases) for phrases in gathered]


def _passage(syllables: Sequence[Sung], phrases: list[tuple[int, int]]) -> Passage:
    first, last = phrases[0][0], phrases[-1][1]
    own = tuple(syllables[first : last + 1])
    ends = tuple(end - first for _, end in phrases)
    tokens = [Token("", -1)]
    for i, one in enumerate(own):
        if i and one.starts_word:
            tokens.append(Token(" ", -1))
        tokens += [Token(symbol, i) for symbol in one.phonemes]
        if i in ends:
            tokens.append(Token(",", -1))
    return Passage(own, ends, (*tokens, Token("", -1)))


def lay_out(passage: Passage, natural: Sequence[float], consonants: Sequence[float]) -> list[Sound]:
    """Every phoneme's time. natural: [tokens], seconds as spoken; consonants: [syllables], strength 0..1."""
    parts = [_parts(passage, i) for i in range(len(passage.syllables))]
    wanted = [
        {t: _wanted(passage.tokens[t].symbol, natural[t], strength) for t in (*part.onset, *part.coda)}
        for part, strength in zip(parts, consonants, strict=True)
    ]
    sounds: list[Sound] = []
    before_end = passage.syllables[0].start - sum(wanted[0][t] for t in parts[0].onset)
    sounds += _chain(passage, parts[0].onset, wanted[0], 0, "onset", before_end)
    for i, one in enumerate(passage.syllables):
        part, own = parts[i], wanted[i]
        following = passage.syllables[i + 1] if i + 1 < len(parts) else None
        onset_next = sum(wanted[i + 1][t] for t in parts[i + 1].onset) if following else 0.0
        coda = sum(own[t] for t in part.coda)
        scale = scale_next = 1.0
        if following is None:
            end = one.end
            scale = _fit(coda, end - one.start)
        elif i in passage.ends:
            # The onset after a rest lies in the rest; where the rest is too short it shares the note before.
            end = min(one.end, following.start - onset_next)
            if end < one.end:
                scale = scale_next = _fit(coda + onset_next, following.start - one.start)
                end = min(one.end, following.start - onset_next * scale_next)
            else:
                scale = _fit(coda, end - one.start)
        else:
            scale = scale_next = _fit(coda + onset_next, following.start - one.start)
            end = following.start - onset_next * scale_next
        coda_start = end - coda * scale
        sounds += _vowel(passage, part, i, one.start, coda_start, natural)
        sounds += _chain(passage, part.coda, {t: own[t] * scale for t in part.coda}, i, "coda", coda_start)
        if following is not None:
            scaled = {t: wanted[i + 1][t] * scale_next for t in parts[i + 1].onset}
            start = following.start - sum(scaled.values())
            sounds += _chain(passage, parts[i + 1].onset, scaled, i + 1, "onset", start)
    return sounds


@dataclass(frozen=True)
class _Parts:
    """A syllable's tokens: consonants, the vowel's mark (or -1), the vowel, a second vowel (or -1), consonants."""

    onset: tuple[int, ...]
    mark: int
    vowel: int
    second: int
    coda: tuple[int, ...]


def _parts(passage: Passage, syllable: int) -> _Parts:
    own = [t for t, token in enumerate(passage.tokens) if token.syllable == syllable]
    vowels = [t for t in own if passage.tokens[t].symbol in VOWELS]
    marks = [t for t in own if passage.tokens[t].symbol in STRESSES]
    vowel = vowels[0]
    others = [t for t in own if t not in vowels and t not in marks]
    return _Parts(
        onset=tuple(t for t in others if t < vowel),
        mark=marks[0] if marks else -1,
        vowel=vowel,
        second=vowels[1] if len(vowels) > 1 else -1,
        coda=tuple(t for t in others if t > vowel),
    )


def _wanted(symbol: str, natural: float, strength: float) -> float:
    low, high = LIMITS[symbol]
    return min(max(natural * (0.75 + 0.5 * strength), low), high)


def _fit(consonants: float, room: float) -> float:
    """How much consonants must shrink to leave the vowel its share of the room."""
    return min(1.0, (1 - SHORTEST_VOWEL) * room / consonants) if consonants > 0 else 1.0


def _chain(
    passage: Passage,
    tokens: Sequence[int],
    seconds: dict[int, float],
    syllable: int,
    role: Role,
    start: float,
) -> list[Sound]:
    sounds = []
    for t in tokens:
        sounds.append(Sound(passage.tokens[t].symbol, role, syllable, t, start, start + seconds[t]))
        start += seconds[t]
    return sounds


def turn_of(start: float, end: float) -> float:
    """When a diphthong that is held from `start` to `end` turns to its second vowel."""
    length = end - start
    return end - min(max(_GLIDE[0], length / 8), _GLIDE[1], length / 3)


def _vowel(
    passage: Passage, part: _Parts, syllable: int, start: float, end: float, natural: Sequence[float]
) -> list[Sound]:
    symbol = passage.tokens[part.vowel].symbol
    turn = turn_of(start, end)
    if symbol in DIPHTHONGS and part.second < 0:
        first, second = tuple(DIPHTHONGS[symbol])
        return [
            Sound(first, "vowel", syllable, part.vowel, start, turn, part.mark, half=0),
            Sound(second, "glide", syllable, part.vowel, turn, end, half=1),
        ]
    if part.second >= 0:
        return [
            Sound(symbol, "vowel", syllable, part.vowel, start, turn, part.mark),
            Sound(passage.tokens[part.second].symbol, "glide", syllable, part.second, turn, end),
        ]
    return [Sound(symbol, "vowel", syllable, part.vowel, start, end, part.mark)]
