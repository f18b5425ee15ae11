"""DiffSinger voicebanks in OpenUtau's ONNX layout, as score singers: durations, pitch, variances, mel, sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice import energy
from voice.engines.diffsinger.config import Card, read_card, read_stage
from voice.engines.diffsinger.dictionary import Dictionary, read_dictionary, voiceless
from voice.engines.diffsinger.phrases import Unit, phrases
from voice.engines.diffsinger.stages import (
    AT_MOST_0,
    VARIANCES,
    Acoustic,
    Durations,
    Floats,
    Line,
    Pitch,
    Variances,
    Vocoder,
    find_stage,
    is_pause,
)
from voice.engines.diffsinger.timing import timed
from voice.engines.protocol import EngineError, Progress
from voice.expression import Expression
from voice.pitch import Knob, PitchCurve, hertz, sung_notes, sung_pitch
from voice.score import Score, ScoreError
from voice.take import F0_RATE, Take, TimedNote, TimedPhoneme

PITCH_KNOBS = ("vibrato", "vibrato_rate", "scoop", "fall", "portamento", "imperfection")
BREATH_SPAN = 12.0  # dB of breathiness from no breath to full
PEAK = 0.97


@dataclass(frozen=True)
class Stages:
    """What the bank has. Without durations there is a rule, without pitch our own curve."""

    durations: Durations | None
    pitch: Pitch | None
    variances: Variances | None
    acoustic: Acoustic
    vocoder: Vocoder


@dataclass(frozen=True)
class _Rendered:
    """One phrase: `audio` begins at `start` [seconds]; `midi` [frames] at `times`, those of the acoustic model."""

    line: Line
    start: float
    audio: NDArray[np.float32]
    times: Floats
    midi: Floats


class DiffSinger:
    """Sings scores with a voicebank. With an Expression its pitch knobs are obeyed, by our own pitch curve;
    without one, the bank's own pitch model sings as it learnt to."""

    engine = "diffsinger"

    def __init__(self, root: Path, card: Card, dictionaries: dict[str, Dictionary], stages: Stages) -> None:
        self.root, self.card = root, card
        self._dictionaries = dictionaries
        self._stages = stages
        self._known = set(stages.acoustic.encoder.tokens)

    @staticmethod
    def load(root: Path, threads: int = 2, speaker: str = "", vocoders: Path | None = None) -> DiffSinger:
        """The bank in the folder `root`. Raises EngineError saying which file is missing or wrong."""
        if not root.is_dir():
            raise EngineError(f"there is no voicebank at {root}")
        card = read_card(root)
        main = read_stage(root, root)
        language = card.languages[0]
        dur = find_stage(root, main, "dsdur", "dur")
        pitch = find_stage(root, main, "dspitch", "pitch")
        variance = find_stage(root, main, "dsvariance", "variance")
        folders = [*([dur.folder] if dur else []), root]
        stages = Stages(
            Durations(dur, threads, speaker, language) if dur else None,
            Pitch(pitch, threads, speaker, language) if pitch else None,
            Variances(variance, threads, speaker, language) if variance else None,
            Acoustic(main, threads, speaker, language),
            Vocoder(main, threads, vocoders),
        )
        wanted = [name for name in VARIANCES if stages.acoustic.takes(name)]
        if wanted and stages.variances is None:
            raise EngineError(
                f"{stages.acoustic.model.path} asks for {', '.join(wanted)}, but the bank has no variance model "
                "(dsvariance/dsconfig.yaml) to predict them"
            )
        dictionaries = {one: read_dictionary(folders, one) for one in card.languages}
        return DiffSinger(root, card, dictionaries, stages)

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def languages(self) -> tuple[str, ...]:
        return self.card.languages

    @property
    def low(self) -> int:
        return self.card.low

    @property
    def high(self) -> int:
        return self.card.high

    @property
    def controls(self) -> tuple[str, ...]:
        breath = ("breath",) if self._stages.acoustic.takes("breathiness") else ()
        return (*PITCH_KNOBS, "dynamics", *breath)

    @property
    def licence(self) -> str:
        return self.card.licence

    @property
    def expression(self) -> Expression:
        return Expression()

    def sing(
        self,
        score: Score,
        expression: Expression | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Take:
        """Phonemes of the take are the bank's own symbols. Raises ScoreError, EngineError."""
        read_card(self.root)  # a consent may have ended, or been taken back, since the bank was loaded
        if not score.notes:
            raise ScoreError("there is nothing to sing: the score has no notes")
        if score.language not in self.languages:
            raise ScoreError(
                f"the voicebank {self.name} sings {', '.join(self.languages)}, but the score's words are "
                f"{score.language!r}"
            )
        self._seed(seed)
        knob = (expression or Expression()).in_time(score)
        lines = phrases(score, self._dictionaries[score.language], self._known)
        sung = [unit.sung for units in lines for unit in units]
        own = sung_pitch(sung_notes(score, sung), knob, np.random.default_rng(seed))
        curve = own if expression or self._stages.pitch is None else None
        rendered: list[_Rendered] = []
        for i, units in enumerate(lines):
            before = lines[i - 1][-1].sung.end if i else -np.inf
            line = timed(score, units, units[0].sung.start - before, self._stages.durations)
            rendered.append(self._render(line, curve, knob if expression else None))
            if progress:
                progress((i + 1) / len(lines))
        return self._take(score, lines, rendered, knob)

    def _seed(self, seed: int) -> None:
        parts = (self._stages.pitch, self._stages.variances, self._stages.acoustic, self._stages.vocoder)
        for part in parts:
            if part is not None:
                part.model.seed(seed)

    def _render(self, line: Line, curve: PitchCurve | None, knob: Knob | None) -> _Rendered:
        acoustic = self._stages.acoustic
        grid = line.grid(acoustic.stage.mel.frame)
        if curve is None:
            assert self._stages.pitch
            times, midi = self._stages.pitch.predict(line)
        else:
            times, midi = curve.times, curve.midi
        variances: dict[str, Floats] = {}
        if self._stages.variances is not None:
            for name, (at, values) in self._stages.variances.predict(line, times, midi).items():
                variances[name] = np.interp(grid.times, at, values)
        if knob is not None and "breathiness" in variances:
            # The plain reading's breath is the bank's own.
            variances["breathiness"] += BREATH_SPAN * (
                knob("breath", grid.times) - Expression().knobs()["breath"]
            )
        for name in AT_MOST_0:
            if name in variances:
                variances[name] = np.minimum(variances[name], 0.0)
        own = np.interp(grid.times, times, midi)
        mel = acoustic.mel(line, hertz(own), variances)
        return _Rendered(line, grid.start, self._stages.vocoder.sound(mel, hertz(own)), grid.times, own)

    def _take(
        self, score: Score, lines: Sequence[Sequence[Unit]], rendered: Sequence[_Rendered], knob: Knob
    ) -> Take:
        rate = self._stages.vocoder.mel.sample_rate
        lead = max(0.0, -min(one.start for one in rendered))
        lead = float(np.ceil(lead * F0_RATE) / F0_RATE)  # a whole number of F0 frames
        end = max(*(one.start + len(one.audio) / rate for one in rendered), score.seconds(score.ticks))
        audio = np.zeros(int(np.ceil((end + lead) * rate)), np.float32)
        f0 = np.zeros(int(np.ceil((end + lead) * F0_RATE)), np.float32)
        frames = (np.arange(len(f0)) + 0.5) / F0_RATE - lead
        phonemes: list[TimedPhoneme] = []
        for units, one in zip(lines, rendered, strict=True):
            place = round((one.start + lead) * rate)
            room = max(0, len(audio) - place)
            audio[place : place + len(one.audio)] += one.audio[:room]
            sounds = _sounds(units, one.line)
            phonemes += sounds
            for sound in sounds:
                if not voiceless(sound.symbol) and not is_pause(sound.symbol):
                    inside = (frames >= sound.start) & (frames < sound.end)
                    f0[inside] = hertz(np.interp(frames[inside], one.times, one.midi))
        audio *= self._gain(score, lines, knob, np.arange(len(audio)) / rate - lead)
        loudest = float(np.abs(audio).max(initial=0.0))
        return Take(
            audio=audio * np.float32(min(1.0, PEAK / loudest)) if loudest else audio,
            f0=f0,
            phonemes=tuple(phonemes),
            notes=tuple(note for units in lines for unit in units for note in _notes(score, unit)),
            lead=lead,
            adjusted=tuple(self._outside(score)),
            rate=rate,
        )

    def _gain(
        self, score: Score, lines: Sequence[Sequence[Unit]], knob: Knob, times: Floats
    ) -> NDArray[np.float32]:
        """The score's dynamics and accents, as our own singer takes them."""
        starts = [score.seconds(note.tick) for note in score.notes]
        steps = energy.loudness_at(times, score, starts)
        return np.asarray(10 ** (2 * knob("dynamics", times) * energy.STEP * steps / 20), np.float32)

    def _outside(self, score: Score) -> list[str]:
        said = []
        for note in score.notes:
            if not self.low <= note.pitch <= self.high:
                side = "above" if note.pitch > self.high else "below"
                said.append(f"{score.where(note)} lies {side} the voicebank's range; it was sung as written")
        return said


def _sounds(units: Sequence[Unit], line: Line) -> list[TimedPhoneme]:
    """The phrase's phones without the silence around it."""
    notes = [unit.sung.notes[0] for unit in units for _ in (*unit.onset, *unit.rest)]
    inner = zip(line.symbols[1:-1], line.times[1:], line.times[2:], notes, strict=False)
    return [TimedPhoneme(symbol, start, end, note) for symbol, start, end, note in inner]


def _notes(score: Score, unit: Unit) -> list[TimedNote]:
    notes = []
    for i in unit.sung.notes:
        start = score.seconds(score.notes[i].tick)
        end = unit.sung.end if i == unit.sung.notes[-1] else score.seconds(score.notes[i].end)
        notes.append(TimedNote(i, start, end, start))
    return notes
