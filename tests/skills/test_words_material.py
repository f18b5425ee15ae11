"""The written material: every unit rhymes, is singable, and stands only once."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter

import pytest

from skills.words.check import key, line_faults
from skills.words.forms import forms
from skills.words.material import Scene, Unit, bare, common, scenes
from skills.words.prosody import last_word, rhymes

EVERY_SCENE = [*scenes(), common()]
LINES = {"open": 2, "turn": 2, "verse": 4, "aab": 2, "response": 1}


def written(unit: Unit) -> list[tuple[str, ...]]:
    """Every version of the unit with a name of two syllables and a thing of two in its slots."""
    return [
        tuple(line.lstrip("~").replace("{name}", "Maya").replace("{thing}", "the cat") for line in version)
        for version in unit.versions(random.Random(0))
    ]


def filled(line: str) -> list[str]:
    """The line with short and long names and things in its slots: a short line is there for the long ones."""
    pairs = (("Maya", "the cat"), ("Ann", "rain"), ("Guillermo", "the jack of diamonds"))
    return [line.lstrip("~").replace("{name}", name).replace("{thing}", thing) for name, thing in pairs]


def told(scene: Scene) -> str:
    return f"{scene.theme}: {scene.about}"


def test_there_are_enough_themes_scenes_and_lines() -> None:
    assert len({scene.theme for scene in scenes()}) >= 40
    units = [unit for scene in EVERY_SCENE for unit in scene.units]
    assert sum(len(unit.lines) for unit in units) >= 3500
    kinds = Counter(unit.kind for unit in units)
    assert min(kinds[kind] for kind in ("open", "turn", "verse", "hook", "aab", "response")) >= 140


@pytest.mark.parametrize("scene", EVERY_SCENE, ids=told)
def test_a_scene_has_what_every_form_needs(scene: Scene) -> None:
    for kind in ("open", "turn", "verse", "hook", "aab", "response"):
        assert scene.of(kind), f"no {kind}"
    assert scene.can_name
    assert all(len(unit.lines) == LINES.get(unit.kind, 4) for unit in scene.units)


@pytest.mark.parametrize("scene", EVERY_SCENE, ids=told)
def test_every_unit_rhymes_truly(scene: Scene) -> None:
    for unit in scene.units:
        for lines in written(unit):
            ends = [last_word(line) for line in lines]
            if unit.kind in ("open", "turn", "aab"):
                assert rhymes(*ends), ends
            elif unit.kind == "hook":
                assert all(rhymes(a, b) for a, b in itertools.combinations(ends, 2)), ends
            elif unit.kind == "verse":
                coupled = rhymes(ends[0], ends[1]) and rhymes(ends[2], ends[3])
                assert coupled or rhymes(ends[1], ends[3]), ends


@pytest.mark.parametrize("scene", EVERY_SCENE, ids=told)
def test_every_line_can_be_sung_in_the_metre_of_its_forms(scene: Scene) -> None:
    couplet, blues = forms()["verse-chorus"], forms()["aab"]
    for unit in scene.units:
        syllables = {"aab": blues.syllables, "response": (3, 7)}.get(unit.kind, couplet.syllables)
        beats = {"aab": blues.beats, "response": (1, 4)}.get(unit.kind, couplet.beats)
        for line in itertools.chain.from_iterable(unit.versions(random.Random(0))):
            assert any(not line_faults(full, syllables, beats) for full in filled(line)), line


def test_no_line_is_written_twice() -> None:
    lines = Counter(
        key(line)
        for scene in EVERY_SCENE
        for unit in scene.units
        if unit.kind != "response"
        for line in set(itertools.chain.from_iterable(written(unit)))
    )
    assert [line for line, times in lines.items() if times > 1] == []


def test_a_slot_never_ends_a_line_because_its_rhyme_is_not_known() -> None:
    for scene in EVERY_SCENE:
        for unit in scene.units:
            for line in unit.lines:
                assert not re.search(r"\{(?:name|thing)\}\W*$", line), line


def test_each_hook_and_each_blues_line_names_its_song_or_the_theme_does() -> None:
    for scene in scenes():
        for unit in scene.of("hook"):
            assert unit.title, bare(unit.lines[0])
