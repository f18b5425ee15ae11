"""Songs from briefs: both authors keep to the form, say what the fan asked for, and never sing a line twice."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml

from memory.embedder import Embedder
from skills.brief import Brief, BriefError
from skills.lyrics import Lyrics
from skills.reading import read_brief
from skills.words import EmbeddedAuthor, EndpointAuthor, write_lyrics
from skills.words.check import check_lines, key, profanity
from skills.words.forms import forms
from skills.words.prosody import last_word, rhymes, words_of
from skills.words.wishes import sings, wishes_of
from skills.words.write import plan_song

BRIEFS: list[str] = yaml.safe_load(Path(__file__).with_name("briefs.yaml").read_text("utf-8"))


@cache
def embedded() -> EmbeddedAuthor:
    return EmbeddedAuthor(Embedder())


def keys_of(lyrics: Lyrics) -> set[str]:
    """The song's lines, without the short answers of call and response, which belong to nobody."""
    return {
        key(line.text) for line in lyrics.lines if lyrics.form != "call-response" or line.text != lyrics.hook
    }


def wishes(brief: Brief) -> list[str]:
    return [brief.dedication] if brief.dedication else []


def told(lyrics: Lyrics) -> str:
    return key(" ".join(line.text for line in lyrics.lines))


class ModelOnPaper:
    """A scripted model: it writes the embedded author's lines, and spoils some of them the first `faulty` times."""

    def __init__(self, brief: Brief, seed: int, used: Sequence[str], faulty: int) -> None:
        self.lines = [line.text for line in write_lyrics(brief, seed, embedded(), used).lines]
        self.faulty, self.asked = faulty, list[str]()

    def __call__(self, system: str, user: str, longest: int) -> str:
        self.asked.append(user)
        wanted = self._numbers(user)
        spoil = len(self.asked) <= self.faulty
        texts = list(dict.fromkeys(self.lines))
        said = {n: texts[n - 1] for n in wanted if n <= len(texts)}
        if spoil and said:
            first = min(said)
            said[first] = said[first].rsplit(" ", 1)[0] + " orange silver month"
            last = max(said)
            said[last] = (
                "This line is far too long for anybody alive to be singing it in just one single breath of air"
            )
        return "Title: A Song on Paper\n" + "\n".join(f"{n}. {text}" for n, text in said.items())

    def _numbers(self, user: str) -> list[int]:
        return [int(n) for n in re.findall(r"(?m)^(\d+)\. \(", user)]


@cache
def embedded_songs() -> list[tuple[Brief, Lyrics, float]]:
    """Sixty briefs, sixty seeds, each song made with the lines of all before it as used."""
    made, used = [], set[str]()
    embedded().write(Brief("rain"), plan_song(Brief("rain"), 0), 0)  # loads the embedder
    for seed, text in enumerate(BRIEFS):
        brief = read_brief(text)
        began = time.process_time()  # a busy machine holds songs up
        lyrics = write_lyrics(brief, seed, embedded(), used)
        made.append((brief, lyrics, time.process_time() - began))
        used |= {
            line.text for line in lyrics.lines if line.text != lyrics.hook or lyrics.form != "call-response"
        }
    return made


def test_every_song_passes_the_same_check_that_a_models_song_has_to_pass() -> None:
    for seed, (brief, lyrics, _) in enumerate(embedded_songs()):
        plan = plan_song(brief, seed).eased
        assert check_lines([line.text for line in lyrics.lines], plan) == [], lyrics.text


def test_every_rhyme_letter_stands_for_a_true_rhyme() -> None:
    for _, lyrics, _ in embedded_songs():
        for stanza in lyrics.stanzas:
            for a in stanza.lines:
                for b in stanza.lines:
                    if a.rhyme and a.rhyme == b.rhyme and key(a.text) != key(b.text):
                        assert rhymes(last_word(a.text), last_word(b.text)), lyrics.text


def test_no_line_is_in_two_songs() -> None:
    seen: dict[str, str] = {}
    for brief, lyrics, _ in embedded_songs():
        for line in keys_of(lyrics):
            assert line not in seen, f"{line!r} is in {seen[line]!r} and in {brief.theme!r}"
            seen[line] = brief.theme


