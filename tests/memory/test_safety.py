"""Nothing acknowledged is lost: killed while writing, shared by processes, a damaged index, another embedder."""

import shutil
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime

import numpy as np
import pytest

from memory.fan import Fan, Scope
from memory.index import IndexHeldError, VectorIndex
from memory.log import BIG, Entry
from memory.memory import Memory

from .conftest import NOW

ANN = Fan("terminal:ann", "Ann")
HOME = Scope("fan", ANN.id)
LORE = Scope("server", "discord:g1")
MARCH = datetime(2026, 3, 2, tzinfo=UTC)

WRITER = """
    import sys
    from pathlib import Path
    from memory.embedder import Embedder
    from memory.fan import Fan, Scope
    from memory.memory import Memory
    memory, who = Memory(Path(sys.argv[1]), Embedder()), sys.argv[2]
    for number in range(int(sys.argv[3])):
        ids = memory.remember(Fan("terminal:ann", "Ann"), Scope("fan", "terminal:ann"), "rust",
                              f"My {who} sister number {number} lives in Leeds with me.", "")
        print(number, *ids, flush=True)
"""


def start_writer(path, who, count):
    code = textwrap.dedent(WRITER)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), who, str(count)], stdout=subprocess.PIPE, text=True
    )


def ids_in(memory):
    return {id for (id,) in memory.log.connection().execute("SELECT id FROM entry")}


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(tmp_path, embed):
    acknowledged = set()
    for round in range(3):
        writer = start_writer(tmp_path, f"round{round}", 10_000)
        for _ in range(25):
            acknowledged.update(map(int, writer.stdout.readline().split()[1:]))
        writer.send_signal(signal.SIGKILL)
        acknowledged.update(
            int(id) for line in writer.stdout.read().splitlines()[:-1] for id in line.split()[1:]
        )
        writer.wait()
        writer.stdout.close()
    memory = Memory(tmp_path, embed)
    assert len(acknowledged) >= 75 and acknowledged <= ids_in(memory)
    assert memory.log.connection().execute("PRAGMA integrity_check").fetchone() == ("ok",)
    orphans = "SELECT count(*) FROM vector LEFT JOIN entry ON entry.id = entry WHERE id IS NULL"
    assert memory.log.connection().execute(orphans).fetchone() == (0,)
    assert "round0" in memory.recall(ANN, HOME, "rust", "which sister was round0 number 3?")[0].text


