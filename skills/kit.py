"""Kit: what a musician takes home of a song. Every file is made from the song's folder when it is asked for."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skills.backing import backing_parts
from skills.files import write_text_whole, written_whole
from skills.karaoke import Look, ass, lrc, timed_lines
from skills.library import Library, LibraryError, Song, read_score, read_take
from skills.lyrics import Lyrics
from skills.provenance.carrying import seal_more
from skills.style import style_of
from voice.formats import write_score
from voice.score import Score
from voice.take import STUDIO_RATE, Take

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skills.studio.arrange import Arrangement


@dataclass(frozen=True)
class Desk:
    """A song opened for a musician. `name`: how its files are called."""

    folder: Path
    song: Song
    score: Score
    lyrics: Lyrics
    take: Take

    @property
    def name(self) -> str:
        return re.sub(r"[^\w]+", "-", self.song.title.lower()).strip("-") or self.song.id


Maker = Callable[[Desk, Path], list[Path]]


def open_desk(library: Library, song: str) -> Desk:
    """Raises LibraryError where the song is not there or not finished."""
    found, folder = library.read(song), library.folder(song, stems=True)
    if not found.clip:
        raise LibraryError(
            f"the song {song!r} is not finished yet; `troubadour library list` shows those that are"
        )
    return Desk(folder, found, read_score(folder), library.read_lyrics(song), read_take(folder))


def export(desk: Desk, what: list[str], out: Path) -> list[Path]:
    """Writes what is asked for (names of EXPORTS) into `out`; returns the files. Raises LibraryError, OSError."""
    unknown = [name for name in what if name not in EXPORTS]
    if unknown:
        raise LibraryError(
            f"there is no export {', '.join(map(repr, unknown))}; there are: {', '.join(EXPORTS)}"
        )
    return [path for name in what for path in EXPORTS[name](desk, out)]


def stems(desk: Desk, out: Path, ending: str = ".wav") -> list[Path]:
    """The dry stems, 24 bit, all from the same instant: bar 1 is `take.lead` seconds in."""
    import soundfile

    written = []
    for name, audio in aligned_stems(desk).items():
        path = out / "stems" / f"{name}{ending}"
        with written_whole(path) as temporary:
            soundfile.write(temporary, audio, STUDIO_RATE, subtype="PCM_24")
        written.append(path)
    seal_more(desk.folder, written)
    return written


def aligned_stems(desk: Desk) -> dict[str, NDArray[np.float64]]:
    """[samples] or [samples, 2] by part. The voice may begin before bar 1: then the band waits as long."""
    import numpy as np
    import soundfile

    found = {}
    for path in sorted((desk.folder / "stems").glob("*.wav")):
        audio = soundfile.read(path)[0]
        if path.stem != "vocal" and desk.take.lead > 0:
            silence = np.zeros((round(desk.take.lead * STUDIO_RATE), *audio.shape[1:]))
            audio = np.concatenate([silence, audio])
        found[path.stem] = audio
    return found


def arrangement_of(desk: Desk) -> Arrangement:
    """The band's notes, as they were played: the same arguments give the same notes."""
    from skills.studio import arrange

    return arrange(desk.score, style_of(desk.song.brief), desk.song.seed)


def midi(desk: Desk, out: Path) -> list[Path]:
    """A MIDI file for each part, those of voices with their words."""
    from skills.studio.parts import part_midi

    written = _sheet_of(desk.score, out / "midi" / "voice.mid")
    for part in arrangement_of(desk).parts:
        path = out / "midi" / f"{part.name}.mid"
        with written_whole(path) as temporary:
            temporary.write_bytes(part_midi(part, desk.score))
        written.append(path)
    for beside in backing_parts(desk.score, style_of(desk.song.brief), desk.song.voice):
        if (desk.folder / "stems" / f"{beside.name}.wav").is_file():
            written += _sheet_of(beside.score, out / "midi" / f"{beside.name}.mid")
    return written


def _sheet_of(score: Score, path: Path) -> list[Path]:
    with written_whole(path) as temporary:
        write_score(score, temporary)
    return [path]


def _text(path: Path, text: str) -> list[Path]:
    write_text_whole(path, text)
    return [path]


def ds(desk: Desk, out: Path) -> list[Path]:
    from voice.formats.ds import to_ds

    return _text(out / f"{desk.name}.ds", to_ds(desk.score, desk.take))


