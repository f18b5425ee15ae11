"""The stages of a voicebank: durations, pitch, variances, mel, waveform. Each takes a phrase and hands it on.

Shapes have a batch of one in front: [1, phones] or [1, frames]. A stage counts frames of its own length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voice.engines.diffsinger.config import Mel, Stage, read_mel, read_stage, read_yaml
from voice.engines.diffsinger.dictionary import bare, tokenize
from voice.engines.diffsinger.model import Array, Model
from voice.engines.protocol import EngineError

Floats = NDArray[np.float64]

HEAD = TAIL = 0.1  # seconds of SP before a phrase and after it
STEPS = 20  # of the diffusion, or what a model makes of it
FULL_DEPTH = 1000  # diffusion steps that older models count in
VARIANCES = ("energy", "breathiness", "voicing", "tension")
AT_MOST_0 = ("energy", "breathiness", "voicing")  # dB
LN_10 = 2.302_59
LOG10_E = 0.434_294


@dataclass(frozen=True)
class Line:
    """A phrase's phones, SP in front and behind, and when each begins; `times` has one more, the end [seconds].

    words: how many phones each 'word' has: SP with the consonants after it, then a vowel with all before the next.
    tones: [phones], MIDI. notes: (start, pitch) of each note.
    """

    symbols: tuple[str, ...]
    words: tuple[int, ...]
    tones: tuple[int, ...]
    times: tuple[float, ...]
    notes: tuple[tuple[float, int], ...]

    def grid(self, frame: float) -> Grid:
        """The phrase in frames of `frame` seconds; every phone has at least one."""
        marks = [round(time / frame) for time in self.times]
        for i in range(1, len(marks)):
            marks[i] = max(marks[i], marks[i - 1] + 1)
        return Grid(frame, marks[0], np.diff(marks))


@dataclass(frozen=True)
class Grid:
    """`first` frame since tick 0, and `durations` [phones] in frames."""

    frame: float
    first: int
    durations: NDArray[np.int64]

    @property
    def frames(self) -> int:
        return int(self.durations.sum())

    @property
    def start(self) -> float:
        return self.first * self.frame

    @property
    def times(self) -> Floats:
        """Seconds at the middle of each frame."""
        return np.asarray((self.first + np.arange(self.frames) + 0.5) * self.frame, np.float64)


class Encoder:
    """What all stages do first: phones to numbers, and through the linguistic model where a stage has one."""

    def __init__(self, stage: Stage, threads: int, speaker: str, language: str) -> None:
        self.stage = stage
        self.language = language
        self.tokens = stage.tokens()
        self.languages = stage.language_numbers() if stage.use_lang_id else {}
        self.speaker = stage.speaker(speaker) if stage.speakers else None
        self.linguistic = Model(stage.path(stage.linguistic), threads) if stage.linguistic else None

    def phones(self, line: Line) -> dict[str, Array]:
        where = self.stage.folder / self.stage.phonemes
        tokens = tokenize(line.symbols, self.tokens, self.language, where)
        # A phone that all languages share has no prefix, and no number.
        languages = [
            self.languages.get(symbol.split("/")[0], 0) if "/" in symbol else 0 for symbol in line.symbols
        ]
        return {"tokens": np.array([tokens]), "languages": np.array([languages])}

    def encode(self, line: Line, grid: Grid, timed: bool = True) -> dict[str, Array]:
        """`encoder_out` and `x_masks`, and the words. `timed`: the phones' durations are known already."""
        if self.linguistic is None:
            raise EngineError(f"{self.stage.folder / 'dsconfig.yaml'} names no linguistic model")
        ends = np.cumsum(line.words)
        word_dur = np.diff(np.concatenate([[0], np.cumsum(grid.durations)[ends - 1]]))
        words: dict[str, Array] = {"word_div": np.array([line.words]), "word_dur": word_dur[None]}
        offers = self.phones(line) | words
        if timed:
            offers["ph_dur"] = grid.durations[None]
        encoded, masks = self.linguistic.run(offers, "encoder_out", "x_masks")
        return {"encoder_out": encoded, "x_masks": masks, **words}

    def voice(self, length: int) -> dict[str, Array]:
        """The speaker's embedding, held for `length` phones or frames."""
        if self.speaker is None:
            return {}
        return {"spk_embed": np.broadcast_to(self.speaker, (1, length, len(self.speaker)))}


