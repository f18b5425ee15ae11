"""Arrange: the band's notes for a score. It follows the chords and the groove and fills the singer's gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skills.studio.figures import (
    KIT,
    Stroke,
    bass_strokes,
    chord_strokes,
    drum_strokes,
    guitar_voicing,
    in_register,
    pad_strokes,
    voicing,
)
from skills.studio.fills import fill_gaps
from skills.style import Part, Style
from skills.tune.harmony import BAR
from voice.score import Chord, Score

# How loud the band plays a section, 0..1; lines within a section build up to it.
ENERGY = {
    "intro": 0.55,
    "verse": 0.6,
    "opening": 0.55,
    "chorus": 0.95,
    "tag": 0.9,
    "bridge": 0.7,
    "ending": 0.85,
}
MANY_VERSES, QUIET = 4, 0.45
FULL = 0.75  # from this energy on the full figures are played
BASE_VELOCITY = 78


@dataclass(frozen=True)
class BandNote:
    """A note of the band: notated `tick`s (straight, as in the score), played `late` seconds after (or before) them."""

    tick: int
    ticks: int
    pitch: int
    velocity: int
    late: float = 0.0


@dataclass(frozen=True)
class BandPart:
    """What one player plays. `part` is the style's entry for it: instrument, level, pan."""

    name: str
    part: Part
    notes: tuple[BandNote, ...]


@dataclass(frozen=True)
class Arrangement:
    """The band's parts for `score`; `score` keeps tempo, swing and length."""

    score: Score
    parts: tuple[BandPart, ...]


