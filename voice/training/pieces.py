"""A recording as our singer would sing it, and pieces of it to learn from.

Phonemes, their times and the pitch are the recording's. All else is as in singing: energy, where there is voice, how
frames count in the norms, the pitch set right and the comb at the end. So what remains of a difference is the voice's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voice.alignment import FRAMES, Floats, Segment, Spoken, Stretch, segments_of, speak
from voice.clean import between, cubic, cycles_to_steady
from voice.expression import Expression
from voice.finish import VOWEL_LEVEL
from voice.network.network import SAMPLES_PER_FRAME, Network
from voice.rendering import CURVE, curve_middles, voice_of, words_of
from voice.shift import cycles_moved, found
from voice.timing import HEAD, TAIL, Passage, Sound
from voice.training.dataset import RATE, Recording
from voice.training.phones import sounds_of
from voice.training.pitch import f0_of

SHORTEST = 0.5  # seconds of a piece
SWELL = float(Expression().dynamics)  # type: ignore[arg-type]  # no curve by default


@dataclass(frozen=True)
class Reading:
    """A recording's words and when they are sung, in its own seconds."""

    passage: Passage
    sounds: Sequence[Sound]
    stretches: tuple[Stretch, ...]
    seconds: float


@dataclass(frozen=True)
class Piece:
    """From `begin` seconds into a recording on, silence to silence, as the singer would render it alone.

    pitch: [2 * frames] Hz, throughout; audio and heard (1 where it counts): [600 * frames]; audio is as loud as the
    singer's.
    """

    reading: Reading
    begin: float
    pitch: Floats
    audio: Tensor
    heard: Tensor

    @property
    def frames(self) -> int:
        return len(self.pitch) // 2

    def to(self, device: torch.device) -> Piece:
        return replace(self, audio=self.audio.to(device), heard=self.heard.to(device))

    def rendered(self, network: Network, style: Tensor, generator: torch.Generator) -> Tensor:
        """[1, samples]: how the network sings it in that style [256]; gradients go to the style's first half."""
        spoken = speak(network, self.reading.passage, style.detach()[None])
        segments = self._segments(spoken)
        words = words_of(spoken, segments, self.frames, self.pitch, np.zeros(2 * self.frames), SWELL)
        f0 = np.where(voice_of(spoken, segments, curve_middles(self.frames)), self.pitch, 0.0)
        hertz = torch.tensor(f0, dtype=torch.float32, device=style.device)
        source = network.excitation(hertz[None], generator=generator)
        sound = words.sung(network, style[None], source)
        return steadied(shifted(sound, f0), f0)

    def _segments(self, spoken: Spoken) -> list[Segment]:
        """A rest that is cut counts in the norms like a whole one, as the singer's shortened rests do."""
        own, length = self.reading, self.frames / FRAMES
        whole = segments_of(own.passage, spoken, own.sounds, own.stretches, ceil(own.seconds * FRAMES))
        return [
            replace(one, start=max(one.start - self.begin, 0.0), end=min(one.end - self.begin, length))
            for one in whole
            if one.end > self.begin and one.start < self.begin + length
        ]


def read(recording: Recording) -> Reading:
    passage, sounds = sounds_of(recording.phones)
    return Reading(passage, sounds, _stretches(sounds), recording.seconds)


def levelled(audio: Tensor, sounds: Sequence[Sound]) -> Tensor:
    """As loud as the singer's takes: by the median of the vowels."""
    vowels = [audio[round(s.start * RATE) : round(s.end * RATE)] for s in sounds if s.role == "vowel"]
    levels = torch.stack([part.square().mean() for part in vowels or [audio] if len(part)])
    return audio * (10 ** (VOWEL_LEVEL / 10) / levels.median().clamp(min=1e-9)).sqrt()


