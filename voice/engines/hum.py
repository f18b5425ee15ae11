"""Humming: the tune on an open vowel, without words and without a network. A sketch in a second, on any machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.engines.protocol import Progress
from voice.expression import Expression
from voice.score import Note, Score
from voice.take import F0_RATE, STUDIO_RATE, Take, TimedNote, TimedPhoneme

FORMANTS = ((650, 90), (1100, 110), (2500, 160), (3400, 250))  # Hz, Hz wide: an open vowel
HARMONICS = 30
VIBRATO_HZ, VIBRATO_DEPTH = 5.5, 0.006  # the depth as a share of the pitch
ATTACK, RELEASE, BREATH, TAIL = 0.03, 0.05, 0.04, 0.2  # seconds


class Hummer:
    """A score singer (see protocol.py) that hums. It obeys no knob of an expression."""

    name = engine = "hum"
    languages = ("en",)  # it is asked to hum English songs; the words are heard by nobody
    low, high = 45, 69
    controls: tuple[str, ...] = ()
    licence = "Apache-2.0"
    expression = Expression()

    def sing(
        self,
        score: Score,
        expression: Expression | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Take:
        rng = np.random.default_rng(seed)
        audio = np.zeros(int((score.seconds(score.ticks) + TAIL) * STUDIO_RATE), dtype=np.float32)
        f0 = np.zeros(int(len(audio) / STUDIO_RATE * F0_RATE), dtype=np.float32)
        timed = []
        for number, note in enumerate(score.notes):
            start, end = score.seconds(note.tick), score.seconds(note.end)
            tone, pitch = _tone(note, end - start)
            at = int(start * STUDIO_RATE)
            audio[at : at + len(tone)] += tone
            breath = rng.normal(0, 0.02, int(BREATH * STUDIO_RATE)).astype(np.float32)
            begin = max(0, at - len(breath))
            audio[begin : begin + len(breath)] += np.diff(breath, prepend=0)
            frames = np.arange(int(start * F0_RATE), min(len(f0), int(end * F0_RATE)))
            inside = np.clip(((frames / F0_RATE - start) * STUDIO_RATE).astype(int), 0, len(pitch) - 1)
            f0[frames] = pitch[inside]
            timed.append(TimedNote(number, start, end, start))
            if progress is not None:
                progress((number + 1) / len(score.notes))
        hums = tuple(TimedPhoneme("m", note.start, note.end, note.note) for note in timed)
        return Take(audio, f0, hums, tuple(timed), rate=STUDIO_RATE, adjusted=_without_words(score))


def _without_words(score: Score) -> tuple[str, ...]:
    return ("the words are hummed, not sung",) if any(note.syllable for note in score.notes) else ()


def _tone(note: Note, seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One note: (audio, pitch in Hz), both [samples] at STUDIO_RATE."""
    time = np.arange(max(2, int(seconds * STUDIO_RATE))) / STUDIO_RATE
    pitch = 440 * 2 ** ((note.pitch - 69) / 12) * (1 + VIBRATO_DEPTH * np.sin(2 * np.pi * VIBRATO_HZ * time))
    phase = 2 * np.pi * np.cumsum(pitch) / STUDIO_RATE
    tone = np.zeros_like(time)
    for k in range(1, HARMONICS):
        hertz = k * float(pitch[0])
        gain = sum(1 / (1 + ((hertz - f) / wide) ** 2) for f, wide in FORMANTS) + 0.02
        tone += gain / k**0.8 * np.sin(k * phase)
    shape = np.minimum(1, np.minimum(time / ATTACK, (time[-1] - time) / RELEASE + 1e-3))
    return (0.12 * tone * shape).astype(np.float32), pitch
