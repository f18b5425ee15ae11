"""A DiffSinger voicebank, old or new, sings a score: measured in what small banks of the real layout sound."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from onnx import helper

from tests.voice import small_bank
from tests.voice.small_bank import CARD, DETUNED, ENERGY, HOP, RATE, new_bank, old_bank, put
from voice.engines import EngineError, ScoreSinger, engine
from voice.expression import Expression
from voice.score import Note, Score, ScoreError, TempoMark
from voice.take import Take

FRAME = HOP / RATE
FULL = 0.5 / np.sqrt(2)  # RMS of a vowel of a bank that takes no energy
PLAIN = Expression(0.3, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.0, 0.0)
Q = 480  # at 60 beats a minute a second


def score(*notes: Note, **more: Any) -> Score:
    return Score("test", notes, tempo=(TempoMark(0, 60.0),), **more)


LONELY_TRAIN = score(
    Note(2 * Q, Q, 60, "lone", syllabic="begin"),
    Note(3 * Q, Q, 64, "ly", syllabic="end"),
    Note(6 * Q, Q, 57, "train"),
    Note(7 * Q, Q, 59),
)


def load(root: Path, **more: Any) -> ScoreSinger:
    return engine("diffsinger", root, cache=root, threads=1, vocoders=root.parent / "vocoders", **more)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return new_bank(tmp_path / "new")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return old_bank(tmp_path / "old", tmp_path / "vocoders")


@pytest.fixture(params=["new", "old"])
def bank(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


def part(take: Take, start: float, end: float) -> Any:
    return take.audio[round((start + take.lead) * take.rate) : round((end + take.lead) * take.rate)]


def level(take: Take, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(np.square(part(take, start, end), dtype=float))))


def midi(take: Take, start: float, end: float) -> float:
    """From where the wave crosses zero upwards."""
    sound = part(take, start, end)
    ups = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    exact = ups + sound[ups] / (sound[ups] - sound[ups + 1])
    return float(69 + 12 * np.log2((len(ups) - 1) / (exact[-1] - exact[0]) * take.rate / 440))


def said(take: Take) -> list[str]:
    return [one.symbol.removeprefix("en/") for one in take.phonemes]


def test_it_sings_the_notes_with_the_pitch_of_the_bank(bank: Path) -> None:
    take = load(bank).sing(LONELY_TRAIN)
    assert take.rate == RATE
    for start, pitch in ((2.2, 60), (3.3, 64), (6.2, 57), (7.2, 59)):
        assert midi(take, start, start + 0.4) == pytest.approx(pitch + DETUNED, abs=0.02)
        frames = take.f0[round((start + take.lead) * 80) : round((start + 0.4 + take.lead) * 80)]
        assert 69 + 12 * np.log2(np.median(frames) / 440) == pytest.approx(pitch + DETUNED, abs=0.02)


def test_who_asks_for_an_expression_gets_our_pitch_instead(bank: Path) -> None:
    take = load(bank).sing(LONELY_TRAIN, PLAIN)
    for start, pitch in ((2.2, 60), (3.3, 64), (6.2, 57), (7.2, 59)):
        assert midi(take, start, start + 0.4) == pytest.approx(pitch, abs=0.02)


def test_vowels_begin_on_the_beat_and_the_consonants_before(bank: Path) -> None:
    take = load(bank).sing(LONELY_TRAIN)
    assert said(take) == "l ow n l iy t r ey n".split()
    for beat in (2.0, 3.0, 6.0):
        before, after = (
            level(take, beat - 4 * FRAME, beat - FRAME),
            level(take, beat + FRAME, beat + 4 * FRAME),
        )
        assert after / before == pytest.approx(10.0, rel=0.1)
    first = next(one for one in take.phonemes if one.note == 2)
    assert 6.0 - first.start == pytest.approx(2 * small_bank.CONSONANT_FRAMES * FRAME, abs=1e-6)


def test_a_consonant_before_the_first_beat_is_kept_in_the_lead(bank: Path) -> None:
    take = load(bank).sing(score(Note(0, Q, 60, "no")))
    assert take.lead > small_bank.CONSONANT_FRAMES * FRAME
    assert level(take, -4 * FRAME, -FRAME) > 0.01
    assert midi(take, 0.1, 0.6) == pytest.approx(60 + DETUNED, abs=0.02)


def test_rests_are_silent_and_a_vowel_is_sung_again_after_one(bank: Path) -> None:
    take = load(bank).sing(score(Note(0, Q, 60, "train"), Note(2 * Q, Q, 62), Note(4 * Q, Q, 64, "no")))
    assert level(take, 1.2, 1.8) < 1e-4 and level(take, 3.2, 3.7) < 1e-4
    assert said(take) == "t r ey ey n n ow".split()
    assert midi(take, 2.1, 2.5) == pytest.approx(62 + DETUNED, abs=0.02)


def test_consonants_after_a_short_rest_stay_out_of_the_note_before(bank: Path) -> None:
    take = load(bank).sing(score(Note(0, Q - 50, 60, "no"), Note(Q, Q, 62, "train")))
    end = next(one.end for one in take.phonemes if one.symbol.endswith("ow"))
    assert min(one.start for one in take.phonemes if one.note == 1) >= end
    assert take.phonemes[-2].start == pytest.approx(1.0)


def test_a_breath_mark_parts_the_phrase(bank: Path) -> None:
    take = load(bank).sing(score(Note(0, Q, 60, "no", breath_after=True), Note(Q, Q, 62, "no")))
    assert level(take, 0.8, 0.86) < 1e-3


@pytest.mark.parametrize("bases", [("10", "10"), ("10", "e"), ("e", "10"), ("e", "e")])
def test_the_mel_is_handed_on_in_the_base_of_the_vocoder(tmp_path: Path, bases: tuple[str, str]) -> None:
    take = load(new_bank(tmp_path / "new", bases=bases)).sing(LONELY_TRAIN)
    assert level(take, 2.1, 2.6) == pytest.approx(FULL * 10 ** (ENERGY / 20), rel=0.01)
    take = load(old_bank(tmp_path / "old", tmp_path / "vocoders", bases=bases)).sing(LONELY_TRAIN)
    assert level(take, 2.1, 2.6) == pytest.approx(FULL, rel=0.01)


def test_a_speaker_is_chosen_by_name(new: Path) -> None:
    first = level(load(new).sing(LONELY_TRAIN), 2.1, 2.6)
    bass = level(load(new, speaker="bass").sing(LONELY_TRAIN), 2.1, 2.6)
    assert bass / first == pytest.approx(10**-0.5, rel=0.01)
    with pytest.raises(EngineError, match=r"no speaker 'tenor': there are alto, bass"):
        load(new, speaker="tenor")


def test_breath_and_dynamics_are_obeyed(new: Path) -> None:
    voice = load(new)
    assert "breath" in voice.controls and "rasp" not in voice.controls
    plain = level(voice.sing(LONELY_TRAIN, PLAIN), 2.1, 2.6)
    breathy = Expression(1.0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.0, 0.0)
    assert 20 * np.log10(level(voice.sing(LONELY_TRAIN, breathy), 2.1, 2.6) / plain) == pytest.approx(
        8.4, abs=0.1
    )
    marked = score(Note(0, Q, 60, "no", dynamic="p"), Note(2 * Q, Q, 60, "no", dynamic="mf"))
    take = voice.sing(marked)
    assert 3 < 20 * np.log10(level(take, 2.2, 2.7) / level(take, 0.2, 0.7)) < 9


def test_a_model_that_draws_noise_draws_the_same_for_the_same_seed(tmp_path: Path) -> None:
    voice = load(new_bank(tmp_path / "noisy", noise=0.2))
    one, two, again = (voice.sing(LONELY_TRAIN, seed=seed).audio for seed in (1, 2, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)


def test_words_come_from_the_dictionary_of_the_bank_then_from_ours(bank: Path) -> None:
    words = score(
        Note(0, Q, 60, "Day,"), Note(2 * Q, Q, 60, "no"), Note(4 * Q, Q, 60, "late", phonemes="nˈi")
    )
    assert said(load(bank).sing(words)) == "d iy n ow n iy".split()


def test_replacements_stand_in_for_sounds_that_the_bank_does_not_have(old: Path) -> None:
    assert said(load(old).sing(score(Note(0, Q, 60, "man")))) == "m aa n".split()


def test_a_prefixed_phoneme_falls_back_to_the_shared_one(new: Path) -> None:
    take = load(new).sing(score(Note(2 * Q, Q, 60, "he")))
    assert [one.symbol for one in take.phonemes] == ["en/hh", "en/iy"]
    soft = level(take, 2 - 4 * FRAME, 2 - FRAME)  # as loud as a consonant of the right language is
    assert soft == pytest.approx(level(take, 2.2, 2.7) / 10, rel=0.1)


def test_a_word_of_more_vowels_than_notes_stays_on_its_last_note(old: Path) -> None:
    dictionary = {
        "symbols": small_bank.SYMBOLS,
        "entries": [{"grapheme": "lonely", "phonemes": "l ow n l iy".split()}],
    }
    put(old / "dsdur/dsdict.yaml", dictionary)
    take = load(old).sing(score(Note(0, Q, 60, "lonely"), Note(Q, Q, 62, "no")))
    assert said(take) == "l ow n l iy n ow".split()
    held = score(
        Note(0, Q, 60, "lone", syllabic="begin"),
        Note(Q, Q, 62, "li", syllabic="middle"),
        Note(2 * Q, Q, 64, "y", syllabic="end"),
    )
    put(
        old / "dsdur/dsdict.yaml",
        {**dictionary, "entries": [{"grapheme": "loneliy", "phonemes": "l ow l iy".split()}]},
    )
    take = load(old).sing(held)
    assert said(take) == "l ow l iy".split()
    assert midi(take, 2.2, 2.7) == pytest.approx(64 + DETUNED, abs=0.02)


def test_other_languages_are_sung_from_the_dictionary_alone(new: Path) -> None:
    put(new / "troubadour.yaml", {**CARD, "languages": ["zh", "en"]})
    voice = load(new)
    assert said(voice.sing(score(Note(0, Q, 60, "啊"), language="zh"))) == ["zh/a"]
    with pytest.raises(ScoreError, match=r'bar 1, beat 1, "好": .*dictionary of this voicebank has no'):
        voice.sing(score(Note(0, Q, 60, "好"), language="zh"))
    with pytest.raises(ScoreError, match="sings zh, en, but the score's words are 'ja'"):
        voice.sing(score(Note(0, Q, 60, "あ"), language="ja"))


def test_a_sound_that_the_bank_cannot_make_is_named_with_its_place(bank: Path) -> None:
    with pytest.raises(ScoreError, match=r'bar 2, beat 1, "ship": .* English sound \'sh\''):
        load(bank).sing(score(Note(0, Q, 60, "no"), Note(4 * Q, Q, 60, "ship")))
    with pytest.raises(ScoreError, match="no notes"):
        load(bank).sing(score())


def test_a_bank_without_durations_or_pitch_sings_by_rule(old: Path) -> None:
    (old / "dsdur/dsconfig.yaml").unlink()
    (old / "dspitch/dsconfig.yaml").unlink()
    take = load(old).sing(LONELY_TRAIN)
    assert said(take) == "l ow n l iy t r ey n".split()
    for beat in (2.0, 3.0, 6.0):
        assert level(take, beat + FRAME, beat + 4 * FRAME) > 5 * level(take, beat - 4 * FRAME, beat - FRAME)
    assert midi(take, 7.5, 7.8) == pytest.approx(
        59, abs=0.3
    )  # with the vibrato and the scoops of a plain reading


def test_it_says_what_it_is_and_which_notes_lie_outside(bank: Path) -> None:
    voice = load(bank)
    assert isinstance(voice, ScoreSinger)
    assert (voice.name, voice.engine, voice.languages, voice.licence) == (
        "Small",
        "diffsinger",
        ("en",),
        "CC0-1.0",
    )
    assert (voice.low, voice.high) == (48, 72)
    take = voice.sing(score(Note(0, Q, 75, "no")))
    assert take.adjusted == ('bar 1, beat 1, "no" lies above the voicebank\'s range; it was sung as written',)


def test_progress_is_told_phrase_by_phrase(bank: Path) -> None:
    heard: list[float] = []
    load(bank).sing(LONELY_TRAIN, progress=heard.append)
    assert heard == [0.5, 1.0]


def change(path: Path, **values: Any) -> None:
    raw = yaml.safe_load(path.read_text("utf-8"))
    put(path, {name: value for name, value in {**raw, **values}.items() if value is not None})


def without(name: str) -> Callable[[Path], None]:
    return lambda bank: (bank / name).unlink()


def changed(name: str, **values: Any) -> Callable[[Path], None]:
    return lambda bank: change(bank / name, **values)


def with_file(name: str, what: Any) -> Callable[[Path], None]:
    return lambda bank: put(bank / name, what)


PERSON = {
    "who": "Ada",
    "what": "an hour of songs",
    "until": "2019-12-31",
    "uses": ["sing"],
    "signed": "2018-01-01, by hand",
}
BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no card": (without("troubadour.yaml"), r"has no troubadour.yaml: a voicebank is a person's voice"),
    "card without licence": (changed("troubadour.yaml", licence=None), "leaves out: licence"),
    "card with a typing mistake": (changed("troubadour.yaml", hihg=72), "unknown fields: hihg"),
    "range upside down": (changed("troubadour.yaml", low=80), "low below high"),
    "somebody said yes": (changed("troubadour.yaml", consent="Ada said yes"), "consent is not a record"),
    "consent has ended": (changed("troubadour.yaml", consent=PERSON), "the consent of Ada ended on 2019-12-31"),
    "consent for other uses": (
        changed("troubadour.yaml", consent={**PERSON, "until": "2999-01-01", "uses": ["train"]}),
        "Ada has not agreed to 'sing'",
    ),
    "no dsconfig": (without("dsconfig.yaml"), "is .* a DiffSinger voicebank"),
    "dsconfig is no YAML": (with_file("dsconfig.yaml", "a: [b"), "is not YAML"),
    "dsconfig with a wrong number": (changed("dsconfig.yaml", hop_size="many"), "hop_size cannot be 'many'"),
    "no acoustic model": (without("acoustic.onnx"), "names acoustic.onnx, but there is no such file"),
    "acoustic not named": (changed("dsconfig.yaml", acoustic=None), "names no acoustic model"),
    "a file outside": (changed("dsconfig.yaml", acoustic="../../acoustic.onnx"), "lies outside the voicebank"),
    "no phonemes": (without("dspitch/phonemes.json"), r"dspitch.dsconfig.yaml names phonemes.json, but"),
    "phonemes no table": (with_file("phonemes.json", "[1, 2]"), "not a table of names and numbers"),
    "dictionary of another shape": (
        with_file("dsdur/dsdict-en.yaml", "entries: [{word: a}]\n"), "is not a dictionary for DiffSinger"
    ),
    "an embedding cut short": (with_file("small.alto.emb", b"\0" * 8), "holds 2 numbers, but .* hidden_size: 4"),
    "no embedding": (without("dsdur/smalldsdur.alto.emb"), "names smalldsdur.alto.emb, but"),
    "no variance": (without("dsvariance/dsconfig.yaml"), "asks for energy, breathiness, but the bank has no variance"),
    "no vocoder": (without("dsvocoder/vocoder.yaml"), "wants the vocoder 'small_vocoder', which is not in"),
    "vocoder of another rate": (changed("dsvocoder/vocoder.yaml", sample_rate=48_000), "do not fit together"),
    "vocoder without its model": (without("dsvocoder/vocoder.onnx"), "names vocoder.onnx, but"),
    "no model at all": (with_file("dspitch/pitch.onnx", "no model"), "pitch.onnx is not a model that can be run"),
    "a tensor that nobody gives": (
        lambda bank: put(bank / "dspitch/pitch.onnx", strange_model("falsetto", "pitch_pred")),
        "pitch.onnx asks for the tensor 'falsetto'",
    ),
    "an output that is not there": (
        lambda bank: put(bank / "dspitch/linguistic.onnx", strange_model("tokens", "out")),
        "linguistic.onnx gives out, but no encoder_out, x_masks",
    ),
    "a phoneme that one stage lacks": (
        with_file("dsvariance/phonemes.json", {"SP": 0}), "dsvariance.* has no number for the phoneme 'en/l'"
    ),
    "an output of the wrong length": (
        lambda bank: put(bank / "dspitch/pitch.onnx", strange_model("note_midi", "pitch_pred")),
        r"pitch.onnx gave \d values for \d+ frames",
    ),
}  # fmt: skip


def strange_model(takes: str, gives: str) -> Any:
    kind = small_bank.I64 if takes == "tokens" else small_bank.F32
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", [takes], [gives])], "strange", [value(takes, kind, [1, "n"])],
        [value(gives, kind, [1, "n"])],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_wrong_with_a_bank_is_said_in_a_sentence(new: Path, broken: str) -> None:
    spoil, sentence = BROKEN[broken]
    spoil(new)
    with pytest.raises(EngineError, match=sentence):
        load(new).sing(LONELY_TRAIN)


def test_a_vocoder_by_name_is_found_in_the_folder_of_vocoders(old: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no folder of vocoders was given"):
        engine("diffsinger", old, cache=tmp_path)
    with pytest.raises(EngineError, match="there is no voicebank at"):
        engine("diffsinger", tmp_path / "nowhere", cache=tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_score_phones_follow_one_another_and_vowels_meet_their_notes(
    bank: Path, seed: int
) -> None:
    rng = random.Random(seed)
    notes: list[Note] = []
    tick = rng.choice([0, 60, 480])
    for _ in range(rng.randint(2, 9)):
        word = rng.choice([("no",), ("late",), ("lone", "ly"), ("me",), ("oh",), ("tree",)])
        for k, syllable in enumerate(word):
            syllabic = "single" if len(word) == 1 else "begin" if k == 0 else "end"
            for m in range(rng.choice([1, 1, 1, 2, 3])):
                ticks = rng.choice([30, 60, 120, 480, 1920])
                sung = (syllable, syllabic) if m == 0 else (None, "single")
                breath = rng.random() < 0.15
                notes.append(Note(tick, ticks, rng.randint(48, 70), *sung, breath_after=breath))
                tick += ticks + rng.choice([0, 0, 0, 10, 60, 240, 960])
    tempo = (TempoMark(0, rng.choice([40.0, 200.0])), TempoMark(960, 90.0))
    wild = Score("wild", tuple(notes), tempo=tempo, swing=rng.choice([0.5, 0.66]))
    take = load(bank).sing(wild)
    assert np.isfinite(take.audio).all()
    assert {one.note for one in take.notes} == set(range(len(notes)))
    for one, following in itertools.pairwise(take.phonemes):
        assert one.start < one.end <= following.start + 1e-6
    begun: set[int] = set()
    for one in take.phonemes:
        if one.symbol.split("/")[-1] in small_bank.VOWELS and one.note not in begun:
            begun.add(one.note)
            assert one.start == pytest.approx(wild.seconds(notes[one.note].tick), abs=1e-6)
