"""Video: a song for screens, with its cover, its waveform running by and its words filling as they are sung.

Made on demand. Everything that moves is moved by ffmpeg: the waveform is one long picture that scrolls past the
middle, the words are ASS subtitles drawn by libass with the font that lies in this repository.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skills.drawing.letters import FONT_NAME, FONTS
from skills.drawing.paint import Colour, colours, hexed, luminance, mix
from skills.files import written_whole
from skills.karaoke import Look, ass, timed_lines
from skills.library import lyrics_from_json
from skills.provenance.carrying import seal_more
from skills.studio.errors import StudioError
from voice.score import Score
from voice.take import Take

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES = 25  # a second
SPEED = 150  # pixels a second that the waveform moves
BAR, GAP = 6, 4  # pixels of a bar of the waveform, and between two


@dataclass(frozen=True)
class Shape:
    """A picture of `width` x `height`: the cover stands at `cover` (x, y, size), waveform and words below it."""

    width: int
    height: int
    cover: tuple[int, int, int]
    wave: tuple[int, int]  # top and height
    words: int  # pixels from the foot to the words
    letters: int


SHAPES: Mapping[str, Shape] = {
    "square": Shape(1080, 1080, (170, 50, 740), (812, 100), 56, 54),
    "upright": Shape(
        1080, 1920, (90, 200, 900), (1190, 150), 330, 72
    ),  # 9:16; the foot is left to a phone's buttons
}


def video(song_folder: Path, shape: str = "square") -> Path:
    """The song's MP4 in its folder, made if it is not there yet or older than the clip. Raises StudioError."""
    path = song_folder / f"clip-{shape}.mp4"
    clip = song_folder / "clip.mp3"
    if not path.is_file() or path.stat().st_mtime < clip.stat().st_mtime:
        make_video(song_folder, shape, path)
    return path


def make_video(song_folder: Path, shape: str, path: Path) -> None:
    """Draws the song into `path`. Raises StudioError where the song is not whole or ffmpeg fails."""
    from PIL import Image

    if shape not in SHAPES:
        raise StudioError(f"there is no shape {shape!r}; there are: {', '.join(SHAPES)}")
    form = SHAPES[shape]
    try:
        cover = Image.open(song_folder / "cover.png").convert("RGB")
        score = Score.from_json((song_folder / "score.json").read_text("utf-8"))
        lyrics = lyrics_from_json((song_folder / "lyrics.json").read_text("utf-8"))
        take = Take.from_timings_json((song_folder / "take.json").read_text("utf-8"))
        told = json.loads((song_folder / "song.json").read_text("utf-8"))
        clip = song_folder / (told["clip"] or "clip.mp3")
        levels = _levels(clip)
    except (OSError, ValueError, KeyError) as error:
        raise StudioError(
            f"{song_folder.name} has no video yet: it is not a finished song ({error})"
        ) from error
    behind, light, fire = _colours(cover)
    look = Look(
        form.width, form.height, FONT_NAME, form.letters, form.words, hexed(fire), hexed(light), hexed(behind)
    )
    with tempfile.TemporaryDirectory() as place, written_whole(path) as temporary:
        folder = Path(place)
        _stand(cover, form, behind).save(folder / "stand.png")
        for name, colour in (("played", fire), ("coming", mix(behind, light, 0.45))):
            _waveform(levels, form, colour, behind).save(folder / f"{name}.png")
        (folder / "words.ass").write_text(ass(timed_lines(score, lyrics, take), lyrics.title, look), "utf-8")
        _render(clip, folder, form, len(levels) * (BAR + GAP) / SPEED, temporary, told)
    seal_more(song_folder, [path])


def _levels(clip: Path) -> list[float]:
    """Loudness of the clip from 0 to 1, one value for each bar of the waveform."""
    import soundfile

    audio, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    step = rate * (BAR + GAP) / SPEED
    edges = np.minimum(np.arange(int(len(audio) / step) + 2) * step, len(audio)).astype(int)
    mono = np.abs(audio).max(axis=1)
    peaks = [float(np.sqrt(np.mean(mono[a:b] ** 2))) if b > a else 0.0 for a, b in itertools.pairwise(edges)]
    most = max([*peaks, 1e-6])
    return [(peak / most) ** 0.8 for peak in peaks]


