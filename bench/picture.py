"""Draws docs/song.png: one song's sung stem, from the files in its folder.

python bench/picture.py SONG_FOLDER docs/song.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
import soxr

from skills.library import read_score, read_take
from voice.bench.figures import PERIOD, measure_f0
from voice.take import F0_RATE, SAMPLE_RATE, STUDIO_RATE

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def midi(hertz: np.ndarray) -> np.ndarray:
    """MIDI numbers of [frames] Hz; nan where unvoiced."""
    with np.errstate(divide="ignore"):
        return np.where(hertz > 0, 69 + 12 * np.log2(np.maximum(hertz, 1e-9) / 440), np.nan)


def draw(folder: Path, out: Path) -> None:
    score, take = read_score(folder), read_take(folder)
    vocal, _ = soundfile.read(folder / "stems" / "vocal.wav", dtype="float32")
    audio = np.asarray(soxr.resample(vocal, STUDIO_RATE, SAMPLE_RATE), np.float32)
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(15, 7), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    seconds = len(audio) / SAMPLE_RATE
    top.specgram(
        audio + 1e-6 * np.random.default_rng(0).standard_normal(len(audio)),
        NFFT=1024, Fs=SAMPLE_RATE, noverlap=896, cmap="magma", vmin=-140, vmax=-40,
        xextent=(-take.lead, seconds - take.lead),
    )  # fmt: skip
    top.set(ylim=(0, 6000), ylabel="Hz", title=f'"{score.title}", sung by Breaking Rust (AI)')
    f0 = measure_f0(audio)
    bottom.plot(
        np.arange(len(f0)) * PERIOD - take.lead,
        midi(f0),
        ".",
        ms=2,
        color="tab:blue",
        label="sung (measured)",
    )
    times = (np.arange(len(take.f0)) + 0.5) / F0_RATE - take.lead
    bottom.plot(times, midi(take.f0), "-", lw=0.8, color="tab:red", label="intended")
    high = max(note.pitch for note in score.notes)
    for timed in take.notes:
        note = score.notes[timed.note]
        label = "written" if timed is take.notes[0] else None
        bottom.plot(
            [timed.start, timed.end], [note.pitch] * 2, "-", lw=3, alpha=0.35, color="tab:green", label=label
        )
        if note.syllable:
            joined = note.syllable + ("-" if note.syllabic in ("begin", "middle") else "")
            bottom.text(timed.start, high + 1.5, joined, fontsize=8, rotation=40)
    bottom.set(
        ylim=(min(note.pitch for note in score.notes) - 3, high + 5), ylabel="MIDI note", xlabel="seconds",
        xlim=(max(0, take.notes[0].start - 1), take.notes[-1].end + 0.6),
    )  # fmt: skip
    bottom.legend(loc="lower right", fontsize=8)
    bottom.grid(alpha=0.3)
    figure.savefig(out, dpi=80)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
