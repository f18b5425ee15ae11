"""Paint: the persona's colours, how they mix, and what every picture is finished with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
Pixels = NDArray[np.float32]  # [height, width, 3], 0..255
GRAIN = 5.0  # standard deviation of the film grain, in steps of 255


class PaletteError(ValueError):
    """A palette that cannot be painted with; the message says what one looks like."""


@dataclass(frozen=True)
class Palette:
    """Five colours from which everything is mixed: the nearest shapes, earth, fire, paper, evening."""

    dark: Colour
    body: Colour
    accent: Colour
    light: Colour
    cool: Colour

    @staticmethod
    def of(colours: tuple[str, ...]) -> Palette:
        """From five '#rrggbb' in the order of the fields; none at all gives the plain one. Raises PaletteError."""
        chosen = colours or PLAIN
        if len(chosen) != 5 or not all(re.fullmatch(r"#[0-9a-fA-F]{6}", colour) for colour in chosen):
            raise PaletteError(
                f"a palette is five colours such as '#14110f' (dark, body, accent, light, cool), not {list(colours)}"
            )
        return Palette(*((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in chosen))


PLAIN = ("#15171c", "#5b4b8a", "#e0a458", "#f4efe6", "#2f4858")


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0 is the first, 1 the second."""
    share = min(1.0, max(0.0, share))
    r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
    return r, g, b


def luminance(colour: Colour) -> float:
    """0 (black) to 1, as the eye weighs it (Rec. 709)."""
    red, green, blue = (float((c / 255) ** 2.2) for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(picture: Image) -> list[Colour]:
    """The colours that stand in a picture of few."""
    found = picture.convert("RGB").getcolors(1 << 24) or []
    return [(int(each[0]), int(each[1]), int(each[2])) for _, each in found if isinstance(each, tuple)]


def hexed(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def gradient(size: int, stops: list[tuple[float, Colour]]) -> Pixels:
    """A sky: colours at heights (0 top, 1 bottom), smooth between them."""
    y = np.linspace(0, 1, size, dtype=np.float32)
    at = [height for height, _ in stops]
    bands = [np.interp(y, at, [colour[i] for _, colour in stops]) for i in range(3)]
    column = np.stack(bands, axis=-1).astype(np.float32)
    return np.repeat(column[:, None, :], size, axis=1)


def glow(pixels: Pixels, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
    """Light around a point, in place. Places and `radius` as shares of the picture."""
    size = len(pixels)
    along = np.arange(size, dtype=np.float32) / size
    square = (along[None, :] - x) ** 2 + (along[:, None] - y) ** 2
    veil = strength * np.exp(-square / (2 * radius**2))[..., None]
    pixels += (np.asarray(colour, np.float32) - pixels) * veil


def finish(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A print's look, in place: corners and foot a little darker, blotches of worn ink, film grain."""
    from PIL import Image

    size = len(pixels)
    along = np.linspace(-1, 1, size, dtype=np.float32)
    corners = 1 - 0.16 * np.clip((along[None, :] ** 2 + along[:, None] ** 2) - 0.6, 0, 2)
    coarse = Image.fromarray(rng.normal(0, 1, (14, 14)).astype(np.float32))
    worn = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    foot = 1 - 0.45 * np.clip((along[:, None] - 0.62) / 0.3, 0, 1)  # names stand there, in light letters
    pixels *= (corners * foot * (1 + 0.02 * worn))[..., None]
    pixels += GRAIN * rng.standard_normal((size, size), dtype=np.float32)[..., None]
    return np.clip(pixels, 0, 255).astype(np.uint8)
