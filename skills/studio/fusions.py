"""bench fusions: is a fusion heard? Its band and those of its parents play the same words, and are measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skills.brief import Brief
from skills.studio.arrange import arrange
from skills.studio.mix import mix
from skills.studio.play import play
from skills.studio.tone import octaves
from skills.style import load_style
from skills.tune import compose
from skills.words.prosody import make_line

FUSIONS = ("classical+electronica", "folk+lofi")
WORDS = (
    "The kettle sings before the sun is high",
    "I count the birds along a copper sky",
    "The road is long and I am slow to learn",
    "I leave the porch light on for your return",
)
SEED = 7


@dataclass(frozen=True)
class Heard:
    """One style. `written`: its tempo; `tempo`: as libsonare's ears find it in the sound; both beats a minute.
    `octaves`: dB of the whole, by Hz."""

    style: str
    written: float
    tempo: float
    players: tuple[str, ...]
    octaves: dict[int, float]

    def apart(self, other: Heard) -> float:
        """dB between the two in the octave in which they differ most."""
        return max(abs(self.octaves[hz] - other.octaves[hz]) for hz in self.octaves)


def bench_fusions(low: int, high: int) -> Iterator[tuple[Heard, Heard, Heard]]:
    """(fusion, first parent, second parent)"""
    for fusion in FUSIONS:
        first, second = fusion.split("+")
        yield heard(fusion, low, high), heard(first, low, high), heard(second, low, high)


def heard(name: str, low: int, high: int) -> Heard:
    import libsonare

    from skills.lyrics import Lyrics, Stanza

    style = load_style(name)
    lines = tuple(dataclasses.replace(make_line(text), bars=1) for text in WORDS)
    lyrics = Lyrics("Porch Light", "verse-chorus", (Stanza("verse", lines), Stanza("chorus", lines[2:])))
    score = compose(lyrics, Brief("x", seconds=30), style, SEED, low, high)
    arrangement = arrange(score, style, SEED)
    mixed = mix(np.zeros(1, np.float32), play(arrangement), score, style)
    return Heard(
        style=name,
        written=round(score.tempo[0].bpm, 1),
        tempo=round(float(libsonare.detect_bpm(np.ascontiguousarray(mixed.mean(axis=0)), 48_000)), 1),
        players=tuple(sorted(part.part.instrument for part in arrangement.parts)),
        octaves={hz: round(db, 1) for hz, db in octaves(mixed).items()},
    )
