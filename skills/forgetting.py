"""What the library forgets of a song: whom it was for, what it was about, who asked."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

from skills.brief import Brief
from skills.files import write_text_whole
from skills.library import Library, LibraryError, Song
from skills.provenance.ledger import NAME as LEDGER
from skills.provenance.payload import song_number

UNTITLED = "Untitled"
BUILDING = ".sound-"  # a folder that is being made; one that a kill left is swept with the next forgetting


def keep_only_the_sound(library: Library, song: str) -> str:
    """Leaves of a song its clip under an id that says nothing, and returns that id; '' where there was no clip.

    Title, words, score, stems, picture, brief and dedication go: they all may say what the fan said. The id keeps the
    ending by which the clip's watermark finds it. A name that is sung can still be heard: who minds that has the
    clip deleted as well.
    """
    for torn in library.root.glob(f"{BUILDING}*"):
        shutil.rmtree(torn, ignore_errors=True)
    try:
        before = library.read(song)
        there = bool(before.clip) and library.clip(before).is_file()
    except LibraryError:
        there = False
    if not there:
        library.delete(song)
        return ""
    kept = f"song-{song_number(song):010x}"
    made = _sound_of(library, before, kept)
    library.delete(song)
    with library.held(kept) as empty:
        made.rename(empty)
    return kept


def _sound_of(library: Library, song: Song, kept: str) -> Path:
    """A new folder with the clip, its chained ledger without anybody's words, and a song.json that names nobody."""
    from skills.song import label

    folder, made = library.folder(song.id), Path(tempfile.mkdtemp(prefix=BUILDING, dir=library.root))
    artist = song.credits.get("artist", "")
    for clip in sorted(folder.glob("clip.*")):
        if clip.suffix in (".mp3", ".ogg"):
            _copy_the_sound(clip, made / clip.name, artist, label(artist, folder))
    if (folder / LEDGER).is_file():
        shutil.copyfile(folder / LEDGER, made / LEDGER)
    plain = dataclasses.replace(
        song, id=kept, brief=Brief(""), seed=0, title=UNTITLED, adjusted=(), credits={"artist": artist}
    )
    write_text_whole(made / "song.json", json.dumps(dataclasses.asdict(plain), indent=1) + "\n")
    made.chmod(0o755)
    return made


def _copy_the_sound(clip: Path, to: Path, artist: str, says: str) -> None:
    """The coded sound as it is, with no tag but the artist's name and that an AI made it."""
    import ffmpeg
    import imageio_ffmpeg

    tags = {"metadata:g:0": f"artist={artist}", "metadata:g:1": f"comment={says}"}
    stream = ffmpeg.output(ffmpeg.input(str(clip))["a"], str(to), acodec="copy", map_metadata=-1, **tags)
    ffmpeg.run(stream, cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True, overwrite_output=True)
