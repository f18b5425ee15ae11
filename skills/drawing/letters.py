"""Letters: a title set to fill its place, and small capitals with air between them. Font: Fjalla One (OFL)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
FONT = FONTS / "FjallaOne-Regular.ttf"
FONT_NAME = "Fjalla One"
LEADING = 1.12  # line height, in font sizes
MOST_LINES = 4


@dataclass(frozen=True)
class Setting:
    """A title in lines, and the font size (pixels) at which they fit."""

    lines: tuple[str, ...]
    size: int


@cache
def font(size: int, text: str = "") -> Any:
    """The font at a size; for text that it has no letters for, DejaVu Sans (which comes with matplotlib)."""
    from PIL import ImageFont

    try:
        text.encode("cp1252")  # Western European letters and signs: just what Fjalla One has
    except UnicodeEncodeError:
        import matplotlib

        wide = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"
        return ImageFont.truetype(str(wide), round(0.85 * size))
    return ImageFont.truetype(str(FONT), size)


def set_title(text: str, width: float, height: float, largest: int, smallest: int) -> Setting:
    """The largest setting of `text` in `width` x `height` pixels; at the smallest it is cut with '...'"""
    words = text.split() or ["?"]
    for size in range(largest, smallest, -2):
        lines = _broken(words, font(size, text), width)
        if lines is not None and len(lines) <= MOST_LINES and len(lines) * size * LEADING <= height:
            return Setting(tuple(lines), size)
    return Setting(tuple(_cut(words, font(smallest, text), width)), smallest)


def _broken(words: list[str], face: Any, width: float) -> list[str] | None:
    """Lines of about equal length, as few as there can be; None where a word is wider than a line."""
    if max(face.getlength(word) for word in words) > width:
        return None
    fewest = len(_filled(words, face, width))
    low, high = 0.0, width  # the narrowest column that takes no more lines: no orphan at the end
    for _ in range(8):
        middle = (low + high) / 2
        if all(face.getlength(w) <= middle for w in words) and len(_filled(words, face, middle)) <= fewest:
            high = middle
        else:
            low = middle
    return _filled(words, face, high)


def _filled(words: list[str], face: Any, width: float) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        if face.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _cut(words: list[str], face: Any, width: float) -> list[str]:
    lines = _filled(words, face, width)
    for i, line in enumerate(lines):
        fitted = line
        while face.getlength(fitted) > width and len(fitted) > 4:
            fitted = fitted[:-4] + "..."
        lines[i] = fitted
    return (
        lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][:-3] + "..."]
    )


def spaced(draw: Any, place: tuple[float, float], text: str, face: Any, fill: Any, air: float) -> float:
    """Draws `text` with `air` (share of the size) between letters; returns where it ends."""
    x, y = place
    for letter in text:
        draw.text((x, y), letter, font=face, fill=fill)
        x += face.getlength(letter) + air * face.size
    return float(x - air * face.size)


def spaced_width(text: str, face: Any, air: float) -> float:
    return float(sum(face.getlength(letter) + air * face.size for letter in text) - air * face.size)
