from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from voice.voices import Range, Voice, VoiceError, load_voice, shipped


def test_every_shipped_voice_loads_and_states_where_it_comes_from() -> None:
    assert "breaking-rust" in shipped()
    for name in shipped():
        voice = load_voice(name)
        assert voice.name == name
        assert voice.licence and voice.origin and voice.consent


def test_the_lead_sings_from_a2_to_d4_in_comfort() -> None:
    lead = load_voice("breaking-rust").comfortable
    assert lead.low <= 45 and lead.high >= 62


def test_a_voice_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    voice = load_voice("breaking-rust")
    path = tmp_path / "mine.json"
    path.write_text(voice.to_json(), "utf-8")
    assert load_voice(path) == voice


def test_a_voice_without_consent_is_refused() -> None:
    with pytest.raises(VoiceError, match="consent"):
        replace(load_voice("breaking-rust"), consent="")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"style": [0.0] * 255}, "256"),
        ({"expression": {"growl": 1}}, "growl"),
        ({"comfortable": {"low": 30, "high": 90}}, "within the extreme"),
        ({"nose": 1}, "nose"),
    ],
)
def test_a_broken_voice_file_says_what_is_wrong(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({**json.loads(load_voice("breaking-rust").to_json()), **change}), "utf-8")
    with pytest.raises(VoiceError, match=complaint):
        load_voice(path)


def test_an_unknown_voice_is_answered_with_the_known_ones() -> None:
    with pytest.raises(VoiceError, match="breaking-rust"):
        load_voice("nobody")


def test_a_range_goes_upward() -> None:
    with pytest.raises(VoiceError):
        Range(60, 50)
    assert isinstance(load_voice("breaking-rust"), Voice)


def test_five_voices_differ_in_style_range_or_habits() -> None:
    voices = [load_voice(name) for name in shipped()]
    assert len(voices) >= 5
    for i, one in enumerate(voices):
        assert one.consent.startswith("Synthetic:") and " x ." in one.origin  # type: ignore[union-attr]
        for other in voices[:i]:
            assert math.dist(one.style, other.style) > 1
            assert one.expression != other.expression
