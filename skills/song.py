"""From a brief to a clip, a step at a time. Each step reads what lies in the song's folder and adds to it.

The steps are plain functions of (studio, id, progress): `make_song` runs them in this process, and the worker runs
the same ones as steps of a durable workflow. A step that was cut off can run again: it writes its files whole.
"""

from __future__ import annotations

import contextvars
import ctypes
import dataclasses
import functools
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from skills.backing import STEM, backing_parts, stem_of
from skills.brief import Brief
from skills.files import write_text_whole, written_whole
from skills.library import Library, Song, read_score, read_take, song_id
from skills.originality.check import check_melody, check_words, findings
from skills.provenance import ledger, models
from skills.provenance.carrying import marked, note_order, seal
from skills.provenance.credits import contribution
from skills.reuse import take_over
from skills.style import style_of
from voice.take import STUDIO_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skills.provenance.operator import Operator
    from skills.words import Author
    from voice.engines.protocol import ScoreSinger
    from voice.expression import Expression

Progress = Callable[[str, float], None]  # (step, 0..1)
NEEDS = {  # by step, the steps that must be done before it; singing and the band go side by side
    "lyrics": (),
    "score": ("lyrics",),
    "sing": ("lyrics", "score"),
    "band": ("lyrics", "score"),
    "mix": ("lyrics", "score", "sing", "band"),
}
STEPS = tuple(NEEDS)
WRITINGS = 3  # how often words and tune are written at most, where they come too near to something known
ANOTHER = 7919  # from one writing's seed to the next


@dataclass(frozen=True)
class Studio:
    """What making a song needs. Author and singer are loaded when they are first asked for.

    `reach()`: the singer's comfortable range, as MIDI numbers. `used(song)`: lines that this song must not sing again
    (those of other songs). `palette`: the persona's colours, '#rrggbb' (see skills/drawing/paint.py).
    `backing(voice)`: a singer beside the lead; None where nobody can. `operator()`: whose certificate signs the clips.
    `writer`: the language model behind `author`, '' for none.
    """

    library: Library
    author: Callable[[], Author]
    singer: Callable[[], ScoreSinger]
    voice: str
    artist: str
    used: Callable[[str], Collection[str]]
    reach: Callable[[], tuple[int, int]]
    operator: Callable[[], Operator]
    backing: Callable[[str], ScoreSinger] | None = None
    writer: str = ""
    palette: tuple[str, ...] = ()


Work = Callable[[Studio, str, Progress], None]
Step = Callable[[Studio, str, Progress], float]


def nothing(step: str, fraction: float) -> None:
    """Progress that nobody watches."""


def step(name: str) -> Callable[[Work], Step]:
    """A step announces its beginning and end, and returns the seconds that it took."""

    def wrap(work: Work) -> Step:
        @functools.wraps(work)
        def timed(studio: Studio, song: str, progress: Progress) -> float:
            began = time.perf_counter()
            progress(name, 0.0)
            with studio.library.held(song):
                work(studio, song, progress)
            progress(name, 1.0)
            return round(time.perf_counter() - began, 3)

        return timed

    return wrap


def make_song(studio: Studio, brief: Brief, seed: int, progress: Progress = nothing) -> Song:
    """Makes the whole song in this process and returns what song.json says of it."""
    song = song_id(brief, seed)
    begin(studio.library, brief, seed, song)
    return run_steps(studio, song, progress)


def begin(library: Library, brief: Brief, seed: int, song: str, fan: str = "") -> None:
    """Opens a song, and its ledger with whose wish it was."""
    library.open(brief, seed, song)
    with library.held(song) as folder:
        note_order(folder, brief, seed, fan)


def run_steps(studio: Studio, song: str, progress: Progress = nothing) -> Song:
    """Makes a song that the library has opened."""
    timings = {
        "lyrics": write_words(studio, song, progress),
        "score": compose_score(studio, song, progress),
    }
    with ThreadPoolExecutor(2) as side_by_side:
        singing = side_by_side.submit(sing_score, studio, song, progress)
        playing = side_by_side.submit(play_band, studio, song, progress)
        timings |= {"sing": singing.result(), "band": playing.result()}
    timings["mix"] = mix_clip(studio, song, progress)
    return finish(studio, song, timings)


@step("lyrics")
def write_words(studio: Studio, song: str, progress: Progress) -> None:
    """brief -> lyrics.json"""
    from skills.words import write_lyrics

    now, library = studio.library.read(song), studio.library
    if library.take_given(song, "lyrics.json"):
        check_words(library, song, library.read_lyrics(song), writings=0)
        return
    for again in range(WRITINGS):
        lyrics = write_lyrics(now.brief, now.seed + again * ANOTHER, studio.author(), studio.used(song))
        if not check_words(library, song, lyrics, again + 1).too_near or now.brief.words:
            break
    library.write_lyrics(song, lyrics)
    if not now.brief.words:
        _note(studio, song, "wrote", models.author(studio.writer))


