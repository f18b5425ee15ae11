"""What lies under a melody that came without chords: its key, and the likeliest chord of every half bar."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping

from skills.tune.harmony import BAR
from voice.score import Chord, Key, Mode, Note, Score

# (root above the tonic, third above the root)
TRIADS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "major": ((0, 4), (2, 3), (5, 4), (7, 4), (9, 3), (10, 4)),
    "minor": ((0, 3), (3, 4), (5, 3), (7, 3), (7, 4), (8, 4), (10, 4)),
}
# How much of a tune's time each step above the tonic takes (Krumhansl and Kessler 1982).
PROFILES: Mapping[Mode, tuple[float, ...]] = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
STAYING = 0.25  # how gladly a chord goes on


def likeliest_chords(halves: Mapping[int, Mapping[int, float]], mode: str) -> dict[int, tuple[int, int]]:
    """(root above the tonic, third) of every half bar. `halves`: weights of the degrees 0..11 that sound in it."""
    triads = TRIADS[mode]
    score = {t: (0.0 if t[0] == 0 else -0.5) for t in triads}
    back: list[dict[tuple[int, int], tuple[int, int]]] = []
    order = sorted(halves)
    for half in order:
        weights = halves[half]
        total = sum(weights.values()) or 1.0
        fits = {t: sum(weights.get((t[0] + tone) % 12, 0) for tone in (0, t[1], 7)) / total for t in triads}
        step, new = {}, {}
        for t in triads:
            prior = 0.15 if t[0] == 0 else 0.05 if t[0] in (5, 7) else 0.0
            before = max(triads, key=lambda s: score[s] + (STAYING if s == t else 0.0))
            step[t] = before
            new[t] = score[before] + (STAYING if before == t else 0.0) + fits[t] + prior
        back.append(step)
        score = new
    chord = max(score, key=lambda t: score[t])
    out = {}
    for half, step in zip(reversed(order), reversed(back), strict=True):
        out[half] = chord
        chord = step[chord]
    return out


def key_of(notes: tuple[Note, ...]) -> Key:
    """The key whose profile the melody's time fits best; the last note's weight is doubled."""
    time = [0.0] * 12
    for note in notes:
        time[note.pitch % 12] += note.ticks * (2 if note is notes[-1] else 1)
    keys: list[tuple[int, Mode]] = [(tonic, mode) for tonic in range(12) for mode in PROFILES]
    return Key(*max(keys, key=lambda k: _correlation(time[k[0] :] + time[: k[0]], PROFILES[k[1]])))


def chords_under(score: Score) -> tuple[Chord, ...]:
    """Chords for a melody in 4/4, a half bar each, joined where they stay."""
    halves: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for half in range(-(-score.ticks // BAR) * 2):
        halves[half] = defaultdict(float)
    for note in score.notes:
        strong = 1.6 if note.tick % (BAR // 2) == 0 else 1.0
        for half in range(note.tick * 2 // BAR, -(-note.end * 2 // BAR)):
            inside = min(note.end, (half + 1) * BAR // 2) - max(note.tick, half * BAR // 2)
            halves[half][(note.pitch - score.key.tonic) % 12] += inside * strong
    found = likeliest_chords(halves, score.key.mode)
    chords = []
    for chord, same in itertools.groupby(sorted(found), key=lambda half: found[half]):
        run = list(same)
        quality = "m" if chord[1] == 3 else ""
        root = (score.key.tonic + chord[0]) % 12
        chords.append(Chord(run[0] * BAR // 2, len(run) * BAR // 2, root, quality))
    return tuple(chords)


def _correlation(first: list[float], second: tuple[float, ...]) -> float:
    a, b = sum(first) / 12, sum(second) / 12
    top = sum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    below = sum((x - a) ** 2 for x in first) * sum((y - b) ** 2 for y in second)
    return top / below**0.5 if below else 0.0
