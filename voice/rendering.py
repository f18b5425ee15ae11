"""Rendering: one passage through the network, from phonemes with times to sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voice.alignment import (
    EARLY,
    FRAMES,
    Floats,
    Segment,
    Spoken,
    Stretch,
    features_of,
    frame_weights,
    overlap_of,
    pace_of,
    score_seconds,
    segments_of,
    speak,
    stretched,
    stretches_of,
)
from voice.clean import steadied
from voice.energy import CONSONANT_FLOORS, FLOOR, GLIDE_BELOW, vowel_energy
from voice.shift import found, shifted
from voice.timing import TAIL, Passage, Sound, lay_out

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from voice.network.network import Network

CURVE = 80  # F0 and energy frames a second
SAMPLES = 600  # of one alignment frame
REST_EDGE = 0.06  # seconds in which sound falls to silence, or rises from it
SILENCE = -9.2  # energy of silence
BELIEVED_BEYOND = 2  # curve frames that the decoder is told of a note's F0 before and after it sounds
SONORANT = frozenset("mnŋlɹwjɾ")
VOICELESS = frozenset("ptkfsʃʧθʔ")
STOPS = frozenset("bdɡʤ")
VOICED_FROM = 45.0  # Hz: a natural F0 below means that the network would not voice the frame


@dataclass(frozen=True)
class Rendering:
    """audio: [samples], 24 kHz; stretches say where its phrases belong; f0, [2 * frames] as asked for."""

    audio: NDArray[np.float32]
    sounds: tuple[Sound, ...]
    stretches: tuple[Stretch, ...]
    f0: Floats
    times: Floats  # [2 * frames], score seconds of each curve frame's middle


def render(
    network: Network,
    passage: Passage,
    style: Tensor,
    hertz: Callable[[Floats], Floats],
    effort: Callable[[Floats], Floats],
    consonants: Sequence[float],
    swell: float,
    generator: torch.Generator,
    ceiling: float,
) -> Rendering:
    """hertz and effort: pitch, and what is added to the energy, at score seconds; consonants: [syllables] 0..1.

    What lies above `ceiling` [Hz] is sung there and moved up: the network's own high voice is hoarse.
    """
    import torch

    spoken = speak(network, passage, style)
    sounds = lay_out(passage, [float(n) / FRAMES for n in spoken.natural], consonants)
    stretches = stretches_of(passage, sounds)
    frames = int(np.ceil((stretches[-1].rendered + stretches[-1].length + TAIL) * FRAMES))
    segments = segments_of(passage, spoken, sounds, stretches, frames)
    middles = curve_middles(frames)
    times = score_seconds(stretches, middles)
    # The source moves at frame k's pitch from the middle of frame k - 1 to its own: so half a frame earlier.
    pitch = hertz(times - 0.5 / CURVE)
    words = words_of(spoken, segments, frames, pitch, effort(times), swell)
    f0 = np.where(voice_of(spoken, segments, middles), pitch, 0.0)
    sung_at = np.minimum(f0, ceiling)
    source = network.excitation(torch.tensor(sung_at, dtype=torch.float32)[None], generator=generator)
    sound = words.sung(network, style, source)[0].double().numpy()
    # The network slides away from its source at the edges of vowels: by up to three semitones on short ones.
    sound = steadied(shifted(sound, found(sound, sung_at), f0), f0)
    return Rendering(sound.astype(np.float32), tuple(sounds), stretches, f0, times)


@dataclass(frozen=True)
class Words:
    """What the decoder is told, at speaking pace, and how it is stretched to the notes.

    text: [512, spoken frames]; believed [Hz] and energy: [2 * spoken frames]; spoken_weights: [spoken frames];
    places: [2 * frames], where in the decoder's features each of the sung frames lies; weights: [frames].

    A vowel that is held by its text's features sounds like nothing the network ever heard, and after some 200 ms
    may turn to a hiss. So the decoder works as in speech, and its features are held, on which the generator sings.
    """

    text: Tensor
    believed: Tensor
    energy: Tensor
    spoken_weights: Tensor
    places: Tensor
    weights: Tensor

    def sung(self, network: Network, style: Tensor, source: Tensor) -> Tensor:
        """[1, 600 * frames]: style: [1, 256]; source: [1, 600 * frames]."""
        from voice.network.norms import FrameWeights

        features = network.features(
            self.text[None], self.believed[None], self.energy[None], style,
            FrameWeights(self.spoken_weights[None]),
        )  # fmt: skip
        held = stretched(features, self.places)
        return network.sound(held, style, excitation=source, weights=FrameWeights(self.weights[None]))


def words_of(
    spoken: Spoken, segments: Sequence[Segment], frames: int, pitch: Floats, effort: Floats, swell: float
) -> Words:
    """pitch [Hz] and effort: [2 * frames], throughout, as they are sung."""
    import torch

    def tensor(values: Floats) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=spoken.text.device)

    pace = pace_of(segments)
    own, middles = pace.segments, curve_middles(pace.frames)
    edges = pace.sung(np.arange(2 * pace.frames + 1) / CURVE)
    sung = np.array([s.sound is not None for s in own])[_owner(own, middles)]
    energy = energy_of(spoken, own, middles, swell) + _means(effort, edges) * sung
    believed = np.where(voice_of(spoken, own, middles), _means(pitch, edges), 0.0)
    return Words(
        text=features_of(spoken, own) @ tensor(overlap_of(own, pace.frames, EARLY)),
        believed=tensor(spread(believed, BELIEVED_BEYOND)),
        energy=tensor(energy),
        spoken_weights=tensor(frame_weights(own, overlap_of(own, pace.frames))),
        places=tensor(pace.spoken(curve_middles(frames)) * CURVE - 0.5),
        weights=tensor(frame_weights(segments, overlap_of(segments, frames))),
    )


def curve_middles(frames: int) -> Floats:
    """Rendered seconds of the curve frames' middles: [2 * frames]."""
    return (np.arange(2 * frames) + 0.5) / CURVE


