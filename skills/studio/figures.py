"""Figures: how a style's one-bar patterns are read against the chords.

One step is an eighth in a figure of 8 and a sixteenth in a figure of 16. A sign may end in ' (accent) or , (soft).
'.' is silence, '-' lets the note before ring on.

    bass    R root, 3 5 6 7 chord's or scale's tone above it, 8 octave, > a step that leads to the next chord's root
    chords  B lowest string, S strum down, s strum up (upper strings), C the whole chord at once, x muted chop,
            1-4 one string, P root and fifth, Q root and sixth, N root and flat seventh
    pad     C the chord, closely led
    drums   X accent, x normal, o ghost
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skills.style import Part
from skills.tune.harmony import BAR, QUALITY_TONES
from voice.score import Chord

STRUM = 0.014  # seconds from string to string
SOFT, NORMAL, LOUD = 0.72, 1.0, 1.22

# General MIDI's keys for the pieces of a kit
KIT = {
    "kick": 36,
    "stick": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "tom": 45,
    "crash": 49,
    "ride": 51,
    "tambourine": 54,
    "shaker": 70,
    "clave": 75,
}


@dataclass(frozen=True)
class Stroke:
    """One note of a figure: `tick` from the bar line, `late` seconds after it, `force` 1 is normal."""

    tick: int
    ticks: int
    pitch: int
    force: float
    late: float = 0.0


@dataclass(frozen=True)
class Step:
    """A sign with its place in the bar and how long it rings."""

    tick: int
    ticks: int
    sign: str
    force: float


def steps(figure: str) -> list[Step]:
    """The sounding signs of a figure, each with the length up to the next sign or rest."""
    signs = figure.split()
    size = BAR // len(signs)
    found: list[Step] = []
    for i, text in enumerate(signs):
        sign = text.rstrip("',")
        if sign in (".", "-"):
            continue
        held = 1
        while i + held < len(signs) and signs[i + held] == "-":
            held += 1
        force = LOUD if text.endswith("'") else SOFT if text.endswith(",") else NORMAL
        found.append(Step(i * size, held * size, sign, force))
    return found


def drum_strokes(pattern: dict[str, str]) -> list[Stroke]:
    force = {"X": LOUD, "x": NORMAL, "o": 0.5}
    return [
        Stroke(step.tick, min(step.ticks, BAR // 8), KIT[piece], force[step.sign] * step.force)
        for piece, figure in pattern.items()
        for step in steps(figure)
    ]


def in_register(pitch_class: int, low: int, high: int, near: float | None = None) -> int:
    """The pitch of that class within low..high, nearest to `near` (the lowest if None)."""
    pitches = [p for p in range(low, high + 1) if p % 12 == pitch_class % 12]
    if not pitches:
        return low + (pitch_class - low) % 12
    return pitches[0] if near is None else min(pitches, key=lambda p: abs(p - near))


def bass_strokes(figure: str, part: Part, chord_at: dict[int, Chord], following: Chord) -> list[Stroke]:
    """`chord_at`: the chord at every beat of the bar (0..3); `following`: the chord after the bar."""
    low, high = part.register
    strokes = []
    for step in steps(figure):
        beat = step.tick // (BAR // 4)
        chord = chord_at[beat]
        root = in_register(chord.root, low, low + 11)
        tones = QUALITY_TONES[chord.quality]
        third = next((t for t in tones if t in (3, 4, 5)), 4)
        above = {
            "R": 0,
            "3": third,
            "5": 6 if 6 in tones else 7,
            "6": 9,
            "7": 11 if 11 in tones else 10,
            "8": 12,
        }
        if step.sign == ">":
            ahead = chord_at[beat + 1] if beat < 3 else following
            goal = in_register(ahead.root, low, low + 11)
            pitch = goal - 1 if goal > root or goal == low + 11 else goal + 1
        else:
            pitch = root + above[step.sign]
        strokes.append(Stroke(step.tick, step.ticks, pitch if pitch <= high else pitch - 12, step.force))
    return strokes


def voicing(chord: Chord, low: int, high: int, size: int, before: Sequence[int] = ()) -> list[int]:
    """A chord of `size` notes in the register, moving as little as possible from the chord before it."""
    tones = [(chord.root + tone) % 12 for tone in QUALITY_TONES[chord.quality]]
    if size < len(tones) and len(tones) > 3:  # leave out the fifth first
        tones = [t for t in tones if t != (chord.root + 7) % 12]
    centre = sum(before) / len(before) if before else (low + high) / 2
    pitches = [p for p in range(low, high + 1) if p % 12 in tones]
    best: list[int] = []
    best_cost = float("inf")
    for i in range(max(1, len(pitches) - size + 1)):
        chosen = pitches[i : i + size]
        moved = abs(sum(chosen) / len(chosen) - centre)
        missing = len(set(tones) - {p % 12 for p in chosen})
        if moved + 3 * missing < best_cost:
            best, best_cost = chosen, moved + 3 * missing
    return best


def guitar_voicing(chord: Chord, low: int, high: int) -> list[int]:
    """Five strings: root in the bass, fifth, octave, third, then the rest upwards."""
    root = in_register(chord.root, low, low + 11)
    tones = [0, 7, 12, 16, 19] if chord.quality not in ("m", "m7") else [0, 7, 12, 15, 19]
    swap = {
        "7": (2, 10),
        "9": (2, 10),
        "m7": (2, 10),
        "maj7": (2, 11),
        "6": (4, 21),
        "sus4": (3, 17),
        "dim": (1, 6),
    }
    if chord.quality in swap:
        string, tone = swap[chord.quality]
        tones[string] = tone
    return sorted(root + tone for tone in tones if root + tone <= high)


def chord_strokes(figure: str, part: Part, chord_at: dict[int, Chord], before: Sequence[int]) -> list[Stroke]:
    """Strums, picks, dyads and stabs on the chords of the bar."""
    low, high = part.register
    strokes: list[Stroke] = []
    plucked = "guitar" in part.instrument
    for step in steps(figure):
        chord = chord_at[step.tick // (BAR // 4)]
        strings = guitar_voicing(chord, low, high) if plucked else voicing(chord, low + 8, high, 4, before)
        strokes += _struck(step, chord, strings, low)
    return strokes


def _struck(step: Step, chord: Chord, strings: Sequence[int], low: int) -> list[Stroke]:
    root = in_register(chord.root, low, low + 11)
    if step.sign in ("P", "Q", "N"):
        fifth = 6 if chord.quality == "dim" else 7
        upper = {"P": fifth, "Q": 9, "N": 10}[step.sign]
        ring = max(step.ticks - 40, 100)
        return [
            Stroke(step.tick, ring, root, step.force),
            Stroke(step.tick, ring, root + upper, step.force * 0.95),
        ]
    if step.sign == "B":
        return [Stroke(step.tick, step.ticks, root, step.force)]
    if step.sign in "1234":
        return [
            Stroke(step.tick, step.ticks, strings[min(int(step.sign), len(strings) - 1)], step.force * 0.9)
        ]
    if step.sign == "C":
        return [Stroke(step.tick, step.ticks, pitch, step.force * 0.9) for pitch in strings]
    if step.sign == "x":
        return [
            Stroke(step.tick, 110, pitch, step.force * 0.85, i * 0.005)
            for i, pitch in enumerate(strings[-3:])
        ]
    order = strings if step.sign == "S" else strings[:-4:-1]
    return [
        Stroke(step.tick, step.ticks, pitch, step.force * (0.95 - 0.05 * i), i * STRUM)
        for i, pitch in enumerate(order)
    ]


def pad_strokes(
    figure: str, part: Part, chord_at: dict[int, Chord], before: Sequence[int]
) -> tuple[list[Stroke], list[int]]:
    """Held chords with the least movement; a chord that changes under a held sign is played anew."""
    low, high = part.register
    strokes: list[Stroke] = []
    held = list(before)
    for step in steps(figure):
        beat, last = step.tick // (BAR // 4), (step.tick + step.ticks - 1) // (BAR // 4)
        start = step.tick
        while beat <= last:
            chord = chord_at[beat]
            until = beat
            while until + 1 <= last and chord_at[until + 1] == chord:
                until += 1
            held = voicing(chord, low, high, 3, held)
            end = min(step.tick + step.ticks, (until + 1) * (BAR // 4))
            strokes += [Stroke(start, end - start - 10, pitch, step.force) for pitch in held]
            beat, start = until + 1, (until + 1) * (BAR // 4)
    return strokes, held
