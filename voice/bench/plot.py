"""A picture of a take: spectrogram, intended and sung F0, phonemes and words on one time axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.alphabet import VOWELS
from voice.bench.figures import PERIOD, at_bench_rate, measure_f0
from voice.score import Score
from voice.take import F0_RATE, SAMPLE_RATE, Take


def plot_take(score: Score, take: Take, path: Path, title: str = "") -> None:
    """Writes a PNG (or what the suffix says)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    take = at_bench_rate(take)
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(max(8.0, 2.6 * take.seconds), 9), sharex=True, height_ratios=(3, 2)
    )
    audio = take.audio + 1e-6 * np.random.default_rng(0).standard_normal(len(take.audio))
    top.specgram(
        audio, NFFT=1024, Fs=SAMPLE_RATE, noverlap=896, cmap="magma", vmin=-140, vmax=-40,
        xextent=(-take.lead, take.seconds - take.lead),
    )  # fmt: skip
    top.set(ylim=(0, 7000), ylabel="Hz", title=title or score.title)
    for phoneme in take.phonemes:
        vowel = phoneme.symbol in VOWELS or phoneme.symbol in "eao"
        for axes in (top, bottom):
            axes.axvline(phoneme.start, color="c" if vowel else "0.6", lw=0.6)
        top.text((phoneme.start + phoneme.end) / 2, 6500, phoneme.symbol, color="w", ha="center")
    for start, end in take.breaths:
        top.axvspan(start, end, color="w", alpha=0.15)
    f0 = measure_f0(take.audio)
    times = np.arange(len(f0)) * PERIOD - take.lead
    bottom.plot(times, _midi(f0), "b.", ms=3, label="sung")
    bottom.plot(
        (np.arange(len(take.f0)) + 0.5) / F0_RATE - take.lead, _midi(take.f0), "r-", lw=0.9, label="intended"
    )
    low, high = (f(note.pitch for note in score.notes) for f in (min, max))
    for timed in take.notes:
        note = score.notes[timed.note]
        bottom.plot([timed.start, timed.end], [note.pitch] * 2, "g-", lw=1)
        if note.syllable:
            bottom.text(timed.start, high + 2.5, note.syllable, fontsize=11)
    bottom.set(ylim=(low - 4, high + 4), ylabel="MIDI note", xlabel="seconds")
    bottom.legend(loc="lower right")
    bottom.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)


def _midi(hertz: NDArray[Any]) -> NDArray[Any]:
    return np.where(hertz > 0, 69 + 12 * np.log2(np.maximum(hertz, 1.0) / 440.0), np.nan)