def test_twenty_briefs_with_twenty_seeds_give_twenty_songs_without_a_line_in_common() -> None:
    songs = [(brief, lyrics) for brief, lyrics, _ in embedded_songs()][::3]
    assert len({lyrics.title for _, lyrics in songs}) == 20
    assert sum(len(keys_of(lyrics)) for _, lyrics in songs) == len(set.union(*(keys_of(s) for _, s in songs)))


def test_the_one_that_a_song_is_for_is_named_in_it() -> None:
    named = [(brief, lyrics) for brief, lyrics, _ in embedded_songs() if brief.dedication]
    assert len(named) >= 25
    for brief, lyrics in named:
        assert key(brief.dedication) in told(lyrics) or key(brief.dedication.split(" at ")[0]) in told(
            lyrics
        ), lyrics.text


def test_what_is_to_be_mentioned_is_sung() -> None:
    for text, said in (("blues, mention my landlord", "landlord"), ("about the sea, mention Tulsa", "tulsa")):
        assert said in told(write_lyrics(read_brief(text), 3, embedded()))


def test_what_is_to_be_left_out_is_left_out() -> None:
    for seed in range(4):
        text = told(
            write_lyrics(
                read_brief("a song about summer, don't mention crickets or melons"), seed, embedded()
            )
        )
        assert not {"cricket", "crickets", "melon", "melons"} & set(text.split())


