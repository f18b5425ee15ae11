"""The ledger: append-only, chained, and able to forget a person's words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

from skills.brief import Brief
from skills.provenance.carrying import note_order
from skills.provenance.credits import CONTAINS_AI, ROLES, as_ddex, credits_of, ddex_fields
from skills.provenance.ledger import NAME, LedgerError, append, erase_words, head, read
from skills.song import credits_told, label

MODEL = {"name": "a model", "version": "1", "licence": "Apache-2.0", "learnt_from": "old tunes"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    note_order(tmp_path, Brief("the last train home", dedication="Maya"), 7, "discord:42")
    for deed in ("wrote", "composed", "sang", "played", "mixed"):
        append(tmp_path, deed, facts={"model": MODEL, "seed": 7})
    return tmp_path


def test_who_asked_and_their_words_stand_beside_the_chain(folder: Path) -> None:
    asked = read(folder)[0]
    assert asked.words["theme"] == "the last train home"
    assert not {"Maya", "train", "discord"} & set((folder / NAME).read_text().replace('"', " ").split())
    assert "Maya" not in (folder / NAME).read_text()


def test_forgetting_erases_the_words_and_the_chain_still_holds(folder: Path) -> None:
    before = head(folder)
    assert erase_words(folder) == 3
    assert head(folder) == before
    assert not read(folder)[0].words
    assert not any(b"Maya" in path.read_bytes() for path in folder.iterdir())


def test_a_step_that_runs_again_says_it_once(folder: Path) -> None:
    append(folder, "mixed", facts={"model": MODEL, "seed": 7})
    note_order(folder, Brief("the last train home", dedication="Maya"), 7, "discord:42")
    assert [entry.what for entry in read(folder)] == ["asked", "wrote", "composed", "sang", "played", "mixed"]


@pytest.mark.parametrize("line", range(6))
def test_a_changed_or_missing_line_is_noticed(folder: Path, line: int) -> None:
    lines = (folder / NAME).read_text().splitlines()
    changed = json.loads(lines[line])
    changed["when"] = "2020-01-01T00:00:00+00:00"
    (folder / NAME).write_text(
        "".join(f"{one}\n" for one in [*lines[:line], json.dumps(changed), *lines[line + 1 :]])
    )
    with pytest.raises(LedgerError, match=f"line {line + 1} .* changed"):
        read(folder)
    (folder / NAME).write_text("".join(f"{one}\n" for one in [*lines[:line], *lines[line + 1 :]]))
    if line < 5:  # a cut end shows against the credentials, which hold the last line's hash
        with pytest.raises(LedgerError):
            read(folder)


def test_a_torn_last_line_does_not_count_and_is_cut_off(folder: Path) -> None:
    with (folder / NAME).open("a") as file:
        file.write('{"number": 6, "wh')
    assert len(read(folder)) == 6
    append(folder, "sealed")
    assert [entry.number for entry in read(folder)] == list(range(7))


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as hands:
        list(hands.map(lambda n: append(tmp_path, f"deed {n}"), range(24)))
    assert len(read(tmp_path)) == 24


def test_credits_say_what_a_machine_made_and_what_a_person_changed(folder: Path) -> None:
    assert {one.ai for one in credits_of(folder, "Train", "Rust").contributions} == {"All"}
    append(
        folder,
        "edited",
        "person",
        {"changes": ["the words were written by a person", "key: A"]},
        {"words": "la"},
    )
    credits = credits_of(folder, "Train", "Rust")
    assert {one.part: one.ai for one in credits.contributions if one.ai != "All"} == {"lyrics": "Partly"}
    assert credits.ai == "Partly"


def test_lyrics_that_a_fan_gave_are_a_persons(tmp_path: Path) -> None:
    note_order(tmp_path, Brief("", words="my own words"), 1)
    append(tmp_path, "composed", facts={"model": MODEL})
    shares = {one.part: one.ai for one in credits_of(tmp_path, "", "").contributions}
    assert (shares["lyrics"], shares["composition"]) == ("None", "All")
    told = credits_told(tmp_path, "reed")
    assert "given by whoever asked" in told["lyrics"] and "Troubadour" not in told["lyrics"]
    assert told["composition"] == "composed by Troubadour (AI)"
    assert label("Rust", tmp_path) == (
        "AI-generated: music and the voice of Rust were made by Troubadour. The words came from a person."
    )


def test_ddex_fields_hold_published_values_only(folder: Path) -> None:
    append(folder, "edited", "person", {"changes": ["the score was edited by a person"]})
    credits = credits_of(folder, "Train", "Rust")
    assert all(value["AiContribution"] in CONTAINS_AI for value in ddex_fields(credits)["parts"].values())
    recording = ElementTree.fromstring(as_ddex(credits))
    roles = {role.text: one for one in recording.iter("Contributor") for role in one.iter("Value")}
    assert set(roles) == {role for part in ROLES.values() for role in part}
    assert roles["Vocalist"].findtext("SpecialContributor") == "GenerativeAI"
    assert roles["Composer"].findtext("AiContribution") == "Partly"
    assert roles["Composer"].find("SpecialContributor") is None
    assert recording.findtext("ContainsAI") == "Partly"


def test_a_song_without_a_ledger_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        credits_of(tmp_path, "", "")
