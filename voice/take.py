"""Take: what a singer hands back for a score."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 24_000  # Hz, of the singing network
STUDIO_RATE = 48_000  # Hz, of stems and mixes
F0_RATE = 80  # frames a second of an F0 curve


@dataclass(frozen=True)
class TimedPhoneme:
    """`symbol` sounds from `start` to `end` [seconds from the score's start]; `note` indexes Score.notes.

    Symbols are Kokoro's IPA, or another engine's own.
    """

    symbol: str
    start: float
    end: float
    note: int


@dataclass(frozen=True)
class TimedNote:
    """Where Score.notes[`note`] was meant to sound [seconds]; `vowel` is when its vowel begins."""

    note: int
    start: float
    end: float
    vowel: float


@dataclass(frozen=True)
class Take:
    """A dry sung stem and what is known of it. All times are seconds from the score's tick 0.

    audio: [samples] float32, mono, -1..1, at `rate` Hz, beginning at tick 0 (a pick-up consonant before
    the first beat is kept: see `lead`).
    f0: [frames] float32, Hz, 0 where unvoiced, F0_RATE frames a second, as intended.
    lead: seconds of audio before tick 0 (breath and first consonants).
    breaths: (start, end) of each audible breath.
    adjusted: sentences about what the singer changed to be able to sing it.
    """

    audio: NDArray[np.float32]
    f0: NDArray[np.float32]
    phonemes: tuple[TimedPhoneme, ...]
    notes: tuple[TimedNote, ...]
    lead: float = 0.0
    breaths: tuple[tuple[float, float], ...] = ()
    adjusted: tuple[str, ...] = ()
    rate: int = SAMPLE_RATE  # what our own singer sings at; other engines have theirs

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.rate

    def studio_audio(self) -> NDArray[np.float32]:
        """The dry stem at STUDIO_RATE: [samples] float32."""
        import soxr

        return np.asarray(soxr.resample(self.audio, self.rate, STUDIO_RATE, "VHQ"), np.float32)

    def timings_json(self) -> str:
        """All but the audio, as JSON."""
        return json.dumps(
            {
                "f0": [round(float(hertz), 2) for hertz in self.f0],
                "phonemes": [dataclasses.astuple(phoneme) for phoneme in self.phonemes],
                "notes": [dataclasses.astuple(note) for note in self.notes],
                "lead": self.lead,
                "breaths": self.breaths,
                "adjusted": self.adjusted,
            },
            ensure_ascii=False,
        )

    @staticmethod
    def from_timings_json(text: str) -> Take:
        """A take without its audio."""
        raw = json.loads(text)
        return Take(
            audio=np.zeros(0, np.float32),
            f0=np.asarray(raw["f0"], np.float32),
            phonemes=tuple(TimedPhoneme(*phoneme) for phoneme in raw["phonemes"]),
            notes=tuple(TimedNote(*note) for note in raw["notes"]),
            lead=raw["lead"],
            breaths=tuple((start, end) for start, end in raw["breaths"]),
            adjusted=tuple(raw["adjusted"]),
        )
