"""The bench's peers: what Festival is told, who is missing, and that WORLD sings the plan."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from voice.bench.figures import PERIOD, cents_from_notes, measure_f0
from voice.bench.lines import read_line
from voice.bench.peers import (
    FESTIVAL,
    PeerResult,
    festival_score,
    missing_peers,
    peers_as_text,
    sung_by_festival,
    sung_by_world,
)
from voice.singer import Singer

CACHE = Path(os.environ.get("TROUBADOUR_CACHE_DIR", platformdirs.user_cache_dir("troubadour")))
LINE = read_line("short | 120 | r/1 Don't@D3/1 roll-@F3/.5 _@G3/.5 ing@D3/1")


def test_festival_is_told_each_note_of_each_syllable_in_hertz_and_seconds() -> None:
    written = festival_score(LINE.score)
    assert (
        '<REST SECONDS="0.5000"></REST>\n<PITCH FREQ="146.83"><DURATION SECONDS="0.5000">don\'t<' in written
    )
    assert '<PITCH FREQ="174.61+196.00,146.83"><DURATION SECONDS="0.2500+0.2500,0.5000">rolling<' in written


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install festival" in missing_peers()["festival"]
    assert "festival: not installed" in peers_as_text([])


def test_a_line_that_a_peer_cannot_sing_is_said_with_its_reason() -> None:
    text = peers_as_text([PeerResult("world", "short", None, float("nan"), "it lost its voice")])
    assert "world, short: it lost its voice." in text


@pytest.mark.skipif(not shutil.which(FESTIVAL), reason="Festival is not installed")
def test_festival_sings_the_notes() -> None:
    audio, lead = sung_by_festival(Singer.__new__(Singer), LINE, None)  # type: ignore[arg-type]
    assert _in_tune(audio, lead) > 0.6


@pytest.mark.slow
def test_world_sings_the_notes_of_the_plan() -> None:
    singer = Singer.load("breaking-rust", CACHE, threads=1)
    plan = singer.sing(LINE.score, seed=1)
    audio, lead = sung_by_world(singer, LINE, plan)
    assert len(audio) == pytest.approx(len(plan.audio), abs=400)
    assert _in_tune(audio, lead) > 0.75
    rest = audio[: round((lead + 0.2) * 24_000)]
    assert np.abs(rest).max() < 0.02 * np.abs(audio).max()


def _in_tune(audio: np.ndarray, lead: float) -> float:  # type: ignore[type-arg]
    f0 = measure_f0(audio)
    cents = cents_from_notes(LINE.score, f0, np.arange(len(f0)) * PERIOD - lead)
    return float(np.mean(np.abs(cents) < 50))
