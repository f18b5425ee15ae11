"""A song's files, made ready for Discord. Plain functions that read the disk: to be called in a thread."""

from __future__ import annotations

import base64
import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from skills.library import Library, LibraryError

WAVEFORM = 256  # points at most
LEAST_KBITS, MOST_KBITS = 32, 192  # of a clip that must be made smaller
BLOCK = 65_536  # frames
ROOM = 16_384  # bytes of an upload that are not the file


@dataclass(frozen=True)
class Upload:
    """A file in memory: an attempt to send it can be repeated."""

    name: str
    data: bytes


def clip_within(library: Library, song: str, most: int) -> Upload | None:
    """The song's clip in at most `most` bytes: the MP3 as it is, else the smaller Ogg/Opus, else made smaller.

    None where even that would be too much."""
    found = library.read(song)
    folder, most = library.folder(song), most - ROOM
    name = file_name(found.title or song)
    for path in (library.clip(found), folder / "clip.ogg"):
        if path.is_file() and path.stat().st_size <= most:
            return Upload(name + path.suffix, path.read_bytes())
    kbits = int(most * 8 / max(found.seconds or 1.0, 1.0) / 1000 * 0.92)
    if kbits < LEAST_KBITS:
        return None
    data = _smaller(library.clip(found), min(kbits, MOST_KBITS))
    return Upload(f"{name}.mp3", data) if len(data) <= most else None


def _smaller(path: Path, kbits: int) -> bytes:
    """The same MP3 at a lower rate, its tags (which say that it is AI-made) kept."""
    import subprocess

    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-c:v", "copy",
               "-c:a", "libmp3lame", "-b:a", f"{kbits}k", "-map_metadata", "0", "-f", "mp3", "pipe:1"]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, timeout=300).stdout


def cover(library: Library, song: str) -> Upload | None:
    for name in ("cover.png", "cover.jpg", "cover.webp"):
        path = library.folder(song) / name
        if path.is_file():
            return Upload(name, path.read_bytes())
    return None


def words(library: Library, song: str) -> str:
    try:
        return library.read_lyrics(song).text.strip()
    except (OSError, LibraryError):
        return ""


def stems(library: Library, song: str, most: int) -> Upload | None:
    """All stems as one zip: lossless if that fits, else as Ogg Vorbis. None where neither fits, or none are kept."""
    import soundfile

    paths = sorted((library.folder(song, stems=True) / "stems").glob("*.wav"))
    title = file_name(library.read(song).title or song)
    for kind, subtype in (("flac", "PCM_16"), ("ogg", "VORBIS")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in paths:
                audio, rate = soundfile.read(path, dtype="float32")
                encoded = io.BytesIO()
                channels = 1 if audio.ndim == 1 else audio.shape[1]
                with soundfile.SoundFile(
                    encoded, "w", rate, channels, format=kind.upper(), subtype=subtype
                ) as out:
                    for start in range(
                        0, len(audio), BLOCK
                    ):  # libsndfile's Vorbis breaks on a long song at once
                        out.write(audio[start : start + BLOCK])
                archive.writestr(f"{title} - {path.stem}.{kind}", encoded.getvalue())
        if paths and packed.tell() <= most - ROOM:
            return Upload(f"{title} - stems.zip", packed.getvalue())
    return None


@dataclass(frozen=True)
class VoiceMessage:
    """`waveform`: base64 of at most 256 loudness values, 0..255."""

    data: bytes
    seconds: float
    waveform: str


def voice_message(library: Library, song: str) -> VoiceMessage | None:
    """The clip as Discord wants a voice message: Ogg/Opus, with its length and the picture of its loudness."""
    import numpy as np
    import soundfile

    path = library.folder(song) / "clip.ogg"
    if not path.is_file():
        return None
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    loud = np.abs(audio).max(axis=1)
    edges = np.linspace(0, len(loud), WAVEFORM + 1).astype(int)
    peaks = np.array([loud[a : max(b, a + 1)].max(initial=0.0) for a, b in itertools.pairwise(edges)])
    points = np.clip(255 * peaks / max(float(peaks.max()), 1e-6), 0, 255).astype(np.uint8)
    return VoiceMessage(path.read_bytes(), len(audio) / rate, base64.b64encode(points.tobytes()).decode())


def file_name(title: str) -> str:
    """A title as a file's name on any machine."""
    return re.sub(r"[^\w '&-]+", "", title).strip()[:60].strip() or "song"
