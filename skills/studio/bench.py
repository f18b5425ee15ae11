"""bench mixes: fifty finished songs in every style, whole ones among them, measured as they come out of the decoder.

A song is made in this process and measured; a line in figures.jsonl of the folder says what was found, so that a bench
that was cut off goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skills.backing import STEM
from skills.bench import read_briefs, resumed
from skills.brief import Brief
from skills.library import Library, read_take
from skills.song import Studio, make_song, read_stems
from skills.studio.desk import run, scene, strip
from skills.studio.encode import decoded, meter
from skills.studio.levels import PRESENCE, singing
from skills.studio.mix import ducking, treated
from skills.studio.tone import OCTAVES, band_power, decibels, octaves
from skills.style import list_styles, style_of
from voice.take import STUDIO_RATE

FIGURES = "figures.jsonl"
WHOLE = 140.0  # seconds asked for, of a whole song
SNIPPET = 20.0
LATER = (0, 5, 1, 6, 2, 7, 3, 8, 4)  # styles in this order, so that neighbours in a cut bench differ


@dataclass(frozen=True)
class MixFigures:
    """`octaves`: dB of the whole, by Hz. `over`: dB of the voice above the band between 300 Hz and 4 kHz while it
    sings, ducking included, backing singers left out. `mono`: dB lost on one loudspeaker."""

    brief: str
    style: str
    whole: bool
    title: str
    seconds: float
    lufs: float
    true_peak_db: float
    loudness_range: float
    octaves: dict[str, float]
    over: float
    mono: float
    character_error_rate: float
    players: tuple[str, ...]
    timings: dict[str, float]


@dataclass(frozen=True)
class Bound:
    """What a figure must lie between."""

    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


BOUNDS = {
    "LUFS": Bound(-14.5, -13.5),
    "true peak dBTP": Bound(high=-1.0),
    "loudness range LU, songs": Bound(3, 10),
    "loudness range LU, snippets": Bound(1, 10),
    "octave from the median of the set, dB": Bound(high=8),
    "voice over band dB": Bound(2, 6),
    "mono loses dB": Bound(high=1),
    "CER in the mix": Bound(high=0.35),
}


def orders(snippets: int, whole: int) -> Iterator[tuple[Brief, bool, int]]:
    """(brief, whole, seed): every style in turn, each with another subject."""
    from skills.reading import read_brief

    styles, briefs = list_styles(), read_briefs()
    for i in range(snippets + whole):
        is_whole = i >= snippets
        style = styles[LATER[i % len(LATER)] % len(styles)]
        subject = read_brief(briefs[(i * 7) % len(briefs)], Brief(""))
        seconds = WHOLE if is_whole else SNIPPET
        yield dataclasses.replace(subject, style=style, seconds=seconds, bpm=None), is_whole, i


def bench_mixes(studio: Studio, snippets: int, whole: int) -> Iterator[MixFigures]:
    """Makes and measures what is not measured yet, and gives the figures of all."""
    asked = {seed: (brief, is_whole) for brief, is_whole, seed in orders(snippets, whole)}

    def make(seed: int) -> MixFigures:
        brief, is_whole = asked[seed]
        return measured(studio.library, make_song(studio, brief, seed).id, is_whole)

    def read(row: dict[str, Any]) -> MixFigures:
        return MixFigures(**{**row, "players": tuple(row["players"])})

    yield from resumed(studio.library.root / FIGURES, asked, make, read)


def measured(library: Library, song: str, whole: bool) -> MixFigures:
    from voice.bench.hearing import character_error_rate, recognise

    folder, now = library.folder(song), library.read(song)
    clip = library.clip(now)
    loud, audio = meter(clip), decoded(clip)
    both, mono = float((audio**2).mean()), float((audio.mean(axis=0) ** 2).mean())
    heard = recognise(audio.mean(axis=0), STUDIO_RATE)
    stems = sorted(path.stem for path in (folder / "stems").glob("*.wav"))
    return MixFigures(
        brief=now.brief.theme,
        style=now.brief.style,
        whole=whole,
        title=now.title,
        seconds=now.seconds or 0.0,
        lufs=loud.lufs,
        true_peak_db=loud.true_peak_db,
        loudness_range=loud.loudness_range,
        octaves={str(hz): round(db, 2) for hz, db in octaves(audio).items()},
        over=round(_over(folder, library, song), 2),
        mono=round(10 * math.log10(both / max(mono, 1e-12)), 2),
        character_error_rate=round(character_error_rate(library.read_lyrics(song).text, heard), 4),
        players=tuple(name for name in stems if name != "vocal"),
        timings=dict(now.timings),
    )


def _over(folder: Path, library: Library, song: str) -> float:
    """Voice against band as the desk hears them: both treated, the band ducked."""
    style, stems = style_of(library.read(song).brief), read_stems(folder)
    band = stems.without("vocal", *(name for name in stems if name.startswith(STEM)))
    voice, _, players, parts = treated(stems["vocal"][0], band, style, read_take(folder).lead)
    lead = np.stack([voice, voice])
    strips = [strip("vocal"), *(strip(name, inserts=ducking(parts[name])) for name in players)]
    ducked = run(scene(strips, []), [lead, *players.values()]) - lead
    sings = singing(voice)
    return _presence(lead, sings) - _presence(ducked, sings)


def _presence(audio: NDArray[np.float32], sings: NDArray[np.bool_]) -> float:
    return decibels(float(band_power(audio, *PRESENCE)[sings].mean()))


def summary(rows: Sequence[MixFigures]) -> dict[str, Any]:
    """By figure: the lowest, the median, the highest, and how many of how many lie within the bound."""
    median = {hz: float(np.median([row.octaves[str(hz)] for row in rows])) for hz in OCTAVES}
    found = {
        "LUFS": [row.lufs for row in rows],
        "true peak dBTP": [row.true_peak_db for row in rows],
        "loudness range LU, songs": [row.loudness_range for row in rows if row.whole],
        "loudness range LU, snippets": [row.loudness_range for row in rows if not row.whole],
        "octave from the median of the set, dB": [
            max(abs(row.octaves[str(hz)] - median[hz]) for hz in OCTAVES) for row in rows
        ],
        "voice over band dB": [row.over for row in rows],
        "mono loses dB": [row.mono for row in rows],
        "CER in the mix": [row.character_error_rate for row in rows],
    }
    return {
        what: {
            "lowest": round(min(values), 2),
            "median": round(float(np.median(values)), 2),
            "highest": round(max(values), 2),
            "within": f"{sum(BOUNDS[what].holds(value) for value in values)} of {len(values)}",
        }
        for what, values in found.items()
        if values
    }
