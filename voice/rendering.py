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
    score_seconds,
    segments_of,
    smoothed,
    speak,
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

    from voice.network.norms import FrameWeights

    spoken = speak(network, passage, style)
    sounds = lay_out(passage, [float(n) / FRAMES for n in spoken.natural], consonants)
    stretches = stretches_of(passage, sounds)
    frames = int(np.ceil((stretches[-1].rendered + stretches[-1].length + TAIL) * FRAMES))
    segments = segments_of(passage, spoken, sounds, stretches, frames)
    overlap = overlap_of(segments, frames, EARLY)
    text = features_of(spoken, segments) @ torch.tensor(overlap, dtype=torch.float32)
    text = smoothed(text)
    middles = (np.arange(2 * frames) + 0.5) / CURVE
    times = score_seconds(stretches, middles)
    energy, voiced = energy_and_voice(spoken, segments, middles, swell)
    sung = np.array([s.sound is not None for s in segments])[_owner(segments, middles)]
    energy = energy + effort(times) * sung
    # The source moves at frame k's pitch from the middle of frame k - 1 to its own: so half a frame earlier.
    f0 = np.where(voiced, hertz(times - 0.5 / CURVE), 0.0)
    weights = frame_weights(segments, overlap_of(segments, frames))
    sung_at = np.minimum(f0, ceiling)
    curve = torch.tensor(sung_at, dtype=torch.float32)[None]
    source = network.excitation(curve, generator=generator)
    audio = network.decode(
        text[None],
        torch.tensor(spread(f0, BELIEVED_BEYOND), dtype=torch.float32)[None],
        torch.tensor(energy, dtype=torch.float32)[None],
        style,
        excitation=source,
        weights=FrameWeights(torch.tensor(weights, dtype=torch.float32)[None]),
    )
    # The network slides away from its source at the edges of vowels: by up to three semitones on short ones.
    sound = audio[0].double().numpy()
    sound = steadied(shifted(sound, found(sound, sung_at), f0), f0)
    return Rendering(sound.astype(np.float32), tuple(sounds), stretches, f0, times)


def _owner(segments: Sequence[Segment], middles: Floats) -> NDArray[np.int64]:
    return np.clip(np.searchsorted([s.end for s in segments], middles), 0, len(segments) - 1)


def energy_and_voice(
    spoken: Spoken, segments: Sequence[Segment], middles: Floats, swell: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Energy and voicing of each curve frame."""
    owner = _owner(segments, middles)
    starts = np.array([s.start for s in segments])[owner]
    ends = np.array([s.end for s in segments])[owner]
    lo = np.array([s.first for s in segments])[owner]
    hi = np.array([s.last for s in segments])[owner]
    inside = np.clip((middles - starts) / np.maximum(ends - starts, 1e-6), 0, 1)
    natural = 2 * (lo + inside * (hi - lo)) - 0.5
    grid = np.arange(len(spoken.energy))
    energy = np.interp(natural, grid, spoken.energy)
    voiced_share = np.interp(natural, grid, (spoken.f0 > VOICED_FROM).astype(float))
    voiced = np.zeros(len(middles), bool)
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
        voiced[own] = _voiced(segment.sound, segments[i - 1].sound if i else None, voiced_share[own])
    _rest(energy, owner, segments, middles)
    return energy, voiced


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
