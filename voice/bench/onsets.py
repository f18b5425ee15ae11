"""Where vowels begin in a take, heard rather than believed.

The consonant before a vowel says what to listen for: after voiceless sounds and rests the low band (voice) rises;
after nasals and liquids the band of the first formants. The moment of the steepest rise of the smoothed level in dB
counts, from the middle of the consonant before to 110 ms after the plan.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.alphabet import VOWELS
from voice.take import SAMPLE_RATE, Take

Floats = NDArray[np.float64]

HOP = 60  # samples: 2.5 ms
WINDOW = 480  # samples: 20 ms
AROUND = 0.11  # seconds
SONORANT = frozenset("mnŋlɹwjɾ")
VOICE_BAND = (80.0, 1000.0)  # Hz
FORMANT_BAND = (500.0, 3500.0)


def vowel_lateness(take: Take) -> Floats:
    """Seconds from the note's vowel time to the heard onset, for each syllable whose onset can be heard."""
    late = []
    window = np.hanning(WINDOW)
    for k, phoneme in enumerate(take.phonemes):
        starts_syllable = (
            k == 0 or take.phonemes[k - 1].note != phoneme.note or _consonant(take.phonemes[k - 1].symbol)
        )
        if _consonant(phoneme.symbol) or not starts_syllable:
            continue
        before = take.phonemes[k - 1] if k else None
        after_rest = before is None or before.end < phoneme.start - 0.05
        if not after_rest and before is not None and not _consonant(before.symbol):
            continue  # vowel to vowel: nothing to hear but pitch
        symbol = "" if after_rest or before is None else before.symbol
        wanted = next(n.vowel for n in take.notes if n.note == phoneme.note)
        band = FORMANT_BAND if symbol in SONORANT else VOICE_BAND
        early = AROUND if after_rest or before is None else max(0.03, 0.5 * (before.end - before.start))
        heard = _onset(take.audio, wanted + take.lead, min(early, AROUND), band, window)
        if heard is not None:
            late.append(heard - wanted - take.lead)
    return np.array(late)


def _consonant(symbol: str) -> bool:
    return symbol not in VOWELS and symbol not in "eao"


def _onset(
    audio: NDArray[np.float32], wanted: float, early: float, band: tuple[float, float], window: Floats
) -> float | None:
    times = np.arange(-early, AROUND, HOP / SAMPLE_RATE) + wanted
    starts = np.round(times * SAMPLE_RATE).astype(int) - WINDOW // 2
    if starts[0] < 0 or starts[-1] + WINDOW > len(audio):
        return None
    spectra = np.fft.rfft(np.stack([audio[s : s + WINDOW] * window for s in starts]), 1024)
    hertz = np.fft.rfftfreq(1024, 1 / SAMPLE_RATE)
    inside = (hertz >= band[0]) & (hertz <= band[1])
    level = 10 * np.log10((np.abs(spectra[:, inside]) ** 2).sum(axis=1) + 1e-6)
    level = np.maximum(level, level.max() - 40.0)
    slope = np.convolve(np.pad(level, (4, 3), mode="edge"), np.r_[np.ones(4), -np.ones(4)] / 4, "valid")
    steepest = int(np.argmax(slope))
    return float(times[steepest]) if slope[steepest] > 1.0 else None
