"""The bench of words finds what was planted, goes on where it was cut, and its scripted model speaks HTTP."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from memory.embedder import Embedder
from persona.models import ask_with, release_model
from persona.models.endpoint import endpoint_model
from persona.settings import ChatSettings
from skills.brief import Brief
from skills.lyrics import Lyrics, Stanza
from skills.words import EmbeddedAuthor, EndpointAuthor
from skills.words.bench.checks import Asked, faults, plain, read_asked, true_rhyme
from skills.words.bench.run import run, summary
from skills.words.bench.scripted import Script, served
from skills.words.bench.stock import stock
from skills.words.prosody import make_line

GOOD = (
    "The rain came down upon the tin",
    "I put a pan to catch it in",
    "Maya, I wrote a note to you",
    "The wind has torn the thing in two",
)


def song(lines: tuple[str, ...] = GOOD, hook: str = "", form: str = "8-bar", name: str = "verse") -> Lyrics:
    return Lyrics("A Song", form, (Stanza(name, tuple(make_line(line) for line in lines)),), hook)


def found(lyrics: Lyrics, asked: Asked | None = None, sung: frozenset[str] = frozenset()) -> set[str]:
    return {fault.kind for fault in faults(lyrics, asked or Asked(""), sung)}


def test_a_good_song_has_no_fault() -> None:
    assert found(song(), Asked("", name="Maya", things=("note",), avoid=("moon",))) == set()


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("The wind has torn the orange door", "rhyme"),
        ("The wind has torn it up before I ever had a word with you", "metre"),
        ("Imagination operates spectacular ado", "metre"),
        ("The shit has hit the thing in two", "clean"),
    ],
)
def test_what_was_planted_in_a_line_is_found(planted: str, kind: str) -> None:
    assert kind in found(song((*GOOD[:3], planted)))


def test_what_the_fan_asked_for_and_did_not_get_is_found() -> None:
    asked = Asked("", name="Ngozi", things=("blue kettle",), topic=("goat",), avoid=("rain",))
    assert found(song(), asked) == {"name", "things", "topic", "avoided"}


def test_a_line_of_another_song_and_a_hook_out_of_its_place_are_found() -> None:
    assert found(song(), sung=frozenset({plain(GOOD[1])})) == {"new"}
    blues = ("The rain came down on me", "The rain came down on us", "There's water in the tea")
    assert "hook" in found(song(blues, form="aab"))
    assert "hook" in found(song(GOOD, hook="The wind has torn the thing in three", form="aaba"))


def test_a_rhyme_is_true_by_the_dictionary_alone() -> None:
    assert true_rhyme("tin", "in") and true_rhyme("cat's", "hats")
    assert not true_rhyme("in", "inn") and not true_rhyme("me", "company") and not true_rhyme("here", "year")


def test_there_are_two_hundred_briefs_and_more_than_four_hundred_units_over_more_than_25_themes() -> None:
    asked = read_asked()
    assert len(asked) == len({one.text for one in asked}) == 200
    assert sum(bool(one.name) for one in asked) >= 80 and sum(bool(one.avoid) for one in asked) >= 10
    counted = stock()
    assert counted["themes"] > 25
    assert all(counted[kind] >= 100 for kind in ("open", "turn", "hook", "aab", "response"))


@dataclasses.dataclass
class OnPaper:
    author: EndpointAuthor
    script: Script

    def begin(self, brief: Brief, seed: int, used: frozenset[str]) -> None:
        self.script.begin(brief, seed, used)

    def said(self) -> list[str]:
        return self.script.answers


def test_a_run_that_was_cut_goes_on_and_a_hostile_model_over_http_gets_no_fault_into_a_song(
    tmp_path: Path,
) -> None:
    embedded, rows = EmbeddedAuthor(Embedder()), tmp_path / "rows.jsonl"
    script = Script(embedded)
    with served(script) as url:
        model = endpoint_model(ChatSettings(base_url=url, retries=0))
        writer = OnPaper(EndpointAuthor(ask_with(model), embedded), script)
        first = run(read_asked()[:3], writer, rows, lambda told: None)
        told: list[str] = []
        again = run(read_asked()[:6], writer, rows, told.append)
        release_model(model)
    assert again[:3] == first and len(told) == 3
    assert [json.loads(row)["title"] for row in rows.read_text("utf-8").splitlines()] == [
        r["title"] for r in again
    ]
    report = summary(again)
    assert all(
        report["right"][kind]["faults"] == 0
        for kind in ("metre", "rhyme", "hook", "new", "clean", "name", "sayable")
    )
    assert report["lines by the model"] > 0
    with pytest.raises(ValueError, match="holds other briefs"):
        run(read_asked()[1:4], writer, rows, told.append)
