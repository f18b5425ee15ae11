"""Strangers' files are read within bounds: what breaks or hangs a reader breaks nothing else."""

from pathlib import Path

import pytest

from voice.apart import ApartError, Bounds, apart
from voice.formats.files import parse
from voice.score import Score, ScoreError

HERE = Path(__file__).parent
BOUNDS = Bounds(memory=400_000_000, cpu=2, patience=20.0)
FOUND = sorted((HERE / "data" / "fuzz").iterdir())


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[1]))


@pytest.mark.parametrize("how", ["hog", "loop"])
def test_a_reader_that_takes_all_memory_or_never_ends_is_stopped(how: str) -> None:
    with pytest.raises(ApartError):
        apart("tests.voice.misbehaving", [how], BOUNDS)


def test_a_reader_that_waits_for_ever_is_stopped_by_the_clock() -> None:
    with pytest.raises(ApartError, match="more than 1 s"):
        apart("tests.voice.misbehaving", ["loop"], Bounds(BOUNDS.memory, BOUNDS.cpu, patience=1.0))


def test_a_reader_writes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ApartError):
        apart("tests.voice.misbehaving", ["write", str(tmp_path / "out.txt")], BOUNDS)
    assert not (tmp_path / "out.txt").exists() or not (tmp_path / "out.txt").read_bytes()


def test_a_reader_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUBADOUR_DISCORD__TOKEN", "planted")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    seen = apart("tests.voice.misbehaving", ["secrets"], BOUNDS).decode()
    assert "PATH" in seen and "TROUBADOUR" not in seen and "AWS" not in seen


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_fuzzing_found_is_read_or_refused_in_one_sentence(path: Path) -> None:
    try:
        assert isinstance(parse(path), Score)
    except ScoreError as refusal:
        assert str(refusal) and "\n" not in str(refusal)
