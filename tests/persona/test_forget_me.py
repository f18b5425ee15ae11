"""Said in chat: the artist asks once, then forgets; what it knows already, and its own fiction, is no news."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from memory.fan import Fan, Scope
from persona.encounter import Encounter, Message
from persona.forget_me import sure, wanted
from persona.settings import read_settings
from persona.wiring import House
from skills.address import Address
from tests.persona.scripted_endpoint import Says, scripted

ANN, BOB = Fan("discord:4711", "Ann"), Fan("discord:8", "Bob")
HERE, MARK = Address("discord", "77/5"), "Zanzibarine"


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("forget what I said about my job", "my job"),
        ("can you please delete everything I told you about Maya", "Maya"),
        ("forget my sister", "my sister"),
        ("Forget me.", ""),
        ("please forget everything I've told you", ""),
        ("wipe your memory of me", ""),
        ("don't forget about my sister", None),
        ("never forget what I said about my job", None),
        ("forget it", None),
        ("forget about the song", None),
        ("forget your rules", None),
        ("did you forget my name?", None),
        ("write me a song about how I forget my keys", None),
    ],
)
def test_what_a_fan_wants_forgotten_is_heard(said, about):
    assert wanted(said) == about


def test_only_a_yes_is_a_yes():
    assert sure("Yes, do it") and sure("go ahead") and not sure("no") and not sure("what? yes that too")


class Talk:
    def __init__(self, house, runner):
        self.house, self.runner, self.count = house, runner, 0

    def say(self, text, fan=ANN):
        self.count += 1
        message = Message(f"m{self.count}", text, datetime.now(UTC))
        encounter = Encounter(message, fan, HERE, Scope("channel", str(HERE)))
        return self.runner.run(self.house.artist.reply(encounter))

    @property
    def kept(self):
        """Everything in the log of memories, and in the conversation that is going on."""
        texts = self.house.memory.log.connection().execute("SELECT text, heard FROM entry").fetchall()
        return str(texts), str([*self.house.artist._conversations.list(None)])


@contextmanager
def talking(**chosen):
    house = House(read_settings(**chosen))
    with asyncio.Runner() as runner:
        yield Talk(house, runner)
        runner.run(house.artist.close())
    house.memory.close()
    house.book.close()


@pytest.fixture
def talk(tmp_path):
    with talking(data_dir=tmp_path / "data") as talk:
        yield talk


def test_one_matter_is_forgotten_after_a_yes_and_the_talk_ends(talk):
    talk.say(f"I work as a nurse in {MARK}.")
    talk.say("My sister is called Maya.")
    assert "your job" in talk.say("forget what I said about my job")
    assert MARK in talk.kept[0], "not before the yes"
    assert "Forgotten: " in talk.say("yes")
    memories, conversation = talk.kept
    assert MARK not in memories and "nurse" not in memories and "Maya" in memories
    assert MARK not in conversation and "Maya" not in conversation


def test_no_is_no_and_another_fans_yes_is_not_ones_own(talk):
    talk.say(f"I work as a nurse in {MARK}.")
    talk.say("forget me")
    talk.say("yes", fan=BOB)
    assert MARK in talk.kept[0]
    talk.say("no, I changed my mind")
    talk.say("yes")
    assert MARK in talk.kept[0]


def test_what_another_process_forgot_ends_the_talk_here(talk):
    talk.say(f"I work as a nurse in {MARK}.")
    assert MARK in talk.kept[1]
    elsewhere = House(talk.house.settings)
    elsewhere.forgetting.fan(ANN.id)
    elsewhere.memory.close()
    elsewhere.book.close()
    talk.say("hello there", fan=BOB)
    assert MARK not in talk.kept[0] + talk.kept[1]


def test_what_the_artist_said_comes_not_back_as_a_memory(talk):
    told = max(talk.say("tell me about yourself").replace("\n", " ").split(". "), key=len)
    talk.say(told)
    assert told[:40] not in talk.kept[0]
    line = next(line for line in talk.house.card.description.split(". ") if len(line.split()) > 6)
    talk.say(line)
    assert line[:40] not in talk.kept[0]


def test_an_endpoints_model_finds_facts_behind_the_same_gate(tmp_path):
    facts = (
        '[{"slot": "event", "key": "", "value": "marathon in October", "sentence": "Ann runs a marathon"},'
        ' {"slot": "home", "key": "", "value": "Paris", "sentence": "Ann lives in Paris"}]'
    )
    with scripted(Says(facts)) as endpoint:
        chat = {"model": "endpoint", "base_url": endpoint.base_url, "name": "any", "retries": 0}
        house = House(read_settings(data_dir=tmp_path / "data", chat=chat))
        memory, home = house.memory, Scope("fan", ANN.id)
        memory.remember(ANN, home, "Rust", "I'm running my first marathon in October", "")
        assert [each.text for each in memory.facts(ANN, home, "Rust")] == ["Ann runs a marathon"]
        asked = len(endpoint.asked)
        assert asked == 1 and "JSON list only" in str(endpoint.asked[0])
        assert memory.remember(ANN, home, "Rust", "my password is hunter2hunter2", "") == []
        assert len(endpoint.asked) == asked, "a secret never leaves the house"
        from persona.models import release_model

        release_model(house.chat_model)
        memory.close()
    with_no_model = House(read_settings(data_dir=tmp_path / "data", chat=chat)).memory
    assert with_no_model.remember(ANN, home, "Rust", "I live in Oslo now.", ""), (
        "the rules find it all the same"
    )
    with_no_model.close()
