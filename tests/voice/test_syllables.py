"""Words divided into sung syllables: letters, phonemes, stress."""

import json
import random
from pathlib import Path

import pytest

import voice.alphabet
from voice.alphabet import CONSONANTS, STRESSES, VOWELS, count_vowels, is_vowel, to_arpabet, to_kokoro
from voice.dictionary import cmu, gold
from voice.lexicon import PronunciationError, pronounce
from voice.phonemes import line_phonemes, to_phonemes
from voice.syllables import SyllableCountError, align, line_syllables, split, syllabify

HARD = """
lone-some mid-night rol-ling nev-er riv-er sev-en heav-en ev-ery ev-ery-thing walk-ing wait-ing mak-ing dar-ling
noth-ing morn-ing some-thing care-less lone-ly base-ment use-less bed-room rail-road back-road whis-key dus-ty
win-dow to-night ba-by wa-ter lit-tle bet-ter but-ton kitch-en pock-et could-n't lov-in' moan-in' fire hour
for-ev-er a-noth-er dif-fer-ent a-maz-ing beau-ti-ful re-mem-ber to-mor-row yes-ter-day good-bye heart--bro-ken
tel-e-vi-sion ques-tion strengths through daugh-ter gui-tar whis-tle some-where sta-tion plat-form ta-ble moth-er
brother's shad-ow hon-ey hal-le-lu-jah want-ed ro-ses po-em real
""".split()


SAID = """
strengths:stɹˈɛŋkθs twelfths:twˈɛlfθs sixths:sˈɪksθs glimpsed:ɡlˈɪmpst scratched:skɹˈæʧt whispered:wˈɪspəɹd
rhythm:ɹˈɪðəm colonel:kˈɜɹnᵊl choir:kwˈIəɹ queue:kjˈu yacht:jˈɑt aisle:ˈIl island:ˈIlənd subtle:sˈʌɾᵊl
salmon:sˈæmən through:θɹu tough:tˈʌf bough:bˈW thorough:θˈɜɹO enough:ɪnˈʌf laughter:lˈæftəɹ drought:dɹˈWt
psalm:sˈɑlm gnaw:nˈɔ hymn:hˈɪm autumn:ˈɔɾəm castle:kˈæsᵊl listen:lˈɪsᵊn ocean:ˈOʃən machine:məʃˈin
champagne:ʃæmpˈAn bouquet:bOkˈA Siobhan:ʃɪvˈɔn Maya:mˈIə Tchaikovsky:ʧˌAkˈɑvski Arkansas:ˈɑɹkənsˌɔ
Illinois:ˌɪlənˈY Memphis:mˈɛmfɪs Tupelo:tˈupəlˌO lovin':lˈʌvɪn y'all:jˈɔl ain't:ˈAnt o'er:ˈɔɹ ev'ry:ˈɛvɹi
woulda:wˈʊdə heartache:hˈɑɹɾˌAk moonshine:mˈunʃˌIn honky-tonk:hˈɔŋkitˌɔŋk whippoorwill:wˈɪpəɹwˌɪl
mockingbird:mˈɑkɪŋbˌɜɹd barbed-wire:bˈɑɹbdwˈIɹ rainsoaked:ɹˈAnsˌOkt steeltown:stˈiltˌWn
smokestack:smˈOkstˌæk voodoo:vˈudˌu 24:twˈɛntifˈɔɹ TV:tˈivˈi DJ:dˈiʤˌA NYC:ˈɛnwˈIsˈi Wi-Fi:wˈIfˌI
looove:lˈʌv hmm:hˈʌm
""".split()


def test_hard_words_are_said_right() -> None:
    pairs = [pair.split(":") for pair in SAID]
    assert {word: to_phonemes(word) for word, _ in pairs} == dict(pairs)
    assert len(SAID) >= 60


@pytest.mark.parametrize("printed", HARD)
def test_letters_are_divided_as_printed_music_does(printed: str) -> None:
    if printed == "brother's":
        printed = "broth-er's"
    word = printed.replace("--", "~").replace("-", "").replace("~", "-")
    assert "-".join(s.text for s in split(word)) == printed


def test_syllables_agree_with_the_dictionary_in_number_and_stress() -> None:
    words = [word for word, _ in cmu() if word.replace("'", "").isalpha()]
    agree = 0
    for word in (sample := random.Random(1).sample(words, 2000)):
        syllables = split(word)
        assert "".join(s.text for s in syllables) == word
        assert "".join(s.phonemes for s in syllables) == to_phonemes(word)
        assert all(count_vowels(s.phonemes) == 1 and s.text for s in syllables), syllables
        assert len(syllables) == sum(map(is_vowel, pronounce(word))), word
        agree += len(syllables) == sum(map(is_vowel, cmu().get(word)[0].split()))
    assert agree / len(sample) > 0.99  # 'fire' and 'desire' are meant to differ


