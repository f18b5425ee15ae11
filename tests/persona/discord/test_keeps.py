"""The stage and the real memory: hits are known, forgetting is for good, servers are apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memory.embedder import Embedder
from memory.fan import Fan, Scope
from memory.memory import Memory
from persona.stages.discord.keeps import MemoryKeeps


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


@pytest.fixture
def memory(tmp_path, embedder):
    memory = Memory(tmp_path / "memory", embedder)
    yield memory
    memory.close()


def test_the_number_one_of_a_server_is_known_there_and_nowhere_else(memory):
    MemoryKeeps(lambda: memory, "Breaking Rust").number_one("Last Train Home", 77)
    ann = Fan("discord:1", "Ann")
    here, server = Scope("channel", "discord:77/5"), Scope("server", "discord:77")
    [known] = memory.recall(ann, (here, server), "Breaking Rust", "what is your biggest hit?")
    assert "Last Train Home" in known.text
    there, other = Scope("channel", "discord:88/5"), Scope("server", "discord:88")
    assert memory.recall(ann, (there, other), "Breaking Rust", "what is your biggest hit?") == []


def test_what_a_fan_said_is_exported_and_then_forgotten(memory):
    keeps, ann = MemoryKeeps(lambda: memory, "Breaking Rust"), Fan("discord:1", "Ann")
    memory.remember(
        ann, Scope("fan", ann.id), "Breaking Rust", "My dog is called Bruno.", "", datetime.now(UTC)
    )
    assert "Bruno" in str(keeps.export(ann))
    keeps.forget(ann)
    assert keeps.export(ann)["memories"] == []


async def test_an_encounter_in_a_channel_sees_its_server_and_one_in_private_sees_none(theatre):
    async with theatre() as t:
        await t.ann.send(t.channel, f"{t.me} hi")
        await t.ann.send_dm("hi")
        in_channel, in_private = t.artist.met
        assert [str(scope) for scope in in_channel.around] == [f"server:discord:{t.guild.id}"]
        assert in_private.around == ()
