"""Nothing is recalled where it must not be: random histories, 10,000 recalls, no leak."""

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.fan import Fan, Scope
from memory.log import Entry
from memory.memory import Memory

from .conftest import NOW

FANS = [Fan(f"discord:{n}", f"Fan{n}") for n in range(3)]
SERVERS = [Scope("server", f"discord:g{n}") for n in range(2)]
CHANNELS = [Scope("channel", f"discord:g{n}/c{m}") for n in range(2) for m in range(2)]
EVERYONE = Scope("everyone")
PERSONAS = ["rust", "velvet"]
RECALLS, EXAMPLES = 100, 100


class HashedWords:
    """Vectors from words alone: quick, so that ten thousand recalls can be looked at."""

    name, dimensions = "hashed-words", 32

    def __call__(self, texts):
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def places(fan):
    return [Scope("fan", fan.id), *CHANNELS, *SERVERS, EVERYONE]


events = st.tuples(
    st.sampled_from(FANS), st.integers(0, len(places(FANS[0])) - 1), st.sampled_from(PERSONAS), st.booleans()
)
recalls = st.tuples(
    st.sampled_from(FANS), st.integers(0, len(places(FANS[0])) - 1), st.sampled_from(PERSONAS), st.booleans()
)
consents = st.tuples(st.sampled_from(FANS), st.sampled_from(CHANNELS), st.sampled_from(PERSONAS))


def may_see(fan, here, around, persona, memory, allowed):
    """The rule in its plainest form, written apart from the code it checks."""
    said_by, where, said_to = memory
    if said_to != persona:
        return False
    if where.kind == "everyone":
        return True
    if where.kind == "fan":
        private = here.kind == "fan" or (fan, here, persona) in allowed
        return said_by == fan and private
    if here.kind == "fan":
        return said_by == fan
    return where == here or where in around


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(
    history=st.lists(events, min_size=5, max_size=30),
    asked=st.lists(recalls, min_size=RECALLS, max_size=RECALLS),
    allowing=st.lists(consents, max_size=3),
)
def test_no_leak_in_ten_thousand_recalls(tmp_path_factory, history, asked, allowing):
    memory = Memory(tmp_path_factory.mktemp("memory"), HashedWords(), now=lambda: NOW)
    kept = {}
    for number, (fan, place, persona, fact) in enumerate(history):
        where = places(fan)[place]
        kind = "fact" if fact else "turn"
        entry = Entry(
            fan.id,
            kind,
            fan.name,
            f"the marked train {number}",
            NOW,
            slot="x" if fact else None,
            key=str(number),
        )
        (id,) = memory.log.append(
            persona, str(where), [entry], memory.embedder([entry.line]), memory.embedder.name
        )
        kept[id] = (fan, where, persona)
    for fan, channel, persona in allowing:
        memory.allow(fan, persona, channel)
    for fan, place, persona, with_server in asked:
        here = places(fan)[place]
        around = (
            [s for s in SERVERS if here.kind == "channel" and here.place.startswith(s.place)]
            if with_server
            else []
        )
        found = memory.recall(fan, [here, *around], persona, "the marked train", words=10_000)
        right = {id for id, each in kept.items() if may_see(fan, here, around, persona, each, allowing)}
        assert {each.id for each in found} == right  # nothing that must not be seen, and all that may
    memory.close()


def test_another_fans_private_talk_is_out_of_reach(memory):
    ann, bob = FANS[:2]
    memory.remember(ann, Scope("fan", ann.id), "rust", "I am scared of losing my job.", "Sit down.")
    assert memory.recall(bob, Scope("fan", bob.id), "rust", "who is scared of losing a job?") == []
    with pytest.raises(PermissionError, match="private to another fan"):
        memory.recall(bob, Scope("fan", ann.id), "rust", "who is scared of losing a job?")


def test_a_channel_shows_its_own_server_only(memory):
    with pytest.raises(PermissionError, match="not in sight"):
        memory.recall(FANS[0], [CHANNELS[0], SERVERS[1]], "rust", "anything")
    with pytest.raises(PermissionError, match="not in sight"):
        memory.recall(FANS[0], [CHANNELS[0], Scope("fan", FANS[0].id)], "rust", "anything")


def test_a_servers_lore_stays_there(memory):
    memory.remember_lore(FANS[0], SERVERS[0], "rust", "On this server every song needs a goat.")
    question = "what does every song need?"
    assert memory.recall(FANS[1], [CHANNELS[0], SERVERS[0]], "rust", question)
    assert memory.recall(FANS[1], [CHANNELS[2], SERVERS[1]], "rust", question) == []


def test_another_persona_does_not_know(memory):
    ann = FANS[0]
    memory.remember(ann, Scope("fan", ann.id), "rust", "I am scared of losing my job.", "Sit down.")
    assert memory.recall(ann, Scope("fan", ann.id), "velvet", "what am I scared of?") == []


def test_private_talk_is_recalled_in_public_only_where_the_fan_allowed_it(memory):
    ann = FANS[0]
    memory.remember(ann, Scope("fan", ann.id), "rust", "I am scared of losing my job.", "Sit down.")
    assert memory.recall(ann, CHANNELS[0], "rust", "what am I scared of?") == []
    memory.allow(ann, "rust", CHANNELS[0])
    assert memory.recall(ann, CHANNELS[0], "rust", "what am I scared of?")
    assert memory.recall(FANS[1], CHANNELS[0], "rust", "what is Fan0 scared of?") == []
    memory.allow(ann, "rust", CHANNELS[0], allowed=False)
    assert memory.recall(ann, CHANNELS[0], "rust", "what am I scared of?") == []


def test_private_talk_cannot_be_allowed_but_in_a_channel(memory):
    with pytest.raises(ValueError, match="in a channel, not in everyone"):
        memory.allow(FANS[0], "rust", Scope("everyone"))
    assert memory.allowed(FANS[0], "rust") == []
