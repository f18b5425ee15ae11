"""bench tunes: hundreds of songs written and composed, none sung: are the tunes like real ones, and true to words?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skills.brief import Brief
from skills.lyrics import Lyrics
from skills.style import list_styles, load_style
from skills.tune.compose import compose
from skills.tune.form import is_hook
from skills.tune.measure import BANDS, Figures, figures
from skills.tune.prosody import STRESSED, weights
from skills.tune.rhythm import Clock, felt_pulse, is_strong
from voice.score import Score

if TYPE_CHECKING:
    from skills.words import Author

MOODS = ("", "sad", "joyful", "wry")
SECONDS = (20.0, 30.0, 15.0, 40.0, 140.0)  # every fifth is a whole song


@dataclass(frozen=True)
class TuneFigures:
    """`stressed`: syllables that want a beat, `on_beat` those that have one, `on_quarter` a quarter; `hook` and
    `hook_on_beat`: those of the hook. `outside`: notes outside the singer's comfortable range."""

    style: str
    form: str
    seconds: float
    figures: Figures
    stressed: int
    on_beat: int
    on_quarter: int
    hook: int
    hook_on_beat: int
    outside: int


def bench_tunes(author: Author, count: int, low: int, high: int, path: Path) -> Iterator[TuneFigures]:
    """Songs in every style, mood and length with the subjects of `bench songs`, for a singer from `low` to `high`.

    `path`: figures that are there already, and where new ones go.
    """
    from skills.bench import read_briefs, resumed
    from skills.reading import read_brief
    from skills.words import write_lyrics

    styles, subjects = list_styles(), [read_brief(text, Brief("")) for text in read_briefs()]

    def make(i: int) -> TuneFigures:
        brief = dataclasses.replace(
            subjects[i * 7 % len(subjects)],
            style=styles[i % len(styles)],
            mood=MOODS[i // len(styles) % len(MOODS)],
            seconds=SECONDS[i % len(SECONDS)],
            bpm=None,
        )
        lyrics = write_lyrics(brief, i, author)
        score = compose(lyrics, brief, load_style(brief.style), i, low, high)
        return measured(score, lyrics, brief.style, low, high)

    def read(row: dict[str, Any]) -> TuneFigures:
        return TuneFigures(**{**row, "figures": Figures(**row["figures"])})

    yield from resumed(path, range(count), make, read)


def measured(score: Score, lyrics: Lyrics, style: str, low: int, high: int) -> TuneFigures:
    pulse = felt_pulse(Clock(score.tempo[0].bpm, score.swing))
    begun = [note.tick for note in score.notes if note.syllable]
    wanted = [(weight, is_hook(line, lyrics)) for line in lyrics.lines for weight in weights(line)]
    stressed = [
        (tick, hooked) for tick, (weight, hooked) in zip(begun, wanted, strict=True) if weight >= STRESSED
    ]
    return TuneFigures(
        style=style,
        form=lyrics.form,
        seconds=round(score.seconds(score.ticks), 1),
        figures=figures(score),
        stressed=len(stressed),
        on_beat=sum(is_strong(tick, pulse) for tick, _ in stressed),
        on_quarter=sum(is_strong(tick) for tick, _ in stressed),
        hook=sum(hooked for _, hooked in stressed),
        hook_on_beat=sum(is_strong(tick, pulse) for tick, hooked in stressed if hooked),
        outside=sum(not low <= note.pitch <= high for note in score.notes),
    )


def summary(rows: Sequence[TuneFigures]) -> tuple[dict[str, dict[str, Any]], Mapping[str, str]]:
    """By figure its 10 %, median and 90 % over the songs and the share inside the band; and what is asked."""
    import numpy as np

    found: dict[str, dict[str, Any]] = {}
    asked: dict[str, str] = {}
    for name in (*BANDS, "as_sung"):
        values = [getattr(row.figures, name) for row in rows]
        tenths = (round(float(x), 2) for x in np.percentile(values, (10, 50, 90)))
        found[name] = {**dict(zip(("10 %", "median", "90 %"), tenths, strict=True)), "inside": ""}
        asked[name] = ""
        if band := BANDS.get(name):
            found[name]["inside"] = f"{sum(band[0] <= value <= band[1] for value in values)} of {len(rows)}"
            asked[name] = f"{band[0]:g} to {band[1]:g}"
    stressed, hook = sum(row.stressed for row in rows), sum(row.hook for row in rows)
    whole = {
        "stressed syllables on the felt beat": (sum(row.on_beat for row in rows), stressed, "90 %"),
        "stressed syllables on quarters": (sum(row.on_quarter for row in rows), stressed, ""),
        "stressed syllables of hooks on the felt beat": (
            sum(row.hook_on_beat for row in rows),
            hook,
            "100 %",
        ),
        "songs with a note outside the range": (sum(row.outside > 0 for row in rows), len(rows), "none"),
    }
    for name, (count, of, bound) in whole.items():
        share = f"{count / of:.1%}" if of else ""
        found[name] = {"10 %": "", "median": share, "90 %": "", "inside": f"{count} of {of}"}
        asked[name] = bound
    return found, asked
