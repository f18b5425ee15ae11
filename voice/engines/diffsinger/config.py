"""What a voicebank's files say: dsconfig.yaml of each stage, phoneme and language numbers, speakers, the vocoder.

The layout is the one that OpenUtau reads: the acoustic model at the root, other stages in dsdur/, dspitch/,
dsvariance/ and dsvocoder/, each with a dsconfig.yaml (vocoder.yaml) and numbers for phonemes of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from voice.consent import Consent, ConsentError, check_consent, read_consent
from voice.engines.protocol import EngineError

CARD = "troubadour.yaml"


@dataclass(frozen=True)
class Mel:
    """How a mel spectrogram was taken. Two models fit together where all but `base` agree."""

    sample_rate: int = 44_100
    hop_size: int = 512
    win_size: int = 2048
    fft_size: int = 2048
    num_mel_bins: int = 128
    mel_fmin: float = 40.0
    mel_fmax: float = 16_000.0
    mel_base: str = "10"
    mel_scale: str = "slaney"

    @property
    def frame(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_size / self.sample_rate


@dataclass(frozen=True)
class Stage:
    """One stage's dsconfig.yaml, in `folder` of the bank at `root`. Model names are None where there is none."""

    root: Path
    folder: Path
    mel: Mel
    phonemes: str = "phonemes.txt"
    languages: str | None = None
    speakers: tuple[str, ...] = ()
    hidden_size: int = 256
    linguistic: str | None = None
    dur: str | None = None
    pitch: str | None = None
    variance: str | None = None
    acoustic: str | None = None
    vocoder: str | None = None
    use_lang_id: bool = False
    use_continuous_acceleration: bool = False
    max_depth: float | None = None

    @property
    def depth(self) -> float:
        """How deep shallow diffusion may begin, as a share of the whole."""
        whole = 1.0 if self.use_continuous_acceleration else 1000.0
        return 1.0 if self.max_depth is None else min(1.0, self.max_depth / whole)

    def path(self, name: str) -> Path:
        """A file that dsconfig.yaml names. Raises EngineError if it is missing or lies outside the bank."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise EngineError(
                f"{self.folder / 'dsconfig.yaml'} names {name}, which lies outside the voicebank"
            )
        if not path.is_file():
            raise EngineError(
                f"{self.folder / 'dsconfig.yaml'} names {name}, but there is no such file: the bank is incomplete"
            )
        return path

    def tokens(self) -> dict[str, int]:
        """The number of each phoneme, in this stage."""
        path = self.path(self.phonemes)
        if path.suffix.lower() == ".json":
            return _numbers(path)
        lines = _text(path).splitlines()
        return {line.strip(): i for i, line in enumerate(lines) if line.strip()}

    def language_numbers(self) -> dict[str, int]:
        return _numbers(self.path(self.languages)) if self.languages else {}

    def speaker(self, name: str) -> NDArray[np.float32]:
        """The embedding [hidden] of the speaker called `name` ('' is the first).

        In dsconfig.yaml its name may stand behind a folder and the stage's own name: embeds/my-model.alto.
        """
        found = [s for s in self.speakers if name in (s, Path(s).name, _short(s))] or (
            list(self.speakers) if not name or len(self.speakers) == 1 else []
        )
        if not found:
            known = ", ".join(map(_short, self.speakers))
            raise EngineError(f"{self.folder} has no speaker {name!r}: there are {known}")
        path = self.path(found[0] + ".emb")
        embedding = np.frombuffer(path.read_bytes(), "<f4")
        if len(embedding) != self.hidden_size:
            raise EngineError(
                f"{path} holds {len(embedding)} numbers, but its dsconfig.yaml says hidden_size: {self.hidden_size}"
            )
        return embedding.astype(np.float32)


@dataclass(frozen=True)
class Card:
    """What nobody but the bank's owner can say: whose voice it is, what it may be used for, how far it reaches."""

    name: str
    languages: tuple[str, ...]
    low: int
    high: int
    licence: str
    origin: str
    consent: str | tuple[Consent, ...]