class Durations:
    """How long each phone is, as shares: the caller fits them to the notes."""

    def __init__(self, stage: Stage, threads: int, speaker: str, language: str) -> None:
        assert stage.dur
        self.encoder = Encoder(stage, threads, speaker, language)
        self.model = Model(stage.path(stage.dur), threads)

    def predict(self, line: Line) -> Floats:
        """[phones] seconds, above 0."""
        frame = self.encoder.stage.mel.frame
        offers = self.encoder.encode(line, line.grid(frame), timed=False) | self.encoder.voice(
            len(line.symbols)
        )
        [frames] = self.model.run({**offers, "ph_midi": np.array([line.tones])}, "ph_dur_pred")
        if frames.size != len(line.symbols) or not np.isfinite(frames).all():
            raise EngineError(
                f"{self.model.path} gave {frames.size} durations for {len(line.symbols)} phonemes"
            )
        return np.asarray(np.maximum(frames.reshape(-1), 0.01) * frame, np.float64)


class Pitch:
    """Pitch of every frame, from the notes."""

    def __init__(self, stage: Stage, threads: int, speaker: str, language: str) -> None:
        assert stage.pitch
        self.encoder = Encoder(stage, threads, speaker, language)
        self.model = Model(stage.path(stage.pitch), threads)

    def predict(self, line: Line) -> tuple[Floats, Floats]:
        """Times [frames], seconds, and MIDI numbers with fractions [frames]."""
        grid = line.grid(self.encoder.stage.mel.frame)
        starts = [round(start / grid.frame) - grid.first for start, _ in line.notes]
        # In front of the first note its pitch is rested on, so that the voice need not slide into it.
        edges = np.array([0, *starts, grid.frames])
        offers = {
            "note_midi": np.array([[line.notes[0][1], *(pitch for _, pitch in line.notes)]]),
            "note_rest": np.array([[True, *(False for _ in line.notes)]]),
            "note_dur": np.diff(edges)[None],
            "note_glide": np.zeros((1, len(line.notes) + 1)),
            "ph_dur": grid.durations[None],
            "pitch": np.full((1, grid.frames), 60.0),
            "expr": np.ones((1, grid.frames)),
            "retake": np.ones((1, grid.frames), bool),
        }
        offers |= self.encoder.encode(line, grid) | self.encoder.voice(grid.frames) | speed(self.model, 1.0)
        [pitch] = self.model.run(offers, "pitch_pred")
        return grid.times, _framed(pitch, grid, self.model.path)


class Variances:
    """Energy, breathiness, voicing and tension of every frame."""

    def __init__(self, stage: Stage, threads: int, speaker: str, language: str) -> None:
        assert stage.variance
        self.encoder = Encoder(stage, threads, speaker, language)
        self.model = Model(stage.path(stage.variance), threads)

    def predict(self, line: Line, times: Floats, midi: Floats) -> dict[str, tuple[Floats, Floats]]:
        """Times and values of those that this bank predicts, given the pitch at `times`."""
        grid = line.grid(self.encoder.stage.mel.frame)
        kinds = [name for name in VARIANCES if name in self.model.inputs]
        offers: dict[str, Array] = {name: np.zeros((1, grid.frames)) for name in kinds}
        offers |= {
            "ph_dur": grid.durations[None],
            "pitch": np.interp(grid.times, times, midi)[None],
            "retake": np.ones((1, grid.frames, len(kinds)), bool),
        }
        offers |= self.encoder.encode(line, grid) | self.encoder.voice(grid.frames) | speed(self.model, 1.0)
        made = self.model.run(offers, *(f"{name}_pred" for name in kinds))
        return {
            name: (grid.times, _framed(curve, grid, self.model.path))
            for name, curve in zip(kinds, made, strict=True)
        }


class Acoustic:
    """Mel of every frame."""

    def __init__(self, stage: Stage, threads: int, speaker: str, language: str) -> None:
        if not stage.acoustic:
            raise EngineError(f"{stage.folder / 'dsconfig.yaml'} names no acoustic model")
        self.stage = stage
        self.encoder = Encoder(stage, threads, speaker, language)
        self.model = Model(stage.path(stage.acoustic), threads)

    def takes(self, tensor: str) -> bool:
        return tensor in self.model.inputs

    def mel(self, line: Line, hertz: Floats, variances: dict[str, Floats]) -> Array:
        """[1, frames, bins]. hertz, variances: [frames]."""
        grid = line.grid(self.stage.mel.frame)
        offers: dict[str, Array] = {name: curve[None] for name, curve in variances.items()}
        offers |= (
            self.encoder.phones(line) | self.encoder.voice(grid.frames) | speed(self.model, self.stage.depth)
        )
        offers |= {
            "durations": grid.durations[None],
            "f0": hertz[None],
            "gender": np.zeros((1, grid.frames)),
            "velocity": np.ones((1, grid.frames)),
        }
        [mel] = self.model.run(offers, "mel")
        if mel.ndim != 3 or mel.shape[1:] != (grid.frames, self.stage.mel.num_mel_bins):
            raise EngineError(
                f"{self.model.path} gave a mel of {list(mel.shape)}, "
                f"not [1, {grid.frames}, {self.stage.mel.num_mel_bins}]"
            )
        return mel