def arrange(score: Score, style: Style, seed: int) -> Arrangement:
    """The band for a score; the same arguments give the same notes."""
    parts = []
    bars = max(1, -(-score.ticks // BAR))
    energies = bar_energies(score, bars)
    for number, (name, part) in enumerate(sorted(style.parts.items())):
        rng = np.random.default_rng([seed, number, 7])
        notes = _play_part(score, part, bars, energies, rng)
        if notes:
            parts.append(BandPart(name, part, tuple(sorted(notes, key=lambda n: (n.tick, n.pitch)))))
    return Arrangement(score, tuple(parts))


def bar_energies(score: Score, bars: int) -> list[float]:
    """Energy of every bar: the section's own, building from its first to its last bar; later verses are fuller.

    In a song of many verses and no chorus the last but one draws breath, so that the last can tell.
    """
    energies = [0.6] * bars
    seen: dict[str, int] = {}
    sung = [section.name for section in score.sections if section.name not in ("intro", "ending")]
    strophic = len(set(sung)) == 1
    last_sung = max((s.tick for s in score.sections if s.name not in ("intro", "ending")), default=0)
    for section in score.sections:
        first, count = section.tick // BAR, max(1, section.ticks // BAR)
        again = seen.get(section.name, 0)
        seen[section.name] = again + 1
        base = ENERGY.get(section.name, 0.6) + (0.1 if strophic else 0.05) * min(again, 2)
        if strophic and len(sung) >= MANY_VERSES and again == len(sung) - 2 and section.name in sung:
            base = QUIET
        build = 0.35 if section.tick == last_sung and section.name == "verse" else 0.12
        for i in range(count):
            if first + i < bars:
                energies[first + i] = min(1.0, base + build * i / max(1, count - 1))
    return energies


def section_names(score: Score, bars: int) -> list[set[str]]:
    """What each bar's section answers to: 'verse' and, from the second on, 'verse2'."""
    names: list[set[str]] = [set() for _ in range(bars)]
    seen: dict[str, int] = {}
    for section in score.sections:
        seen[section.name] = seen.get(section.name, 0) + 1
        labels = {section.name} | ({f"{section.name}2"} if seen[section.name] > 1 else set())
        if section.name == "tag":
            labels.add("chorus")
        for bar in range(section.tick // BAR, min(bars, (section.tick + section.ticks) // BAR)):
            names[bar] = labels
    return names


def _play_part(
    score: Score, part: Part, bars: int, energies: Sequence[float], rng: np.random.Generator
) -> list[BandNote]:
    if part.role == "fills":
        return fill_gaps(score, part, energies, rng)
    names = section_names(score, bars)
    notes: list[BandNote] = []
    held: list[int] = []
    calm, full = int(rng.integers(8)), int(rng.integers(8))
    for bar in range(bars):
        energy = energies[bar]
        # A part kept for some sections also comes in where a lone section has built up.
        if part.sections and not names[bar] & set(part.sections) and energy < 0.85:
            continue
        chord_at = {beat: _chord(score, bar * BAR + beat * BAR // 4) for beat in range(4)}
        if bar == bars - 1:
            strokes = _last_bar(part, chord_at[0], held)
        elif part.role == "drums":
            strokes = _drum_bar(part, bar, energy, energies, rng)
        else:
            following = _chord(score, min((bar + 1) * BAR, score.ticks - 1))
            loud = energy >= FULL and part.full
            figures = part.full if loud or not part.calm else part.calm
            figure = figures[(full if loud else calm) % len(figures)]
            if part.role == "bass":
                strokes = bass_strokes(figure, part, chord_at, following)
            elif part.role == "chords":
                strokes = chord_strokes(figure, part, chord_at, held)
            else:
                strokes, held = pad_strokes(figure, part, chord_at, held)
        notes += [_human(stroke, bar, energy, part, rng) for stroke in strokes]
    return notes


def _chord(score: Score, tick: int) -> Chord:
    return score.chord_at(tick) or score.chords[-1]


def _human(stroke: Stroke, bar: int, energy: float, part: Part, rng: np.random.Generator) -> BandNote:
    """A stroke with a player's small errors; downbeats lean, everything follows the energy."""
    lean = 1.05 if stroke.tick == 0 else 1.0
    velocity = (
        BASE_VELOCITY * stroke.force * lean * (0.72 + 0.4 * energy) * float(np.exp(rng.normal(0, 0.06)))
    )
    late = stroke.late + float(np.clip(rng.normal(0, part.looseness), -0.025, 0.025))
    return BandNote(
        bar * BAR + stroke.tick, stroke.ticks, stroke.pitch, int(np.clip(velocity, 12, 124)), late
    )


def _drum_bar(
    part: Part, bar: int, energy: float, energies: Sequence[float], rng: np.random.Generator
) -> list[Stroke]:
    pattern = dict(part.drums_full if energy >= FULL else part.drums_calm)
    strokes = drum_strokes(pattern)
    nxt = energies[bar + 1] if bar + 1 < len(energies) else energy
    if nxt - energy > 0.15 and len(pattern) > 1:  # a small fill leads into a fuller section
        kept = [s for s in strokes if s.tick < 3 * BAR // 4 or s.pitch in (KIT["kick"],)]
        piece = KIT["snare"] if "snare" in part.drums_full else KIT["tom"]
        fill = [Stroke(3 * BAR // 4 + i * BAR // 16, BAR // 16, piece, 0.6 + 0.15 * i) for i in range(4)]
        return kept + [s for s in fill if s.tick % (BAR // 8) == 0 or rng.random() < 0.6]
    if energy >= FULL and (bar == 0 or energies[bar - 1] < FULL) and "kick" in pattern:
        strokes.append(Stroke(0, BAR // 4, KIT["crash"], 0.75))
    return strokes


def _last_bar(part: Part, chord: Chord, held: Sequence[int]) -> list[Stroke]:
    """Everybody lands on the last chord together and lets it ring."""
    low, high = part.register
    if part.role == "drums":
        pieces = ["kick", "crash"] if "kick" in part.drums_full else list(part.drums_full)[:1]
        return [Stroke(0, BAR // 2, KIT[piece], 0.9) for piece in pieces]
    if part.role == "bass":
        return [Stroke(0, BAR, in_register(chord.root, low, low + 11), 1.0)]
    if part.role == "chords" and "guitar" in part.instrument:
        return [
            Stroke(0, BAR, pitch, 1.0 - 0.04 * i, 0.028 * i)
            for i, pitch in enumerate(guitar_voicing(chord, low, high))
        ]
    size = 4 if part.role == "chords" else 3
    return [Stroke(0, BAR - 60, pitch, 0.9) for pitch in voicing(chord, low, high, size, held)]
