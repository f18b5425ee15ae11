"""Figures of a take: is it in tune, on time, voiced where it should be, understood, clean.

F0 is measured every 5 ms by two ears: DIO and StoneMask (pyworld), and swift-f0, a small network. A note's frames are
those between its start and end in the score; cents are counted from the note's written pitch after vibrato is smoothed
away (a moving mean of one vibrato cycle), so glides and scoops count as they are.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.bench import hearing
from voice.bench.onsets import vowel_lateness
from voice.bench.world import world
from voice.score import Score
from voice.take import F0_RATE, SAMPLE_RATE, Take

Floats = NDArray[np.float64]

PERIOD = 0.005  # seconds between measured frames
LOWEST, HIGHEST = 55.0, 1000.0  # Hz that DIO looks for
VIBRATO = 0.19  # seconds, a cycle
AUDIBLE = 0.04  # seconds; a shorter octave error is the tracker's
SURE = 0.9  # of swift-f0's confidence
ONE_LINE = 12.0  # seconds; a longer take is heard line by line
REST, SHORTEST_LINE = 0.3, 2.0  # seconds
LOCK = 80.0  # Hz: the F0 frame rate, to which a failing decoder falls


@dataclass(frozen=True)
class TakeFigures:
    """cents from the written notes (vibrato smoothed) and from the intended curve; shares in 0..1; times in ms;
    level_spread: the largest deviation, in dB, of a held vowel's level from its own line.

    By DIO, and `again` by swift-f0; `cents` are the deviations of all its voiced frames, `cents_again` by swift-f0.
    """

    cents_median: float
    cents_p90: float
    within_50: float
    followed_median: float
    followed_within_50: float
    octave_errors: float
    lock_80: float
    onset_median: float
    onset_p95: float
    voicing_error: float
    level_spread: float
    character_error_rate: float
    heard: str
    overall: float
    signal: float
    p808: float
    seconds: float
    again_median: float
    again_p90: float
    again_within_50: float
    again_voicing_error: float
    cents: Floats
    cents_again: Floats

    def numbers(self) -> dict[str, Any]:
        """All but the two curves."""
        every = dataclasses.asdict(self)
        return {name: value for name, value in every.items() if name not in ("cents", "cents_again")}


def measure_f0(audio: NDArray[np.float32], rate: int = SAMPLE_RATE) -> Floats:
    """[frames] Hz every PERIOD, 0 where unvoiced."""
    pyworld = world()
    x = audio.astype(np.float64)
    coarse, times = pyworld.dio(x, rate, f0_floor=LOWEST, f0_ceil=HIGHEST, frame_period=1000 * PERIOD)
    return np.asarray(pyworld.stonemask(x, coarse, times, rate))


def measure_f0_again(audio: NDArray[np.float32], rate: int = SAMPLE_RATE) -> Floats:
    """[frames] Hz every PERIOD by another ear (swift-f0, a small network), 0 where it is not sure of a pitch.

    DIO goes on through short unvoiced consonants and strays beside voiced ones; where the two differ, look.
    """
    import soxr
    from swift_f0 import SwiftF0

    heard = SwiftF0(threads=1).detect(np.asarray(soxr.resample(audio, rate, 16_000), np.float32), 16_000)
    stamps = np.asarray(heard.timestamps, float)
    hertz = np.where(np.asarray(heard.confidence) > SURE, np.asarray(heard.pitch_hz, float), 0.0)
    times = np.arange(0.0, stamps[-1], PERIOD)
    return np.asarray(hertz[np.clip(np.searchsorted(stamps, times), 0, len(stamps) - 1)])


def measure_take(score: Score, take: Take, words: str, listen: bool = True) -> TakeFigures:
    """All figures of a take. words: the lyrics as text; listen: also ask the recogniser and DNSMOS."""
    take = at_bench_rate(take)
    f0, again = measure_f0(take.audio), measure_f0_again(take.audio)
    times, times_again = (_clock(curve, take) for curve in (f0, again))
    cents, cents_again = cents_from_notes(score, f0, times), cents_from_notes(score, again, times_again)
    size, size_again = np.abs(cents), np.abs(cents_again)
    followed = np.abs(_followed(take, f0, times))
    late = np.abs(vowel_lateness(take)) * 1000
    heard = " ".join(hearing.recognise(part, SAMPLE_RATE) for part in lines_of(take)) if listen else ""
    quality = hearing.quality(take.audio, SAMPLE_RATE) if listen else hearing.Quality(*[float("nan")] * 4)
    return TakeFigures(
        cents_median=_at(size, 50),
        cents_p90=_at(size, 90),
        within_50=float(np.mean(size < 50)) if len(size) else 0.0,
        followed_median=_at(followed, 50),
        followed_within_50=float(np.mean(followed < 50)) if len(followed) else 0.0,
        octave_errors=float(np.mean(_lasting(followed > 600))) if len(followed) else 1.0,
        lock_80=_locked(take, f0, times),
        onset_median=_at(late, 50),
        onset_p95=_at(late, 95),
        voicing_error=voicing_error(take, f0, times),
        level_spread=level_spread(take),
        character_error_rate=hearing.character_error_rate(words, heard) if listen else float("nan"),
        heard=heard,
        overall=quality.overall,
        signal=quality.signal,
        p808=quality.p808,
        seconds=take.seconds,
        again_median=_at(size_again, 50),
        again_p90=_at(size_again, 90),
        again_within_50=float(np.mean(size_again < 50)) if len(size_again) else 0.0,
        again_voicing_error=voicing_error(take, again, times_again),
        cents=cents,
        cents_again=cents_again,
    )


def lines_of(take: Take) -> list[NDArray[np.float32]]:
    """The audio of a long take cut in its rests: a recogniser skips a line that it has heard before."""
    if take.seconds <= ONE_LINE:
        return [take.audio]
    cuts = [0.0]
    for before, after in pairwise(take.phonemes):
        middle = (before.end + after.start) / 2 + take.lead
        if after.start - before.end >= REST and middle - cuts[-1] >= SHORTEST_LINE:
            cuts.append(middle)
    places = [round(cut * SAMPLE_RATE) for cut in cuts] + [len(take.audio)]
    return [take.audio[a:b] for a, b in pairwise(places)]


def _clock(curve: Floats, take: Take) -> Floats:
    return np.asarray(np.arange(len(curve), dtype=np.float64) * PERIOD - take.lead, np.float64)


def at_bench_rate(take: Take) -> Take:
    """The take at SAMPLE_RATE, whoever sang it."""
    import soxr

    if take.rate == SAMPLE_RATE:
        return take
    audio = np.asarray(soxr.resample(take.audio, take.rate, SAMPLE_RATE, "VHQ"), np.float32)
    return dataclasses.replace(take, audio=audio, rate=SAMPLE_RATE)


def cents_from_notes(score: Score, f0: Floats, times: Floats) -> Floats:
    """Deviation of every voiced frame in a note from the written pitch, vibrato smoothed. In order of time."""
    out: list[Floats] = []
    for note in score.notes:
        start, end = score.seconds(note.tick), score.seconds(note.end)
        own = (times >= start) & (times < end) & (f0 > 0)
        cents = 1200 * np.log2(f0[own] / 440.0) - 100.0 * (note.pitch - 69)
        # a break in the voicing is a break in the smoothing
        breaks = np.flatnonzero(np.diff(np.flatnonzero(own)) > 1) + 1
        out += [_smoothed(run) for run in np.split(cents, breaks)]
    return np.concatenate(out) if out else np.zeros(0)


def _smoothed(run: Floats) -> Floats:
    size = round(VIBRATO / PERIOD)
    if len(run) < 2 * size:
        return run
    padded = np.pad(run, (size // 2, size - 1 - size // 2), mode="reflect")
    return np.convolve(padded, np.ones(size) / size, "valid")


def intended(take: Take, times: Floats) -> Floats:
    """Take.f0 at those times [Hz, 0 where unvoiced]."""
    exact = np.clip((times + take.lead) * F0_RATE - 0.5, 0, len(take.f0) - 1)
    nearest = take.f0[np.round(exact).astype(int)]
    before, after = take.f0[np.floor(exact).astype(int)], take.f0[np.ceil(exact).astype(int)]
    between = before + (after - before) * (exact - np.floor(exact))
    return np.asarray(np.where((before > 0) & (after > 0), between, nearest), float)


def _followed(take: Take, f0: Floats, times: Floats) -> Floats:
    wanted = intended(take, times)
    both = (f0 > 0) & (wanted > 0)
    return np.asarray(1200 * np.log2(f0[both] / wanted[both]))


def _locked(take: Take, f0: Floats, times: Floats) -> float:
    """The share of frames meant to be above 90 Hz that sound at 80."""
    wanted = intended(take, times)
    both = (f0 > 0) & (wanted > 90)
    return float(np.mean(_lasting(np.abs(f0[both] - LOCK) < 2))) if both.any() else 0.0


def _lasting(wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only runs of AUDIBLE or longer: DIO strays for a frame or two at the edges of voicing."""
    size = round(AUDIBLE / PERIOD)
    kept = np.zeros(len(wrong), bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong.astype(int), [0]])))
    for start, end in edges.reshape(-1, 2):
        kept[start:end] = end - start >= size
    return kept


