"""Engines that sing a score, or make a whole song, chosen by name."""

from voice.engines.choose import SINGERS, SONG_MODELS, engine, engine_of, song_model
from voice.engines.protocol import EngineError, ScoreSinger, SongMix, SongModel, SongOrder

__all__ = [
    "SINGERS",
    "SONG_MODELS",
    "EngineError",
    "ScoreSinger",
    "SongMix",
    "SongModel",
    "SongOrder",
    "engine",
    "engine_of",
    "song_model",
]
