"""Voices: small files, each a style of 256 numbers, a range, habits of expression, a licence and an origin."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from voice.consent import Consent, ConsentError, check_consent, read_consent
from voice.expression import Expression, ExpressionError

STYLE = 256  # numbers of a style: half for the decoder, half for prosody


class VoiceError(ValueError):
    """A voice that cannot be used; the message says which file and what to do."""


@dataclass(frozen=True)
class Range:
    """MIDI numbers, from `low` to `high`."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 127:
            raise VoiceError(
                f"a range goes from a low to a higher MIDI number, not {self.low} to {self.high}"
            )


@dataclass(frozen=True)
class Voice:
    """`comfortable` is where every word stays clear; `extreme` what can be reached. `chest` is the highest note that
    the network sings itself: higher ones are sung there and moved up. `origin` names the styles that it was blended
    from; `consent` says that it is synthetic, or holds the record of everyone whose voice it is. `trained` says when
    and how far a voice was learned from recordings, `updates` is the file of what it learned beyond its style."""

    name: str
    description: str
    style: tuple[float, ...]
    comfortable: Range
    extreme: Range
    expression: Expression
    licence: str
    origin: str
    consent: str | tuple[Consent, ...]
    chest: int = 62
    trained: str = ""
    updates: str = ""
    file: str = field(default="", compare=False)  # that it was loaded from, '' for a shipped one

    def __post_init__(self) -> None:
        if len(self.style) != STYLE or not all(math.isfinite(x) for x in self.style):
            raise VoiceError(f"voice {self.name}: a style has {STYLE} finite numbers")
        if not (self.licence and self.origin and self.consent):
            raise VoiceError(f"voice {self.name}: licence, origin and consent must be stated")
        try:
            check_consent(self.consent)
        except ConsentError as error:
            raise VoiceError(f"voice {self.name}: {error}") from error
        if (self.trained or self.updates) and isinstance(self.consent, str):
            raise VoiceError(
                f"voice {self.name}: it was learned from recordings, so its consent must be the signed record of "
                "each person who sings in them"
            )
        inner, outer = self.comfortable, self.extreme
        if inner.low < outer.low or inner.high > outer.high:
            raise VoiceError(f"voice {self.name}: the comfortable range lies within the extreme one")

    def check_now(self) -> None:
        """Raises VoiceError where it may sing no longer: a consent ended, or was taken back in its file meanwhile."""
        if self.file:
            load_voice(Path(self.file))
        try:
            check_consent(self.consent)
        except ConsentError as error:
            raise VoiceError(f"voice {self.name}: {error}") from error

    def to_json(self) -> str:
        raw = asdict(self)
        del raw["file"]
        raw["expression"] = self.expression.knobs()
        raw["style"] = [round(x, 5) for x in self.style]
        raw["updates"] = Path(self.updates).name
        for name in ("trained", "updates"):
            if not raw[name]:
                del raw[name]
        text = json.dumps(raw, ensure_ascii=False, indent=1)
        return re.sub(r"\n {2}(-?[\d.e-]+,?)", r" \1", text) + "\n"  # the style's numbers on one line

    @staticmethod
    def from_mapping(raw: Mapping[str, Any]) -> Voice:
        """Raises VoiceError."""
        try:
            return Voice(
                **{
                    **raw,
                    "style": tuple(float(x) for x in raw["style"]),
                    "comfortable": Range(**raw["comfortable"]),
                    "extreme": Range(**raw["extreme"]),
                    "expression": Expression.of(raw["expression"]),
                    "consent": read_consent(raw["consent"]),
                }
            )
        except (TypeError, KeyError, ValueError) as error:
            if isinstance(error, VoiceError):
                raise
            what = (
                str(error)
                if isinstance(error, ExpressionError | ConsentError)
                else f"a field is missing or wrong ({error})"
            )
            raise VoiceError(f"voice {raw.get('name', '?')}: {what}") from error


def shipped() -> list[str]:
    """Names of the voices that come with the program."""
    folder = resources.files("voice").joinpath("voices")
    return sorted(p.name.removesuffix(".json") for p in folder.iterdir() if p.name.endswith(".json"))


def load_voice(voice: str | Path) -> Voice:
    """A shipped voice by name, or a voice file by path. Raises VoiceError."""
    if isinstance(voice, str) and voice in shipped():
        text = resources.files("voice").joinpath("voices", f"{voice}.json").read_text("utf-8")
        return Voice.from_mapping(json.loads(text))
    path = Path(voice)
    if not path.is_file():
        raise VoiceError(
            f"there is no voice {str(voice)!r}: use one of {', '.join(shipped())}, or a voice file"
        )
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise VoiceError(f"{path} is not a voice file: {error}") from error
    if not isinstance(raw, dict):
        raise VoiceError(f"{path} is not a voice file")
    return replace(_with_companion(Voice.from_mapping(raw), path.parent), file=str(path.absolute()))


def _with_companion(voice: Voice, folder: Path) -> Voice:
    """The updates of a voice lie beside its file, under a plain name."""
    if not voice.updates:
        return voice
    companion = folder / voice.updates
    if companion.name != voice.updates or not companion.is_file():
        raise VoiceError(
            f"voice {voice.name}: {voice.updates} does not lie beside its file: the two belong together"
        )
    return replace(voice, updates=str(companion))