def _means(curve: Floats, edges: Floats) -> Floats:
    """Means of a curve at CURVE frames a second between one edge [seconds] and the next."""
    whole = np.concatenate([[0.0], np.cumsum(curve)])
    below = np.interp(edges * CURVE, np.arange(len(whole)), whole)
    return np.asarray(np.diff(below) / np.maximum(np.diff(edges) * CURVE, 1e-9))


def _owner(segments: Sequence[Segment], middles: Floats) -> NDArray[np.int64]:
    return np.clip(np.searchsorted([s.end for s in segments], middles), 0, len(segments) - 1)


def _natural(segments: Sequence[Segment], middles: Floats, owner: NDArray[np.int64]) -> Floats:
    """Which of the spoken curve's frames belongs to each."""
    starts, ends, lo, hi = (
        np.array([getattr(s, name) for s in segments])[owner] for name in ("start", "end", "first", "last")
    )
    inside = np.clip((middles - starts) / np.maximum(ends - starts, 1e-6), 0, 1)
    return np.asarray(2 * (lo + inside * (hi - lo)) - 0.5)


def energy_of(spoken: Spoken, segments: Sequence[Segment], middles: Floats, swell: float) -> Floats:
    """Energy of each curve frame."""
    owner = _owner(segments, middles)
    energy = np.interp(_natural(segments, middles, owner), np.arange(len(spoken.energy)), spoken.energy)
    top = FLOOR
    for i, segment in enumerate(segments):
        own = owner == i
        if segment.sound is None or not own.any():
            continue
        role, symbol = segment.sound.role, segment.sound.symbol
        if role == "vowel":
            energy[own] = vowel_energy(energy[own], segment.end - segment.start, swell)
            top = float(energy[own][-1])
        elif role == "glide":
            energy[own] = np.maximum(energy[own], top - GLIDE_BELOW)
        else:
            energy[own] = np.maximum(energy[own], CONSONANT_FLOORS[symbol])
    _rest(energy, owner, segments, middles)
    return energy


def voice_of(spoken: Spoken, segments: Sequence[Segment], middles: Floats) -> NDArray[np.bool_]:
    """Which curve frames have voice."""
    owner = _owner(segments, middles)
    in_speech = (spoken.f0 > VOICED_FROM).astype(float)
    share = np.interp(_natural(segments, middles, owner), np.arange(len(in_speech)), in_speech)
    voiced = np.zeros(len(middles), bool)
    for i, segment in enumerate(segments):
        own = owner == i
        if segment.sound is not None and own.any():
            voiced[own] = _voiced(segment.sound, segments[i - 1].sound if i else None, share[own])
    return voiced


def _rest(energy: Floats, owner: NDArray[np.int64], segments: Sequence[Segment], middles: Floats) -> None:
    """Rests fall silent, and are left, as fast as in speech: commas are spoken through, so they teach nothing."""
    for i, segment in enumerate(segments):
        own = np.flatnonzero(owner == i)
        if segment.sound is not None or not len(own):
            continue
        before = energy[own[0] - 1] if own[0] else SILENCE
        after = energy[own[-1] + 1] if own[-1] + 1 < len(energy) else SILENCE
        fall = np.clip(1 - (middles[own] - segment.start) / REST_EDGE, 0, 1)
        rise = np.clip(1 - (segment.end - middles[own]) / REST_EDGE, 0, 1)
        energy[own] = SILENCE + np.maximum((before - SILENCE) * fall, (after - SILENCE) * rise)


def _voiced(sound: Sound, before: Sound | None, spoken: Floats) -> NDArray[np.bool_]:
    """Which frames of a sound have voice. spoken: how voiced they would be in speech, 0..1."""
    after_voiceless = before is None or before.symbol in VOICELESS
    if sound.role in ("vowel", "glide"):
        return np.ones(len(spoken), bool)
    if sound.symbol in VOICELESS or (sound.symbol in STOPS and after_voiceless):
        return np.zeros(len(spoken), bool)
    if sound.symbol in SONORANT and not (after_voiceless and before is not None and sound.role == "onset"):
        return np.ones(len(spoken), bool)
    return np.asarray(spoken > (0.75 if sound.symbol == "h" else 0.5))


def spread(f0: Floats, frames: int) -> Floats:
    """F0 held for some frames around each voiced run, where it would be 0."""
    out = f0.copy()
    for _ in range(frames):
        before, after = np.roll(out, 1), np.roll(out, -1)
        before[0] = after[-1] = 0.0
        out = np.where(out > 0, out, np.where(before > 0, before, after))
    return np.asarray(out, np.float64)
