"""Encode: a master becomes clip.mp3 and clip.ogg, checked after decoding with ffmpeg's own meter."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skills.files import written_whole
from skills.studio.errors import StudioError
from skills.studio.tone import Audio
from voice.take import STUDIO_RATE

PEAK = -1.0  # dBTP that the decoded clip keeps to
ROUNDS = 3
COVER = 640  # pixels of the picture in an MP3's tags
OPUS_HEAD = 47  # bytes of an Ogg Opus file's first page: Ogg's 28, then OpusHead with its gain at 44
CODECS: Mapping[str, Mapping[str, str]] = {
    ".mp3": {"format": "mp3", "acodec": "libmp3lame", "audio_bitrate": "320k", "id3v2_version": "3"},
    ".ogg": {"format": "ogg", "acodec": "libopus", "audio_bitrate": "160k"},
}


@dataclass(frozen=True)
class Clip:
    """The encoded song. `lufs` and `true_peak_db` are those of the decoded MP3, by ffmpeg's ebur128 meter."""

    mp3: Path
    ogg: Path
    seconds: float
    lufs: float
    true_peak_db: float


def encode(
    master: Audio, folder: Path, title: str, artist: str, comment: str, cover: Path | None = None
) -> Clip:
    """Writes a master ([2, samples]) as clip.mp3 and clip.ogg into `folder`, each whole or not at all.

    `cover`: a picture for the MP3's tags.
    Coding moves peaks: a file whose decoded peak is too high is written again a little softer, or played softer.
    Raises StudioError where the folder or the disk refuses.
    """
    tags = {"title": title, "artist": artist, "comment": comment}
    try:
        with ThreadPoolExecutor(2) as coders:
            second = coders.submit(_coded, master, folder / "clip.ogg", tags)
            mp3, found = _coded(master, folder / "clip.mp3", tags, cover)
            ogg, _ = second.result()
    except OSError as error:
        raise StudioError(
            f"the clip could not be written to {folder}: {error.strerror or error}. Make room on the disk or "
            "choose a folder that can be written to"
        ) from error
    return Clip(mp3, ogg, master.shape[1] / STUDIO_RATE, found.lufs, found.true_peak_db)


def _coded(
    audio: Audio, path: Path, tags: Mapping[str, str], cover: Path | None = None
) -> tuple[Path, Meter]:
    with written_whole(path) as temporary:
        for _ in range(ROUNDS):
            write_coded(audio, temporary, path.suffix, tags, cover)
            found = meter(temporary)
            over = found.true_peak_db - PEAK
            if over <= 0:
                break
            if path.suffix == ".ogg":  # nearly every master: Opus adds a decibel
                turn_down(temporary, over + 0.05)
                break
            audio = audio * np.float32(10 ** (-(over + 0.05) / 20))
        else:
            raise StudioError(
                f"{path.name} peaks at {found.true_peak_db:.1f} dBTP after coding, above {PEAK:g}"
            )
    return path, found


def turn_down(path: Path, decibels: float) -> None:
    """Makes an Ogg Opus file softer as players play it: by the gain in its head (RFC 7845, 5.1), not coded again."""
    with path.open("r+b") as file:
        page = bytearray(file.read(OPUS_HEAD))
        gain = int.from_bytes(page[44:46], "little", signed=True) - round(decibels * 256)
        page[44:46] = gain.to_bytes(2, "little", signed=True)
        page[22:26] = bytes(4)
        page[22:26] = _ogg_checksum(page).to_bytes(4, "little")
        file.seek(0)
        file.write(page)


def _ogg_checksum(page: bytes | bytearray) -> int:
    """CRC-32 as Ogg has it (RFC 3533, 6): neither reflected nor inverted. Its own field counts as 0."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def write_coded(
    audio: Audio, path: Path, suffix: str, tags: Mapping[str, str], cover: Path | None = None
) -> None:
    """One file with its tags. Raises StudioError, and OSError for a full disk."""
    import ffmpeg
    import imageio_ffmpeg

    meta = {f"metadata:g:{i}": f"{key}={value}" for i, (key, value) in enumerate(tags.items())}
    streams = [ffmpeg.input("pipe:", format="f32le", ac=2, ar=STUDIO_RATE)]
    if cover is not None:
        streams.append(ffmpeg.input(str(cover)).filter("scale", COVER, COVER))
        meta |= {
            "metadata:s:v:0": "comment=Cover (front)",
            "vcodec": "mjpeg",
            "q:v": "4",
            "disposition:v:0": "attached_pic",
        }
    stream = ffmpeg.output(*streams, str(path), ar=STUDIO_RATE, **CODECS[suffix], **meta)
    try:
        ffmpeg.run(
            stream,
            cmd=imageio_ffmpeg.get_ffmpeg_exe(),
            input=np.ascontiguousarray(audio.T).astype("<f4").tobytes(),
            capture_stdout=True,
            capture_stderr=True,
            overwrite_output=True,
        )
    except ffmpeg.Error as error:
        said = error.stderr.decode("utf-8", "replace")
        if "No space left" in said:
            raise OSError(28, "no space left on the disk") from error
        raise StudioError(f"ffmpeg could not write {path.suffix[1:]}: {_last_line(said)}") from error


@dataclass(frozen=True)
class Meter:
    """What ffmpeg's ebur128 filter says of a file: LUFS, dBTP, LU."""

    lufs: float
    true_peak_db: float
    loudness_range: float


def meter(path: Path) -> Meter:
    """Raises StudioError for a file that cannot be read."""
    import imageio_ffmpeg

    done = subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostats", "-hide_banner", "-i", str(path)),
            *("-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"),
        ],
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace")
    loudness = re.findall(r"I:\s+(-?[\d.]+|-?inf) LUFS", said)
    peak = re.findall(r"Peak:\s+(-?[\d.]+|-?inf) dBFS", said)
    between = re.findall(r"LRA:\s+(-?[\d.]+) LU", said)
    if done.returncode or not loudness or not peak or not between:
        raise StudioError(f"ffmpeg could not measure {path.name}: {_last_line(said)}")
    return Meter(float(loudness[-1]), float(peak[-1]), float(between[-1]))


def decoded(path: Path) -> Audio:
    """[2, samples] at 48 kHz of a coded file. Raises StudioError."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "2"]
    done = subprocess.run([*command, "-ar", str(STUDIO_RATE), "-"], capture_output=True, check=False)
    if done.returncode:
        raise StudioError(f"ffmpeg could not read {path.name}: {_last_line(done.stderr.decode())}")
    return np.frombuffer(done.stdout, "<f4").reshape(-1, 2).T


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it was stopped"])[-1]