def test_a_song_takes_less_than_three_seconds_to_write() -> None:
    times = sorted(seconds for _, _, seconds in embedded_songs())
    assert times[len(times) // 2] < 1.5
    assert times[-1] < 6.0  # the first ones embed the material


def test_nothing_profane_is_sung() -> None:
    assert not profanity() & {word for _, lyrics, _ in embedded_songs() for word in told(lyrics).split()}


def test_the_same_brief_and_seed_give_the_same_song_and_another_seed_another() -> None:
    brief = read_brief("a blues about the river, for Sam")
    first, again, other = (write_lyrics(brief, seed, EmbeddedAuthor(Embedder())) for seed in (5, 5, 6))
    assert first == again
    assert first.text != other.text


@pytest.mark.parametrize("form", sorted(forms()))
@pytest.mark.parametrize("seconds", [20.0, 35.0, 150.0])
def test_every_form_is_written_short_and_long(form: str, seconds: float) -> None:
    brief = Brief("a river in summer", form=form, dedication="Ada", seconds=seconds)
    lyrics = write_lyrics(brief, 1, embedded())
    plan = plan_song(brief, 1)
    assert lyrics.form == form
    assert len(lyrics.lines) == plan.lines
    assert check_lines([line.text for line in lyrics.lines], plan.eased, must_say=["Ada"]) == []
    assert bool(lyrics.hook) == plan.form.has_hook
    if lyrics.hook:
        assert [line.text for line in lyrics.lines].count(lyrics.hook) >= 1
    assert len(plan.stanzas) >= (4 if seconds > 100 else 1)


def test_a_long_song_repeats_its_chorus_and_nothing_else() -> None:
    lyrics = write_lyrics(Brief("my hometown", form="verse-chorus", seconds=150), 4, embedded())
    choruses = [stanza for stanza in lyrics.stanzas if stanza.name == "chorus"]
    assert len(choruses) >= 2 and len({stanza.lines for stanza in choruses}) == 1
    verses = [line.text for stanza in lyrics.stanzas if stanza.name != "chorus" for line in stanza.lines]
    assert len(set(verses)) == len(verses)


def test_every_word_has_its_syllables() -> None:
    for _, lyrics, _ in embedded_songs():
        for line in lyrics.lines:
            assert {syllable.word for syllable in line.syllables} == set(range(len(line.words)))


def test_words_that_the_fan_gave_are_sung_as_they_are() -> None:
    brief = read_brief(
        "sing these words: The kettle's on, the bread is warm\nand I am home, I am out of the storm"
    )
    lyrics = write_lyrics(brief, 0, embedded())
    assert words_of(lyrics.text) == words_of(brief.words)
    with pytest.raises(BriefError, match="can't sing the line"):
        write_lyrics(Brief("", words="привет, мой друг"), 0, embedded())


def endpoint_songs(faulty: int) -> Iterator[tuple[Brief, int, Lyrics, ModelOnPaper]]:
    used: set[str] = set()
    for seed, text in enumerate(BRIEFS):
        brief = read_brief(text)
        model = ModelOnPaper(brief, seed, sorted(used), faulty)
        lyrics = write_lyrics(brief, seed, EndpointAuthor(model, embedded()), used)
        used |= {
            line.text for line in lyrics.lines if line.text != lyrics.hook or lyrics.form != "call-response"
        }
        yield brief, seed, lyrics, model


@pytest.mark.parametrize("faulty", [2, 99], ids=["mends its lines when told why", "never learns"])
def test_a_models_songs_keep_to_the_form_in_the_end(faulty: int) -> None:
    seen: set[str] = set()
    for brief, seed, lyrics, model in endpoint_songs(faulty):
        plan = plan_song(brief, seed).eased
        assert check_lines([line.text for line in lyrics.lines], plan) == [], lyrics.text
        assert not wishes(brief) or key(brief.dedication.split(" at ")[0]) in told(lyrics), lyrics.text
        assert not seen & keys_of(lyrics)
        seen |= keys_of(lyrics)
        assert len(model.asked) <= 6


def test_only_the_lines_that_fail_go_back_and_the_reason_goes_with_them() -> None:
    brief = Brief("rain on the roof", form="8-bar")
    good = [
        "The rain came down upon the tin",
        "I put a pan to catch it in",
        "I wrote a letter, tore it through",
    ]
    answers = iter(
        [
            "1. {}\n2. {}\n3. {}\n4. I put it in a box for keeping".format(*good),
            "4. The only good words in it were you",
        ]
    )
    asked: list[str] = []

    def ask(system: str, user: str, longest: int) -> str:
        asked.append(user)
        return next(answers)

    lyrics = write_lyrics(brief, 1, EndpointAuthor(ask, embedded()))
    assert [line.text for line in lyrics.lines] == [*good, "The only good words in it were you"]
    again = asked[1].split("Write only these lines again")[1]
    assert "4. (" in again and "'keeping' does not rhyme with 'through'" in again
    assert not re.search(r"(?m)^[123]\. \(", again)


def test_lines_without_numbers_are_taken_in_their_order_and_answers_are_as_long_as_the_lines_need() -> None:
    good = [
        "The rain came down upon the tin",
        "I put a pan to catch it in",
        "I wrote a letter, tore it through",
        "The only good words in it were you",
    ]
    rooms: list[int] = []

    def ask(system: str, user: str, longest: int) -> str:
        rooms.append(longest)
        return "\n".join(["Title: Tin", "[Verse]", "Here you are:", *good, "and more, and more"])

    lyrics = write_lyrics(Brief("rain on the roof", form="8-bar"), 1, EndpointAuthor(ask, embedded()))
    assert lyrics.title == "Tin" and [line.text for line in lyrics.lines] == good
    assert len(rooms) == 1 and 4 * 60 < rooms[0] < 1000


def test_corrected_lines_without_numbers_are_taken_in_the_order_of_the_correction() -> None:
    brief = Brief("rain on the roof", form="8-bar", avoid=("tin",))
    first = "1. The rain came down upon the tin\n2. I put a pan to catch it in\n3. I wrote a letter, tore it through\n"
    answers = iter(
        [
            first + "4. I put it in a box for keeping",
            "The only good words in it were you\nThe rain came down and let me in",
        ]
    )
    asked: list[str] = []

    def ask(system: str, user: str, longest: int) -> str:
        asked.append(user)
        return next(answers, "")

    lyrics = write_lyrics(brief, 1, EndpointAuthor(ask, embedded()))
    again = asked[1].split("Write only these lines again")[1]
    assert 0 < again.index("4. (") < again.index("1. (")
    assert lyrics.lines[3].text == "The only good words in it were you"


@pytest.mark.parametrize("good", [1, 2])
def test_a_song_of_which_most_would_be_mended_is_written_whole_by_the_embedded_author(good: int) -> None:
    brief = Brief("rain on the roof", form="8-bar")
    lines = ["The rain came down upon the tin", "I put a pan to catch it in"][:good]
    lines += ["Imagination operates spectacular ado"] * (4 - good)

    def ask(system: str, user: str, longest: int) -> str:
        return "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1))

    own = [line.text for line in write_lyrics(brief, 1, embedded()).lines]
    sung = [line.text for line in write_lyrics(brief, 1, EndpointAuthor(ask, embedded())).lines]
    assert (sung == own) if good == 1 else (sung[:2] == lines[:2] and sung != own)


def test_a_mention_that_the_model_forgets_is_asked_for_and_then_sung_in_a_couplet_of_ours() -> None:
    brief = Brief("rain on the roof", form="8-bar", mentions=("Tulsa",))
    good = "1. The rain came down upon the tin\n2. I put a pan to catch it in\n3. I wrote a letter, tore it through\n"
    asked: list[str] = []

    def ask(system: str, user: str, longest: int) -> str:
        asked.append(user)
        return good + "4. The only good words in it were you"

    lyrics = write_lyrics(brief, 1, EndpointAuthor(ask, embedded()))
    assert "the song should sing of Tulsa" in asked[1]
    assert lyrics.lines[0].text == "The rain came down upon the tin"
    assert "tulsa" in told(lyrics)


@pytest.mark.parametrize("form", sorted(forms()))
def test_a_hook_that_fails_is_written_again_without_giving_up_the_verses(form: str) -> None:
    brief, seed = Brief("a river", form=form, seconds=35.0), 2
    whole = [line.text for line in write_lyrics(brief, seed, embedded()).lines]
    model = ModelOnPaper(brief, seed, (), faulty=0)
    model.lines = [text if text != model_hook(brief, seed) else "Purple orange month" for text in whole]
    lyrics = write_lyrics(brief, seed, EndpointAuthor(model, embedded()))
    assert check_lines([line.text for line in lyrics.lines], plan_song(brief, seed).eased) == []
    assert {line.text for line in lyrics.lines} & set(whole)


def model_hook(brief: Brief, seed: int) -> str:
    return write_lyrics(brief, seed, embedded()).hook


def test_a_model_that_only_chatters_is_replaced_by_the_embedded_author() -> None:
    lyrics = write_lyrics(
        Brief("the moon", dedication="Li"),
        2,
        EndpointAuthor(lambda system, user, longest: "Sure! I'd love to.", embedded()),
    )
    assert "li" in told(lyrics).split()


def test_a_model_that_writes_what_cannot_be_sung_is_mended() -> None:
    answers = iter(["1. Привет\n2. 漢字 and so on\n3. xkcd qqq\n4. 12345678", *["no"] * 9])
    lyrics = write_lyrics(
        Brief("rain", form="8-bar"), 3, EndpointAuthor(lambda *_: next(answers), embedded())
    )
    assert (
        check_lines([line.text for line in lyrics.lines], plan_song(Brief("rain", form="8-bar"), 3).eased)
        == []
    )


def test_a_song_promised_is_written_from_the_material_where_the_model_is_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ask(system: str, user: str, longest: int) -> str:
        raise ConnectionError("refused")

    lyrics = write_lyrics(Brief("the moon"), 2, EndpointAuthor(ask, embedded()))
    assert lyrics == write_lyrics(Brief("the moon"), 2, embedded())
    assert "ConnectionError" in capsys.readouterr().out, "the operator hears why"


@pytest.mark.parametrize(
    ("text", "name", "things"),
    [
        ("a song about Emily and her old truck", "Emily", ()),
        ("a sad song, Kwame passed away in march", "Kwame", ()),
        ("Wei is starting school tomorrow", "Wei", ()),
        ("Trains at night", "", ()),
        ("the moon over Lagos", "", ("Lagos",)),
        ("my dog Biscuit died last week", "", ("Biscuit",)),
    ],
)
def test_who_and_what_a_theme_names_has_to_be_sung(text: str, name: str, things: tuple[str, ...]) -> None:
    wishes = wishes_of(read_brief(text))
    assert (wishes.name, wishes.things) == (name, things)


@pytest.mark.parametrize("name", ["Ng", "Ngozi", "Chukwuemeka", "Tadhg and Aoife"])
def test_a_name_of_any_shape_is_sung_in_every_form_with_what_is_to_be_mentioned(name: str) -> None:
    for form in forms():
        brief = Brief("quantum physics", form=form, dedication=name, mentions=("the jack of diamonds",))
        text = write_lyrics(brief, 3, embedded()).text
        assert sings(text, name) and "diamonds" in text, text
