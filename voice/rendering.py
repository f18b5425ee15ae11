"""Rendering: one passage through the network, from phonemes with times to sound.

The network thinks in frames of 25 ms. A phoneme that ends inside a frame shares it with the next in proportion, so
sung times need not be rounded to frames.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voice.energy import CONSONANT_FLOORS, FLOOR, GLIDE_BELOW, vowel_energy
from voice.timing import DIPHTHONGS, HEAD, REST_IN_PASSAGE, TAIL, Passage, Sound, lay_out

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from voice.network.network import Network

Floats = NDArray[np.float64]

FRAMES = 40  # alignment frames a second
CURVE = 80  # F0 and energy frames a second
SAMPLES = 600  # of one alignment frame
# In what the network learned, sound comes this much before its phoneme's frames: it was trained on alignments that
# late. So features are laid that much after the sound they are meant for.
EARLY = 0.07  # seconds
REST_EDGE = 0.06  # seconds in which sound falls to silence, or rises from it
SILENCE = -9.2  # energy of silence
TRIMMED = (0, 0)  # curve frames of voicing left out at the (start, end) of a voiced run
BELIEVED_BEYOND = 2  # curve frames that the decoder is told of a note's F0 before and after it sounds
MARK_SHARE = 0.5  # of a stressed vowel's features come from its stress mark: the voice holds better
WHOLE_SHARE = 0.5  # of a diphthong half's features come from the diphthong as a whole
SONORANT = frozenset("mnŋlɹwjɾ")
VOICELESS = frozenset("ptkfsʃʧθʔ")
STOPS = frozenset("bdɡʤ")
VOICED_FROM = 45.0  # Hz: a natural F0 below means that the network would not voice the frame


@dataclass(frozen=True)
class Stretch:
    """A phrase within a rendering: it begins `rendered` seconds into it and at `sung` in the score."""

    rendered: float
    sung: float
    length: float


@dataclass(frozen=True)
class Spoken:
    """What the network says of a passage's words. text: [512, tokens]; natural: [tokens] frames;
    f0, energy: [2 * natural.sum()]; halves: features of the diphthongs' second spelling, by (token, half)."""

    text: Tensor
    natural: NDArray[np.int64]
    f0: Floats
    energy: Floats
    halves: dict[tuple[int, int], Tensor]


@dataclass(frozen=True)
class Rendering:
    """audio: [samples], 24 kHz; stretches say where its phrases belong; f0, [2 * frames] as asked for."""

    audio: NDArray[np.float32]
    sounds: tuple[Sound, ...]
    stretches: tuple[Stretch, ...]
    f0: Floats
    times: Floats  # [2 * frames], score seconds of each curve frame's middle


def speak(network: Network, passage: Passage, style: Tensor) -> Spoken:
    """The words as the network would speak them; what singing starts from."""
    import torch

    from voice.network.network import vocabulary

    table = vocabulary()
    tokens = torch.tensor([[table[t.symbol] if t.symbol else 0 for t in passage.tokens]])
    prosody = network.prosody(tokens, style)
    lengths = prosody.durations[0]
    contours = network.contours(prosody.features.repeat_interleave(lengths, dim=2), style)
    spelled: list[int] = []
    places: dict[tuple[int, int], int] = {}
    for t, token in enumerate(passage.tokens):
        for half, _symbol in enumerate(DIPHTHONGS.get(token.symbol, "")):
            places[t, half] = len(spelled) + half
        spelled += [table[s] for s in DIPHTHONGS.get(token.symbol, token.symbol)] if token.symbol else [0]
    split = network.encode_text(torch.tensor([spelled]))[0] if places else None
    return Spoken(
        text=network.encode_text(tokens)[0],
        natural=lengths.numpy(),
        f0=contours.f0[0].double().numpy(),
        energy=contours.energy[0].double().numpy(),
        halves={} if split is None else {key: split[:, place] for key, place in places.items()},
    )


