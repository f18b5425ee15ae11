"""Stage: where a scene is drawn, in shares of the picture's size; sun, stars, hills and ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skills.drawing.paint import Colour, Palette, mix

Point = tuple[float, float]


@dataclass
class Stage:
    """Where a scene is drawn. Places are shares of the picture (0,0 top left); `sky` is the colour at the horizon.

    `sun`: where the sun or moon stands, and its radius.
    """

    draw: Any
    size: int
    palette: Palette
    rng: np.random.Generator
    light: str
    sky: Colour
    sun: tuple[float, float, float]

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        self.draw.polygon([(x * self.size, y * self.size) for x, y in points], fill=colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        pixels = max(1, round(width * self.size))
        self.draw.line(
            [(x * self.size, y * self.size) for x, y in points], fill=colour, width=pixels, joint="curve"
        )

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.shape([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.oval(x, y, radius, radius, colour)

    def oval(self, x: float, y: float, across: float, up: float, colour: Colour) -> None:
        s = self.size
        self.draw.ellipse([(x - across) * s, (y - up) * s, (x + across) * s, (y + up) * s], fill=colour)

    def layer(self, depth: float) -> Colour:
        """The colour of what stands this near: 0 is lost in the haze of the horizon, 1 is before one's eyes."""
        middle = self.palette.cool if self.light == "night" else self.palette.body
        far = mix(self.sky, middle, 0.45)
        return mix(far, middle, depth * 2) if depth < 0.5 else mix(middle, self.palette.dark, depth * 2 - 1)

    def ridge(self, level: float, height: float, rough: float, depth: float) -> None:
        """Hills along the horizon; `rough` 0 is rolling, 1 is rock."""
        count = 96
        x = np.linspace(0, 1, count)
        y = np.zeros(count)
        for octave in range(2 + round(4 * rough)):
            turns, phase = 0.7 * 2**octave * self.rng.uniform(0.8, 1.25), self.rng.uniform(0, 2 * math.pi)
            wave = np.sin(2 * math.pi * turns * x + phase)
            y += (1 - 2 * np.abs(wave) if rough > 0.5 else wave) / 2 ** (octave * (1.5 - 0.6 * rough))
        edge = level - height * (y - y.min()) / max(1e-6, float(np.ptp(y)))
        points = [(float(a), float(b)) for a, b in zip(x, edge, strict=True)]
        self.shape([(0, 1), *points, (1, 1)], self.layer(depth))

    def ground(self, level: float, depth: float) -> None:
        self.box(0, level, 1, 1 - level, self.layer(depth))

    def sunlit(self, share: float) -> Colour:
        return mix(self.palette.accent, self.palette.light, share)


def draw_sun(stage: Stage) -> None:
    x, y, radius = stage.sun
    stage.disc(x, y, radius, stage.sunlit(0.75 if stage.light == "night" else 0.35))


def draw_stars(stage: Stage, until: float) -> None:
    for _ in range(110):
        x, y = stage.rng.uniform(0, 1), stage.rng.uniform(0, 1) ** 1.4 * until
        bright = stage.rng.uniform(0.25, 0.9)
        stage.disc(x, y, 0.0007 + 0.0016 * bright**4, mix(stage.sky, stage.palette.light, bright))
