"""Cleaning and shifting, on sounds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from voice import clean
from voice.bench.figures import measure_f0
from voice.filters import BLOCK, filtered
from voice.shift import found, shifted
from voice.take import F0_RATE, SAMPLE_RATE

Floats = NDArray[np.float64]
SECONDS = 1.5
FRAMES = int(SECONDS * F0_RATE)


def hummed(hertz: Floats, formant: float = 700.0) -> Floats:
    """A buzz with that F0 [frames] through one resonance."""
    n = int(SECONDS * SAMPLE_RATE)
    f0 = np.interp(np.arange(n) / SAMPLE_RATE * F0_RATE - 0.5, np.arange(len(hertz)), hertz)
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    out = np.zeros(n)
    for k in range(1, 40):
        at = k * f0
        out += np.sin(k * phase) * (at < 11_000) / (1 + ((at - formant) / 200) ** 2)
    return np.asarray(out * 0.2)


def formant_of(sound: Floats) -> float:
    """The centre of the spectrum's weight [Hz]."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return float((power * hertz).sum() / power.sum())


def test_a_filter_by_blocks_is_the_filter_of_the_whole() -> None:
    noise = np.random.default_rng(1).standard_normal(3 * BLOCK + 1234)

    def low(hertz: Floats) -> Floats:
        return 1 / (1 + (hertz / 55.0) ** 4)

    size = 1 << (len(noise) + SAMPLE_RATE - 1).bit_length()
    spectrum = np.fft.rfft(noise, size) * low(np.fft.rfftfreq(size, 1 / SAMPLE_RATE))
    assert np.allclose(filtered(noise, low), np.fft.irfft(spectrum, size)[: len(noise)], atol=1e-6)
    assert len(filtered(noise[:500], low)) == 500


@pytest.mark.parametrize("semitones", [3, 7, -4])
def test_a_shift_moves_the_note_and_leaves_the_vowel(semitones: int) -> None:
    low = np.full(FRAMES, 220.0)
    wanted = low * 2 ** (semitones / 12)
    moved = shifted(hummed(low), low, wanted)
    f0 = measure_f0(moved.astype(np.float32))
    cents = 1200 * np.log2(np.median(f0[f0 > 0]) / wanted[0])
    assert abs(cents) < 5
    assert formant_of(moved) == pytest.approx(formant_of(hummed(low)), rel=0.15)


def test_what_has_no_voice_is_not_shifted() -> None:
    noise = np.random.default_rng(0).standard_normal(int(SECONDS * SAMPLE_RATE)) * 0.1
    silent = np.zeros(FRAMES)
    assert np.array_equal(shifted(noise, silent, silent), noise)
    half = np.where(np.arange(FRAMES) < FRAMES // 2, 220.0, 0.0)
    moved = shifted(noise, half, half * 1.5)
    assert np.array_equal(moved[-SAMPLE_RATE // 2 :], noise[-SAMPLE_RATE // 2 :])


def test_noise_between_harmonics_goes_and_the_note_stays() -> None:
    f0 = 200.0 + 4.0 * np.sin(2 * np.pi * 5.5 * np.arange(FRAMES) / F0_RATE)
    pure = hummed(f0)
    hoarse = pure + 0.05 * np.random.default_rng(0).standard_normal(len(pure))
    steady = clean.steadied(hoarse, f0)
    middle = slice(SAMPLE_RATE // 4, -SAMPLE_RATE // 4)
    before, after = (float(np.std((x - pure)[middle])) for x in (hoarse, steady))
    assert after < 0.85 * before


def test_a_hum_is_taken_out_of_voiceless_consonants_only() -> None:
    hum = hummed(np.full(FRAMES, 110.0), formant=110.0)  # and some of its partials, up to 350 Hz and beyond
    hushed = clean.hushed(hum, origin=-0.5, voiceless=[(0.0, 0.3)])
    inside, outside = slice(int(0.55 * SAMPLE_RATE), int(0.75 * SAMPLE_RATE)), slice(SAMPLE_RATE, None)
    assert np.std(hushed[inside]) < 0.3 * np.std(hum[inside])
    assert np.allclose(hushed[outside], hum[outside], atol=1e-6)


def test_the_pitch_that_a_sound_has_is_found_near_the_one_asked_for() -> None:
    asked = np.full(FRAMES, 165.0)
    slides = asked * 2 ** (np.clip(np.arange(FRAMES) - FRAMES // 2, 0, 20) * -15.0 / 1200)
    read = found(hummed(slides), asked)
    inside = slice(4, -4)
    assert np.abs(1200 * np.log2(read[inside] / slides[inside])).max() < 40

    def astray(sound: Floats) -> float:
        f0 = measure_f0(sound.astype(np.float32))[20:-20]
        return float(np.percentile(np.abs(1200 * np.log2(f0[f0 > 0] / 165.0)), 90))

    assert astray(hummed(slides)) > 250
    assert astray(shifted(hummed(slides), read, asked)) < 50


def test_a_sound_without_its_note_is_believed_to_be_where_it_was_asked_for() -> None:
    asked = np.full(FRAMES, 165.0)
    assert np.array_equal(found(np.zeros(int(SECONDS * SAMPLE_RATE)), asked), asked)