@step("score")
def compose_score(studio: Studio, song: str, progress: Progress) -> None:
    """lyrics.json -> score.json"""
    from skills.tune import compose

    if studio.library.take_given(song, "score.json"):
        check_melody(studio.library, song, read_score(studio.library.folder(song)), writings=0)
        return
    now, lyrics = studio.library.read(song), studio.library.read_lyrics(song)
    for again in range(WRITINGS):
        seed = now.seed + again * ANOTHER
        score = compose(lyrics, now.brief, style_of(now.brief), seed, *studio.reach())
        score = score.transposed(now.brief.shift)
        if not check_melody(studio.library, song, score, again + 1).too_near:
            break
    write_text_whole(studio.library.folder(song) / "score.json", score.to_json())
    _note(studio, song, "composed", models.composer())


@step("sing")
def sing_score(studio: Studio, song: str, progress: Progress) -> None:
    """score.json -> stems/vocal.wav, take.json, stems/backing-*.wav"""
    folder, now = studio.library.folder(song), studio.library.read(song)
    score = read_score(folder)
    parts = backing_parts(score, style_of(now.brief), studio.voice) if studio.backing else []
    notes = [len(score.notes), *(len(part.sung.notes) for part in parts)]
    done = [0.0] * len(notes)

    def told(i: int, share: float) -> None:
        done[i] = share
        progress("sing", sum(n * share for n, share in zip(notes, done, strict=True)) / sum(notes))

    def lead(singer: ScoreSinger) -> None:
        take = singer.sing(score, expression_of(now, singer), now.sung_with, functools.partial(told, 0))
        _write_stem(folder, "vocal", take.studio_audio())
        write_text_whole(folder / "take.json", take.timings_json())
        _note(studio, song, "sang", models.singer(singer), voice=studio.voice)

    def backing(i: int, singer: ScoreSinger) -> None:
        take = singer.sing(parts[i].sung, None, now.sung_with, functools.partial(told, i + 1))
        _write_stem(folder, parts[i].name, stem_of(parts[i], take))

    work: list[Callable[[], None]] = []
    singers: list[ScoreSinger] = []
    if take_over(studio.library, song, "sing"):
        done[0] = 1.0
    else:
        work.append(functools.partial(lead, studio.singer()))
    if studio.backing and parts and not take_over(studio.library, song, "backing"):
        singers = [studio.backing(part.voice) for part in parts]
        work += [functools.partial(backing, i, singer) for i, singer in enumerate(singers)]
    # Two voices at a time: a take is finished on one core while another is still being sung. Each in this step's
    # context: that is how a durable workflow knows whose progress it is told.
    with ThreadPoolExecutor(2, "voices") as voices:
        for sung in [voices.submit(contextvars.copy_context().run, one) for one in work]:
            sung.result()
    if singers:
        heard = {part.name: part.voice for part in parts}
        _note(studio, song, "sang with", models.backing(singers), part="backing vocals", voices=heard)


@step("band")
def play_band(studio: Studio, song: str, progress: Progress) -> None:
    """score.json -> stems/*.wav of the band"""
    from skills.studio import arrange, play

    if take_over(studio.library, song, "band"):
        return
    now, folder = studio.library.read(song), studio.library.folder(song)
    stems = play(arrange(read_score(folder), style_of(now.brief), now.seed))
    for name, audio in stems.items():
        _write_stem(folder, name, audio)
    _note(studio, song, "played", models.band(), players=sorted(stems))


@step("mix")
def mix_clip(studio: Studio, song: str, progress: Progress) -> None:
    """stems -> cover.png, clip.mp3, clip.ogg, clip.json, lyrics.lrc, score.musicxml, score.mid"""
    from skills.cover import write_cover
    from skills.drawing.paint import Palette
    from skills.exports import write_exports
    from skills.studio import encode, mastered, mix

    _give_back_memory()
    folder = studio.library.folder(song)
    now, lyrics = studio.library.read(song), studio.library.read_lyrics(song)
    score, take = read_score(folder), read_take(folder)
    style, stems = style_of(now.brief), read_stems(folder)
    beside = {side: stems[f"{STEM}{side}"][0] for side in style.backing if f"{STEM}{side}" in stems}
    band = stems.without("vocal", *(f"{STEM}{side}" for side in beside))
    cover, palette = folder / "cover.png", Palette.of(studio.palette)
    with ThreadPoolExecutor(1) as beside_the_desk:
        drawn = beside_the_desk.submit(
            write_cover, cover, now.brief, lyrics, studio.artist, now.seed, palette
        )
        written = beside_the_desk.submit(write_exports, folder, score, lyrics, take, studio.artist)
        mixed = mix(stems["vocal"][0], band, score, style, lead=take.lead, backing=beside)
        master = mastered(marked(mixed, song, studio.artist))
        _note(studio, song, "mixed", models.desk())
        progress("mix", 0.6)
        drawn.result()
        says = label(studio.artist, folder)
        clip = encode(master, folder, lyrics.title, studio.artist, comment=says, cover=cover)
        written.result()
    seal(folder, [clip.mp3, clip.ogg], lyrics.title, studio.artist, says, studio.operator())
    write_text_whole(folder / "clip.json", json.dumps(dataclasses.asdict(clip), default=str))