class Vocoder:
    """Waveform from mel and F0."""

    def __init__(self, stage: Stage, threads: int, vocoders: Path | None) -> None:
        path = _vocoder_file(stage, vocoders)
        raw = read_yaml(path)
        own = read_mel(path, raw)
        for name in ("sample_rate", "hop_size", "win_size", "fft_size", "num_mel_bins", "mel_fmin", "mel_fmax",
                     "mel_scale"):  # fmt: skip
            if getattr(own, name) != getattr(stage.mel, name):
                raise EngineError(
                    f"{path} has {name}: {getattr(own, name)}, but the acoustic model {getattr(stage.mel, name)}: "
                    "they do not fit together"
                )
        file = path.parent / str(raw.get("model", "model.onnx"))
        if not file.is_file():
            raise EngineError(f"{path} names {file.name}, but there is no such file")
        self.model = Model(file, threads)
        self.mel: Mel = own
        self.scale = {("10", "e"): LN_10, ("e", "10"): LOG10_E}.get((stage.mel.mel_base, own.mel_base), 1.0)

    def sound(self, mel: Array, hertz: Floats) -> NDArray[np.float32]:
        """[samples]. mel: [1, frames, bins], as the acoustic model gives it; hertz: [frames]."""
        [wave] = self.model.run({"mel": mel * self.scale, "f0": hertz[None]}, "waveform")
        wanted = len(hertz) * self.mel.hop_size
        if abs(wave.size - wanted) > self.mel.hop_size or not np.isfinite(wave).all():
            raise EngineError(
                f"{self.model.path} gave {wave.size} samples for {len(hertz)} frames, not {wanted}"
            )
        return np.asarray(wave.reshape(-1), np.float32)


def speed(model: Model, depth: float) -> dict[str, Array]:
    """How far and how fast to diffuse, as the model's generation counts: depth and steps, or depth and speedup."""
    speedup = max(1, FULL_DEPTH // STEPS)
    whole = round(depth * FULL_DEPTH)
    if "depth" in model.inputs and "speedup" in model.inputs:
        speedup = max(1, whole // STEPS)
        whole = max(whole // speedup * speedup, speedup)
    else:
        while FULL_DEPTH % speedup:
            speedup -= 1
    shallow = depth if "float" in model.inputs.get("depth", "") else whole
    return {"steps": np.array([STEPS]), "speedup": np.array([speedup]), "depth": np.array([shallow])}


def find_stage(root: Path, main: Stage, folder: str, model: str) -> Stage | None:
    """The stage in `folder`, or at the root; None if the bank has no such model."""
    stage = read_stage(root, root / folder) if (root / folder / "dsconfig.yaml").is_file() else main
    return stage if getattr(stage, model) else None


def is_pause(symbol: str) -> bool:
    return bare(symbol) in ("SP", "AP")


def _vocoder_file(stage: Stage, vocoders: Path | None) -> Path:
    own = stage.root / "dsvocoder" / "vocoder.yaml"
    if own.is_file():
        return own
    if not stage.vocoder:
        raise EngineError(
            f"{stage.root} has no dsvocoder/vocoder.yaml, and its dsconfig.yaml names no vocoder"
        )
    if vocoders is not None and Path(stage.vocoder).name == stage.vocoder:
        named = vocoders / stage.vocoder / "vocoder.yaml"
        if named.is_file():
            return named
    looked = f"in {vocoders}" if vocoders else "(no folder of vocoders was given)"
    raise EngineError(
        f"{stage.root} wants the vocoder {stage.vocoder!r}, which is not {looked}: get it, unpack it as "
        f"{stage.vocoder}/vocoder.yaml, and name the folder that holds it"
    )


def _framed(curve: ArrayLike, grid: Grid, path: Path) -> Floats:
    flat = np.asarray(curve, float).reshape(-1)
    if len(flat) != grid.frames or not np.isfinite(flat).all():
        raise EngineError(f"{path} gave {len(flat)} values for {grid.frames} frames")
    return flat
