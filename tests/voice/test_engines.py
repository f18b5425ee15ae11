"""Engines are chosen by name, our own singer is one of them, and nobody sings without consent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import CACHE
from tests.voice.ace_step_server import Server, serving
from tests.voice.small_bank import new_bank
from voice.consent import ConsentError, check_consent, read_consent
from voice.engines import EngineError, ScoreSinger, engine, engine_of
from voice.expression import Expression
from voice.score import Note, Score
from voice.take import SAMPLE_RATE, STUDIO_RATE, Take
from voice.voices import VoiceError, load_voice

PERSON = {
    "who": "Ada", "what": "two hours of songs", "until": "2100-12-31", "uses": ["sing", "blend"],
    "signed": "2026-11-02, by hand",
}  # fmt: skip


@pytest.mark.slow
def test_our_own_singer_is_an_engine_like_the_others() -> None:
    voice = engine("troubadour", "breaking-rust", cache=CACHE, threads=1)
    assert isinstance(voice, ScoreSinger)
    assert (voice.name, voice.engine, voice.languages) == ("breaking-rust", "troubadour", ("en",))
    assert voice.low < voice.high and voice.licence == load_voice("breaking-rust").licence
    assert set(voice.controls) == set(Expression().knobs())
    take = voice.sing(Score("", (Note(0, 480, 55, "home"),)))
    assert take.rate == SAMPLE_RATE and np.abs(take.audio).max() > 0.05


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("utau", "no engine called 'utau' sings scores: there are troubadour, diffsinger"),
        ("ace-step", r"it makes whole songs \(song_model\)"),
    ],
)
def test_a_name_that_is_no_engine_is_answered_with_those_that_are(
    tmp_path: Path, name: str, says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        engine(name, "breaking-rust", cache=tmp_path)


def test_a_mistyped_voice_does_not_wait_for_weights(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="there is no voice 'braking-rust'"):
        engine("troubadour", "braking-rust", cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_a_dsconfig_is_a_voicebank(tmp_path: Path) -> None:
    assert engine_of(new_bank(tmp_path / "bank")) == "diffsinger"
    assert engine_of("breaking-rust") == engine_of(tmp_path / "voice.json") == "troubadour"


def test_choosing_pulls_in_nothing_heavy() -> None:
    heavy = ("torch", "onnxruntime", "httpx", "onnx")
    asked = f"import sys, voice.engines; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_a_take_of_another_rate_has_the_same_length_in_the_studio() -> None:
    take = Take(np.zeros(44_100, np.float32), np.zeros(80, np.float32), (), (), rate=44_100)
    assert take.seconds == 1.0
    assert len(take.studio_audio()) == STUDIO_RATE


def voice_file(folder: Path, consent: object) -> Path:
    raw = json.loads(load_voice("breaking-rust").to_json())
    path = folder / "voice.json"
    path.write_text(json.dumps({**raw, "name": "mine", "consent": consent}), "utf-8")
    return path


def test_a_person_who_has_signed_is_loaded_and_kept_in_the_file(tmp_path: Path) -> None:
    voice = load_voice(voice_file(tmp_path, PERSON))
    assert not isinstance(voice.consent, str) and voice.consent[0].who == "Ada"
    assert load_voice(voice_file(tmp_path, json.loads(voice.to_json())["consent"])) == voice


@pytest.mark.parametrize(
    ("consent", "says"),
    [
        (None, "licence, origin and consent must be stated|there is no consent"),
        ("", "consent must be stated"),
        ([], "consent must be stated"),
        (7, "there is no consent"),
        ("Ada said yes", "its consent is not a record"),
        ("Synthetic:", "its consent is not a record"),
        ({**PERSON, "until": "2020-01-01"}, "the consent of Ada ended on 2020-01-01"),
        ({**PERSON, "until": "for ever"}, "'until' must be a date"),
        ({**PERSON, "uses": ["train"]}, "Ada has not agreed to 'sing', only to 'train'"),
        ({**PERSON, "uses": "sing"}, "'uses' must be a list"),
        ({**PERSON, "signed": ""}, "leaves out signed"),
        ({"who": "Ada"}, "leaves out what, until, uses, signed"),
        ({**PERSON, "fee": 3}, "has no fee"),
        ([PERSON, {**PERSON, "who": "Bo", "until": "2020-01-01"}], "the consent of Bo ended"),
        (["Ada"], "is a mapping"),
    ],
)
def test_a_voice_that_nobody_signed_for_is_not_loaded(tmp_path: Path, consent: object, says: str) -> None:
    with pytest.raises(VoiceError, match=f"voice mine: .*({says})"):
        load_voice(voice_file(tmp_path, consent))


def test_consent_ends_with_its_last_day() -> None:
    record: Any = read_consent({**PERSON, "until": "2030-06-30"})
    check_consent(record, today=date(2030, 6, 30))
    with pytest.raises(ConsentError, match="ended on 2030-06-30"):
        check_consent(record, today=date(2030, 7, 1))


def test_the_examples_in_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new_bank(tmp_path / "banks" / "ada")
    score = Score("", (Note(0, 480, 60, "no"),))
    (tmp_path / "score.json").write_text(score.to_json())
    text = (Path(__file__).parents[2] / "docs" / "engines.md").read_text("utf-8")
    bank, song = re.findall(r"```python\n(.*?)```", text, re.S)
    made: dict[str, Any] = {}
    exec(bank, made)
    assert np.abs(made["stem"]).max() > 0.05
    with serving(Server(questions=0)) as server:
        exec(song.replace("http://127.0.0.1:8001", server.address), made)
    assert len(made["left"]) == len(made["right"]) == 2 * STUDIO_RATE


def test_the_card_in_the_documentation_opens_a_bank(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "engines.md").read_text("utf-8")
    [card] = re.findall(r"```yaml\n(.*?)```", text, re.S)
    bank = new_bank(tmp_path / "bank")
    (bank / "troubadour.yaml").write_text(card, "utf-8")
    voice = engine("diffsinger", bank, cache=tmp_path, threads=1)
    assert (voice.name, voice.low, voice.high) == ("Ada", 55, 76)