MAKING: dict[str, Step] = {
    "lyrics": write_words,
    "score": compose_score,
    "sing": sing_score,
    "band": play_band,
    "mix": mix_clip,
}


def finish(studio: Studio, song: str, timings: dict[str, float]) -> Song:
    """Writes what is now known into song.json: from here on the library counts the song as made."""
    with studio.library.held(song) as folder:
        done = _finished(studio, song, folder, timings)
        for torn in folder.rglob(".*"):  # what a kill left of a file that was being written
            torn.unlink()
        studio.library.write(done)
    studio.library.lighten(song)
    return done


def _finished(studio: Studio, song: str, folder: Path, timings: dict[str, float]) -> Song:
    clip = json.loads((folder / "clip.json").read_text("utf-8"))
    lyrics, take = studio.library.read_lyrics(song), read_take(folder)
    return dataclasses.replace(
        studio.library.read(song),
        title=lyrics.title,
        clip=Path(clip["mp3"]).name,
        seconds=round(clip["seconds"], 3),
        lufs=round(clip["lufs"], 2),
        true_peak_db=round(clip["true_peak_db"], 2),
        timings=timings,
        adjusted=take.adjusted,
        voice=studio.voice,
        originality=findings(folder),
        credits={"artist": studio.artist, **credits_told(folder, studio.voice)},
        versions={name: version(name) for name in ("troubadour", "torch", "libsonare")},
    )


def credits_told(folder: Path, voice: str) -> dict[str, str]:
    """What machines made, and what people did as the ledger has it, by part."""
    by_machine = {
        "vocals": f"sung by Troubadour's voice '{voice}' (AI)",
        "lyrics": "written by Troubadour (AI)",
        "composition": "composed by Troubadour (AI)",
        "instrumentation": "arranged by Troubadour (AI), played by libsonare's instrument models",
        "post-production": "mixed and mastered by Troubadour (AI)",
    }
    entries = ledger.read(folder)
    told = {}
    for part, machine in by_machine.items():
        made = contribution(part, entries)
        told[part] = "; ".join([*([machine] if made.models or not made.people else []), *made.people])
    if any((folder / "stems").glob(f"{STEM}*.wav")):
        sang = [entry for entry in entries if entry.what == "sang with"]
        voices = " and ".join(f"'{name}'" for name in sang[-1].facts["voices"].values())
        told["backing vocals"] = f"sung by Troubadour's {voices} (AI)"
    return told


def _give_back_memory() -> None:
    """What singers and players freed: glibc keeps a pool for each thread, 700 MB after a whole song."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(ctypes.c_size_t(0))


def _write_stem(folder: Path, name: str, audio: NDArray[np.float32]) -> None:
    """[samples] or [channels, samples]"""
    import soundfile

    with written_whole(folder / "stems" / f"{name}.wav") as path:
        soundfile.write(path, audio.T, STUDIO_RATE, subtype="PCM_24")


@dataclass(frozen=True, eq=False)
class Stems(Mapping[str, "NDArray[np.float32]"]):
    """[channels, samples] at 48 kHz, by name; each is read when it is asked for: all of a long song are 250 MB."""

    files: Mapping[str, Path]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        import soundfile

        sound: NDArray[np.float32] = soundfile.read(self.files[name], dtype="float32", always_2d=True)[0].T
        return sound

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def without(self, *names: str) -> Stems:
        return Stems({name: path for name, path in self.files.items() if name not in names})


def read_stems(folder: Path) -> Stems:
    return Stems({path.stem: path for path in sorted((folder / "stems").glob("*.wav"))})


def _note(studio: Studio, song: str, deed: str, model: models.Model, **facts: object) -> None:
    seed = studio.library.read(song).seed
    ledger.append(studio.library.folder(song), deed, facts={"model": model, "seed": seed, **facts})


def label(artist: str, folder: Path) -> str:
    """The words with which a clip says what it is: what a person gave is not claimed for the machine."""
    entries = ledger.read(folder)
    gave = [
        thing
        for part, thing in (("lyrics", "words"), ("composition", "music"))
        if (made := contribution(part, entries)).people and not made.models
    ]
    ours = [thing for thing in ("words", "music") if thing not in gave]
    things = " and ".join(filter(None, [", ".join(ours), f"the voice of {artist}"]))
    rest = f" The {' and '.join(gave)} came from a person." if gave else ""
    return f"AI-generated: {things} {'were' if ours else 'was'} made by Troubadour.{rest}"


def expression_of(song: Song, singer: ScoreSinger) -> Expression | None:
    """The singer's own expression with this song's knobs turned; None where none is."""
    if not song.expression:
        return None
    return dataclasses.replace(singer.expression, **song.expression)