def read_card(root: Path) -> Card:
    """The bank's card. Raises EngineError where it is missing, incomplete, or nobody has agreed."""
    path = root / CARD
    if not path.is_file():
        raise EngineError(
            f"{root} has no {CARD}: a voicebank is a person's voice, so write one with name, languages, low and high "
            "(MIDI numbers), licence, origin, and consent (who, what, until, uses, signed)"
        )
    raw = read_yaml(path)
    known = {field.name for field in fields(Card)}
    if wrong := sorted(known - set(raw)) or sorted(set(map(str, raw)) - known):
        verb = "leaves out" if wrong[0] in known else "has unknown fields"
        raise EngineError(f"{path} {verb}: {', '.join(wrong)}")
    try:
        consent = read_consent(raw["consent"])
        check_consent(consent)
    except ConsentError as error:
        raise EngineError(f"{path}: {error}") from error
    languages = raw["languages"]
    low, high = raw["low"], raw["high"]
    if not isinstance(languages, list) or not languages:
        raise EngineError(f"{path}: languages must be a list, such as [en]")
    if not (isinstance(low, int) and isinstance(high, int) and 0 <= low < high <= 127):
        raise EngineError(f"{path}: low and high must be MIDI numbers, low below high, not {low} and {high}")
    texts = {name: str(raw[name] or "").strip() for name in ("name", "licence", "origin")}
    if empty := [name for name, text in texts.items() if not text]:
        raise EngineError(f"{path}: {', '.join(empty)} must be stated")
    return Card(**texts, languages=tuple(map(str, languages)), low=low, high=high, consent=consent)


def read_stage(root: Path, folder: Path) -> Stage:
    """The stage in `folder`. Raises EngineError."""
    path = folder / "dsconfig.yaml"
    if not path.is_file():
        raise EngineError(f"there is no {path}: is {root} a DiffSinger voicebank for OpenUtau?")
    raw = read_yaml(path)
    values: dict[str, Any] = {}
    for field in fields(Stage):
        if field.default is not MISSING and raw.get(field.name) is not None:
            values[field.name] = _typed(path, field.name, field.default, raw[field.name])
    return Stage(root, folder, read_mel(path, raw), **values)


def read_mel(path: Path, raw: Mapping[str, Any]) -> Mel:
    values: dict[str, Any] = {
        field.name: _typed(path, field.name, field.default, raw[field.name])
        for field in fields(Mel)
        if raw.get(field.name) is not None
    }
    mel = Mel(**values)
    if mel.mel_base not in ("10", "e"):
        raise EngineError(f"{path}: mel_base is 10 or e, not {mel.mel_base}")
    if mel.sample_rate <= 0 or mel.hop_size <= 0:
        raise EngineError(f"{path}: sample_rate and hop_size must be above 0")
    return mel


def read_yaml(path: Path, plain: bool = False) -> dict[str, Any]:
    """A mapping. `plain`: every value stays a text ('no' and 'on' are words). Raises EngineError."""
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    base = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        raw = yaml.load(_text(path), Loader=base if plain else safe)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise EngineError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise EngineError(f"{path} holds no settings")
    return raw


def _short(speaker: str) -> str:
    return Path(speaker).name.rsplit(".", 1)[-1]


def _typed(path: Path, name: str, default: object, value: object) -> object:
    """`value` as what the field holds."""
    readers: dict[type, Callable[[Any], object]] = {
        bool: bool,
        int: int,
        float: float,
        str: str,
        tuple: tuple,
    }
    kind = float if name == "max_depth" else str if default is None else type(default)
    if kind is tuple and isinstance(value, list):
        return tuple(map(str, value))
    try:
        read = readers[kind](value)
    except (TypeError, ValueError):
        read = None
    if read is None or kind is tuple or (isinstance(read, float) and not math.isfinite(read)):
        raise EngineError(f"{path}: {name} cannot be {value!r}")
    return read


def _numbers(path: Path) -> dict[str, int]:
    try:
        raw = json.loads(_text(path))
        return {str(name): int(number) for name, number in raw.items()}
    except (json.JSONDecodeError, AttributeError, TypeError, ValueError) as error:
        raise EngineError(f"{path} is not a table of names and numbers: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"{path} cannot be read: {error}") from error
