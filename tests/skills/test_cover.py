"""The cover of a song: its scene, its letters, its colours, the same for the same song."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skills.brief import Brief
from skills.cover import SIZE, draw_cover, subject, write_cover
from skills.drawing.letters import font, set_title
from skills.drawing.paint import Palette, PaletteError, luminance
from skills.drawing.scenes import SCENES
from tests.skills.words_for_tunes import SNIPPET

PALETTE = Palette.of(("#15110f", "#8f3a1d", "#e58a36", "#f3e4c6", "#2e4350"))
TRAIN = Brief("the last train home", mood="sad")


def test_the_same_song_has_the_same_cover_and_another_seed_another(tmp_path: Path) -> None:
    pictures = []
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        write_cover(tmp_path / f"{name}.png", TRAIN, SNIPPET, "Breaking Rust (AI)", seed, PALETTE)
        pictures.append((tmp_path / f"{name}.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    opened = Image.open(io.BytesIO(pictures[0]))
    assert opened.size == (SIZE, SIZE)
    assert len(pictures[0]) < 1_000_000


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_drawn_in_the_persona_s_colours(scene: str) -> None:
    words = {"rails": "train", "wires": "telephone", "table": "coffee", "moon": "heaven", "field": "harvest"}
    brief = Brief(words.get(scene, scene))
    assert subject(brief, "", 1)[0] == scene
    drawn = np.asarray(draw_cover(brief, SNIPPET, "x", 1, PALETTE), float)
    other = Palette.of(("#0b1020", "#204080", "#30c0a0", "#e8fff8", "#102030"))
    cold = np.asarray(draw_cover(brief, SNIPPET, "x", 1, other), float)
    assert drawn[..., 0].mean() - drawn[..., 2].mean() > 5  # rust and paper
    assert cold[..., 2].mean() - cold[..., 0].mean() > 5  # sea and ice
    assert drawn.std() > 25  # shapes, not a wash


def test_what_the_song_is_about_decides_the_scene_and_its_mood_the_light() -> None:
    assert subject(TRAIN, "", 1)[0] == "rails"
    assert subject(Brief("my grandmother"), "the kitchen and the door", 1)[0] == "house"
    assert subject(Brief("the river at night"), "moon on the river", 1) == ("water", "night")
    assert subject(dataclasses.replace(TRAIN, mood="joyful"), "", 2)[1] == "day"


def test_the_title_stands_out_from_what_is_behind_it() -> None:
    for seed in range(4):
        for mood in ("sad", "joyful"):
            picture = draw_cover(dataclasses.replace(TRAIN, mood=mood), SNIPPET, "x", seed, PALETTE)
            top = np.asarray(picture.convert("RGB"))[40 : SIZE // 4]
            shades = sorted(luminance((int(r), int(g), int(b))) for r, g, b in top.reshape(-1, 3)[::97])
            low, high = shades[len(shades) // 100], shades[-len(shades) // 100]
            assert (high + 0.05) / (low + 0.05) > 3  # the contrast that WCAG asks of large letters


@pytest.mark.parametrize(
    "title", ["Go", "A " * 60, "Donaudampfschifffahrtskapitänsmütze" * 2, "Ночной поезд", ""]
)
def test_any_title_is_set_inside_the_picture(title: str) -> None:
    setting = set_title(title.upper(), 1000, 360, 190, 66)
    face = font(setting.size, title.upper())
    assert 1 <= len(setting.lines) <= 4
    assert all(face.getlength(line) <= 1000 for line in setting.lines)


def test_a_palette_that_is_none_is_a_sentence() -> None:
    assert Palette.of(()).dark == (0x15, 0x17, 0x1C)
    with pytest.raises(PaletteError, match="five colours"):
        Palette.of(("red", "#fff"))
