"""Singer: a score goes in, a sung take comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voice import breath, clean, colour, energy, finish, timing
from voice.expression import Expression
from voice.pitch import Knob, SungNote, hertz, sung_notes, sung_pitch
from voice.reach import KeyProposal, outside_notes, propose_key
from voice.rendering import VOICELESS, Rendering, render
from voice.score import Score, ScoreError
from voice.take import F0_RATE, SAMPLE_RATE, Take, TimedNote, TimedPhoneme
from voice.underlay import Sung, lay_words
from voice.voices import Voice, VoiceError, load_voice

if TYPE_CHECKING:
    from voice.network.network import Network

LOOSEST = 0.035  # seconds, standard deviation of a syllable's lateness at full looseness


class Singer:
    """Sings scores with one voice. Threads may sing at once, also on one network: two are served at a time."""

    def __init__(self, network: Network, voice: Voice) -> None:
        import torch

        self.network = network  # shared by voices
        self.own = _with_updates(network, voice)
        self.voice = voice
        self._style = torch.tensor(voice.style, dtype=torch.float32)[None]

    @staticmethod
    def load(voice: str | Path, cache: Path, threads: int = 2, weights: str = "wheels") -> Singer:
        """`voice`: a shipped voice's name or a voice file; `weights` as voice.weights has them.

        For another voice on the same network: Singer(singer.network, load_voice("coal")). Raises VoiceError,
        WeightsError.
        """
        from voice.weights import Source, load_network

        found = load_voice(voice)  # first: a mistyped name need not wait for the weights
        return Singer(load_network(cache, threads, Source(weights)), found)

    @property
    def low(self) -> int:
        """The lowest comfortable note, as a MIDI number."""
        return self.voice.comfortable.low

    @property
    def high(self) -> int:
        return self.voice.comfortable.high

    def sing(
        self,
        score: Score,
        expression: Expression | None = None,
        seed: int = 0,
        progress: Callable[[float], None] | None = None,
    ) -> Take:
        """A take of the whole score. Raises ScoreError where a word cannot be sung on its notes, VoiceError where a
        consent to sing with this voice has ended.

        expression: the voice's own if None. progress is told the share done, 0 to 1. The same seed on the same
        machine gives the same samples.
        """
        import torch

        self.voice.check_now()
        if not score.notes:
            raise ScoreError("there is nothing to sing: the score has no notes")
        knob = (expression or self.voice.expression).in_time(score)
        # Lateness hangs on the seed alone, so that harmonies fall together with their lead; all else on the voice too.
        loosened = _loosened(lay_words(score), knob, np.random.default_rng(seed))
        rng = np.random.default_rng([seed, *self.voice.name.encode()])
        syllables, adjusted = timing.with_breaths(loosened, score)
        adjusted = self._warnings(score) + adjusted
        passages = timing.passages(syllables, timing.phrase_ends(syllables, score))
        notes = sung_notes(score, syllables)
        curve = sung_pitch(notes, knob, rng)
        effort = _effort(score, notes, knob)

        renderings: list[Rendering] = []
        # One after the other: two at once would be a tenth quicker, and take 200 MB more.
        for i, passage in enumerate(passages):
            starts = [one.start for one in passage.syllables]
            with torch.inference_mode():
                rendering = render(
                    self.own,
                    passage,
                    self._style,
                    hertz=curve.hertz,
                    effort=effort,
                    consonants=[float(x) for x in knob("consonants", starts)],
                    swell=float(knob("dynamics", starts[0])),
                    generator=torch.Generator().manual_seed(seed * 1_000_003 + i),
                    ceiling=float(hertz(self.voice.chest)),
                )
            renderings.append(rendering)
            if progress:
                progress(len(renderings) / len(passages))
        return _take(score, syllables, passages, renderings, adjusted, knob, notes, rng)

    def _warnings(self, score: Score) -> list[str]:
        said = outside_notes(score, self.voice.comfortable, self.voice.extreme)
        proposal = self.propose_key(score)
        return [*said, str(proposal)] if said and proposal.semitones else said

    def propose_key(self, score: Score) -> KeyProposal:
        """How far to move the score for it to lie in the comfortable range; `sing` itself never moves it."""
        return propose_key(score, self.voice.comfortable)


def _with_updates(network: Network, voice: Voice) -> Network:
    """The network as this voice sings with it: another one where it learned more than a style. Raises VoiceError."""
    if not voice.updates:
        return network
    from voice.network import store, updates

    try:
        return updates.with_updates(network, store.read(Path(voice.updates)))
    except (store.StoreError, updates.UpdatesError) as error:
        raise VoiceError(f"voice {voice.name}: {error}: train it again") from error


def _loosened(syllables: list[Sung], knob: Knob, rng: np.random.Generator) -> list[Sung]:
    spread = LOOSEST * float(knob("looseness", 0.0))
    if not spread:
        return syllables
    late = np.clip(rng.normal(0.0, spread, len(syllables)), -2 * spread, 2 * spread)
    out = []
    for i, one in enumerate(syllables):
        room = (one.end - one.start) / 4
        shift = float(np.clip(late[i], -room, room))
        out.append(dataclasses.replace(one, start=one.start + shift))
    return out


def _effort(
    score: Score, notes: Sequence[SungNote], knob: Knob
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    starts = [note.start for note in notes]

    def effort(times: NDArray[np.float64]) -> NDArray[np.float64]:
        curve = energy.loudness_at(times, score, starts)
        return np.asarray(curve * energy.EFFORT * 2 * knob("dynamics", times))

    return effort


def _take(
    score: Score,
    syllables: Sequence[Sung],
    passages: Sequence[timing.Passage],
    renderings: Sequence[Rendering],
    adjusted: list[str],
    knob: Knob,
    notes: Sequence[SungNote],
    rng: np.random.Generator,
) -> Take:
    phrases = [(s.sung, s.sung + s.length) for r in renderings for s in r.stretches]
    breathed = breath.breaths(phrases)
    first = min([phrases[0][0] - finish.AHEAD, *(start for start, _ in breathed[:1])])
    lead = float(np.ceil(max(0.0, -first) * F0_RATE) / F0_RATE)  # a whole number of F0 frames
    end = max(phrases[-1][1] + finish.RELEASE, score.seconds(score.ticks))
    audio = finish.stem(int(np.ceil((end + lead) * SAMPLE_RATE)))
    f0 = np.zeros(int(np.ceil((end + lead) * F0_RATE)), np.float32)
    phonemes: list[TimedPhoneme] = []
    begun = 0
    for passage, rendering in zip(passages, renderings, strict=True):
        finish.lay(audio, -lead, rendering)
        places = np.round((rendering.times + lead) * F0_RATE - 0.5).astype(int)
        inside = (rendering.f0 > 0) & (places >= 0) & (places < len(f0))
        f0[places[inside]] = rendering.f0[inside]
        for sound in rendering.sounds:
            note = syllables[begun + sound.syllable].notes[0]
            phonemes.append(TimedPhoneme(sound.symbol, sound.start, sound.end, note))
        begun += len(passage.syllables)
    vowels = [(s.start, s.end) for r in renderings for s in r.sounds if s.role == "vowel"]
    starts = [note.start for note in notes]

    def wanted(times: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = energy.loudness_at(times, score, starts)
        return np.asarray(finish.VOWEL_LEVEL + 2 * knob("dynamics", times) * energy.STEP * steps)

    audio = finish.even(audio, -lead, vowels, wanted)
    clock = (np.arange(len(f0)) + 0.5) / F0_RATE - lead
    voiceless = [(s.start, s.end) for r in renderings for s in r.sounds if s.symbol in VOICELESS]
    meant = f0.astype(np.float64)
    hushed = clean.hushed(audio.astype(np.float64), -lead, voiceless)
    audio = colour.coloured(hushed, meant, knob("breath", clock), knob("rasp", clock), rng)
    if breath_heard := [b for b in breathed if float(knob("breath", b[1])) > 0]:
        for start, stop in breath_heard:
            depth = breath.QUIET + (breath.LOUD - breath.QUIET) * float(knob("breath", stop))
            finish.add(audio, start + lead, breath.inhale(stop - start, finish.VOWEL_LEVEL + depth, rng))
    return Take(
        audio=finish.limited(audio),
        f0=f0,
        phonemes=tuple(phonemes),
        notes=_timed_notes(score, syllables),
        lead=lead,
        breaths=tuple(breath_heard),
        adjusted=tuple(adjusted),
    )


def _timed_notes(score: Score, syllables: Sequence[Sung]) -> tuple[TimedNote, ...]:
    timed = []
    for one in syllables:
        late = one.start - score.seconds(score.notes[one.notes[0]].tick)
        for i in one.notes:
            start = score.seconds(score.notes[i].tick)
            end = one.end if i == one.notes[-1] else score.seconds(score.notes[i].end)
            timed.append(TimedNote(i, start, end, start + late))
    return tuple(timed)
