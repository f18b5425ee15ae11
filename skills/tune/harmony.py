"""Chords from a style's Roman numerals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.score import TICKS_PER_QUARTER, Chord

BAR = 4 * TICKS_PER_QUARTER  # every style so far is in 4/4
DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
QUALITY_TONES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "9": (0, 4, 7, 10, 2),
}
_NUMERAL = re.compile(r"(?P<shift>[b#]?)(?P<degree>[ivIV]+)(?P<quality>maj7|sus4|dim|7|6|9)?$")


def chord_tones(chord: Chord) -> set[int]:
    """The pitch classes of a chord."""
    return {(chord.root + tone) % 12 for tone in QUALITY_TONES[chord.quality]}


def numeral(text: str, tonic: int) -> tuple[int, str]:
    """Root (pitch class) and quality of a Roman numeral. Raises ValueError for one that is none."""
    match = _NUMERAL.match(text)
    if match is None or match["degree"].lower() not in DEGREES:
        raise ValueError(f"not a Roman numeral: {text!r}")
    shift = {"b": -1, "#": 1, "": 0}[match["shift"]]
    quality = match["quality"] or ""
    if match["degree"].islower() and quality in ("", "7"):
        quality = "m" + quality
    return (tonic + DEGREES[match["degree"].lower()] + shift) % 12, quality


def spread(pattern: str, bars: int) -> list[list[str]]:
    """A pattern of some bars brought to `bars` bars: longer by holding, shorter by putting bars together."""
    written = [bar.split() for bar in pattern.split("|")]
    if bars >= len(written):
        return [written[i * len(written) // bars] for i in range(bars)]
    groups = [written[i * len(written) // bars : (i + 1) * len(written) // bars] for i in range(bars)]
    return [[numerals[0] for numerals in group] for group in groups]


def lay(bars: Sequence[Sequence[str]], tick: int, tonic: int) -> list[Chord]:
    """The chords of some bars from `tick` on; the chords of one bar share it evenly, on beats."""
    chords: list[Chord] = []
    for i, names in enumerate(bars):
        beats = 4 // len(names) if len(names) in (1, 2, 4) else 1
        for j, name in enumerate(names):
            start = tick + i * BAR + j * beats * TICKS_PER_QUARTER
            until = tick + (i + 1) * BAR if j == len(names) - 1 else start + beats * TICKS_PER_QUARTER
            root, quality = numeral(name, tonic)
            chords.append(Chord(start, until - start, root, quality))
    return merged(chords)


def merged(chords: Sequence[Chord]) -> list[Chord]:
    """A chord that is struck again is one longer chord, within a bar."""
    out: list[Chord] = []
    for chord in chords:
        last = out[-1] if out else None
        if last and (last.root, last.quality) == (chord.root, chord.quality) and chord.tick % BAR:
            out[-1] = Chord(last.tick, last.ticks + chord.ticks, last.root, last.quality)
        else:
            out.append(chord)
    return out


def template_for(templates: Sequence[Sequence[str]], lines: int, choice: int) -> list[str]:
    """A template's patterns for a stanza of `lines` lines; where none has that length, the nearest is fitted."""
    exact = [template for template in templates if len(template) == lines]
    if exact:
        return list(exact[choice % len(exact)])
    longer = [template for template in templates if len(template) > lines]
    if longer:
        template = longer[choice % len(longer)]
        return [*template[: lines - 1], template[-1]]
    template = max(templates, key=len)
    return [template[i % len(template)] for i in range(lines - 1)] + [template[-1]]
