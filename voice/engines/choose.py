"""Choosing an engine by name. What an engine needs is imported only once it is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voice.engines.protocol import EngineError, ScoreSinger, SongModel

if TYPE_CHECKING:
    from pydantic import SecretStr

SINGERS = ("troubadour", "diffsinger", "hum")
SONG_MODELS = ("ace-step",)


def engine(
    name: str,
    voice: str | Path,
    *,
    cache: Path,
    threads: int = 2,
    weights: str = "wheels",
    speaker: str = "",
    vocoders: Path | None = None,
) -> ScoreSinger:
    """The score singer called `name`, with `voice` loaded. Raises VoiceError (EngineError), WeightsError.

    troubadour: a shipped voice's name or a voice file; `cache` and `weights` as voice.weights has them.
    diffsinger: a voicebank's folder; `speaker` is one of its own, `vocoders` a folder of named vocoders.
    hum: no words and no network; `voice` is "hum".
    """
    if name == "troubadour":
        from voice.engines.own import OwnSinger

        return OwnSinger.load(voice, cache, threads, weights)
    if name == "diffsinger":
        from voice.engines.diffsinger.singer import DiffSinger

        return DiffSinger.load(Path(voice), threads, speaker=speaker, vocoders=vocoders)
    if name == "hum":
        from voice.engines.hum import Hummer

        return Hummer()
    what = ", it makes whole songs (song_model)" if name in SONG_MODELS else ""
    raise EngineError(f"no engine called {name!r} sings scores{what}: there are {', '.join(SINGERS)}")


def song_model(name: str, address: str, key: SecretStr | str = "") -> SongModel:
    """The song model called `name`, at the server `address`. Raises EngineError."""
    if name == "ace-step":
        from voice.engines.ace_step import AceStep

        return AceStep(address, key)
    what = ", it sings scores (engine)" if name in SINGERS else ""
    raise EngineError(f"no song model is called {name!r}{what}: there are {', '.join(SONG_MODELS)}")


def engine_of(voice: str | Path) -> str:
    """Which engine a voice is for: a folder that holds a dsconfig.yaml is a DiffSinger voicebank; "hum" hums."""
    if str(voice) == "hum":
        return "hum"
    return "diffsinger" if (Path(voice) / "dsconfig.yaml").is_file() else "troubadour"
