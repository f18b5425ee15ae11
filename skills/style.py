"""Style: what a kind of music is made of, as data. A new style is a new file in skills/styles, no new code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from skills.brief import Brief
from voice.harmony import Side
from voice.score import Mode

STYLES = Path(__file__).parent / "styles"
PITCH_NAMES = {
    "C": 0,
    "Db": 1,
    "D": 2,
    "Eb": 3,
    "E": 4,
    "F": 5,
    "F#": 6,
    "G": 7,
    "Ab": 8,
    "A": 9,
    "Bb": 10,
    "B": 11,
}

DRAWN = 0.35  # how far a fusion's tempo is drawn from its second style's to its first's

Pace = Literal["slow", "mid", "up"]
_STRICT = ConfigDict(extra="forbid")


class StyleError(ValueError):
    """A style that is not there or cannot be read; the message says what there is."""


def _known_pitch(name: str) -> str:
    if name not in PITCH_NAMES:
        raise ValueError(f"a key is one of {', '.join(PITCH_NAMES)}, not {name!r}")
    return name


def _whole_bar(figure: str) -> str:
    if len(figure.split()) not in (4, 8, 16):
        raise ValueError(f"a figure fills one bar of 4, 8 or 16 steps, not {len(figure.split())}: {figure!r}")
    return figure


KeyName = Annotated[str, AfterValidator(_known_pitch)]
Figure = Annotated[str, AfterValidator(_whole_bar)]


@dataclass(frozen=True, config=_STRICT)
class Tune:
    """What the sung line is made of.

    `scale`: semitones above the tonic -> weight. `blue`: those of them that may stand on a strong beat over
    any chord. `pickup`: how gladly a line begins before its bar (0..1). `syncopation`: how gladly a stressed
    syllable comes an eighth early (0..1). `melisma`: share of line ends that get a second note. `contour`: lines
    rise to a peak, or begin high and fall.
    """

    mode: Mode
    keys: tuple[KeyName, ...]
    scale: Mapping[int, float]
    blue: tuple[int, ...] = ()
    pickup: float = 0.5
    syncopation: float = 0.1
    melisma: float = 0.15
    contour: Literal["arch", "fall"] = "arch"


@dataclass(frozen=True, config=_STRICT)
class Harmony:
    """Chords by Roman numerals, a line of text at a time: 'I7 | IV7 V7' is two bars.

    `verse`, `chorus`, `bridge`: templates, each a list of one pattern a line. `intro`, `ending`: alternatives.
    """

    verse: tuple[tuple[str, ...], ...]
    intro: tuple[str, ...]
    ending: tuple[str, ...]
    chorus: tuple[tuple[str, ...], ...] = ()
    bridge: tuple[tuple[str, ...], ...] = ()
    turnaround: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Part:
    """One instrument of the band.

    `instrument`: a preset of libsonare's synthesiser. `role` says how the figure's signs are read
    (see skills/studio/figures.py). `calm` and `full`: one-bar figures, several are alternated by the seed;
    for drums one figure for each piece. `level`: dB against the other parts; `pan`: -1..1; `sections`:
    where it plays, everywhere if empty.
    """

    instrument: str
    role: Literal["bass", "chords", "pad", "fills", "drums", "harmony"]
    level: float = 0.0
    pan: float = 0.0
    register: tuple[int, int] = (40, 76)
    calm: tuple[Figure, ...] = ()
    full: tuple[Figure, ...] = ()
    drums_calm: Mapping[str, Figure] = Field(default_factory=dict)
    drums_full: Mapping[str, Figure] = Field(default_factory=dict)
    sections: tuple[str, ...] = ()
    looseness: float = 0.008


@dataclass(frozen=True, config=_STRICT)
class Backing:
    """A singer beside the lead.

    `sings`: 'chorus' the lines of choruses, 'answer' lines that come back (a response, a hook at a verse's end),
    'close' the song's last line. `short`: in a short song too. `level`: dB against the lead; `pan`: -1..1.
    """

    sings: tuple[Literal["chorus", "answer", "close"], ...]
    short: bool = False
    level: float = -8.0
    pan: float = 0.0


@dataclass(frozen=True, config=_STRICT)
class Groove:
    """Tempo and feel. `tempo`: beats a minute by pace; `swing` at the slowest and at the fastest tempo."""

    tempo: Mapping[Pace, tuple[float, float]]
    pace: Pace
    swing: tuple[float, float] = (0.5, 0.5)
    intro_bars: int = 1
    ending_bars: int = 1


@dataclass(frozen=True, config=_STRICT)
class Sound:
    """The mix. Levels in dB; `room` metres of the room's longest wall; `tape` drive of the bus."""

    room: Annotated[float, Field(ge=4, le=40)] = 8.0
    room_db: float = -16.0
    plate_db: float = -14.0
    plate_seconds: float = 1.6
    delay_db: float = -22.0
    delay_beats: float = 0.75
    vocal_over_band: float = 4.0
    tape: float = 2.0
    air: float = 1.0


@dataclass(frozen=True, config=_STRICT)
class Style:
    """A kind of music: tune, harmony, groove, band and sound are separate layers (see `fuse`). `backing`: who sings
    above and below the lead; nobody, if empty."""

    name: str
    title: str
    tune: Tune
    harmony: Harmony
    groove: Groove
    parts: Mapping[str, Part]
    backing: Mapping[Side, Backing] = Field(default_factory=dict)
    sound: Sound = Field(default_factory=Sound)

    def pace(self, mood: str) -> Pace:
        """How fast this mood is sung in this style."""
        known = moods()
        return next((known[word] for word in mood.lower().split() if word in known), self.groove.pace)

    def swing_at(self, bpm: float) -> float:
        """The swing at a tempo: it evens out as the tempo rises."""
        slowest = min(low for low, _ in self.groove.tempo.values())
        fastest = max(high for _, high in self.groove.tempo.values())
        share = min(1.0, max(0.0, (bpm - slowest) / max(1.0, fastest - slowest)))
        slow, fast = self.groove.swing
        return round(slow + share * (fast - slow), 3)


_STYLE = TypeAdapter(Style)


def list_styles() -> list[str]:
    return sorted(path.stem for path in STYLES.glob("*.yaml") if not path.stem.startswith("_"))


@cache
def moods() -> dict[str, Pace]:
    """Every mood that the styles know, and how fast it goes."""
    raw: dict[Pace, str] = yaml.safe_load((STYLES / "_moods.yaml").read_text(encoding="utf-8"))
    return {mood: pace for pace, names in raw.items() for mood in names.split()}


@cache
def load_style(name: str) -> Style:
    """The style of that name, or a fusion: 'blues+electronica' has tune and chords of the first, feel of the second.

    Raises StyleError for a name that is not there and for a file with unknown or missing keys.
    """
    first, plus, second = name.strip().lower().partition("+")
    if plus:
        return fuse(load_style(first.strip()), load_style(second.strip()))
    path = STYLES / f"{first}.yaml"
    if first.startswith("_") or first not in list_styles():
        raise StyleError(f"there is no style {name!r}; there are: {', '.join(list_styles())}")
    return read_style(first, path.read_text(encoding="utf-8"))


def style_of(brief: Brief) -> Style:
    return load_style(brief.style or "blues")


def read_style(name: str, text: str) -> Style:
    """The style written in `text` (YAML). Raises StyleError, naming the key that is wrong."""
    try:
        raw: Any = yaml.safe_load(text)
        return _STYLE.validate_python({"name": name, **(raw or {})})
    except (yaml.YAMLError, TypeError) as error:
        raise StyleError(f"the style file {name}.yaml is not readable YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise StyleError(f"the style file {name}.yaml is not right: {problems}") from error


def _leaning(first: Groove, second: Groove) -> Groove:
    """The second groove, its tempo drawn a little towards the first's; at its own pace, to the first's at its own."""
    tempo: dict[Pace, tuple[float, float]] = {}
    for pace, (low, high) in second.tempo.items():
        slow, fast = first.tempo[first.pace if pace == second.pace else pace]
        tempo[pace] = (round(low + DRAWN * (slow - low)), round(high + DRAWN * (fast - high)))
    return dataclasses.replace(second, tempo=tempo)


def fuse(first: Style, second: Style) -> Style:
    """Tune, harmony and backing of `first`; groove, drums, bass and sound of `second`; the other players of both."""
    rhythm = {n: p for n, p in second.parts.items() if p.role in ("drums", "bass")}
    colours = {n: p for n, p in first.parts.items() if p.role in ("chords", "fills")}
    pads = {n: p for n, p in second.parts.items() if p.role in ("pad", "harmony")}
    return Style(
        name=f"{first.name}+{second.name}",
        title=f"{first.title} with {second.title.lower()}",
        tune=first.tune,
        harmony=first.harmony,
        groove=_leaning(first.groove, second.groove),
        parts={**rhythm, **pads, **colours},
        backing=first.backing,
        sound=second.sound,
    )
