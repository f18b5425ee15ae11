"""The artist remembers each fan, in the right place, after a restart."""

from datetime import UTC, datetime, timedelta

import pytest

from memory.embedder import Embedder
from memory.fan import Fan, Scope
from memory.memory import Memory

MONDAY = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
ANN, BOB = Fan("terminal:ann", "Ann"), Fan("discord:7", "Bob")
HOME = Scope("fan", ANN.id)


@pytest.fixture(scope="module")
def embed():
    return Embedder()


@pytest.fixture
def memory(tmp_path, embed):
    return Memory(tmp_path, embed)


def texts(recollections):
    return [recollection.text for recollection in recollections]


def test_the_next_chat_recalls_maya(tmp_path, embed):
    before = Memory(tmp_path, embed)
    before.remember(
        ANN, HOME, "rust", "It's for Maya, my sister. She leaves on Friday.", "I hear you.", when=MONDAY
    )
    before.remember(ANN, HOME, "rust", "What's your favourite chord?", "A minor, always.", when=MONDAY)
    after = Memory(tmp_path, embed)
    found = after.recall(ANN, HOME, "rust", "do you remember who Maya is?")
    assert "It's for Maya, my sister. She leaves on Friday." in texts(found)
    first = next(each for each in found if "Maya" in each.text)
    assert (first.speaker, first.when, first.kind) == ("Ann", MONDAY, "turn") and first.score > 0


def test_the_budget_is_in_words_and_spent_on_the_best(memory):
    for day in range(30):
        when = MONDAY + timedelta(days=day)
        said = f"On day {day} I painted the fence again and again."
        memory.remember(ANN, HOME, "rust", said, "Fine.", when=when)
    memory.remember(
        ANN, HOME, "rust", "My dog is called Biscuit.", "Good name.", when=MONDAY + timedelta(days=31)
    )
    found = memory.recall(ANN, HOME, "rust", "what is the name of my dog?", words=20)
    assert "My dog is called Biscuit." in texts(found)
    assert sum(len(each.text.split()) for each in found) <= 20


def test_another_fans_private_talk_is_out_of_reach(memory):
    memory.remember(ANN, HOME, "rust", "I am scared of losing my job.", "Sit down.", when=MONDAY)
    assert memory.recall(BOB, Scope("fan", BOB.id), "rust", "who is scared of losing a job?") == []
    with pytest.raises(PermissionError, match="private to another fan"):
        memory.recall(BOB, HOME, "rust", "who is scared of losing a job?")


def test_another_persona_does_not_know(memory):
    memory.remember(ANN, HOME, "rust", "I am scared of losing my job.", "Sit down.", when=MONDAY)
    assert memory.recall(ANN, HOME, "velvet", "what am I scared of?") == []


def test_nothing_remembered_recalls_nothing(memory):
    assert memory.recall(ANN, HOME, "rust", "hello?") == []
    assert memory.remember(ANN, HOME, "rust", "  ", "") == []
