"""verify, credits, consent and revoke, as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skills.brief import Brief
from skills.library import Library
from skills.provenance import ledger
from skills.provenance.carrying import note_order, seal
from skills.provenance.operator import load_operator
from tests.persona.test_cli import assert_one_clear_sentence, troubadour
from tests.skills.test_credentials import ARTIST, KINDS, LABEL, SONG, sounding
from tests.voice.test_engines import PERSON, voice_file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one sealed song, sung by a person's voice."""
    data = tmp_path_factory.mktemp("data")
    library, folder = Library(data / "songs"), data / "songs" / SONG
    song = library.open(Brief("the last train home", dedication="Maya"), 7, SONG)
    note_order(folder, song.brief, 7, "discord:42")
    (data / "voices").mkdir()
    voice = voice_file(data / "voices", [PERSON])
    model = {"name": "a voice", "version": "1", "licence": "Apache-2.0", "learnt_from": "Ada"}
    ledger.append(folder, "sang", facts={"model": model, "seed": 7, "voice": str(voice)})
    clip = sounding(folder, "mp3", KINDS["mp3"])
    seal(folder, [clip], "Train", ARTIST, LABEL, load_operator(data / "keys"))
    return data


def test_verify_says_where_a_file_comes_from_and_by_its_exit_status(data: Path, tmp_path: Path) -> None:
    env = {"TROUBADOUR_DATA_DIR": str(data)}
    clip = data / "songs" / SONG / "clip.mp3"
    done = troubadour("verify", str(clip), env=env)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "It is as it left the studio.")
    bent = bytearray(clip.read_bytes())
    bent[-500] ^= 4
    (tmp_path / "bent.mp3").write_bytes(bent)
    done = troubadour("verify", str(tmp_path / "bent.mp3"), "--json", env=env)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (4, "changed")
    assert_one_clear_sentence(troubadour("verify", "nothing.mp3", env=env), "there is no file nothing.mp3")


def test_credits_for_people_as_json_and_as_ddex(data: Path) -> None:
    env = {"TROUBADOUR_DATA_DIR": str(data)}
    told = troubadour("library", "credits", SONG, env=env).stdout
    assert "vocals: by machine" in told
    assert "not as legal advice" in told
    credits = json.loads(troubadour("library", "credits", SONG, "--json", env=env).stdout)
    assert credits["ddex"]["parts"]["vocals"] == {"Role": ["Vocalist"], "AiContribution": "All"}
    assert (
        "<SpecialContributor>GenerativeAI" in troubadour("library", "credits", SONG, "--ddex", env=env).stdout
    )


def test_a_consent_is_written_and_taken_back_with_the_songs_that_it_made(data: Path, tmp_path: Path) -> None:
    env = {"TROUBADOUR_DATA_DIR": str(data)}
    record, key = tmp_path / "consent.yaml", tmp_path / "bo.key"
    words = ("--who", "Bo", "--what", "songs", "--until", "2099-12-31", "--use", "sing", "--key", str(key))
    done = troubadour("voices", "consent", str(record), *words, "--json", env=env)
    assert len(json.loads(done.stdout)["signature"]) == 128
    done = troubadour("voices", "revoke", "Ada", "--json", env=env)
    assert [song["id"] for song in json.loads(done.stdout)["songs"]] == [SONG]
    assert "took the consent back" in troubadour("voices", "list", env=env).stdout
    assert_one_clear_sentence(troubadour("voices", "revoke", "Cleo", env=env), "no voice under")
