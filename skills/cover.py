"""Cover: the picture of a song, drawn from its theme, mood and seed in the persona's palette.

Flat layers like a screen print: what the song is about decides the scene (skills/drawing/scenes.yaml), its words or
its mood the light, its seed where the sun stands and how the hills run. The same song gets the same cover.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from skills.brief import Brief
from skills.drawing.letters import LEADING, font, set_title, spaced, spaced_width
from skills.drawing.paint import Colour, Palette, Pixels, colours, finish, glow, gradient, luminance, mix
from skills.drawing.scenes import SCENES
from skills.drawing.stage import Stage, draw_stars, draw_sun
from skills.files import written_whole
from skills.lyrics import Lyrics
from skills.style import moods

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 1200  # pixels
FINE = 2  # drawn so many times larger: smooth edges
MARGIN = 0.07
COLOURS = 200  # of the PNG, dithered: the dither is part of the grain
HORIZON = 0.64


def write_cover(path: Path, brief: Brief, lyrics: Lyrics, artist: str, seed: int, palette: Palette) -> None:
    """Draws the cover into a PNG, whole or not at all."""
    from PIL import Image

    picture = draw_cover(brief, lyrics, artist, seed, palette)
    with written_whole(path) as temporary:
        few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.FLOYDSTEINBERG)
        few.save(temporary, optimize=False)


def draw_cover(brief: Brief, lyrics: Lyrics, artist: str, seed: int, palette: Palette) -> Image:
    """The cover, SIZE pixels wide and high."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng([seed, 21])
    name, light = subject(brief, lyrics.text, seed)
    sky = _sky(light, palette)
    sun = (
        float(rng.choice([rng.uniform(0.26, 0.4), rng.uniform(0.6, 0.74)])),
        float(rng.uniform(0.5, 0.6)),
        0.0,
    )
    sun = (sun[0], 0.5 if light == "night" else sun[1], float(rng.uniform(0.1, 0.16)))
    below = gradient(SIZE, [(0.0, sky[0]), (0.4, sky[1]), (HORIZON, sky[2]), (1.0, sky[2])])
    glow(below, sun[0], sun[1], 0.3, mix(palette.accent, palette.light, 0.5), 0.45)
    large = Image.fromarray(below.astype(np.uint8)).resize(
        (SIZE * FINE, SIZE * FINE), Image.Resampling.BILINEAR
    )
    stage = Stage(ImageDraw.Draw(large), SIZE * FINE, palette, rng, light, sky[2], sun)
    if light == "night":
        draw_stars(stage, HORIZON)
    if name != "rain":
        draw_sun(stage)
    SCENES[name](stage)
    pixels: Pixels = np.asarray(large.reduce(FINE), np.float32).copy()
    picture = Image.fromarray(finish(pixels, rng))
    _letter(picture, lyrics.title, artist, palette)
    return picture


def subject(brief: Brief, words: str, seed: int) -> tuple[str, str]:
    """(scene, light): what the brief speaks of counts thrice what the words do."""
    data = _data()
    asked = re.findall(r"[a-z]+", " ".join([brief.theme, brief.mood, *brief.mentions]).lower())
    heard = Counter(asked * 3 + re.findall(r"[a-z]+", words.lower()))

    def most(choices: dict[str, str]) -> str | None:
        scores = {name: sum(_count(heard, stem) for stem in stems.split()) for name, stems in choices.items()}
        best = max(scores, key=lambda name: scores[name])
        return best if scores[best] > 1 else None

    scene = most(data["scenes"]) or data["anything"][seed % len(data["anything"])]
    paces = {"slow": ("night", "dusk"), "mid": ("dusk", "day"), "up": ("day", "dusk")}
    pace = next((moods()[word] for word in brief.mood.lower().split() if word in moods()), "mid")
    return scene, most(data["light"]) or paces[pace][seed % 2]


def _count(heard: Counter[str], stem: str) -> int:
    """How often a word is heard, its plural and -ing forms too."""
    return sum(
        n
        for word, n in heard.items()
        if word == stem or (word.startswith(stem) and len(word) - len(stem) <= 3 and len(stem) > 3)
    )


@cache
def _data() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "drawing" / "scenes.yaml").read_text("utf-8")
    )
    return raw


def _sky(light: str, palette: Palette) -> tuple[Colour, Colour, Colour]:
    """Top, middle and horizon."""
    if light == "night":
        return mix(palette.dark, palette.cool, 0.35), palette.cool, mix(palette.cool, palette.light, 0.3)
    if light == "dusk":
        return (
            mix(palette.cool, palette.dark, 0.3),
            mix(palette.body, palette.accent, 0.25),
            mix(palette.accent, palette.light, 0.35),
        )
    return (
        mix(palette.light, palette.cool, 0.2),
        mix(palette.light, palette.accent, 0.12),
        mix(palette.light, palette.accent, 0.5),
    )


def _letter(picture: Image, title: str, artist: str, palette: Palette) -> None:
    """Title at the top, in what stands out there; artist and the AI mark at the foot."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    margin = MARGIN * SIZE
    behind = colours(picture.crop((0, 0, SIZE, SIZE // 4)).resize((1, 1)))[0]
    ink = palette.light if luminance(behind) < 0.3 else palette.dark
    text = title.upper()
    setting = set_title(text, SIZE - 2 * margin, 0.3 * SIZE, round(0.16 * SIZE), round(0.055 * SIZE))
    y = 0.75 * margin
    for line in setting.lines:
        draw.text((margin, y), line, font=font(setting.size, text), fill=ink)
        y += setting.size * LEADING
    small = round(0.026 * SIZE)
    name = artist.removesuffix("(AI)").strip().upper()
    face, foot = font(small, name), SIZE - margin - small
    spaced(draw, (margin, foot), name, face, palette.light, 0.22)
    mark = "MADE BY AN AI"
    face = font(small)
    x = SIZE - margin - spaced_width(mark, face, 0.12)
    pad = 0.5 * small
    box = [x - pad, foot - 0.35 * pad, SIZE - margin + pad, foot + small * 1.25 + 0.35 * pad]
    draw.rounded_rectangle(box, radius=pad * 0.7, outline=palette.light, width=max(2, SIZE // 600))
    spaced(draw, (x, foot), mark, face, palette.light, 0.12)
