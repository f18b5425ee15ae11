"""What a place can have of a song: a view of the song's folder by kind, from which each place takes what it wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skills.library import Library, Song
from skills.post import PostError

FILES = {
    "mp3": ("clip.mp3",),
    "mp4": ("clip-square.mp4",),
    "cover": ("cover.png", "cover.jpg", "cover.webp"),
}
MIME = {
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}


@dataclass(frozen=True)
class Media:
    """A song's files. `words`: its lyrics, for people who cannot hear it."""

    song: Song
    folder: Path
    words: str

    @staticmethod
    def of(clip: Path) -> Media:
        """The media of the song that a clip belongs to. Raises LibraryError where that is no song's folder."""
        library = Library(clip.parent.parent)
        song = library.read(clip.parent.name)
        try:
            words = library.read_lyrics(song.id).text.strip()
        except (OSError, ValueError, KeyError):
            words = ""
        return Media(song, clip.parent, words)

    def find(self, kind: str, most: int) -> Path | None:
        """The file of a kind ('mp3', 'mp4', 'cover') in at most `most` bytes."""
        paths = (self.folder / name for name in FILES[kind])
        return next((path for path in paths if path.is_file() and path.stat().st_size <= most), None)

    def need(self, kind: str, most: int) -> Path:
        """A video is made when it is first needed. Raises PostError that names what is missing."""
        if kind == "mp4":
            self._film()
        found = self.find(kind, most)
        if found is None:
            raise PostError(
                f"the song {self.song.id} has no {FILES[kind][0]} of at most {most / 1e6:.0f} MB, "
                "which the place wants"
            )
        return found

    def _film(self) -> None:
        from skills.studio.errors import StudioError
        from skills.video import video

        try:
            video(self.folder, "square")
        except StudioError as error:
            raise PostError(str(error)) from None

    def alt(self, most: int) -> str:
        """What one would hear, in words: what it is, then the lyrics as far as they fit."""
        head = f'"{self.song.title}", a song of {self.song.seconds or 0:.0f} seconds, sung by an AI voice.'
        rest = f" Lyrics:\n{self.words}" if self.words else ""
        whole = head + rest
        if len(whole) <= most:
            return whole
        return whole[: most - 1].rsplit("\n" if "\n" in whole[: most - 1] else " ", 1)[0] + "…"


def mime(path: Path) -> str:
    return MIME[path.suffix]