def render(
    network: Network,
    passage: Passage,
    style: Tensor,
    hertz: Callable[[Floats], Floats],
    effort: Callable[[Floats], Floats],
    consonants: Sequence[float],
    swell: float,
    generator: torch.Generator,
) -> Rendering:
    """hertz and effort: pitch, and what is added to the energy, at score seconds; consonants: [syllables] 0..1."""
    import torch

    from voice.network.norms import FrameWeights

    spoken = speak(network, passage, style)
    sounds = lay_out(passage, [float(n) / FRAMES for n in spoken.natural], consonants)
    stretches = _stretches(passage, sounds)
    frames = int(np.ceil((stretches[-1].rendered + stretches[-1].length + TAIL) * FRAMES))
    segments = _segments(passage, spoken, sounds, stretches, frames)
    overlap = _overlap(segments, frames, EARLY)
    text = _features(spoken, segments) @ torch.tensor(overlap, dtype=torch.float32)
    text = _smooth(text)
    middles = (np.arange(2 * frames) + 0.5) / CURVE
    times = score_seconds(stretches, middles)
    energy, voiced = _energy(spoken, segments, middles, swell)
    sung = np.array([s.sound is not None for s in segments])[_owner(segments, middles)]
    energy = energy + effort(times) * sung
    # The source moves at frame k's pitch from the middle of frame k - 1 to its own: so half a frame earlier.
    voiced = _trimmed(voiced)
    f0 = np.where(voiced, hertz(times - 0.5 / CURVE), 0.0)
    weights = _weights(segments, _overlap(segments, frames))
    curve = torch.tensor(f0, dtype=torch.float32)[None]
    source = network.excitation(curve, generator=generator)
    audio = network.decode(
        text[None],
        torch.tensor(_spread(f0, BELIEVED_BEYOND), dtype=torch.float32)[None],
        torch.tensor(energy, dtype=torch.float32)[None],
        style,
        excitation=source,
        weights=FrameWeights(torch.tensor(weights, dtype=torch.float32)[None]),
    )
    return Rendering(audio[0].float().numpy(), tuple(sounds), stretches, f0, times)


@dataclass(frozen=True)
class _Segment:
    """A stretch of rendered time [seconds] that voices natural frames `first` to `last` of `tokens`."""

    start: float
    end: float
    first: float
    last: float
    sound: Sound | None
    token: int


def _stretches(passage: Passage, sounds: Sequence[Sound]) -> tuple[Stretch, ...]:
    """Phrases keep their length; rests between them are shortened to what the network needs."""
    stretches: list[Stretch] = []
    begin = 0
    for end in passage.ends:
        own = [s for s in sounds if begin <= s.syllable <= end]
        start, stop = own[0].start, own[-1].end
        if not stretches:
            rendered = HEAD
        else:
            before = stretches[-1]
            rest = start - (before.sung + before.length)
            rendered = before.rendered + before.length + min(max(rest, 0.0), REST_IN_PASSAGE)
        stretches.append(Stretch(rendered, start, stop - start))
        begin = end + 1
    return tuple(stretches)


def score_seconds(stretches: Sequence[Stretch], rendered: Floats) -> Floats:
    """Rendered seconds to seconds of the score; in a shortened rest the nearer phrase's clock counts."""
    out = np.asarray(rendered + (stretches[0].sung - stretches[0].rendered))
    for before, after in itertools.pairwise(stretches):
        middle = (before.rendered + before.length + after.rendered) / 2
        out = np.where(rendered >= middle, rendered + (after.sung - after.rendered), out)
    return out


