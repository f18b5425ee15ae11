"""troubadour voices, as a person meets it: the real command line, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona import cli
from tests.voice.small_bank import CARD, put
from voice.expression import Expression
from voice.voices import Range, Voice, load_voice, shipped

PERSON = {
    "who": "Ada", "what": "two hours of songs", "until": "2100-12-31", "uses": ["sing", "blend"],
    "signed": "2026-11-02, by hand",
}  # fmt: skip


@pytest.fixture
def troubadour(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the program: exit status, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["troubadour", "voices", *words])
        status = 0
        try:
            cli.main()
        except SystemExit as done:
            status = int(done.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def write_voice(path: Path, level: float, low: int, **changes: Any) -> Path:
    voice = Voice(
        name=path.stem,
        description="For a test.",
        style=(level,) * 256,
        comfortable=Range(low, low + 12),
        extreme=Range(low - 3, low + 15),
        expression=Expression(vibrato=level),
        licence="CC0-1.0",
        origin="a constant",
        consent="Synthetic: a constant, nobody's voice.",
    )
    raw = {**json.loads(voice.to_json()), **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw), "utf-8")
    return path


def test_the_list_names_every_voice_with_its_papers(troubadour: Any, own_folders: Path) -> None:
    mine = own_folders / "data" / "voices"
    write_voice(mine / "mine.json", 0.5, 60, consent=PERSON)
    write_voice(mine / "stolen.json", 0.5, 60, consent="found it somewhere")
    put(mine / "bank" / "dsconfig.yaml", {"acoustic": "a.onnx"})
    put(mine / "bank" / "troubadour.yaml", CARD)
    (mine / "notes.txt").write_text("not a voice")
    status, out, _ = troubadour("list", "--json")
    found = {one["name"]: one for one in json.loads(out)["voices"]}
    assert status == 0 and set(found) == {*shipped(), "mine", "stolen", "Small"}
    rust = found["breaking-rust"]
    assert rust["engine"] == "troubadour" and rust["consent"].startswith("Synthetic:") and "style" not in rust
    assert all(rust[fact] for fact in ("licence", "origin", "comfortable", "languages"))
    (record,) = found["mine"]["consent"]
    assert record == record | PERSON and found["mine"]["comfortable"] == {"low": 60, "high": 72}
    assert "consent is not a record" in found["stolen"]["error"]
    assert (found["Small"]["engine"], found["Small"]["comfortable"]) == (
        "diffsinger",
        {"low": 48, "high": 72},
    )
    status, out, _ = troubadour("list")
    assert "mine: For a test." in out and "C4 to C5 (at most A3 to E flat5)" in out
    assert "consent: Ada, until 2100-12-31, to sing, blend (signed 2026-11-02, by hand, on paper)" in out
    assert "stolen: cannot be used" in out


def test_a_voice_is_shown_by_name_or_file(troubadour: Any, own_folders: Path) -> None:
    path = write_voice(own_folders / "data" / "voices" / "mine.json", 0.5, 60)
    for name in ("mine", str(path)):
        status, out, _ = troubadour("show", name)
        assert status == 0 and "mine: For a test." in out and "vibrato 0.5" in out
    status, _, err = troubadour("show", "nobody")
    assert status == 1 and "there is no voice 'nobody'" in err


def test_a_blend_lies_between_its_parts(troubadour: Any, tmp_path: Path) -> None:
    low, high = write_voice(tmp_path / "low.json", 0.2, 48), write_voice(tmp_path / "high.json", 0.6, 60)
    out = tmp_path / "both.json"
    status, said, _ = troubadour("blend", str(out), f"{low}=3", f"{high}=1", "--json")
    assert status == 0 and json.loads(said)["file"] == str(out)
    made = load_voice(out)
    assert made.name == "both" and made.style == pytest.approx([0.3] * 256)
    assert made.comfortable == Range(51, 63) and made.extreme == Range(48, 66)
    assert made.expression.vibrato == pytest.approx(0.3) and made.expression.breath == Expression().breath
    assert made.licence == "CC0-1.0"
    assert made.origin == "blend of low x 0.75 [a constant]; high x 0.25 [a constant]"
    assert made.consent == "Synthetic: a blend of low and high, which are synthetic voices."


def test_licences_and_consents_of_all_parts_go_with_a_blend(troubadour: Any, tmp_path: Path) -> None:
    bo = {**PERSON, "who": "Bo"}
    ada = write_voice(tmp_path / "ada.json", 0.2, 48, consent=PERSON, licence="by contract")
    both = write_voice(tmp_path / "bo.json", 0.2, 48, consent=[PERSON, bo])
    rust = load_voice("breaking-rust")
    out = tmp_path / "choir.json"
    status, _, _ = troubadour(
        "blend", str(out), f"{ada}=1", f"{both}=1", "breaking-rust=2", "--description", "All."
    )
    made = load_voice(out)
    assert status == 0 and made.description == "All."
    assert not isinstance(made.consent, str) and [one.who for one in made.consent] == ["Ada", "Bo"]
    assert made.licence == f"by contract and CC0-1.0 and {rust.licence}"
    assert rust.origin in made.origin
    assert np.allclose(made.style, 0.1 + np.array(rust.style) / 2, atol=1e-5)


@pytest.mark.parametrize(
    ("consent", "says"),
    [
        ("Ada said yes", "its consent is not a record"),
        ({**PERSON, "until": "2020-01-01"}, "the consent of Ada ended on 2020-01-01"),
        ({**PERSON, "uses": ["sing"]}, "may not be blended: Ada has not agreed to 'blend'"),
    ],
)
def test_nobody_is_blended_who_has_not_agreed(
    troubadour: Any, tmp_path: Path, consent: object, says: str
) -> None:
    part = write_voice(tmp_path / "part.json", 0.2, 48, consent=consent)
    out = tmp_path / "out.json"
    status, _, err = troubadour("blend", str(out), f"{part}=1", "breaking-rust=1")
    assert status == 1 and says in err and "Traceback" not in err
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["out.json", "breaking-rust"], "'breaking-rust': a part is written NAME=WEIGHT"),
        (["out.json", "breaking-rust=much"], "a part is written NAME=WEIGHT"),
        (["out.json", "breaking-rust=-1"], "a weight above 0"),
        (["out.json", "breaking-rust=nan"], "a weight above 0"),
        (["out.json", "breaking-rust=inf", "part.json=1"], "a weight is a number above 0"),
        (["out.json", "breaking-rust=1"], "two voices or more"),
        (["out.json", "breaking-rust=1", "breaking-rust=2"], "two voices or more, each named once"),
        (["out.json", "nobody=1", "breaking-rust=1"], "there is no voice 'nobody'"),
        (["out.wav", "breaking-rust=1", "part.json=1"], "ends in .json"),
        (["part.json", "breaking-rust=1", "part.json=1"], "is there already"),
        (["out.json", "bank=1", "part.json=1"], "bank is a DiffSinger voicebank"),
    ],
)
def test_a_blend_that_cannot_be_says_what_to_do(
    troubadour: Any, tmp_path: Path, words: list[str], says: str
) -> None:
    write_voice(tmp_path / "part.json", 0.2, 48)
    put(tmp_path / "bank" / "dsconfig.yaml", {"acoustic": "a.onnx"})
    status, _, err = troubadour("blend", *words)
    assert status == 1 and says in err and "Traceback" not in err
    assert not (tmp_path / "out.json").exists()


def test_a_file_is_written_over_only_when_asked(troubadour: Any, tmp_path: Path) -> None:
    part = write_voice(tmp_path / "part.json", 0.2, 48)
    out = write_voice(tmp_path / "out.json", 0.9, 48)
    assert troubadour("blend", str(out), f"{part}=1", "breaking-rust=1", "--force")[0] == 0
    assert load_voice(out).origin.startswith("blend of part")


def test_nobodys_voice_is_trained_without_their_record(troubadour: Any, tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    out = tmp_path / "ada.json"
    status, said, err = troubadour("train", str(tmp_path / "recordings"), "--out", str(out))
    assert status == 1 and not said and not out.exists()
    assert "no consent record" in err and "docs/training.md" in err and "Traceback" not in err


def test_a_voice_that_learned_more_than_a_style_is_not_blended(troubadour: Any, tmp_path: Path) -> None:
    write_voice(
        tmp_path / "part.json",
        0.2,
        48,
        consent={**PERSON, "uses": ["sing", "blend"]},
        updates="part.safetensors",
    )
    (tmp_path / "part.safetensors").write_bytes(b"")
    status, _, err = troubadour("blend", "out.json", "part.json=1", "breaking-rust=1")
    assert status == 1 and "has updates" in err