def _colours(cover: Image) -> tuple[Colour, Colour, Colour]:
    """(behind everything, words, what burns) from the cover itself, so that every persona's video is its own."""
    found = sorted(colours(cover.resize((64, 64)).quantize(12)), key=luminance)
    behind = mix(found[0], (0, 0, 0), 0.35)
    light = mix(found[-1], (255, 255, 255), 0.35)
    bright = [colour for colour in found if luminance(colour) > 0.08] or [light]
    fire = max(bright, key=lambda colour: max(colour) - min(colour))
    while luminance(fire) < 0.22:
        fire = mix(fire, light, 0.25)
    return behind, light, fire


def _stand(cover: Image, form: Shape, behind: Colour) -> Image:
    """What stands still: the cover, over itself out of focus."""
    from PIL import Image as Images
    from PIL import ImageFilter

    long = max(form.width, form.height)
    blurred = cover.resize((96, 96)).filter(ImageFilter.GaussianBlur(8)).resize((long, long))
    left, top = (long - form.width) // 2, (long - form.height) // 2
    stand = blurred.crop((left, top, left + form.width, top + form.height))
    stand = Images.blend(stand, Images.new("RGB", stand.size, behind), 0.78)
    x, y, size = form.cover
    stand.paste(cover.resize((size, size), Images.Resampling.LANCZOS), (x, y))
    return stand


def _waveform(levels: list[float], form: Shape, colour: Colour, behind: Colour) -> Image:
    """The whole song's waveform, half a picture's width of silence before and after it; see-through around it."""
    from PIL import Image as Images
    from PIL import ImageDraw

    _, height = form.wave
    wave = Images.new("RGBA", (len(levels) * (BAR + GAP) + form.width, height), (*behind, 0))
    draw = ImageDraw.Draw(wave)
    for i, level in enumerate(levels):
        x, half = form.width // 2 + i * (BAR + GAP), max(BAR / 2, level * height / 2)
        box = (x, height / 2 - half, x + BAR - 1, height / 2 + half)
        draw.rounded_rectangle(box, radius=BAR / 2, fill=(*colour, 255))
    return wave


def _render(
    clip: Path, folder: Path, form: Shape, seconds: float, out: Path, told: dict[str, object]
) -> None:
    import imageio_ffmpeg

    top, height = form.wave
    half = form.width // 2
    once = "loop=loop=-1:size=1"  # each picture is read and converted once, then repeated
    graph = (
        f"[1:v]format=yuv420p,{once}[stand];"
        f"[2:v]format=yuva420p,{once},crop={half}:{height}:x='t*{SPEED}':y=0[left];"  # played: left of the middle
        f"[3:v]format=yuva420p,{once},crop={half}:{height}:x='{half}+t*{SPEED}':y=0[right];"
        f"[stand][left]overlay=0:{top}[a];[a][right]overlay={half}:{top}[b];"
        f"[b]ass=words.ass:fontsdir='{FONTS}'[out]"
    )
    pictures = [
        part
        for name in ("stand", "played", "coming")
        for part in ("-framerate", str(FRAMES), "-i", f"{name}.png")
    ]
    credits = told.get("credits")
    artist = credits.get("artist", "") if isinstance(credits, dict) else ""
    done = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error", "-i", str(clip.absolute()),
            *pictures, "-filter_complex", graph, "-map", "[out]", "-map", "0:a:0", "-t", f"{seconds:.3f}",
            "-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-crf", "21", "-threads", "2",
            "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart",
            "-metadata", f"title={told.get('title', '')}", "-metadata", f"artist={artist}",
            "-metadata", "comment=AI-generated", str(out.absolute()),
        ],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it was stopped"]
        raise StudioError(f"ffmpeg could not make the video: {said[-1]}")
