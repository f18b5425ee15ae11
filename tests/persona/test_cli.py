"""The command line as a person meets it: the real program in its own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TROUBADOUR = Path(sys.executable).with_name("troubadour")
A_LONG_TIME = 300  # seconds


def troubadour(
    *words: str, env: dict[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TROUBADOUR, *words],
        input=given,
        capture_output=True,
        text=True,
        timeout=A_LONG_TIME,
        env={**os.environ, **(env or {})},
        check=False,
    )


def assert_one_clear_sentence(done: subprocess.CompletedProcess[str], *says: str) -> None:
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("troubadour: ")]
    for words in says:
        assert words in sentence


@pytest.mark.parametrize(
    ("brief", "says"),
    [
        ("", "Tell me"),
        ("   ", "Tell me"),
        ("🚂🌧️💔", "Tell me"),
        ("a" * 5000, "600 characters"),
        ("напиши блюз о поезде", "English"),
        ("终点站的蓝调", "English"),
    ],
    ids=["empty", "blank", "emoji only", "5,000 characters", "cyrillic", "chinese"],
)
def test_a_brief_that_cannot_be_sung_is_answered_with_what_to_do(brief: str, says: str) -> None:
    assert_one_clear_sentence(troubadour("song", brief), says)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = troubadour("song", "a blues about rain", "--out", str(tmp_path / "file" / "songs"))
    assert_one_clear_sentence(done, "file/songs", "choose another folder")


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="a full disk is mounted, as root only"
)
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        assert_one_clear_sentence(
            troubadour("song", "a blues about rain", "--out", str(disk)), "free", "space"
        )
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_weights_that_are_not_where_the_settings_say_are_missed_by_name(tmp_path: Path) -> None:
    gone = str(tmp_path / "kokoro-v1_0.pth")
    done = troubadour(
        "song", "a blues about rain", "--out", str(tmp_path), env={"TROUBADOUR_VOICE__WEIGHTS": gone}
    )
    assert_one_clear_sentence(done, gone)


@pytest.mark.slow
def test_a_corrupt_cache_file_is_noticed_and_made_again(tmp_path: Path) -> None:
    cache = Path(os.environ["TROUBADOUR_CACHE_DIR"])
    own = tmp_path / "cache"
    own.mkdir()
    for file in cache.glob("kokoro-*"):
        (own / file.name).write_bytes(b"this is not what it was")
    score = tmp_path / "score.json"
    score.write_text('{"title": "Hm", "notes": [{"tick": 0, "ticks": 960, "pitch": 52, "syllable": "rain"}]}')
    out = tmp_path / "take.wav"
    done = troubadour("sing", str(score), "-o", str(out), env={"TROUBADOUR_CACHE_DIR": str(own)})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert out.stat().st_size > 50_000


def test_a_setting_that_is_none_stops_the_start() -> None:
    assert_one_clear_sentence(
        troubadour("library", "list", env={"TROUBADOUR_VOICE__THREDS": "2"}), "voice.threds"
    )


def test_a_style_that_is_none_names_those_that_are() -> None:
    assert_one_clear_sentence(
        troubadour("song", "a song about rain", "--style", "polka-metal"), "blues", "gospel"
    )


def test_a_song_that_is_not_there_is_named() -> None:
    assert_one_clear_sentence(troubadour("library", "show", "no-such-song"), "no-such-song")


def test_a_wrong_command_gets_a_sentence() -> None:
    assert_one_clear_sentence(troubadour("whistle"), "whistle")


@pytest.mark.slow
def test_a_brief_becomes_a_clip_and_the_same_seed_the_same_song(tmp_path: Path) -> None:
    brief, songs = "a slow blues about the last train home, for Maya", []
    for place in ("one", "two"):
        done = troubadour(
            "song", brief, "--seconds", "20", "--seed", "7", "--out", str(tmp_path / place), "--json"
        )
        assert done.returncode == 0, done.stderr
        songs.append(json.loads(done.stdout))  # one JSON object and nothing else
    first, second = songs
    folder = Path(first["folder"])
    assert Path(first["clip"]).stat().st_size > 100_000
    assert 15 <= first["seconds"] <= 25
    assert abs(first["lufs"] + 14) <= 0.5
    assert first["true_peak_db"] <= -1.0
    assert set(first["timings"]) == {"lyrics", "score", "sing", "band", "mix"}
    for name in ("song.json", "lyrics.lrc", "score.musicxml", "score.mid", "stems/vocal.wav", "clip.ogg"):
        assert (folder / name).stat().st_size > 0, name
    assert "Maya" in (folder / "lyrics.lrc").read_text()
    for same in ("score.json", "stems/vocal.wav"):
        assert (folder / same).read_bytes() == (Path(second["folder"]) / same).read_bytes(), same


@pytest.mark.slow
def test_the_demo_without_a_terminal_ends_with_a_clip_and_remembers_maya() -> None:
    script = Path(__file__).parents[2] / "persona" / "demo.txt"
    done = troubadour("chat", given=script.read_text())
    assert done.returncode == 0, done.stderr
    lines = done.stdout.rstrip().splitlines()
    assert Path(lines[-1]).suffix == ".mp3"
    assert Path(lines[-1]).stat().st_size > 100_000
    said = done.stdout.split("do you remember who I told you about?")[1]
    assert "Maya" in said
    assert "\x1b" not in done.stdout, "no colours in a pipe"


def test_an_endpoint_that_is_not_there_gets_the_fan_a_sentence_and_loses_nothing() -> None:
    env = {
        "TROUBADOUR_CHAT__MODEL": "endpoint",
        "TROUBADOUR_CHAT__BASE_URL": "http://127.0.0.1:9/v1",
        "TROUBADOUR_CHAT__NAME": "nobody",
        "TROUBADOUR_CHAT__RETRIES": "0",
    }
    done = troubadour("chat", given="hello there\n", env=env)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Breaking Rust: " in done.stdout
    assert "cannot be reached" in done.stderr, "the operator sees what is wrong"
    assert "chat.base_url" in done.stderr, "and what to set"
