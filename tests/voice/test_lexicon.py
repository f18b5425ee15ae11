"""How words are said and how they rhyme."""

import random
import subprocess
import sys

import pytest

from voice.dictionary import cmu
from voice.g2p import guess
from voice.lexicon import (
    PronunciationError,
    known,
    pronounce,
    pronunciations,
    read_line,
    rhyme_part,
    rhymes,
    stresses,
)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("train", "T R EY1 N"),
        ("lovin'", "L AH1 V IH0 N"),
        ("lovin’", "L AH1 V IH0 N"),
        ("nothin", "N AH1 TH IH0 N"),
        ("cabin", "K AE1 B AH0 N"),
        ("train's", "T R EY1 N Z"),
        ("Maya's", "M AY1 AH0 Z"),
        ("roses'", "R OW1 Z IH0 Z"),
        ("moonlit", "M UW1 N L IH2 T"),
        ("heart-broken", "HH AA1 R T B R OW1 K AH0 N"),
        ("gonna", "G AH1 N AH0"),
        ("o'er", "AO1 R"),
        ("y'all", "Y AO1 L"),
        ("'cause", "K AH1 Z"),
        ("every", "EH1 V R IY0"),
        ("fire", "F AY1 R"),
        ("café", "K AE0 F EY1"),
        ("soooo", "S OW1"),
        ("looove", "L AH1 V"),
        ("NYC", "EH1 N W AY1 S IY1"),
        ("42nd", "F AO1 R T IY0 S EH1 K AH0 N D"),
        ("24", "T W EH1 N T IY0 F AO1 R"),
        ("TV", "T IY1 V IY1"),
        ("record", "R EH1 K ER0 D"),
    ],
)
def test_a_word_is_said_as_singers_say_it(word: str, said: str) -> None:
    assert " ".join(pronounce(word)) == said


def test_all_ways_to_say_a_word_are_known() -> None:
    assert {"".join(p) for p in pronunciations("fire")} == {"FAY1R", "FAY1ER0"}
    assert len(pronunciations("live")) == 2


def test_small_words_carry_no_stress_and_long_ones_keep_theirs() -> None:
    assert stresses("the") == stresses("my") == (0,)
    assert stresses("train") == (1,)
    assert stresses("tonight") == (0, 1)
    assert stresses("midnight") == (1, 2)


def test_rhymes_are_heard_from_the_last_stressed_vowel_on() -> None:
    for a, b in [("night", "light"), ("home", "foam"), ("heaven", "seven"), ("fire", "desire"), ("lovin'", "shovin'"),
                 ("you", "blue"), ("remember", "december"), ("rain", "again"), ("door", "before")]:  # fmt: skip
        assert rhymes(a, b), (a, b)
    for a, b in [("night", "knight"), ("night", "Night"), ("home", "alone"), ("love", "move"), ("heaven", "even"),
                 ("night", "nights"), ("station", "ration's")]:  # fmt: skip
        assert not rhymes(a, b), (a, b)
    assert rhyme_part("tonight") == ("AY", "T")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("I’m lovin’ the ’60s & 24 hours", "I'm lovin' the sixties and twenty four hours"),
        ("He said 'hold me' 'til the mornin'—$5", "He said hold me 'til the mornin' five dollars"),
        (
            "Back in 1969, 2nd of May, 1,200 miles",
            "Back in nineteen sixty nine second of May one thousand two hundred miles",
        ),
        ("heart-broken, rock 'n' roll (oh…)", "heart-broken rock n roll oh"),
        ('James\' train 10% "down"', "James' train ten percent down"),
        (
            "1905, 2000 and 2005, 007, 3.5",
            "nineteen oh five two thousand and two thousand five oh oh seven three point five",
        ),
        ("", ""),
    ],
)
def test_a_line_is_read_as_it_is_sung(line: str, words: str) -> None:
    assert " ".join(read_line(line).words) == words
    assert read_line(line).notes == ()


def test_what_cannot_be_sung_is_left_out_and_named() -> None:
    reading = read_line("the sun 😀 привет goes down")
    assert reading.words == ("the", "sun", "goes", "down")
    assert reading.notes == (
        "😀 cannot be sung and was left out",
        "'привет' is not in Latin letters and was left out",
    )
    with pytest.raises(PronunciationError, match="Latin"):
        pronounce("привет")


def test_unknown_words_are_guessed_and_said_to_be_unknown() -> None:
    assert not known("blorptastic")
    assert pronounce("blorptastic")[0] == "B"
    assert all(
        map(known, ["lonesome", "gonna", "lovin'", "moonlit", "train's", "heart-broken", "1969", "unsung"])
    )
    assert not known("heart-blorp")


def _edits(a: tuple[str, ...], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def test_the_guesses_are_mostly_right() -> None:
    """The network learned from most of CMU, so this is no held-out figure; it catches a broken conversion."""
    words = [(word, said) for word, said in cmu() if word.isalpha() and len(word) > 3]
    sample = random.Random(7).sample(words, 200)
    wrong = total = 0
    for word, said in sample:
        wrong += min(_edits(guess(word), one.split()) for one in said)
        total += len(said[0].split())
    assert wrong / total < 0.10


def test_importing_the_lexicon_reads_no_data_and_no_heavy_library() -> None:
    code = (
        "import sys, voice.lexicon, voice.syllables, voice.dictionary as d;"
        "print([m for m in ('numpy', 'torch', 'music21') if m in sys.modules], d.cmu.cache_info().currsize)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[] 0"
