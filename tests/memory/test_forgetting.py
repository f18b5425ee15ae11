"""What a fan wants forgotten is gone: from every byte of the folder, and with a receipt."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from memory.export import export_fan
from memory.fan import Fan, Scope
from memory.forgetting import catch_up, forget_about, forget_fan, forget_message, matching
from memory.log import BIG, Entry, pack, unpack
from memory.memory import Memory

from .conftest import NOW

ANN, BOB = Fan("terminal:ann", "Ann"), Fan("discord:7", "Bob")
HOME, CHANNEL = Scope("fan", ANN.id), Scope("channel", "discord:g1/c1")
MARCH = datetime(2026, 3, 2, tzinfo=UTC)
MARKS = ("Zanzibarine", "Quillivert", "Oxmoronda")


def files_with(folder, *marks):
    """Every file under a folder that holds one of the marks, in UTF-8 or UTF-16."""
    needles = [
        each.encode(code)
        for mark in marks
        for each in (mark, mark.lower())
        for code in ("utf-8", "utf-16-le")
    ]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(needle in path.read_bytes() for needle in needles)]


def tell(memory):
    memory.remember(ANN, HOME, "rust", f"My sister is called {MARKS[0]}.", f"How old is {MARKS[0]}?", MARCH)
    memory.remember(
        ANN, CHANNEL, "rust", f"I live in {MARKS[1]} since my divorce.", "", MARCH + timedelta(days=1)
    )
    memory.remember(ANN, HOME, "velvet", f"I love the {MARKS[2]} mountains.", "I promise a song.", MARCH)
    memory.remember(BOB, CHANNEL, "rust", "My dog is called Biscuit.", "", MARCH)


def test_everything_of_a_fan_is_gone_from_every_byte(memory):
    tell(memory)
    assert files_with(memory.path, *MARKS)
    receipt = forget_fan(memory, ANN.id)
    assert receipt.counts == {"turn": 3, "fact": 3, "promise": 1} and receipt.log_emptied
    assert str(receipt) == "Forgotten: 3 facts, 1 promise, 3 turns, from 02 March 2026 to 03 March 2026."
    assert not any(mark in str(receipt.entries) for mark in MARKS)
    assert files_with(memory.path, *MARKS, ANN.id) == []
    assert memory.recall(BOB, CHANNEL, "rust", "what is my dog called?")
    assert str(forget_fan(memory, ANN.id)) == "There was nothing to forget."


def test_one_matter_is_forgotten_and_the_rest_kept(memory):
    memory.remember(ANN, HOME, "rust", "I work as a nurse on a children's ward.", "", MARCH)
    memory.remember(
        ANN, HOME, "rust", "My boss Frank promoted me in April, I run the night team now.", "", MARCH
    )
    memory.remember(ANN, HOME, "rust", "My sister Maya is getting married.", "", MARCH)
    assert {entry.kind for entry in matching(memory, ANN.id, "what I said about my job")} == {"turn", "fact"}
    receipt = forget_about(memory, ANN.id, "forget what I said about my job")
    assert receipt.counts["turn"] == 2
    assert files_with(memory.path, "nurse", "Frank") == []
    assert "Maya" in memory.recall(ANN, HOME, "rust", "who is getting married?")[0].text


def test_forgetting_one_persona_leaves_the_other(memory):
    tell(memory)
    forget_fan(memory, ANN.id, "rust")
    assert files_with(memory.path, MARKS[0]) == [] and files_with(memory.path, MARKS[2])


def test_a_big_drawers_words_and_vectors_go_too(memory):
    dice = np.random.default_rng(7)
    marked = dice.normal(size=384).astype(np.float32)
    marked /= np.linalg.norm(marked)
    vectors = dice.normal(size=(BIG + 500, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[17] = marked
    entries = [Entry(BOB.id, "turn", "Bob", f"note {n}", MARCH) for n in range(len(vectors))]
    entries[17] = Entry(ANN.id, "turn", "Ann", f"The {MARKS[0]} of it all.", MARCH)
    memory.log.append("rust", str(CHANNEL), entries, vectors, memory.embedder.name)
    memory.recall(BOB, CHANNEL, "rust", "note")  # the index begins to follow
    memory.search.settle()
    needle = unpack(pack(marked)).tobytes()[:64]
    assert any(needle in path.read_bytes() for path in (memory.path / "vectors").rglob("*") if path.is_file())
    receipt = forget_fan(memory, ANN.id)
    memory.search.settle()
    assert receipt.indexes == 1
    assert files_with(memory.path, MARKS[0], ANN.id) == []
    assert not any(needle in path.read_bytes() for path in memory.path.rglob("*") if path.is_file())
    assert memory.recall(BOB, CHANNEL, "rust", "note 18")


def test_a_copy_catches_up_with_what_was_forgotten_since(memory, tmp_path, embed):
    tell(memory)
    memory.log.checkpoint()
    shutil.copytree(memory.path, tmp_path / "copy")
    forget_about(memory, ANN.id, "my sister")
    forget_fan(memory, ANN.id, "velvet")
    memory.remember(ANN, HOME, "rust", "My cat is called Mouse.", "", MARCH)
    copy = Memory(tmp_path / "copy", embed, now=lambda: NOW)
    assert files_with(copy.path, MARKS[0]) and files_with(copy.path, MARKS[2])
    catch_up(copy, memory)
    assert files_with(copy.path, MARKS[0], MARKS[2]) == []
    assert files_with(copy.path, MARKS[1])  # was not forgotten
    copy.close()


def test_a_message_taken_back_takes_what_was_kept_of_it(memory):
    said = f"My sister is called {MARKS[0]}. I live in Leeds."
    memory.remember(ANN, CHANNEL, "rust", said, "", MARCH, messages=["discord:17", "discord:18"])
    memory.remember(ANN, CHANNEL, "rust", "My dog is called Biscuit.", "", MARCH, messages=["discord:19"])
    assert forget_message(memory, "discord:17").counts == {"turn": 1, "fact": 2}
    assert files_with(memory.path, MARKS[0], "discord:18") == [] and files_with(memory.path, "Biscuit")
    assert forget_message(memory, "discord:18").counts == forget_message(memory, "web:19").counts == {}


def test_a_fan_takes_everything_along(memory):
    tell(memory)
    export = json.loads(json.dumps(export_fan(memory, ANN.id)))
    assert {each["kind"] for each in export["memories"]} == {"turn", "fact", "promise"}
    assert export["at"] == NOW.isoformat() and all(mark in json.dumps(export) for mark in MARKS)
    assert "Biscuit" not in json.dumps(export)
    assert export_fan(memory, "nobody")["memories"] == []


@pytest.mark.parametrize("about", ["", "please forget it", "quantum chromodynamics"])
def test_a_matter_never_spoken_of_forgets_nothing(memory, about):
    tell(memory)
    assert forget_about(memory, ANN.id, about).counts == {}


def test_another_process_reading_does_not_keep_the_bytes(memory, embed):
    other = Memory(memory.path, embed, now=lambda: NOW)
    tell(other)
    assert other.recall(ANN, HOME, "rust", "my sister")
    assert forget_fan(memory, ANN.id).log_emptied
    assert files_with(memory.path, *MARKS) == []
    assert other.recall(ANN, HOME, "rust", "my sister") == []