def _segments(
    passage: Passage, spoken: Spoken, sounds: Sequence[Sound], stretches: Sequence[Stretch], frames: int
) -> list[_Segment]:
    edges = np.concatenate([[0], np.cumsum(spoken.natural)]) - EARLY * FRAMES
    edges[[0, -1]] += EARLY * FRAMES
    segments: list[_Segment] = []
    now = 0.0
    token = 0  # the next rest token
    phrase = 0
    begin_of = [0, *[end + 1 for end in passage.ends]]
    for place, sound in enumerate(sounds):
        if sound.syllable > passage.ends[phrase]:
            phrase += 1
        offset = stretches[phrase].rendered - stretches[phrase].sung
        start, end = sound.start + offset, sound.end + offset
        opening = place == 0 or (sounds[place - 1].syllable < begin_of[phrase] <= sound.syllable)
        if opening and start > now:
            first = sound.mark if sound.mark >= 0 else sound.token
            segments.append(_Segment(now, start, edges[token], edges[first], None, token))
        first = sound.mark if sound.mark >= 0 else sound.token
        lo, hi = edges[first], edges[sound.token + 1]
        if sound.half == 0:
            hi = lo + 0.6 * (hi - lo)
        elif sound.half == 1:
            lo = edges[sound.token] + 0.6 * (hi - edges[sound.token])
        segments.append(_Segment(start, end, lo, hi, sound, sound.token))
        now = end
        token = sound.token + 1
    segments.append(_Segment(now, frames / FRAMES, edges[token], edges[-1], None, token))
    return segments


def _overlap(segments: Sequence[_Segment], frames: int, late: float = 0.0) -> Floats:
    """[segments, frames]: how much of each frame belongs to each segment, all but the first moved by `late`."""
    starts = (np.array([s.start for s in segments])[:, None] + late) * FRAMES
    ends = (np.array([s.end for s in segments])[:, None] + late) * FRAMES
    starts[0], ends[-1] = 0.0, frames
    grid = np.arange(frames)[None]
    return np.asarray(np.clip(np.minimum(ends, grid + 1) - np.maximum(starts, grid), 0.0, 1.0))


def _features(spoken: Spoken, segments: Sequence[_Segment]) -> Tensor:
    """[512, segments]: what the decoder is to voice in each."""
    import torch

    columns = []
    for s in segments:
        own = spoken.text[:, s.token]
        if s.sound is not None and s.sound.role in ("vowel", "glide"):
            if s.sound.half is not None:
                half = spoken.halves[s.token, s.sound.half]
                if s.sound.mark >= 0:
                    half = (1 - MARK_SHARE) * half + MARK_SHARE * spoken.text[:, s.sound.mark]
                own = (1 - WHOLE_SHARE) * half + WHOLE_SHARE * own
            elif s.sound.mark >= 0:
                own = (1 - MARK_SHARE) * own + MARK_SHARE * spoken.text[:, s.sound.mark]
        columns.append(own)
    return torch.stack(columns, dim=1)


def _smooth(text: Tensor) -> Tensor:
    import torch.nn.functional as F

    padded = F.pad(text[None], (1, 1), mode="replicate")[0]
    return 0.2 * padded[:, :-2] + 0.6 * padded[:, 1:-1] + 0.2 * padded[:, 2:]


def _weights(segments: Sequence[_Segment], overlap: Floats) -> Floats:
    """[frames]: natural over sung duration."""
    rates = [(s.last - s.first) / max((s.end - s.start) * FRAMES, 1e-6) for s in segments]
    return np.asarray(np.array(rates) @ overlap) + 1e-6


def _owner(segments: Sequence[_Segment], middles: Floats) -> NDArray[np.int64]:
    return np.clip(np.searchsorted([s.end for s in segments], middles), 0, len(segments) - 1)


def _energy(
    spoken: Spoken, segments: Sequence[_Segment], middles: Floats, swell: float
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


def _rest(energy: Floats, owner: NDArray[np.int64], segments: Sequence[_Segment], middles: Floats) -> None:
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


def _trimmed(voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Runs of voicing TRIMMED frames shorter at (start, end): the decoder's filters ring beyond what is asked for."""
    out = voiced.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voiced.astype(int), [0]]))).reshape(-1, 2)
    for start, end in edges:
        if end - start > 8:
            out[start : start + TRIMMED[0]] = False
            out[end - TRIMMED[1] : end] = False
    return out


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


def _spread(f0: Floats, frames: int) -> Floats:
    """F0 held for some frames around each voiced run, where it would be 0."""
    out = f0.copy()
    for _ in range(frames):
        before, after = np.roll(out, 1), np.roll(out, -1)
        before[0] = after[-1] = 0.0
        out = np.where(out > 0, out, np.where(before > 0, before, after))
    return np.asarray(out, np.float64)
