"""Consents: signed by their person, dated, and out of force at once when they are taken back."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.voice.test_engines import PERSON, voice_file
from voice.consent import Consent, ConsentError, check_consent, read_consent
from voice.consents import revoke, signed
from voice.voices import VoiceError, load_voice

RECORD = Consent(
    "Ada", "two hours of singing", "2099-12-31", ("sing", "blend", "train"), "2026-11-22, by key"
)


def test_a_signed_record_holds_until_a_word_of_it_is_changed(tmp_path: Path) -> None:
    record = signed(RECORD, tmp_path / "ada.key")
    check_consent((record,))
    told = {**vars(record), "uses": list(record.uses)}
    check_consent(read_consent([told]))
    for change in (
        {"until": "2199-12-31"},
        {"uses": ["sing"]},
        {"who": "Bo"},
        {"signature": ""},
        {"key": "00"},
    ):
        with pytest.raises(ConsentError, match="changed after it was signed"):
            check_consent(read_consent([{**told, **change}]))


def test_the_key_is_made_for_its_person_alone_and_used_again(tmp_path: Path) -> None:
    key = tmp_path / "ada.key"
    assert signed(RECORD, key) == signed(RECORD, key)
    assert key.stat().st_mode & 0o777 == 0o600
    (tmp_path / "no.key").write_text("no key")
    with pytest.raises(ConsentError, match="is not an Ed25519 key"):
        signed(RECORD, tmp_path / "no.key")


def test_a_voice_that_was_loaded_stops_when_its_person_takes_the_consent_back(tmp_path: Path) -> None:
    path = voice_file(tmp_path, [PERSON])
    voice = load_voice(path)
    voice.check_now()
    assert revoke(tmp_path, "ada", date(2026, 11, 22)) == [path]
    with pytest.raises(VoiceError, match="Ada took the consent back on 2026-11-22"):
        voice.check_now()
    with pytest.raises(VoiceError, match="took the consent back"):
        load_voice(path)


def test_every_voice_and_recording_of_a_person_is_reached(tmp_path: Path) -> None:
    record = {**vars(RECORD), "uses": list(RECORD.uses)}
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "troubadour.yaml").write_text(yaml.safe_dump({"name": "bank", "consent": [record]}))
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "consent.yaml").write_text(yaml.safe_dump(record))
    (tmp_path / "other.json").write_text(json.dumps({"consent": [{**record, "who": "Bo"}]}))
    voice_file(tmp_path, [PERSON])
    assert len(revoke(tmp_path, "Ada")) == 3
    assert yaml.safe_load((tmp_path / "takes" / "consent.yaml").read_text())["revoked"]
    assert not json.loads((tmp_path / "other.json").read_text())["consent"][0].get("revoked")


def test_revoking_nobody_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConsentError, match="no voice under"):
        revoke(tmp_path, "Cleo")
