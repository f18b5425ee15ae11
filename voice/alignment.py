"""Alignment: which of the network's features sound when, in a passage or in a recording of somebody singing.

The network thinks in frames of 25 ms. A phoneme that ends inside a frame shares it with the next in proportion, so
sung times need not be rounded to frames.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from voice.timing import DIPHTHONGS, HEAD, REST_IN_PASSAGE, Passage, Sound

if TYPE_CHECKING:
    from torch import Tensor

    from voice.network.network import Network

Floats = NDArray[np.float64]

FRAMES = 40  # alignment frames a second
# In what the network learned, sound comes this much before its phoneme's frames: it was trained on alignments that
# late. So features are laid that much after the sound they are meant for.
EARLY = 0.07  # seconds
SHORTEST_SPOKEN = 0.1  # seconds that a vowel which is held is spoken for, at the least
HELD = (0.6, 0.85)  # of a spoken vowel is what is held of it: before, a consonant's noise is still there
MARK_SHARE = 0.5  # of a stressed vowel's features come from its stress mark: the voice holds better
WHOLE_SHARE = 0.5  # of a diphthong half's features come from the diphthong as a whole


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


def speak(network: Network, passage: Passage, style: Tensor) -> Spoken:
    """The words as the network would speak them; what singing starts from."""
    import torch

    from voice.network.network import vocabulary

    table = vocabulary()
    tokens = torch.tensor([[table[t.symbol] if t.symbol else 0 for t in passage.tokens]], device=style.device)
    prosody = network.prosody(tokens, style)
    lengths = prosody.durations[0]
    contours = network.contours(prosody.features.repeat_interleave(lengths, dim=2), style)
    spelled: list[int] = []
    places: dict[tuple[int, int], int] = {}
    for t, token in enumerate(passage.tokens):
        for half, _symbol in enumerate(DIPHTHONGS.get(token.symbol, "")):
            places[t, half] = len(spelled) + half
        spelled += [table[s] for s in DIPHTHONGS.get(token.symbol, token.symbol)] if token.symbol else [0]
    split = network.encode_text(torch.tensor([spelled], device=style.device))[0] if places else None
    return Spoken(
        text=network.encode_text(tokens)[0],
        natural=lengths.cpu().numpy(),
        f0=contours.f0[0].cpu().double().numpy(),
        energy=contours.energy[0].cpu().double().numpy(),
        halves={} if split is None else {key: split[:, place] for key, place in places.items()},
    )


@dataclass(frozen=True)
class Segment:
    """A stretch of rendered time [seconds] that voices natural frames `first` to `last` of `tokens`."""

    start: float
    end: float
    first: float
    last: float
    sound: Sound | None
    token: int


def stretches_of(passage: Passage, sounds: Sequence[Sound]) -> tuple[Stretch, ...]:
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


def segments_of(
    passage: Passage, spoken: Spoken, sounds: Sequence[Sound], stretches: Sequence[Stretch], frames: int
) -> list[Segment]:
    edges = np.concatenate([[0], np.cumsum(spoken.natural)]) - EARLY * FRAMES
    edges[[0, -1]] += EARLY * FRAMES
    segments: list[Segment] = []
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
            segments.append(Segment(now, start, edges[token], edges[first], None, token))
        first = sound.mark if sound.mark >= 0 else sound.token
        lo, hi = edges[first], edges[sound.token + 1]
        if sound.half == 0:
            hi = lo + 0.6 * (hi - lo)
        elif sound.half == 1:
            lo = edges[sound.token] + 0.6 * (hi - edges[sound.token])
        segments.append(Segment(start, end, lo, hi, sound, sound.token))
        now = end
        token = sound.token + 1
    segments.append(Segment(now, frames / FRAMES, edges[token], edges[-1], None, token))
    return segments


def overlap_of(segments: Sequence[Segment], frames: int, late: float = 0.0) -> Floats:
    """[segments, frames]: how much of each frame belongs to each segment, all but the first moved by `late`."""
    starts = (np.array([s.start for s in segments])[:, None] + late) * FRAMES
    ends = (np.array([s.end for s in segments])[:, None] + late) * FRAMES
    starts[0], ends[-1] = 0.0, frames
    grid = np.arange(frames)[None]
    return np.asarray(np.clip(np.minimum(ends, grid + 1) - np.maximum(starts, grid), 0.0, 1.0))


def features_of(spoken: Spoken, segments: Sequence[Segment]) -> Tensor:
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


@dataclass(frozen=True)
class Pace:
    """Two clocks: the one that is sung by and the one that the words are spoken by, for which vowels are not held.

    segments: the sung ones at speaking pace; frames: of all of them.
    """

    segments: tuple[Segment, ...]
    frames: int
    _sung: Floats
    _spoken: Floats

    def spoken(self, sung: Floats) -> Floats:
        return np.interp(sung, self._sung, self._spoken)

    def sung(self, spoken: Floats) -> Floats:
        return np.interp(spoken, self._spoken, self._sung)


def pace_of(segments: Sequence[Segment]) -> Pace:
    """Held vowels are spoken as long as speech has them; all of one but what is HELD runs alike on both clocks."""
    own: list[Segment] = []
    sung, spoken = [0.0], [0.0]
    now = 0.0
    for segment in segments:
        length = said = segment.end - segment.start
        if segment.sound is not None and segment.sound.role in ("vowel", "glide"):
            said = min(length, max((segment.last - segment.first) / FRAMES, SHORTEST_SPOKEN))
        own.append(replace(segment, start=now, end=now + said))
        if said < length:
            begin, end = (share * said for share in HELD)
            sung += [segment.start + begin, segment.end - (said - end)]
            spoken += [now + begin, now + end]
        now += said
        sung.append(segment.end)
        spoken.append(now)
    frames = int(np.ceil(now * FRAMES - 1e-9))
    spoken[-1] = frames / FRAMES
    own[-1] = replace(own[-1], end=frames / FRAMES)
    return Pace(tuple(own), frames, np.array(sung), np.array(spoken))


def stretched(features: Tensor, places: Tensor) -> Tensor:
    """Features as they lie at `places`, [frames], in between where those are no whole frames.

    features: [batch, channels, frames] -> [batch, channels, places].
    """
    before = places.floor().clamp(0, features.shape[2] - 2)
    share = (places - before).clamp(0, 1)
    first = before.long()
    return features[:, :, first].lerp(features[:, :, first + 1], share)


def frame_weights(segments: Sequence[Segment], overlap: Floats) -> Floats:
    """[frames]: natural over sung duration."""
    rates = [(s.last - s.first) / max((s.end - s.start) * FRAMES, 1e-6) for s in segments]
    return np.asarray(np.array(rates) @ overlap) + 1e-6
