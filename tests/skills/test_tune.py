"""A tune fits its words, its chords, its singer and the seconds asked for."""

import itertools

import pytest

from skills.brief import Brief
from skills.lyrics import Lyrics, Stanza
from skills.style import list_styles, load_style
from skills.tune import TuneError, compose, sung_bars
from skills.tune.bench import measured
from skills.tune.harmony import chord_tones
from skills.tune.measure import BANDS, figures, split_at_breaths
from skills.tune.prosody import STRESSED, weights
from skills.tune.rhythm import Clock, felt_pulse, is_strong
from skills.words.prosody import make_line
from tests.skills.words_for_tunes import AAB, HOOK, SNIPPET, SONG, sung
from voice.score import Note, Score

LOW, HIGH = 45, 62
STYLES = list_styles()
BRIEFS = [
    (lyrics, style, mood, seed)
    for seed, (style, (lyrics, mood)) in enumerate(
        itertools.product(STYLES, ((AAB, "sad"), (SNIPPET, "joyful")))
    )
]


@pytest.fixture(scope="module")
def scores() -> list[tuple[Score, Lyrics, str]]:
    return [
        (compose(lyrics, Brief("x", mood=mood), load_style(style), seed, LOW, HIGH), lyrics, style)
        for lyrics, style, mood, seed in BRIEFS
    ]


def test_every_syllable_is_sung_once_and_in_order(scores):
    for score, lyrics, _ in scores:
        written = [syllable.text for line in lyrics.lines for syllable in line.syllables]
        assert [note.syllable for note in score.notes if note.syllable] == written


def test_no_note_leaves_the_singers_range(scores):
    for score, _, _ in scores:
        assert all(LOW <= note.pitch <= HIGH for note in score.notes)


def test_the_song_lasts_what_was_asked(scores):
    for score, _, style in scores:
        assert 15.0 <= score.seconds(score.ticks) + 1.0 <= 25.0, style


def test_stressed_syllables_stand_on_beats(scores):
    stressed = on_beat = 0
    for score, lyrics, _ in scores:
        begun = [note for note in score.notes if note.syllable]
        wanted = [weight for line in lyrics.lines for weight in weights(line)]
        for note, weight in zip(begun, wanted, strict=True):
            if weight >= STRESSED:
                stressed += 1
                on_beat += is_strong(note.tick, felt_pulse(Clock(score.tempo[0].bpm, score.swing)))
    assert on_beat / stressed >= 0.9


def test_there_is_time_to_breathe_between_lines(scores):
    for score, _, style in scores:
        for before, after in itertools.pairwise(split_at_breaths(score.notes)):
            assert score.seconds(after[0].tick) - score.seconds(before[-1].end) >= 0.4, style


def test_no_syllable_is_too_short_to_be_understood(scores):
    for score, _, style in scores:
        shortest = min(score.seconds(note.end) - score.seconds(note.tick) for note in score.notes)
        assert shortest >= 0.159, style


def test_a_line_rests_on_a_note_of_its_chord_and_the_song_on_its_tonic(scores):
    for score, _, style in scores:
        for phrase in split_at_breaths(score.notes):
            last = next(note for note in reversed(phrase) if note.syllable)
            chord = score.chord_at(last.tick)
            assert chord is not None
            blue = {(score.key.tonic + d) % 12 for d in load_style(style).tune.blue}
            assert phrase[-1].pitch % 12 in chord_tones(chord) | blue, score.where(last)
        assert score.notes[-1].pitch % 12 == score.key.tonic


def test_the_hook_is_the_same_tune_every_time():
    score = compose(SONG, Brief("x", seconds=120), load_style("soul"), 3, LOW, HIGH)
    phrases = split_at_breaths(score.notes)
    lines = [line.text for line in SONG.lines]
    hook = " ".join(sung(HOOK).words)
    at = [i for i, text in enumerate(lines) if text.replace(",", "") == hook]
    assert len(at) == 4
    tunes = {
        tuple((note.pitch, note.tick - phrases[i][0].tick, note.ticks) for note in phrases[i]) for i in at
    }
    assert len(tunes) == 1


@pytest.mark.parametrize("style", ["rock", "electronica"])
def test_every_stressed_syllable_of_a_hook_has_a_beat_even_where_its_bar_would_be_too_full(style):
    hook = make_line("Don't talk bad about my truck", bars=1)  # four stresses
    lines = (hook, make_line("I bought it with my father's luck", bars=1))
    lyrics = Lyrics("Truck", "verse-chorus", (Stanza("chorus", lines * 2),), hook=hook.text)
    found = measured(compose(lyrics, Brief("x"), load_style(style), 4, LOW, HIGH), lyrics, style, LOW, HIGH)
    assert (found.hook, found.hook_on_beat) == (8, 8)
    assert found.outside == 0


