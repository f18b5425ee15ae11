"""A song for screens: two shapes, the waveform moves, the words fill."""

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from skills.cover import write_cover
from skills.drawing.paint import Palette
from skills.library import Library
from skills.studio.errors import StudioError
from skills.video import SHAPES, video
from tests.skills.made_song import BRIEF, made_song
from tests.skills.words_for_tunes import SNIPPET
from voice.take import STUDIO_RATE

SECONDS = 6.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = Library(tmp_path_factory.mktemp("songs"))
    folder = library.folder(made_song(library))
    noise = 0.1 * np.random.default_rng(2).standard_normal((int(SECONDS * STUDIO_RATE), 2))
    soundfile.write(folder / "clip.mp3", noise, STUDIO_RATE)
    write_cover(folder / "cover.png", BRIEF, SNIPPET, "Breaking Rust (AI)", 4, Palette.of(()))
    return folder


def frame(path: Path, seconds: float, width: int, height: int) -> np.ndarray:
    done = subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-ss", str(seconds), "-i", str(path)),
            *("-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        ],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3).astype(float)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cover_stands_the_waveform_moves_and_the_words_fill(folder: Path, shape: str) -> None:
    path = video(folder, shape)
    form = SHAPES[shape]
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], capture_output=True, check=False
    )
    told = said.stderr.decode()
    assert (
        f"{form.width}x{form.height}" in told and "aac" in told and "h264" in told and "AI-generated" in told
    )
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told).groups()  # type: ignore[union-attr]
    assert 3600 * int(hours) + 60 * int(minutes) + float(seconds) == pytest.approx(SECONDS, abs=0.25)
    early, late = (frame(path, at, form.width, form.height) for at in (3.2, 5.2))
    x, y, size = form.cover
    assert np.abs(early - late)[y : y + size, x : x + size].mean() < 3
    top, height = form.wave
    assert np.abs(early - late)[top : top + height].mean() > 6
    foot = form.height - form.words
    words = np.abs(early - late)[foot - 3 * form.letters : foot]
    assert (words.max(axis=2) > 60).sum() > 500


def test_a_video_is_made_once_and_again_after_the_clip(folder: Path) -> None:
    path = video(folder, "square")
    made = path.stat().st_mtime_ns
    assert video(folder, "square").stat().st_mtime_ns == made


def test_what_has_no_video_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="square, upright"):
        video(folder, "round")
    (tmp_path / "clip.mp3").write_bytes(b"")
    with pytest.raises(StudioError, match="not a finished song"):
        video(tmp_path, "square")