def karaoke_lrc(desk: Desk, out: Path) -> list[Path]:
    lines = timed_lines(desk.score, desk.lyrics, desk.take)
    return _text(out / f"{desk.name}.lrc", lrc(lines, desk.song.title, desk.song.credits.get("artist", "")))


def karaoke_ass(desk: Desk, out: Path) -> list[Path]:
    lines = timed_lines(desk.score, desk.lyrics, desk.take)
    return _text(out / f"{desk.name}.ass", ass(lines, desk.song.title, Look()))


def mp4(desk: Desk, out: Path) -> list[Path]:
    """Both shapes: for a feed and for a phone held upright."""
    from skills.video import SHAPES, make_video

    written = []
    for shape in SHAPES:
        path = out / f"{desk.name}-{shape}.mp4"
        make_video(desk.folder, shape, path)
        written.append(path)
    return written


def kit(desk: Desk, out: Path) -> list[Path]:
    """Everything but the videos in one zip, with a README: stems as FLAC, since they are half as large."""
    import tempfile

    path = out / f"{desk.name}-kit.zip"
    with tempfile.TemporaryDirectory() as folder, written_whole(path) as temporary:
        place = Path(folder)
        files = stems(desk, place, ".flac")
        for name in ("midi", "musicxml", "ustx", "svp", "ds", "lrc", "ass"):
            files += EXPORTS[name](desk, place)
        files += _text(place / "README.txt", readme(desk))
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in files:
                stored = zipfile.ZIP_STORED if file.suffix == ".flac" else None
                packed.write(file, f"{desk.name}/{file.relative_to(place)}", stored)
            for name in (desk.song.clip, "cover.png"):
                if (desk.folder / name).is_file():
                    packed.write(desk.folder / name, f"{desk.name}/{name}", zipfile.ZIP_STORED)
    return [path]


def readme(desk: Desk) -> str:
    """Tempo, key and credits, and what lies in the kit."""
    from voice.formats.marks import chord_name

    score, song = desk.score, desk.song
    key = f"{chord_name(score.key.tonic, '')} {score.key.mode}"
    tempo = ", ".join(f"{mark.bpm:g} bpm from bar {score.bar(mark.tick)[0]}" for mark in score.tempo)
    metre = ", ".join(f"{mark.beats}/{mark.unit} from bar {score.bar(mark.tick)[0]}" for mark in score.metre)
    swing = (
        "straight" if score.swing == 0.5 else f"swung: the first eighth takes {score.swing:.0%} of its beat"
    )
    chords = " ".join(f"{score.bar(c.tick)[0]}:{chord_name(c.root, c.quality)}" for c in score.chords)
    sections = "\n".join(
        f"  bars {score.bar(s.tick)[0]} to {score.bar(s.tick + s.ticks - 1)[0]}: {s.name}"
        for s in score.sections
    )
    credits = "\n".join(f"  {role}: {credit}" for role, credit in song.credits.items())
    return (
        f"{song.title}\n{song.credits.get('artist', '')}\n\n"
        f"This song was made by an AI. If you publish something made with it, say so.\n\n"
        f"Tempo: {tempo}\nMetre: {metre}\nKey: {key}\nEighths: {swing}\n"
        f"Length: {song.seconds or 0:.1f} s\nBar 1 begins {desk.take.lead:.3f} s into the stems and the clip.\n\n"
        f"Sections\n{sections}\n\nChords, by bar\n  {chords}\n\nCredits\n{credits}\n\n"
        "stems/*.flac  24 bit, 48 kHz, dry, all from the same instant\n"
        "midi/*.mid    a part each, notated straight: the swing is yours to set\n"
        f"{desk.name}.musicxml, .ustx (OpenUtau), .svp (Synthesizer V), .ds (DiffSinger): the sung line\n"
        f"{desk.name}.lrc, .ass: the words with their times\n\n"
        "To have an edited score sung and mixed again:\n"
        f"  troubadour library remake {song.id} --score {desk.name}.musicxml\n"
    )


def _sheet(ending: str) -> Maker:
    return lambda desk, out: _sheet_of(desk.score, out / f"{desk.name}{ending}")


EXPORTS: Mapping[str, Maker] = {
    "stems": stems,
    "midi": midi,
    "musicxml": _sheet(".musicxml"),
    "ustx": _sheet(".ustx"),
    "svp": _sheet(".svp"),
    "ds": ds,
    "lrc": karaoke_lrc,
    "ass": karaoke_ass,
    "kit": kit,
    "mp4": mp4,
}
