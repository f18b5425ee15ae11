"""A recording as the decoder is given it, and pieces of it to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voice.alignment import (
    EARLY,
    FRAMES,
    Spoken,
    Stretch,
    features_of,
    frame_weights,
    overlap_of,
    segments_of,
    smoothed,
    speak,
)
from voice.network.network import SAMPLES_PER_FRAME, Network
from voice.network.norms import FrameWeights
from voice.rendering import BELIEVED_BEYOND, CURVE, spread
from voice.timing import Passage, Sound
from voice.training.dataset import RATE, Recording
from voice.training.mel import energy_of
from voice.training.phones import sounds_of
from voice.training.pitch import f0_of

EDGE = 0.1  # seconds at both ends of a piece that do not count: the decoder does not hear what lay beside
FRESH = 8  # tries to find a piece that is sung for half of its time at the least


@dataclass(frozen=True)
class Prepared:
    """text: [512, frames]; f0 [Hz, what sounds], believed [Hz, what the decoder is told], energy: [2 * frames];
    weights: [frames]; audio and heard (1 where it counts): [600 * frames]. Levelled to the network's own."""

    text: Tensor
    f0: Tensor
    believed: Tensor
    energy: Tensor
    weights: Tensor
    audio: Tensor
    heard: Tensor

    @property
    def frames(self) -> int:
        return self.text.shape[1]


@dataclass(frozen=True)
class Piece:
    """Some frames of a recording, or of several that are equally long, as a batch."""

    text: Tensor
    f0: Tensor
    believed: Tensor
    energy: Tensor
    weights: Tensor
    audio: Tensor
    heard: Tensor

    def rendered(self, network: Network, style: Tensor, generator: torch.Generator) -> Tensor:
        """[batch, samples]: how the network sings it in that style [256]; gradients go to the style."""
        return network.decode(
            self.text, self.believed, self.energy, style[None].expand(len(self.text), -1),
            excitation=network.excitation(self.f0, generator=generator), weights=FrameWeights(self.weights),
        )  # fmt: skip


@dataclass(frozen=True)
class Read:
    """A recording's words, as the network would speak them in some style, and when they are sung in it."""

    passage: Passage
    sounds: Sequence[Sound]
    spoken: Spoken


@torch.no_grad()
def read(recording: Recording, network: Network, style: Tensor) -> Read:
    passage, sounds = sounds_of(recording.phones)
    return Read(passage, sounds, speak(network, passage, style[None]))


@torch.no_grad()
def prepare(recording: Recording, network: Network, style: Tensor) -> Prepared:
    """style: [256], whose prosody says how long each phoneme would be spoken."""
    own = read(recording, network, style)
    frames = int(recording.seconds * FRAMES)
    stretches = _stretches(own.sounds)
    segments = segments_of(own.passage, own.spoken, own.sounds, stretches, frames)
    text = smoothed(features_of(own.spoken, segments) @ _tensor(overlap_of(segments, frames, EARLY)))
    times = np.arange(2 * frames) / CURVE  # the source moves at a frame's pitch from its beginning
    samples = recording.samples()
    f0 = f0_of(samples, recording.pitch, times)
    audio = torch.from_numpy(np.ascontiguousarray(samples[: frames * SAMPLES_PER_FRAME]))
    audio = levelled(audio, own)
    return Prepared(
        text=text,
        f0=_tensor(f0),
        believed=_tensor(spread(f0, BELIEVED_BEYOND)),
        energy=energy_of(audio),
        weights=_tensor(frame_weights(segments, overlap_of(segments, frames))),
        audio=audio,
        heard=_heard(recording, len(audio)),
    )


def levelled(audio: Tensor, own: Read) -> Tensor:
    """As loud as the network would speak it: by its vowels' energy, which is twice the logarithm of a level."""
    sung, spoken = energy_of(audio), torch.from_numpy(own.spoken.energy)
    edges = 2 * (np.concatenate([[0], np.cumsum(own.spoken.natural)]) - EARLY * FRAMES)
    vowels = [s for s in own.sounds if s.role == "vowel"]
    there = [sung[int(s.start * CURVE) : int(np.ceil(s.end * CURVE))] for s in vowels]
    here = [spoken[max(int(edges[s.token]), 0) : max(int(edges[s.token + 1]), 1)] for s in vowels]
    gain = torch.cat(here).median() - torch.cat(there).median() if vowels else torch.tensor(0.0)
    return audio * torch.exp(gain / 2).float()


def piece_of(prepared: Sequence[Prepared], frames: int, rng: np.random.Generator) -> Piece:
    """Equally long pieces at random places, one of each recording, as a batch; sung for the greater part."""
    cuts = []
    for one in prepared:
        size = min(frames, *(p.frames for p in prepared))
        for _ in range(FRESH):
            begin = int(rng.integers(0, one.frames - size + 1))
            if float((one.f0[2 * begin : 2 * (begin + size)] > 0).float().mean()) > 0.5:
                break
        cuts.append(_cut(one, begin, size))
    return Piece(*(torch.stack(parts) for parts in zip(*cuts, strict=True)))


def _cut(one: Prepared, begin: int, size: int) -> tuple[Tensor, ...]:
    end = begin + size
    curve, sound = (
        slice(2 * begin, 2 * end),
        slice(begin * SAMPLES_PER_FRAME, end * SAMPLES_PER_FRAME),
    )
    heard = one.heard[sound].clone()
    if begin:
        heard[: round(EDGE * RATE)] = 0
    if end < one.frames:
        heard[-round(EDGE * RATE) :] = 0
    return (
        one.text[:, begin:end], one.f0[curve], one.believed[curve], one.energy[curve],
        one.weights[begin:end], one.audio[sound], heard,
    )  # fmt: skip


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


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