def test_the_second_line_of_a_blues_is_close_to_the_first(scores):
    for score, lyrics, style in scores:
        if lyrics is not AAB:
            continue
        first, again, _ = split_at_breaths(score.notes)
        begins = [(n.tick - first[0].tick, n.pitch) for n in first if n.syllable]
        repeats = [(n.tick - again[0].tick, n.pitch) for n in again if n.syllable]
        near = sum(
            abs(a[1] - b[1]) <= 2 and a[0] == b[0] for a, b in zip(begins[:-2], repeats[:-2], strict=True)
        )
        assert near / (len(begins) - 2) >= 0.6, style


def test_the_same_seed_gives_the_same_song_and_another_seed_another():
    one, same, other = (compose(AAB, Brief("x"), load_style("blues"), seed, LOW, HIGH) for seed in (5, 5, 6))
    assert one == same
    assert [n.pitch for n in one.notes] != [n.pitch for n in other.notes]


def test_figures_are_those_of_real_tunes(scores):
    inside = {"mean_interval": 0, "steps": 0, "range": 0, "leaps": 0}
    bands = {"mean_interval": (1.6, 2.9), "steps": (0.52, 0.85), "range": (9, 17), "leaps": (0, 0.07)}
    for score, _, _ in scores:
        measured = figures(score)
        for name, (low, high) in bands.items():
            inside[name] += low <= getattr(measured, name) <= high
    assert {name: count / len(scores) >= 0.8 for name, count in inside.items()} == dict.fromkeys(inside, True)


def test_a_chorus_that_comes_again_is_no_repetition_but_the_same_tune_to_other_words_is():
    def line(pitches, words, tick):
        return [
            Note(tick + 480 * i, 480, pitch, word, breath_after=i == len(pitches) - 1)
            for i, (pitch, word) in enumerate(zip(pitches, words.split(), strict=True))
        ]

    rising, falling = (60, 62, 64, 67, 69, 67), (69, 67, 64, 65, 60, 62)
    song = [*line(rising, "I walk my walk a lone", 0), *line(falling, "the road is long and grey", 3840)]
    returned = figures(Score("", (*song, *line(rising, "I walk my walk a lone", 7680))))
    other_words = figures(Score("", (*song, *line(rising, "you came to me one night", 7680))))
    assert returned.repetition == figures(Score("", tuple(song))).repetition == 0
    assert returned.as_sung == other_words.as_sung == other_words.repetition > 0


def test_whole_songs_repeat_themselves_no_more_than_old_tunes():
    for style in STYLES:
        score = compose(SONG, Brief("x", seconds=120), load_style(style), 3, LOW, HIGH)
        assert figures(score).repetition <= BANDS["repetition"][1], style


def test_a_tempo_that_was_asked_for_is_kept():
    score = compose(AAB, Brief("x", bpm=96), load_style("blues"), 1, LOW, HIGH)
    assert score.tempo[0].bpm == 96


def test_words_that_cannot_be_set_are_refused_in_a_sentence():
    empty = Lyrics("", "aab", (Stanza("verse", ()),))
    with pytest.raises(TuneError, match="nothing to sing"):
        compose(empty, Brief("x"), load_style("blues"), 1, LOW, HIGH)
    endless = Lyrics("", "aab", (Stanza("verse", (sung("the " * 200 + "END", 1),)),))
    with pytest.raises(TuneError, match="too long"):
        compose(endless, Brief("x", bpm=100), load_style("blues"), 1, LOW, HIGH)
    with pytest.raises(TuneError, match="range"):
        compose(AAB, Brief("x"), load_style("blues"), 1, 50, 55)


def test_the_number_of_bars_that_fit_is_known_before_the_words_are():
    fewest, most = sung_bars(load_style("blues"), "sad", 20)
    assert 3 <= fewest <= 6 <= most <= 8


def test_a_line_too_long_for_its_bars_gets_more_of_them():
    line = "i GOT a NINE to FIVE JOB and it STARTS a-BOUT at EIGHT-y NINE"
    crowded = Lyrics("Job", "aab", (Stanza("verse", (sung(line), sung(line), sung(line))),))
    score = compose(crowded, Brief("x", mood="joyful"), load_style("rock"), 1, LOW, HIGH)
    assert len([note for note in score.notes if note.syllable]) == 3 * 16
    assert score.seconds(score.ticks) < 40


@pytest.mark.parametrize("bars", [1, 2, 4])
@pytest.mark.parametrize("seconds", [15, 120])
def test_a_plan_is_found_for_lines_of_any_length(bars, seconds):
    long, short = sung("the DAY " * 7, bars), sung("the DAY", bars)
    words = Lyrics("Days", "x", (Stanza("verse", (long, short, long)),))
    score = compose(words, Brief("x", mood="joyful", seconds=seconds), load_style("rock"), 1, LOW, HIGH)
    assert len([note for note in score.notes if note.syllable]) == 30
