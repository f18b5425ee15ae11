"""Scenes: flat layers from far to near, as a screen print has them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from skills.drawing.paint import mix
from skills.drawing.stage import Stage


def rails(stage: Stage) -> None:
    horizon, vanish = 0.66, stage.sun[0]
    stage.ridge(horizon + 0.01, 0.1, 0.2, 0.2)
    stage.ridge(horizon + 0.01, 0.045, 0.1, 0.45)
    stage.ground(horizon, 0.72)
    bed = [(vanish - 0.006, horizon), (vanish + 0.006, horizon), (vanish + 0.62, 1), (vanish - 0.62, 1)]
    stage.shape(bed, stage.layer(0.9))
    for step in range(1, 26):
        near = (step / 26) ** 2.6
        y, half = horizon + near * (1 - horizon), 0.012 + 0.44 * near
        stage.box(
            vanish - half, y, 2 * half, 0.002 + 0.02 * near, mix(stage.layer(1.0), stage.palette.body, 0.25)
        )
    for side in (-1, 1):
        near, far = vanish + side * 0.32, vanish + side * 0.004
        stage.shape(
            [(far - 0.001, horizon), (far + 0.001, horizon), (near + 0.014, 1), (near - 0.014, 1)],
            stage.sunlit(0.6),
        )
    _poles(stage, horizon, vanish, side=-1 if vanish > 0.5 else 1)


def road(stage: Stage) -> None:
    horizon, vanish = 0.64, stage.sun[0]
    stage.ridge(horizon + 0.02, 0.15, 0.5, 0.2)
    stage.ridge(horizon + 0.02, 0.06, 0.1, 0.45)
    stage.ground(horizon, 0.66)
    stage.shape(
        [(vanish - 0.008, horizon), (vanish + 0.008, horizon), (vanish + 0.55, 1), (vanish - 0.55, 1)],
        stage.layer(0.97),
    )
    for step in range(12):
        a, b = ((step + 0.15) / 12) ** 2.2, ((step + 0.6) / 12) ** 2.2
        ya, yb = horizon + a * (1 - horizon), horizon + b * (1 - horizon)
        wide, wider = 0.002 + 0.016 * a, 0.002 + 0.016 * b
        stage.shape(
            [(vanish - wide, ya), (vanish + wide, ya), (vanish + wider, yb), (vanish - wider, yb)],
            stage.sunlit(0.5),
        )
    _poles(stage, horizon, vanish, side=1 if vanish < 0.5 else -1)


def water(stage: Stage) -> None:
    horizon = 0.62
    stage.ridge(horizon, 0.07, 0.3, 0.3)
    stage.ground(horizon, 0.62)
    x = stage.sun[0]
    for step in range(34):
        near = (step / 34) ** 1.5
        y = horizon + 0.004 + near * (1 - horizon)
        for _ in range(3):
            half = stage.rng.uniform(0.2, 1.0) * (0.05 + 0.17 * near)
            at = x + stage.rng.normal(0, 0.02 + 0.05 * near)
            stage.oval(
                at,
                y,
                half,
                0.0012 + 0.005 * near,
                mix(stage.layer(0.62), stage.sunlit(0.4), 0.85 - 0.45 * near),
            )
    bx, by = (x + 0.24 if x < 0.5 else x - 0.24), horizon + 0.09  # a small boat
    ink = stage.layer(1.0)
    stage.shape([(bx - 0.06, by), (bx + 0.065, by), (bx + 0.045, by + 0.022), (bx - 0.045, by + 0.022)], ink)
    stage.line([(bx, by), (bx, by - 0.12)], ink, 0.003)
    stage.shape(
        [(bx + 0.004, by - 0.115), (bx + 0.004, by - 0.012), (bx + 0.052, by - 0.012)],
        mix(ink, stage.palette.light, 0.75),
    )


def city(stage: Stage) -> None:
    for depth, level, tallest in ((0.25, 0.8, 0.34), (0.55, 0.86, 0.28), (0.95, 0.97, 0.3)):
        x = -0.02
        while x < 1.02:
            width = stage.rng.uniform(0.05, 0.12)
            top = level - stage.rng.uniform(0.35, 1.0) * tallest
            stage.box(x, top, width, 1 - top, stage.layer(depth))
            if depth > 0.5:
                _windows(stage, x, top, width, share=0.22 if depth < 0.9 else 0.3)
            if depth > 0.9 and stage.rng.random() < 0.35:
                stage.line([(x + width / 2, top), (x + width / 2, top - 0.06)], stage.layer(depth), 0.003)
            x += width + stage.rng.uniform(0.0, 0.012)


def _windows(stage: Stage, x: float, top: float, width: float, share: float) -> None:
    columns = int(width / 0.02)
    for row in range(int((0.99 - top) / 0.028)):
        for column in range(columns):
            if stage.rng.random() < share:
                lit = mix(stage.sunlit(0.4), stage.palette.dark, stage.rng.uniform(0, 0.5))
                stage.box(
                    x + 0.008 + column * (width - 0.01) / columns,
                    top + 0.014 + row * 0.028,
                    0.009,
                    0.014,
                    lit,
                )


def house(stage: Stage) -> None:
    stage.ridge(0.72, 0.14, 0.2, 0.22)
    stage.ridge(0.8, 0.1, 0.1, 0.5)
    ink, left = stage.layer(1.0), 0.24 if stage.sun[0] > 0.5 else 0.52
    _mound(stage, left + 0.13, 0.845, 0.95)
    base, lit = 0.85, stage.sunlit(0.35)
    stage.box(left, base - 0.12, 0.26, 0.14, ink)
    stage.shape([(left - 0.03, base - 0.11), (left + 0.13, base - 0.225), (left + 0.29, base - 0.11)], ink)
    stage.box(left + 0.2, base - 0.225, 0.03, 0.08, ink)
    stage.shape(
        [(left - 0.11, base - 0.05), (left, base - 0.1), (left, base - 0.085), (left - 0.11, base - 0.04)],
        ink,
    )
    for post in (left - 0.1, left - 0.05):
        stage.line([(post, base - 0.05), (post, base + 0.02)], ink, 0.005)
    for window in (left + 0.045, left + 0.165):
        stage.box(window, base - 0.085, 0.045, 0.05, lit)
        stage.line([(window + 0.0225, base - 0.085), (window + 0.0225, base - 0.035)], ink, 0.004)
        stage.line([(window, base - 0.06), (window + 0.045, base - 0.06)], ink, 0.004)
    for puff in range(7):
        rise = puff / 7
        stage.disc(
            left + 0.215 + 0.07 * rise**1.5,
            base - 0.245 - 0.13 * rise,
            0.008 + 0.016 * rise,
            mix(stage.layer(0.5), stage.sky, 0.4 + 0.5 * rise),
        )
    _tree(stage, left + (0.4 if left < 0.4 else -0.22), base + 0.01, 0.075, depth=1.0)


def tree(stage: Stage) -> None:
    stage.ridge(0.8, 0.12, 0.1, 0.3)
    x = 0.36 if stage.sun[0] > 0.5 else 0.64
    _mound(stage, x, 0.88, 0.85)
    _tree(stage, x, 0.9, 0.125, depth=1.0, limbs=9)
    for _ in range(16):  # the last leaves
        stage.disc(
            x + stage.rng.normal(0, 0.15),
            stage.rng.uniform(0.68, 0.95),
            stage.rng.uniform(0.003, 0.006),
            stage.palette.accent,
        )


def wires(stage: Stage) -> None:
    stage.ridge(0.86, 0.09, 0.1, 0.4)
    stage.ridge(0.95, 0.05, 0.1, 0.95)
    ink = stage.layer(1.0)
    poles = [(-0.12, 0.40, 1.0), (0.3, 0.47, 0.78), (0.66, 0.55, 0.56), (1.04, 0.62, 0.4)]
    for x, top, near in poles:
        stage.line([(x, top), (x, 0.97)], ink, 0.016 * near)
        for arm in (0.03, 0.085):
            stage.line(
                [(x - 0.09 * near, top + arm * near), (x + 0.09 * near, top + arm * near)], ink, 0.01 * near
            )
    for (xa, ya, na), (xb, yb, nb) in itertools.pairwise(poles):
        for arm, side in ((0.03, -0.085), (0.03, 0.085), (0.085, 0.0)):
            a, b = (xa + side * na, ya + arm * na), (xb + side * nb, yb + arm * nb)
            sag = [
                (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t + 0.2 * t * (1 - t))
                for t in np.linspace(0, 1, 24)
            ]
            stage.line(sag, ink, 0.0035 * nb + 0.001)
            if arm == 0.03 and xa < 0.6:
                for at in stage.rng.choice(np.arange(4, 20), int(stage.rng.integers(1, 4)), replace=False):
                    _bird(stage, *sag[int(at)], 0.017 * nb)


def rain(stage: Stage) -> None:
    stage.ridge(0.86, 0.2, 0.3, 0.3)
    stage.ground(0.84, 0.8)
    x = 0.3 if stage.sun[0] > 0.5 else 0.7
    ink = stage.layer(1.0)
    cone = mix(stage.layer(0.3), stage.palette.accent, 0.42)
    stage.shape([(x - 0.02, 0.43), (x + 0.02, 0.43), (x + 0.23, 0.87), (x - 0.23, 0.87)], cone)
    stage.oval(x, 0.87, 0.23, 0.03, mix(cone, stage.palette.light, 0.3))
    stage.line([(x, 0.41), (x, 0.9)], ink, 0.011)
    stage.shape([(x - 0.055, 0.43), (x + 0.055, 0.43), (x + 0.02, 0.39), (x - 0.02, 0.39)], ink)
    stage.disc(x, 0.435, 0.022, stage.sunlit(0.8))
    for _ in range(260):
        a, b = stage.rng.uniform(-0.1, 1), stage.rng.uniform(0, 1)
        long = stage.rng.uniform(0.02, 0.06)
        stage.line(
            [(a, b), (a + 0.25 * long, b + long)],
            mix(stage.sky, stage.palette.light, stage.rng.uniform(0.1, 0.55)),
            0.0014,
        )


def mountains(stage: Stage) -> None:
    for depth, level, height in ((0.15, 0.72, 0.26), (0.4, 0.82, 0.24), (0.68, 0.92, 0.2)):
        stage.ridge(level, height, 0.85, depth)
    stage.ridge(1.0, 0.12, 0.15, 1.0)
    for _ in range(26):
        x = stage.rng.uniform(0, 1)
        _pine(stage, x, stage.rng.uniform(0.93, 0.99), stage.rng.uniform(0.04, 0.09))


def field(stage: Stage) -> None:
    horizon, vanish = 0.68, stage.sun[0]
    stage.ridge(horizon + 0.01, 0.07, 0.1, 0.3)
    stage.ground(horizon, 0.55)
    for row in range(-16, 17):
        a, b = vanish + row * 0.012, vanish + row * 0.16
        colour = mix(stage.layer(0.85), stage.palette.accent, 0.55 if row % 2 else 0.12)
        stage.shape([(a - 0.006, horizon), (a + 0.006, horizon), (b + 0.08, 1), (b - 0.08, 1)], colour)
    x = 0.2 if vanish > 0.5 else 0.8
    ink = stage.layer(1.0)
    stage.box(x - 0.055, horizon - 0.05, 0.11, 0.055, ink)  # a barn, and its silo
    stage.shape(
        [
            (x - 0.062, horizon - 0.048),
            (x - 0.03, horizon - 0.09),
            (x + 0.03, horizon - 0.09),
            (x + 0.062, horizon - 0.048),
        ],
        ink,
    )
    stage.box(x + 0.07, horizon - 0.11, 0.028, 0.115, ink)
    stage.disc(x + 0.084, horizon - 0.11, 0.014, ink)


def table(stage: Stage) -> None:
    frame, x, y, width, height = stage.layer(0.85), 0.1, 0.36, 0.8, 0.42
    stage.ridge(0.74, 0.12, 0.1, 0.3)
    wall = mix(stage.layer(0.9), stage.palette.body, 0.25)
    for left, top, across, down in (
        (0, 0, 1, y),
        (0, y, x, 1 - y),
        (x + width, y, 1 - x - width, 1 - y),
        (0, y + height, 1, 1),
    ):
        stage.box(left, top, across, down, wall)
    for bar in (x, x + width / 2, x + width):
        stage.line([(bar, y), (bar, y + height)], frame, 0.016)
    for bar in (y, y + height * 0.5, y + height):
        stage.line([(x - 0.008, bar), (x + width + 0.008, bar)], frame, 0.016)
    stage.box(0, 0.86, 1, 0.14, stage.layer(1.0))
    stage.box(0, 0.855, 1, 0.012, mix(stage.palette.body, stage.palette.accent, 0.4))
    cx, china = 0.34 if stage.sun[0] > 0.5 else 0.62, mix(stage.palette.light, stage.palette.body, 0.12)
    stage.draw.arc(
        [v * stage.size for v in (cx + 0.07, 0.745, cx + 0.15, 0.82)],
        -100,
        110,
        fill=china,
        width=round(0.015 * stage.size),
    )
    stage.shape([(cx - 0.1, 0.72), (cx + 0.1, 0.72), (cx + 0.07, 0.85), (cx - 0.07, 0.85)], china)
    stage.oval(cx, 0.72, 0.1, 0.016, mix(china, stage.palette.dark, 0.7))
    stage.oval(cx, 0.855, 0.15, 0.014, mix(china, stage.palette.body, 0.3))
    for wisp in (-0.035, 0.03):
        curl = [(cx + wisp + 0.018 * math.sin(9 * t), 0.7 - 0.2 * t) for t in np.linspace(0, 1, 30)]
        stage.line(curl, mix(stage.sky, stage.palette.light, 0.55), 0.006)


def moon(stage: Stage) -> None:
    stage.ridge(0.84, 0.14, 0.2, 0.3)
    stage.ridge(0.92, 0.1, 0.1, 0.6)
    x = 0.3 if stage.sun[0] > 0.5 else 0.66
    _mound(stage, x, 0.93, 1.0)
    ink = stage.layer(1.0)  # two on a bench, looking up
    stage.line([(x - 0.07, 0.91), (x + 0.07, 0.91)], ink, 0.008)
    stage.line([(x - 0.07, 0.885), (x + 0.07, 0.885)], ink, 0.006)
    for foot in (-0.06, 0.06):
        stage.line([(x + foot, 0.88), (x + foot, 0.94)], ink, 0.006)
    for seat, tall in ((-0.024, 0.0), (0.022, 0.008)):
        stage.oval(x + seat, 0.885, 0.02, 0.036, ink)
        stage.disc(x + seat * 0.8, 0.838 + tall, 0.015, ink)


def _mound(stage: Stage, x: float, top: float, depth: float) -> None:
    hill = [(a, top + 0.16 * (1 - math.exp(-((a - x) ** 2) / 0.09))) for a in np.linspace(0, 1, 60)]
    stage.shape([(0, 1), *hill, (1, 1)], stage.layer(depth))


def _poles(stage: Stage, horizon: float, vanish: float, side: int) -> None:
    ink, tops = stage.layer(1.0), []
    for step in (0.12, 0.2, 0.34, 0.6, 1.1):
        x, foot, tall = vanish + side * 0.75 * step, horizon + 0.3 * step, 0.36 * step
        stage.line([(x, foot), (x, foot - tall)], ink, 0.012 * step + 0.001)
        stage.line(
            [(x - 0.06 * step, foot - 0.9 * tall), (x + 0.06 * step, foot - 0.9 * tall)],
            ink,
            0.008 * step + 0.001,
        )
        tops.append((x, foot - 0.9 * tall))
    for a, b in itertools.pairwise(tops):
        sag = [
            (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t + 0.05 * t * (1 - t))
            for t in np.linspace(0, 1, 12)
        ]
        stage.line(sag, ink, 0.002)


def _bird(stage: Stage, x: float, y: float, size: float) -> None:
    ink = stage.layer(1.0)
    stage.oval(x, y - size * 0.7, size * 0.55, size * 0.8, ink)
    stage.disc(x + size * 0.2, y - size * 1.5, size * 0.42, ink)
    stage.shape([(x - size * 0.3, y - size * 0.2), (x - size * 0.9, y + size * 0.8), (x, y)], ink)


def _pine(stage: Stage, x: float, foot: float, tall: float) -> None:
    for tier in range(4):
        top, half = foot - tall * (1 - 0.22 * tier), tall * (0.1 + 0.07 * tier)
        stage.shape(
            [(x, top), (x + half, top + 0.34 * tall), (x - half, top + 0.34 * tall)], stage.layer(1.0)
        )


def _tree(stage: Stage, x: float, foot: float, length: float, depth: float, limbs: int = 8) -> None:
    """A bare tree: each limb parts in two or three, with a little wind from one side."""
    ink, lean = stage.layer(depth), stage.rng.uniform(-0.08, 0.08)

    def grow(x: float, y: float, angle: float, length: float, width: float, left: int) -> None:
        end = (x + length * math.sin(angle), y - length * math.cos(angle))
        stage.line([(x, y), end], ink, width)
        if left:
            for turn in stage.rng.normal((-0.42, 0.36), 0.14):
                grow(*end, angle + turn + lean, length * stage.rng.uniform(0.7, 0.86), width * 0.68, left - 1)

    grow(x, foot, 0.0, length, length * 0.16, limbs)


SCENES: dict[str, Callable[[Stage], None]] = {
    scene.__name__: scene
    for scene in (rails, road, water, city, house, tree, wires, rain, mountains, field, table, moon)
}
