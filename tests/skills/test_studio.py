"""The band follows the score, stays out of the singer's way, and the mix comes out as promised."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from skills.brief import Brief
from skills.studio import Arrangement, StudioError, arrange, encode, mastered, mix, play
from skills.studio.desk import LONG, _run, insert, run, scene, strip
from skills.studio.encode import meter, turn_down, write_coded
from skills.studio.fills import gaps
from skills.studio.levels import PRESENCE, loudness, singing, true_peak
from skills.studio.mix import treated
from skills.studio.play import stem_samples
from skills.studio.tone import Audio, Band, band_power, decibels, equalised
from skills.style import list_styles, load_style
from skills.tune import compose
from skills.tune.harmony import BAR, chord_tones
from tests.skills.hummed import hum
from tests.skills.words_for_tunes import AAB, SONG
from voice.score import Score
from voice.take import STUDIO_RATE

SEED = 7


def song(style: str, mood: str = "") -> Score:
    return compose(AAB, Brief("x", mood=mood), load_style(style), SEED, 45, 62)


@pytest.fixture(scope="module")
def arrangements() -> dict[str, Arrangement]:
    return {style: arrange(song(style), load_style(style), SEED) for style in list_styles()}


@pytest.fixture(scope="module")
def blues() -> tuple[Score, dict[str, np.ndarray], np.ndarray]:
    score = song("blues", "sad")
    stems = play(arrange(score, load_style("blues"), SEED))
    return score, stems, mix(hum(score), stems, score, load_style("blues"))


def test_the_bass_begins_each_chord_on_its_root(arrangements):
    for style, made in arrangements.items():
        bass = next(p for p in made.parts if p.part.role == "bass")
        for chord in made.score.chords:
            if chord.tick % BAR:
                continue
            first = next(note for note in bass.notes if note.tick >= chord.tick)
            assert first.pitch % 12 == chord.root, style


def test_pads_and_guitars_play_notes_of_the_chord(arrangements):
    for style, made in arrangements.items():
        for part in made.parts:
            if part.part.role not in ("pad", "chords", "harmony"):
                continue
            inside = [
                note.pitch % 12 in chord_tones(made.score.chord_at(note.tick) or made.score.chords[-1])
                for note in part.notes
            ]
            assert np.mean(inside) >= 0.7, f"{style} {part.name}"  # sixths of a boogie are no chord tones


def test_fills_stay_in_the_singers_gaps(arrangements):
    filled = 0
    for made in arrangements.values():
        for part in made.parts:
            if part.part.role != "fills":
                continue
            for note in part.notes:
                filled += 1
                assert any(
                    free <= note.tick and note.tick + note.ticks <= until for free, until in gaps(made.score)
                )
    assert filled >= len(arrangements)


def test_a_chorus_is_louder_and_fuller_than_a_verse():
    score = compose(SONG, Brief("x", seconds=90), load_style("soul"), SEED, 45, 62)
    made = arrange(score, load_style("soul"), SEED)

    def force(name: str) -> float:
        spans = [(s.tick, s.tick + s.ticks) for s in score.sections if s.name == name]
        notes = [n for p in made.parts for n in p.notes if any(a <= n.tick < b for a, b in spans)]
        bars = sum(b - a for a, b in spans) / BAR
        return sum(note.velocity**2 for note in notes) / bars

    assert force("chorus") > 1.4 * force("verse")


def test_players_vary_their_touch_and_time_but_repeat_with_the_seed():
    score, style = song("country"), load_style("country")
    one, same, other = (arrange(score, style, seed) for seed in (1, 1, 2))
    assert one == same != other
    guitar = next(part for part in one.parts if part.name == "guitar")
    assert len({note.velocity for note in guitar.notes}) > 8
    assert np.std([note.late for note in guitar.notes]) > 0.002


def test_stems_are_as_long_as_the_song_and_no_player_is_silent(blues):
    score, stems, _ = blues
    assert set(stems) >= {"bass", "drums", "guitar"}
    for name, stem in stems.items():
        assert stem.shape[1] == stem_samples(score) and len(stem) in (1, 2), name
        assert np.abs(stem).max() > 0.005, name


@pytest.fixture(scope="module")
def master(blues) -> Audio:
    return mastered(blues[2])


def test_the_master_is_at_its_loudness_and_under_its_peak(master):
    assert loudness(master) == pytest.approx(-14, abs=0.5)
    assert true_peak(master) <= -1
    assert 15 * STUDIO_RATE <= master.shape[1] <= 25 * STUDIO_RATE


def test_a_long_song_is_mixed_in_halves_without_a_seam(blues):
    score, stems, _ = blues
    sung, _, players, _ = treated(hum(score), stems, load_style("blues"), lead=0)
    voice, drums = np.tile(sung, (2, 3)), np.tile(players["drums"], 3)
    assert voice.shape[1] > LONG * STUDIO_RATE
    echo = insert(
        "effects.delay.stereo", slot="post", dryWet=1, feedback=0.2, delayTimeLMs=600, delayTimeRMs=600
    )
    room = insert(
        "effects.reverb.room", slot="post", dryWet=1, lengthM=9, widthM=6, heightM=3, absorption=0.3
    )
    pressed = insert("dynamics.compressor", thresholdDb=-16, ratio=2, attackMs=30, releaseMs=180)
    strips = [strip("vocal", sends={"echo": -9, "room": -9}), strip("drums", sends={"room": -9})]
    made = scene(strips, [pressed], {"echo": [echo], "room": [room]})
    halves, whole = run(made, [voice, drums]), _run(made, [voice, drums], 0, voice.shape[1])
    assert halves.shape == whole.shape
    assert np.abs(halves - whole).max() < 0.001 * np.abs(whole).max()


def test_the_voice_stands_above_the_band_where_words_are_heard(blues):
    score, stems, _ = blues
    voice, _, players, _ = treated(hum(score), stems, load_style("blues"), lead=0)
    band = np.sum(list(players.values()), axis=0)
    sings = singing(voice)
    over = decibels(float(band_power(voice[None], *PRESENCE)[sings].mean())) - decibels(
        float(band_power(band, *PRESENCE)[sings].mean())
    )
    # The stems are taken before the ducking, which gives the voice up to 3 dB more.
    assert 1 <= over <= 6


def test_the_mix_survives_one_loudspeaker(master):
    both, mono = float((master**2).mean()), float((master.mean(axis=0) ** 2).mean())
    assert 10 * np.log10(both / mono) < 1.0


def test_no_band_booms_or_is_missing(master):
    power = np.abs(np.fft.rfft(master.mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(master.shape[1], 1 / STUDIO_RATE)
    share = {
        f: 10 * np.log10(power[(hz > f / 2**0.5) & (hz <= f * 2**0.5)].sum() / power.sum())
        for f in (63, 125, 250, 500, 1000, 2000, 4000, 8000)
    }
    assert max(share[125], share[250]) < -4
    assert share[1000] > -12
    assert share[8000] > -27


def test_the_clip_keeps_its_promises_after_decoding_and_says_what_it_is(master, tmp_path):
    import ffmpeg
    import imageio_ffmpeg

    clip = encode(master, tmp_path, "Last Train", "Breaking Rust (AI)", "AI-generated")
    for path in (clip.mp3, clip.ogg):
        found = meter(path)
        lufs, peak = found.lufs, found.true_peak_db
        assert lufs == pytest.approx(-14, abs=0.5)
        assert peak <= -1
    assert (clip.lufs, clip.true_peak_db) == (meter(clip.mp3).lufs, meter(clip.mp3).true_peak_db)
    _, said = ffmpeg.run(
        ffmpeg.output(ffmpeg.input(str(clip.mp3)), "-", format="null"),
        cmd=imageio_ffmpeg.get_ffmpeg_exe(),
        capture_stderr=True,
    )
    text = said.decode()
    assert "Last Train" in text and "Breaking Rust (AI)" in text and "AI-generated" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp3", "clip.ogg"]


def test_a_folder_that_cannot_be_written_is_a_sentence_and_leaves_nothing(master, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StudioError, match="could not be written"):
        encode(master, blocked, "t", "a", "c")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_is_an_error_that_says_so(master):
    with pytest.raises(OSError, match="no space left"):
        write_coded(master, Path("/dev/full"), ".mp3", {})


def test_an_opus_file_is_turned_down_without_coding_it_again(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * STUDIO_RATE) / STUDIO_RATE)
    file = tmp_path / "clip.ogg"
    write_coded(np.stack([tone, tone]).astype(np.float32), file, ".ogg", {})
    before = meter(file)
    turn_down(file, 2.5)
    assert meter(file).true_peak_db == pytest.approx(before.true_peak_db - 2.5, abs=0.15)
    assert meter(file).lufs == pytest.approx(before.lufs - 2.5, abs=0.15)


def test_broken_numbers_and_silence_are_refused(blues):
    score, stems, _ = blues
    style = load_style("blues")
    with pytest.raises(StudioError, match="not sound"):
        mix(np.full(48000, np.nan, np.float32), stems, score, style)
    with pytest.raises(StudioError, match="nothing to hear"):
        mix(np.zeros(48000, np.float32), {"bass": np.zeros((2, 48000), np.float32)}, score, style)


def test_an_instrument_that_there_is_not_is_named():
    made = arrange(song("folk"), load_style("folk"), SEED)
    first = made.parts[0]
    wrong = dataclasses.replace(first, part=dataclasses.replace(first.part, instrument="theremin"))
    with pytest.raises(StudioError, match="theremin"):
        play(dataclasses.replace(made, parts=(wrong,)))


def test_a_band_of_a_filter_does_what_it_says():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (2, STUDIO_RATE)).astype(np.float32)
    shaped = equalised(noise, [Band("highpass", 200), Band("bell", 2000, -12, 1)])
    before, after = (
        [decibels(float(band_power(a, f / 1.1, f * 1.1).mean())) for f in (60, 2000, 9000)]
        for a in (noise, shaped)
    )
    low, mid, high = (b - a for a, b in itertools.islice(zip(before, after, strict=True), 3))
    assert low < -18
    assert mid == pytest.approx(-12, abs=1.5)
    assert high == pytest.approx(0, abs=0.5)


def test_a_fusion_takes_tempo_and_drums_from_one_parent_and_its_players_from_both():
    first, second = load_style("classical"), load_style("electronica")
    both = load_style("classical+electronica")
    scores = {style.name: compose(AAB, Brief("x"), style, SEED, 45, 62) for style in (first, second, both)}
    low, high = both.groove.tempo[both.groove.pace]
    assert low <= scores[both.name].tempo[0].bpm <= high
    assert scores[both.name].tempo not in (scores[first.name].tempo, scores[second.name].tempo)
    assert scores[both.name].key.mode == scores[first.name].key.mode != scores[second.name].key.mode
    played = {part.part.instrument for part in arrange(scores[both.name], both, SEED).parts}
    assert {"drum-kit", "acoustic-piano", "warm-pad"} <= played
    for parent in (first, second):
        assert played != {part.part.instrument for part in arrange(scores[parent.name], parent, SEED).parts}


def test_the_bass_stays_where_it_can_be_heard(arrangements):
    for style, made in arrangements.items():
        bass = next(p for p in made.parts if p.part.role == "bass")
        low, high = bass.part.register
        assert all(low - 1 <= note.pitch <= high for note in bass.notes), style