@pytest.mark.slow
def test_two_processes_write_and_read_one_memory(tmp_path, embed):
    writers = [start_writer(tmp_path, who, 30) for who in ("elder", "younger")]
    outputs = [writer.communicate()[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    written = {int(id) for output in outputs for line in output.splitlines() for id in line.split()[1:]}
    memory = Memory(tmp_path, embed)
    assert len(written) >= 60 and written == ids_in(memory)
    found = [each.text for each in memory.recall(ANN, HOME, "rust", "elder younger sister", words=5000)]
    assert any("elder" in text for text in found) and any("younger" in text for text in found)


class Axes:
    """Another embedder: every text a direction of its own, by its last word's number."""

    name, dimensions = "axes", 384

    def __call__(self, texts):
        vectors = np.zeros((len(texts), 384), np.float32)
        for row, text in enumerate(texts):
            vectors[row, sum(map(ord, text.split()[-1])) % 384] = 1
        return vectors


def test_a_new_embedder_takes_over(tmp_path, embed):
    memory = Memory(tmp_path, embed, now=lambda: NOW)
    for said in ("I live in Leeds.", "My dog is called Biscuit.", "My sister is Maya."):
        memory.remember(ANN, HOME, "rust", said, "", MARCH)
    memory.close()
    changed = Memory(tmp_path, Axes(), now=lambda: NOW)
    assert any("Biscuit" in each.text for each in changed.recall(ANN, HOME, "rust", "my dog"))
    assert changed.renew() == 0  # the recall has made them
    assert changed.log.without_vectors("axes") == [] and len(changed.log.without_vectors(embed.name)) > 0


def test_a_log_of_an_older_version_is_taken_over(tmp_path, embed):
    before = Memory(tmp_path, embed, now=lambda: NOW)
    before.remember(ANN, HOME, "rust", "I live in Leeds.", "", MARCH)
    for statement in ("DROP TABLE heard_in", "DROP INDEX entry_by_source", "PRAGMA user_version = 1"):
        before.log.connection().execute(statement)
    before.close()
    after = Memory(tmp_path, embed, now=lambda: NOW)
    after.remember(ANN, HOME, "rust", "My dog is called Biscuit.", "", MARCH, messages=["discord:1"])
    told = str(after.recall(ANN, HOME, "rust", "where do I live, and with which dog?"))
    assert "Leeds" in told and "Biscuit" in told
    after.close()


def fill(memory, count):
    """A big drawer of lore; the entry at place n points in a direction of its own."""
    dice = np.random.default_rng(3)
    vectors = dice.normal(size=(count, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    entries = [Entry("discord:8", "lore", "Cleo", f"Tale {n} of the goat.", MARCH) for n in range(count)]
    memory.log.append("rust", str(LORE), entries, vectors, memory.embedder.name)
    return vectors


class Fixed:
    """Answers every text with one direction, so that only vectors can find the entry."""

    name, dimensions = "fixed", 384

    def __init__(self):
        self.vector = np.zeros(384, np.float32)

    def __call__(self, texts):
        return np.stack([self.vector] * len(texts))


@pytest.fixture
def big(tmp_path):
    memory = Memory(tmp_path / "memory", Fixed(), now=lambda: NOW)
    vectors = fill(memory, BIG + 1000)
    memory.recall(ANN, LORE, "rust", "wake up")
    memory.search.settle()
    yield memory, vectors
    memory.close()


def found(memory, vector):
    memory.embedder.vector = vector
    return [each.text for each in memory.recall(ANN, LORE, "rust", "anything at all?", words=40)]


def test_a_big_drawer_is_searched_by_its_index(big):
    memory, vectors = big
    assert all(f"Tale {n} of the goat." in found(memory, vectors[n]) for n in (3, 1234, BIG + 999))


def test_a_big_drawer_is_searched_by_words_too(big):
    memory, _ = big
    memory.embedder.vector = np.zeros(384, np.float32)
    assert any(
        "Tale 777 " in each.text for each in memory.recall(ANN, LORE, "rust", "what was tale 777?", words=40)
    )


def test_a_damaged_index_is_built_again_from_the_log(big):
    memory, vectors = big
    memory.close()
    for path in (memory.path / "vectors").rglob("*"):
        if path.is_file():
            path.write_bytes(b"\0" * 100)
    again = Memory(memory.path, memory.embedder, now=lambda: NOW)
    again.embedder.vector = vectors[42]
    again.recall(ANN, LORE, "rust", "anything at all?")
    again.search.settle()
    assert "Tale 42 of the goat." in found(again, vectors[42])
    again.close()


def test_a_lost_index_is_built_again_on_demand(big):
    memory, vectors = big
    memory.close()
    shutil.rmtree(memory.path / "vectors")
    again = Memory(memory.path, memory.embedder, now=lambda: NOW)
    again.rebuild()
    assert "Tale 42 of the goat." in found(again, vectors[42])
    again.close()


def test_a_second_process_goes_on_without_the_index_that_the_first_keeps(big):
    memory, _ = big
    held = "from pathlib import Path; from memory.index import *; import numpy as np, sys\n"
    held += "try: VectorIndex(Path(sys.argv[1])).nearest('x', np.zeros(384), 1)\n"
    held += f"except {IndexHeldError.__name__} as error: print(error)"
    run = subprocess.run(
        [sys.executable, "-c", held, str(memory.path / "vectors")], capture_output=True, text=True, check=True
    )
    assert "another process keeps the index" in run.stdout


@pytest.mark.slow
def test_a_chroma_server_serves_the_index_as_well(tmp_path):
    port = free_port()
    command = [
        shutil.which("chroma", path=f"{sys.prefix}/bin") or "chroma",
        "run",
        "--path",
        str(tmp_path / "server"),
    ]
    server = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_for(port, server)
        memory = Memory(tmp_path / "memory", Fixed(), server=f"localhost:{port}", now=lambda: NOW)
        vectors = fill(memory, BIG + 1000)
        memory.recall(ANN, LORE, "rust", "wake up")
        memory.search.settle()
        assert "Tale 42 of the goat." in found(memory, vectors[42])
        index = VectorIndex(tmp_path, f"localhost:{port}")
        assert index.count("drawer-1-fixed") == BIG + 1000
        index.close()
        memory.close()
    finally:
        server.terminate()
        server.communicate()


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def wait_for(port, server):
    """Until the server answers, at most a minute."""
    import socket
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("localhost", port)) == 0:
                return
    raise AssertionError("the Chroma server did not start")
