"""A recording as our singer would sing it, and pieces of it to learn from.

Phonemes, their times and the pitch are the recording's. All else is as in singing: energy, where there is voice, how
frames count in the norms, the comb at the end. So what remains of a difference is the voice's: how it sounds, and with
how much energy it would speak the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voice.alignment import FRAMES, Floats, Stretch, segments_of, speak
from voice.clean import between, cubic, cycles_to_steady
from voice.expression import Expression
from voice.finish import VOWEL_LEVEL
from voice.network.network import SAMPLES_PER_FRAME, Network
from voice.rendering import CURVE, Words, curve_middles, voice_of, words_of
from voice.timing import Passage, Sound
from voice.training.dataset import RATE, Recording
from voice.training.phones import sounds_of
from voice.training.pitch import f0_of

SHORTEST = 20  # frames of a piece
STILL = 10  # frames of silence around it, as the singer has them
SWELL = float(Expression().dynamics)  # type: ignore[arg-type]  # no curve by default


@dataclass(frozen=True)
class Reading:
    """A recording's words and when they are sung. pitch: [2 * frames] Hz, throughout."""

    passage: Passage
    sounds: Sequence[Sound]
    stretches: tuple[Stretch, ...]
    frames: int
    pitch: Floats

    def told(self, network: Network, style: Tensor) -> tuple[Words, Floats]:
        """What the decoder is told in a style [256], to whose prosody gradients go through the energy; what sounds,
        [2 * frames] Hz."""
        spoken = speak(network, self.passage, style[None])
        segments = segments_of(self.passage, spoken, self.sounds, self.stretches, self.frames)
        words = words_of(spoken, segments, self.frames, self.pitch, np.zeros(2 * self.frames), SWELL)
        return words, np.where(voice_of(spoken, segments, curve_middles(self.frames)), self.pitch, 0.0)


@dataclass(frozen=True)
class Piece:
    """A recording's alignment frames from `begin` to `end`, which lie in silence.

    audio and heard (1 where it counts): [600 * frames]. As loud as the singer sings."""

    reading: Reading
    begin: int
    end: int
    audio: Tensor
    heard: Tensor

    @property
    def frames(self) -> int:
        return self.end - self.begin

    def to(self, device: torch.device) -> Piece:
        return replace(self, audio=self.audio.to(device), heard=self.heard.to(device))

    def rendered(self, network: Network, style: Tensor, generator: torch.Generator) -> Tensor:
        """[1, samples]: how the network sings it in that style [256]; gradients go to the style."""
        words, f0 = self.reading.told(network, style)
        hertz = torch.tensor(f0[2 * self.begin : 2 * self.end], dtype=torch.float32, device=style.device)
        source = network.excitation(hertz[None], generator=generator)
        return steadied(words.cut(self.begin, self.end).sung(network, style[None], source), hertz)


def read(recording: Recording) -> Reading:
    passage, sounds = sounds_of(recording.phones)
    frames = int(recording.seconds * FRAMES)
    # The source moves at a frame's pitch from its beginning.
    pitch = f0_of(recording.samples(), recording.pitch, np.arange(2 * frames) / CURVE)
    return Reading(passage, sounds, _stretches(sounds), frames, _throughout(pitch))


def levelled(audio: Tensor, sounds: Sequence[Sound]) -> Tensor:
    """As loud as the singer's takes: by the median of the vowels."""
    vowels = [audio[round(s.start * RATE) : round(s.end * RATE)] for s in sounds if s.role == "vowel"]
    levels = torch.stack([part.square().mean() for part in vowels or [audio] if len(part)])
    return audio * (10 ** (VOWEL_LEVEL / 10) / levels.median().clamp(min=1e-9)).sqrt()


def steadied(sound: Tensor, f0: Tensor) -> Tensor:
    """voice.clean.steadied, through which gradients go: sound [1, samples], f0 [frames] Hz."""
    hertz = f0.cpu().double().numpy()
    if not (hertz > 0).any():
        return sound
    own = sound[0]
    cycle, share = cycles_to_steady(hertz, len(own))
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
    own = read(recording)
    audio = torch.from_numpy(recording.samples()[: own.frames * SAMPLES_PER_FRAME].copy())
    audio, heard = levelled(audio, own.sounds), _heard(recording, len(audio))
    middles = [round((p.start + p.end) / 2 * FRAMES) for p in recording.phones if not p.symbols]
    edges = [0, *(edge for edge in middles if SHORTEST < edge < own.frames - SHORTEST), own.frames]
    cuts = [0]
    for edge, following in pairwise(edges[1:]):
        if following - cuts[-1] > seconds * FRAMES and edge - cuts[-1] >= SHORTEST:
            cuts.append(edge)
    pieces = []
    for begin, end in pairwise([*cuts, own.frames]):
        sung = [p for p in recording.phones if p.symbols and begin < FRAMES * (p.start + p.end) / 2 < end]
        if sung:
            first = max(begin, int(sung[0].start * FRAMES) - STILL)
            last = min(end, int(sung[-1].end * FRAMES) + 1 + STILL)
            sound = slice(first * SAMPLES_PER_FRAME, last * SAMPLES_PER_FRAME)
            pieces.append(Piece(own, first, last, audio[sound], heard[sound]))
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
