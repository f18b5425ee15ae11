"""The watermark: found again after what happens to clips, nowhere else, and not heard."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from skills.provenance.payload import CODED, Payload, decode, encode
from skills.provenance.watermark import RATE, Audio, mark, read, read_all
from skills.studio.levels import loudness, true_peak
from skills.studio.master import CEILING, limited

PAYLOAD = Payload.of("the-last-train-home-5e395caf72", "Breaking Rust")


def some_music(seconds: float = 12.0, seed: int = 0) -> Audio:
    """Plucked chords over a beat, in a little noise: [2, samples]."""
    rng = np.random.default_rng(seed)
    sound = 0.003 * rng.standard_normal((2, int(seconds * RATE)))
    after = np.arange(RATE) / RATE
    harmonics = np.arange(1, 21)[:, None]
    fading = np.exp(-(3 + harmonics) * after) / harmonics
    tones = {
        root: (np.sin(2 * np.pi * root * harmonics * after) * fading).sum(axis=0)
        for root in (110, 146.8, 164.8, 220, 277.2)
    }
    for start in range(0, sound.shape[1] - RATE, RATE // 4):
        struck = 0.03 * sum(tones[root] for root in rng.choice(list(tones), 3))
        sound[:, start : start + RATE] += struck + 0.1 * np.exp(-40 * after) * rng.standard_normal(RATE)
    return sound.astype(np.float32)


@pytest.fixture(scope="module")
def sound() -> Audio:
    return some_music()


@pytest.fixture(scope="module")
def marked(sound: Audio) -> Audio:
    return mark(sound, PAYLOAD)


def coded(sound: Audio, coder: str, rate: str, kind: str) -> Audio:
    ffmpeg, raw = imageio_ffmpeg.get_ffmpeg_exe(), ["-f", "f32le", "-ac", "2", "-ar", str(RATE)]
    command = [ffmpeg, "-v", "error", *raw, "-i", "-", "-c:a", coder, "-b:a", rate, "-f", kind, "-"]
    there = subprocess.run(command, input=sound.T.tobytes(), capture_output=True, check=True).stdout
    back = [ffmpeg, "-v", "error", "-i", "-", *raw, "-"]
    return np.frombuffer(
        subprocess.run(back, input=there, capture_output=True, check=True).stdout, "<f4"
    ).reshape(-1, 2).T  # fmt: skip


def test_a_message_comes_back_through_many_wrong_bits() -> None:
    soft = 2.0 * encode(PAYLOAD) - 1
    soft[np.random.default_rng(1).choice(CODED, 30, replace=False)] *= -1
    assert decode(soft) == PAYLOAD
    assert decode(np.random.default_rng(2).standard_normal(CODED)) is None


def test_the_song_number_ends_its_id() -> None:
    assert PAYLOAD.text.endswith("/5e395caf72")
    assert Payload.of("song-5e395caf72", "Breaking Rust") == PAYLOAD


def test_the_mark_is_read_as_it_is_and_in_five_seconds_of_it(marked: Audio) -> None:
    mono = marked.mean(axis=0)
    assert read(mono).payload == PAYLOAD
    assert read(mono[3 * RATE + 77 : 8 * RATE + 77]).payload == PAYLOAD


@pytest.mark.parametrize(
    "coder", [("libmp3lame", "128k", "mp3"), ("libopus", "64k", "ogg"), ("aac", "128k", "adts")]
)
def test_the_mark_outlives_coding(marked: Audio, coder: tuple[str, str, str]) -> None:
    assert read(coded(marked, *coder).mean(axis=0)).payload == PAYLOAD


def test_the_mark_outlives_the_masters_limiter(marked: Audio) -> None:
    louder = limited(marked * np.float32(1.5 / np.abs(marked).max()))  # 5 dB above the ceiling
    assert true_peak(louder) < CEILING + 0.3
    assert read(louder.mean(axis=0)[: 5 * RATE]).payload == PAYLOAD


def test_the_mark_outlives_resampling_gain_and_noise(marked: Audio) -> None:
    import soxr

    mono = marked.mean(axis=0)
    power = float(np.square(mono, dtype=np.float64).mean())
    noise = np.random.default_rng(3).standard_normal(len(mono)).astype(np.float32) * np.float32(
        np.sqrt(power / 100)
    )
    for rate in (44_100, 32_000):
        assert read(soxr.resample(soxr.resample(mono, RATE, rate), rate, RATE)).payload == PAYLOAD
    assert read(mono * np.float32(0.1)).payload == PAYLOAD
    assert read(mono + noise).payload == PAYLOAD


def test_the_mark_is_26_db_below_the_sound_and_changes_no_loudness(sound: Audio, marked: Audio) -> None:
    difference = np.square(marked - sound, dtype=np.float64).sum()
    assert 10 * np.log10(np.square(sound, dtype=np.float64).sum() / difference) >= 26
    assert abs(loudness(marked) - loudness(sound)) < 0.1


def test_no_mark_is_found_where_there_is_none_or_another_key(sound: Audio, marked: Audio) -> None:
    assert not read(sound.mean(axis=0)).found
    assert not any(read(marked.mean(axis=0), b"key %d" % k).found for k in range(20))
    assert not read(np.zeros(5 * RATE, dtype=np.float32)).found


def test_two_songs_in_one_recording_are_both_found(sound: Audio, marked: Audio) -> None:
    other = Payload.of("another-song-0123456789", "Breaking Rust")
    long = [mark(some_music(24, seed), p) for seed, p in ((4, PAYLOAD), (5, other))]
    _, found = read_all(np.concatenate([long[0], long[1]], axis=1).mean(axis=0))
    assert {reading.payload for reading in found} == {PAYLOAD, other}


def test_silence_stays_silence() -> None:
    assert not mark(np.zeros((2, RATE), dtype=np.float32), PAYLOAD).any()
