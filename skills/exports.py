"""What a song leaves beside its clip: timed words, MusicXML, MIDI. The rest is made on demand: skills/kit.py."""

from __future__ import annotations

from pathlib import Path

from skills.files import write_text_whole, written_whole
from skills.karaoke import lrc, timed_lines
from skills.lyrics import Lyrics
from skills.studio.errors import StudioError
from voice.score import Score
from voice.take import Take

SHEETS = ("score.musicxml", "score.mid")


def write_exports(folder: Path, score: Score, lyrics: Lyrics, take: Take, artist: str) -> None:
    """Writes lyrics.lrc, score.musicxml and score.mid into the song's folder. Raises StudioError."""
    from voice.formats import write_score

    try:
        write_text_whole(folder / "lyrics.lrc", lrc(timed_lines(score, lyrics, take), score.title, artist))
        for name in SHEETS:
            with written_whole(folder / name) as path:
                write_score(score, path)
    except OSError as error:
        raise StudioError(
            f"the song's sheets could not be written to {folder}: {error.strerror or error}. Make room on the "
            "disk or choose a folder that can be written to"
        ) from error