def voicing_error(take: Take, f0: Floats, times: Floats) -> float:
    """The share of frames, rests included, that are voiced and should not be or the other way round."""
    first = min(p.start for p in take.phonemes) - 0.1
    last = max(p.end for p in take.phonemes) + 0.1
    sung = (times >= first) & (times <= last)
    return float(np.mean((f0[sung] > 0) != (intended(take, times)[sung] > 0)))


def level_spread(take: Take) -> float:
    """dB: how far a vowel held for 0.6 s or more strays from its line of level, the worst of all; 0 if none."""
    worst = 0.0
    for p, after in pairwise([*take.phonemes, take.phonemes[-1]]):
        if p.end - p.start < 0.6 or after.start > p.end + 1:
            continue
        a, b = (round((t + take.lead) * SAMPLE_RATE) for t in (p.start + 0.12, p.end - 0.12))
        level = levels(take.audio[a:b])
        if len(level) > 3:
            line = np.polyval(np.polyfit(np.arange(len(level)), level, 1), np.arange(len(level)))
            worst = max(worst, float(np.abs(level - line).max()))
    return worst


def levels(audio: NDArray[np.float32], window: float = 0.05) -> Floats:
    """RMS in dB of windows of `window` seconds, half overlapping."""
    size = round(window * SAMPLE_RATE)
    starts = range(0, max(len(audio) - size, 0), size // 2)
    return np.array([10 * np.log10(np.mean(audio[s : s + size].astype(float) ** 2) + 1e-12) for s in starts])


def _at(values: Floats, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")