def test_consonants_begin_the_next_syllable_where_english_words_begin_so() -> None:
    assert syllabify("tənˈIt") == ("tə", "nˈIt")
    assert syllabify("ˈɛkstɹə") == ("ˈɛk", "stɹə")
    assert syllabify("mˈɪdnˌIt") == ("mˈɪd", "nˌIt")
    assert syllabify("dˈʌsti") == ("dˈʌs", "ti")
    assert syllabify("sˈɪŋɪŋ") == ("sˈɪŋ", "ɪŋ")
    assert [s.phonemes for s in split("railroad")] == ["ɹˈAl", "ɹˌOd"]


@pytest.mark.parametrize(
    ("word", "written", "sung"),
    [
        ("fire", ("fire",), "fˈIɹ"),
        ("fire", ("fi", "re"), "fˈI əɹ"),
        ("heaven", ("heav'n",), "hˈɛvn"),
        ("heaven", ("hea", "ven"), "hˈɛ vᵊn"),
        ("memory", ("mem", "ory"), "mˈɛm ɹi"),
        ("memory", ("mem", "o", "ry"), "mˈɛ mə ɹi"),
        ("flower", ("flower",), "flˈWɹ"),
        ("love", ("lo", "o", "ove"), "lˈʌ ʌ ʌv"),
        ("amazing", ("a", "maz", "ing"), "ə mˈA zɪŋ"),
    ],
)
def test_a_composers_own_division_is_followed(word: str, written: tuple[str, ...], sung: str) -> None:
    syllables = align(word, written)
    assert " ".join(s.phonemes for s in syllables) == sung
    assert tuple(s.text for s in syllables) == written


def test_two_syllables_on_one_note_are_an_error_that_names_the_word() -> None:
    with pytest.raises(SyllableCountError, match=r"'river' has 2 syllables \(riv-er\) but 1 note:"):
        align("river", ["river"])
    with pytest.raises(SyllableCountError, match="'world' has 1 syllable"):
        align("world", ["wor", "ld"])


def test_small_words_are_sung_weak_and_fitted_to_the_next_word() -> None:
    said = line_phonemes("the evening and the train came to a town to stay".split())
    assert said[0] == "ði" and said[3] == "ðə"
    assert said[6] == "tu" and said[7] == "ə" and said[9] == "tə"


@pytest.mark.parametrize(
    ("line", "word", "said"),
    [
        ("I close my eyes", 1, "klˈOz"),
        ("hold me close to you", 2, "klˈOs"),
        ("don't tear me apart", 1, "tˈɛɹ"),
        ("a tear in your eye", 1, "tˈɪɹ"),
        ("the cold wind blows", 2, "wˈɪnd"),
        ("wind up alone", 0, "wˈInd"),
        ("where we live our lives", 2, "lˈɪv"),
        ("where we live our lives", 4, "lˈIvz"),
        ("I used to know", 1, "jˈust"),
        ("heavy as lead", 2, "lˈɛd"),
        ("they play that record", 3, "ɹˈɛkəɹd"),
        ("trying to record", 2, "ɹəkˈɔɹd"),
    ],
)
def test_words_written_alike_are_told_apart_by_their_neighbours(line: str, word: int, said: str) -> None:
    assert line_phonemes(line.split())[word] == said


def test_sung_words_have_a_vowel_in_every_syllable() -> None:
    for (
        word
    ) in "button cotton couldn't little rhythm prism hmm mmm shh brr 'em lovin' mornin' people".split():
        assert all(count_vowels(s.phonemes) == 1 for s in split(word)), word
    assert to_phonemes("button") == "bˈʌtᵊn"
    assert to_phonemes("little") == "lˈɪɾᵊl"
    assert to_phonemes("lovin'") == "lˈʌvɪn"


def test_a_pronunciation_can_be_given() -> None:
    assert to_phonemes("Maya", {"maya": "mˈAə"}) == "mˈAə"
    assert [s.phonemes for s in split("Siobhan", {"siobhan": "ʃɪvˈɔn"})] == ["ʃɪ", "vˈɔn"]
    with pytest.raises(PronunciationError, match="unknown symbols: 7"):
        to_phonemes("Maya", {"maya": "m7a"})


def test_every_symbol_is_one_that_the_network_knows() -> None:
    path = Path(voice.alphabet.__file__).parent / "network" / "vocabulary.json"
    known = set(json.loads(path.read_text(encoding="utf-8"))["tokens"])
    used = {symbol for _, said in gold() for symbol in to_kokoro(to_arpabet(said[0])) + said[0]}
    assert used <= known
    assert VOWELS | CONSONANTS | set(STRESSES) <= known


def test_a_line_becomes_syllables() -> None:
    line = line_syllables("I’m lovin’ the 24 hours, don't you?")
    assert ["-".join(s.text for s in word) for word in line] == [
        "I'm", "lov-in'", "the", "twen-ty", "four", "hours", "don't", "you",
    ]  # fmt: skip
    assert set("".join(s.phonemes for word in line for s in word)) <= VOWELS | CONSONANTS | set(STRESSES)