def shifted(sound: Tensor, f0: Floats) -> Tensor:
    """voice.shift.shifted to f0 [frames] Hz, through which gradients go: sound [1, samples]."""
    own = sound[0]
    has = found(own.detach().cpu().double().numpy(), f0)
    cycles = cycles_moved(has, f0, len(own))
    if cycles is None:
        return sound
    sources, places, windows, share = (
        torch.from_numpy(one).to(own.device)
        for one in (cycles.sources, cycles.places, cycles.windows, cycles.share)
    )
    moved = torch.zeros_like(own).index_add(0, places, own[sources] * windows.to(own))
    return torch.lerp(own, moved, share.to(own))[None]


def steadied(sound: Tensor, f0: Floats) -> Tensor:
    """voice.clean.steadied, through which gradients go: sound [1, samples], f0 [frames] Hz."""
    if not (f0 > 0).any():
        return sound
    own = sound[0]
    cycle, share = cycles_to_steady(f0, len(own))
    beside = []
    for way in (-1, 1):
        whole, behind = between(np.arange(len(own)) + way * cycle, len(own))
        k, u = torch.from_numpy(whole).to(own.device), torch.from_numpy(behind).to(own)
        beside.append(cubic(own[k - 1], own[k], own[k + 1], own[k + 2], u))
    comb = 0.5 * own + 0.25 * (beside[0] + beside[1])
    return torch.lerp(own, comb, torch.from_numpy(share).to(own))[None]


def pieces_of(recording: Recording, seconds: float) -> list[Piece]:
    """A recording from rest to rest, as many phrases at a time as `seconds` hold; a longer phrase stays whole.

    A piece that began within a phrase would lack the silence that the decoder's norms measure all else by: the true
    style's rendering of such cuts of 1.5 s lay 7 dB from the recording, of whole phrases 2.7 dB.
    """
    own, samples = read(recording), recording.samples()
    audio = levelled(torch.from_numpy(samples.copy()), own.sounds)
    heard = _heard(recording, len(audio))
    rests = [(p.start + p.end) / 2 for p in recording.phones if not p.symbols]
    edges = [0.0, *(edge for edge in rests if SHORTEST < edge < own.seconds - SHORTEST), own.seconds]
    cuts = [0.0]
    for edge, following in pairwise(edges[1:]):
        if following - cuts[-1] > seconds and edge - cuts[-1] >= SHORTEST:
            cuts.append(edge)
    pieces = []
    for begin, end in pairwise([*cuts, own.seconds]):
        sung = [p for p in recording.phones if p.symbols and begin < (p.start + p.end) / 2 < end]
        if sung:
            first = round(max(begin, sung[0].start - HEAD) * RATE)
            last = min(end * RATE, len(audio), (sung[-1].end + TAIL) * RATE)
            frames = int((last - first) / SAMPLES_PER_FRAME)
            # The source moves at a frame's pitch from its beginning.
            times = first / RATE + np.arange(2 * frames) / CURVE
            sound = slice(first, first + frames * SAMPLES_PER_FRAME)
            pitch = _throughout(f0_of(samples, recording.pitch, times))
            pieces.append(Piece(own, first / RATE, pitch, audio[sound], heard[sound]))
    return pieces


def _stretches(sounds: Sequence[Sound]) -> tuple[Stretch, ...]:
    """A recording is rendered at its own times, rests and all."""
    phrases = sorted({s.syllable for s in sounds})
    spans = [[s for s in sounds if s.syllable == phrase] for phrase in phrases]
    return tuple(Stretch(own[0].start, own[0].start, own[-1].end - own[0].start) for own in spans)


def _heard(recording: Recording, size: int) -> Tensor:
    """All but the breaths: the network has none."""
    heard = torch.ones(size)
    for phone in recording.phones:
        if phone.breath:
            heard[round(phone.start * RATE) : round(phone.end * RATE)] = 0
    return heard


def _throughout(f0: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pitch where it could not be measured, from what lies beside it: where there is voice is decided elsewhere."""
    known = np.flatnonzero(f0)
    return np.interp(np.arange(len(f0)), known, f0[known]) if len(known) else f0
