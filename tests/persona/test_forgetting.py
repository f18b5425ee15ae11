"""What a fan wants forgotten is gone from every byte of the data folder, in every store, and in copies of it."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from memory.fan import Fan, Scope
from persona.cli import app
from persona.export import everything_of
from persona.export_page import as_html
from persona.forgetting import Receipt
from persona.privacy import privacy
from persona.settings import Settings, read_settings
from persona.tidying import tidying
from persona.wiring import House
from skills.address import Address
from skills.brief import Brief
from skills.post import Post

ANN, BOB = Fan("discord:4711", "Ann"), Fan("discord:47112", "Bob")  # one id begins with the other
HERE = Address("discord", "77/5")
CHANNEL = Scope("channel", str(HERE))
MARKS = ("Zanzibarine", "Quillivert", "Oxmoronda", "Plimsolette")
MARCH = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    house = House(read_settings(data_dir=tmp_path / "data"))
    yield house
    house.memory.close()
    house.book.close()


def files_with(root, *marks):
    """Every file whose bytes or name hold one of the marks, in any case and in UTF-8 or UTF-16."""
    needles = [
        each.lower().encode(code) for mark in marks for each in (mark,) for code in ("utf-8", "utf-16-le")
    ]
    found = []
    for path in root.rglob("*"):
        held = str(path.relative_to(root)).lower().encode() + (
            path.read_bytes().lower() if path.is_file() else b""
        )
        if any(needle in held for needle in needles):
            found.append(path)
    return found


def song_in(house, fan, theme, dedication=""):
    """An order, and a song in the library as its steps leave one: words, notes, tags, stems, and a short clip."""
    from skills.studio.encode import write_coded

    brief = Brief(theme, dedication=dedication, seconds=15)
    song = house.book.order(fan.id, HERE, brief, f"message of {fan.id} on {theme}").request.id
    library = house.library
    made = library.open(brief, 7, song)
    tone = np.sin(np.arange(48_000, dtype=np.float32) / 20)[None].repeat(2, 0) * np.float32(0.1)
    title = f"The {theme} for {dedication}"
    tags = {"title": title, "artist": "Breaking Rust", "comment": f"about {theme}"}
    for name in ("clip.mp3", "clip.ogg"):
        write_coded(tone, library.folder(song) / name, Path(name).suffix, tags)
    for name in (
        "lyrics.json",
        "score.json",
        "take.json",
        "lyrics.lrc",
        "score.musicxml",
        "ledger.words.json",
    ):
        (library.folder(song) / name).write_text(f"{theme} {dedication} {fan.id}", "utf-8")
    (library.folder(song) / "stems").mkdir()
    (library.folder(song) / "stems" / "vocal.wav").write_bytes(dedication.encode())
    library.write(
        dataclasses.replace(made, title=title, clip="clip.mp3", credits={"artist": "Breaking Rust"})
    )
    house.announcer.keep(house.book.status(song).request, library.read(song))
    return song


def fill(house):
    """Two fans, and marks of the first wherever this program keeps anything."""
    memory, store = house.memory, house.discord.store
    memory.remember(
        ANN,
        Scope("fan", ANN.id),
        "Breaking Rust",
        f"My sister is called {MARKS[0]}.",
        f"Who is {MARKS[0]}?",
        MARCH,
    )
    memory.remember(ANN, CHANNEL, "Breaking Rust", f"I work as a nurse in {MARKS[1]}.", "", MARCH)
    memory.remember(BOB, CHANNEL, "Breaking Rust", "My dog is called Biscuit.", "", MARCH)
    memory.allow(ANN, "Breaking Rust", CHANNEL)
    song, other = (
        song_in(house, ANN, f"the {MARKS[2]} mountains", MARKS[3]),
        song_in(house, BOB, "the harbour lights"),
    )
    for each in (song, other):
        house.posts.deliver(Post(f"{each}:clip", HERE, f"For {MARKS[3]}!" if each == song else "Here."))
        store.write("insert into orders (song, fan, guild, channel, message, head) values (?, ?, '77', '5', '6', ?)",
                    each, ANN.id if each == song else BOB.id, MARKS[2] if each == song else "")  # fmt: skip
        store.write("insert into posted values (?, ?, ?, '77', '5', ?, ?)", f"9{len(each)}", each,
                    ANN.id if each == song else BOB.id, house.library.read(each).title, time.time())  # fmt: skip
    store.write("insert into liked values (?, ?, 'reaction', '77', 1)", other, ANN.id)
    store.write("insert into liked values (?, ?, 'reaction', '77', 1)", song, BOB.id)
    store.write("insert into allowance values (?, '77', 'k', 1)", ANN.id)
    house.discord.outbox.add("welcome:words", HERE, f"Hello <@4711>, {MARKS[0]}")
    with house.database.transaction() as db:
        db.exec_driver_sql(
            "insert into operation_outputs (workflow_uuid, function_id, function_name, output) values (?, 1, 'x', ?)",
            (song, json.dumps({"title": MARKS[3]})),
        )
    (house.data / "troubadour.log").write_text(f"made {song} for {ANN.id}\nmade {other} for {BOB.id}\n")
    return song, other


def test_everything_of_a_fan_is_gone_from_every_byte_and_nothing_of_another(house):
    song, other = fill(house)
    assert len(files_with(house.data, *MARKS)) > 12
    receipt = house.forgetting.fan(ANN.id)
    assert files_with(house.data, *MARKS, song, "<@4711>", f"{ANN.id}\n", f"{ANN.id}'", f'"{ANN.id}"') == []
    assert receipt.left == () and receipt.posted == ()
    assert {kind: receipt.counts[kind] for kind in ("turn", "fact", "song", "request", "brief", "clip")} == {
        "turn": 2, "fact": 2, "song": 1, "request": 1, "brief": 1, "clip": 0,
    }  # fmt: skip
    assert not any(mark in str(receipt) for mark in MARKS) and "1 request" in str(receipt)
    assert house.book.of_fan(ANN.id) == [] and len(house.book.of_fan(BOB.id)) == 1
    assert house.library.read(other).title and (house.data / "troubadour.log").read_text().count("\n") == 1
    assert house.memory.recall(BOB, CHANNEL, "Breaking Rust", "what is my dog called?")
    assert str(house.forgetting.fan(ANN.id)) == "There was nothing to forget."


def test_what_is_left_of_a_song_is_its_sound(house):
    import imageio_ffmpeg

    song, _ = fill(house)
    before = _decoded(house.library.folder(song) / "clip.mp3")
    house.forgetting.fan(ANN.id)
    kept = f"song-{song[-10:]}"
    assert sorted(path.name for path in house.library.folder(kept).iterdir()) == [
        "clip.mp3",
        "clip.ogg",
        "song.json",
    ]
    left = house.library.read(kept)
    assert (left.title, left.brief.theme, left.brief.dedication) == ("Untitled", "", "")
    assert _decoded(house.library.clip(left)) == before
    shown = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", house.library.clip(left)],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "AI-generated" in shown
    rows = house.discord.store.read("select fan, title from posted where song = ?", kept)
    assert rows == [("", "")], "the chart still counts it"


def _decoded(path):
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_clips_go_where_the_fan_asks_for_it(house):
    song, other = fill(house)
    receipt = house.forgetting.fan(ANN.id, clips=True)
    assert [path.name for path in house.library.root.iterdir()] == [other]
    assert receipt.counts["clip"] == 1 and receipt.posted == (("5", f"9{len(song)}"),)


def test_one_matter_goes_with_its_songs_and_the_rest_stays(house):
    fill(house)
    assert any("nurse" in text for text in house.forgetting.matching(ANN.id, "my job"))
    house.forgetting.fan(ANN.id, about="my job")
    assert files_with(house.data, MARKS[1], "nurse") == []
    assert files_with(house.data, MARKS[0]) and files_with(house.data, MARKS[2])
    house.forgetting.fan(ANN.id, about=f"the {MARKS[2]} mountains")
    assert files_with(house.data, MARKS[2], MARKS[3]) == []
    assert house.book.of_fan(ANN.id) == [] and files_with(house.data, MARKS[0])


def test_a_backup_forgets_on_its_next_turn_and_later_words_are_kept(house, tmp_path):
    song, other = fill(house)
    house.memory.log.checkpoint()
    shutil.copytree(house.data, tmp_path / "backup")
    house.forgetting.fan(ANN.id)
    house.memory.remember(ANN, CHANNEL, "Breaking Rust", "I live in Leeds again.", "", MARCH)
    later = tmp_path / "later"
    shutil.copytree(house.data, later)
    assert files_with(tmp_path / "backup", *MARKS)
    house.forgetting.catch_up(tmp_path / "backup")
    assert files_with(tmp_path / "backup", *MARKS, song, "<@4711>") == []
    assert (tmp_path / "backup" / "songs" / other / "lyrics.json").is_file()
    house.forgetting.catch_up(later)
    assert files_with(later, "Leeds"), "what was said after the forgetting is not forgotten"


def test_who_comes_back_after_being_forgotten_is_remembered_anew_and_backups_go_on_catching_up(
    house, tmp_path
):
    song, _ = fill(house)
    house.memory.log.checkpoint()
    shutil.copytree(house.data, tmp_path / "backup")
    house.forgetting.fan(ANN.id, clips=True)
    house.forgetting.catch_up(tmp_path / "backup")
    assert not [
        path for path in (tmp_path / "backup" / "songs").iterdir() if path.name.endswith(song[-10:])
    ], "where the clip went, the backup's goes too"
    house.memory.remember(ANN, CHANNEL, "Breaking Rust", "I live in Leeds again.", "", house.memory.now())
    house.tidy()
    assert house.memory.recall(ANN, CHANNEL, "Breaking Rust", "where do I live?")
    shutil.copytree(house.data / "memory", tmp_path / "backup" / "memory", dirs_exist_ok=True)
    house.forgetting.fan(ANN.id)
    house.forgetting.catch_up(tmp_path / "backup")
    assert files_with(tmp_path / "backup", "Leeds") == []


def test_a_song_that_was_at_work_meanwhile_is_swept(house):
    song, _ = fill(house)
    house.forgetting.fan(ANN.id)
    late = house.library.root / song / "stems"
    late.mkdir(parents=True)  # a step that was running when its request was deleted
    (late / "vocal.wav").write_bytes(MARKS[3].encode())
    assert files_with(house.data, MARKS[3])
    with tidying(house, look=0.05):
        deadline = time.monotonic() + 20
        while files_with(house.data, MARKS[3], song) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert files_with(house.data, MARKS[3], song) == []


def test_what_another_process_held_on_to_is_named_in_the_receipt_and_gone_with_the_next_tidying(
    house, monkeypatch
):
    monkeypatch.setattr("persona.sweeping.BUSY", 0.1)
    monkeypatch.setattr("persona.sweeping.scrub.__defaults__", (0.1,))
    fill(house)
    reader = sqlite3.connect(house.data / "requests.sqlite")
    with closing(reader):
        house.inbox.post(Post("x:words", Address("terminal"), f"for {ANN.id}, {MARKS[0]}"))
        reader.execute("begin")
        reader.execute(
            "select * from inbox"
        ).fetchall()  # an older state is being read: it must stay readable
        receipt = house.forgetting.fan(ANN.id)
        assert {path.name.removesuffix("-wal") for path in receipt.left} == {"requests.sqlite"}
        assert "Still named in" in str(receipt)
    house.tidy()
    assert files_with(house.data, MARKS[0]) == []


def test_requests_and_memories_expire_by_themselves(house):
    fill(house)
    later = MARCH + timedelta(days=800)
    house.memory.now = lambda: later
    store = house.discord.store
    store.write("update posted set at = ?", later.timestamp())
    store.write("update liked set at = ? where fan = ?", later.timestamp(), BOB.id)
    store.write("update orders set open = 0")
    book = house.book
    for status in book.of_fan(BOB.id):
        book.cancel(status.request.id)
    receipt = house.tidy()
    assert receipt.counts["turn"] == 3 and "fact" not in receipt.counts
    rows = {
        table: len(store.read(f"select 1 from {table}"))
        for table in ("allowance", "liked", "posted", "orders")
    }
    assert rows == {"allowance": 0, "liked": 1, "posted": 2, "orders": 2}
    assert book.of_fan(BOB.id) == [] and len(book.of_fan(ANN.id)) == 1, "what is open is not past its time"


def test_a_message_taken_back_takes_what_was_kept_of_it(house):
    said = f"My sister is called {MARKS[0]}."
    house.memory.remember(ANN, CHANNEL, "Breaking Rust", said, "", MARCH, messages=["discord:1", "discord:2"])
    assert house.forgetting.message("discord:1").counts == {"turn": 1, "fact": 1}
    assert files_with(house.data, MARKS[0]) == []


def test_the_export_holds_every_store_and_nobody_else(house):
    song, _ = fill(house)
    kept = json.loads(json.dumps(everything_of(house, ANN.id), default=str))
    text, page = json.dumps(kept), as_html(kept)
    for mark in (*MARKS, song):
        assert mark in text and mark in page
    assert kept["settings"]["private talk may be recalled in"][0]["scope"] == str(CHANNEL)
    assert set(kept["discord"]) == {"posted", "liked", "orders", "songs counted today"}
    assert "Biscuit" not in text and BOB.id not in text and "harbour lights for" not in page
    assert page.count("<h2") >= 8 and "<script" not in page
    assert "Nothing is kept of you" in as_html(everything_of(house, "discord:0"))


def test_the_export_page_says_what_people_said_as_text_and_not_as_markup(house):
    house.memory.remember(ANN, CHANNEL, "Breaking Rust", "I live in <b>Leeds</b> & I love it.", "", MARCH)
    page = as_html(everything_of(house, ANN.id))
    assert "&lt;b&gt;Leeds&lt;/b&gt; &amp; I love it" in page and "<b>" not in page


def test_the_export_page_tells_what_is_no_longer_so_from_what_was_told_twice(house):
    for text in (
        "I live in Leeds.",
        "I moved to York.",
        "My dog is called Bruno.",
        "My dog is called Bruno!",
    ):
        house.memory.remember(ANN, CHANNEL, "Breaking Rust", text, "", MARCH)
    page = as_html(everything_of(house, ANN.id))
    [old] = [line for line in page.splitlines() if 'class="old"' in line]
    assert "lives in Leeds" in old and "no longer so" in old
    [dog] = [line for line in page.splitlines() if "dog is called Bruno<" in line]
    assert "told before on 2 March 2026" in dog
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_privacy_says_what_the_settings_say(tmp_path):
    text = privacy(read_settings(data_dir=tmp_path), "Rust", "/export", "/forget", "/privacy")
    for said in ("what you said 2 years", "facts until you have it forgotten", "90 days", "/export", "/forget",
                 "stays in that channel", "No word of yours leaves it"):  # fmt: skip
        assert said in text
    chosen = Settings.model_validate({"memory": {"keep": {"turn": 30}}, "chat": {"model": "endpoint"}})
    told = privacy(chosen, "Rust", "", "", "")
    assert "what you said 30 days" in told and "chat model that" in told


def test_an_operator_allows_a_channel_at_a_fans_wish_and_takes_it_back(tmp_path, monkeypatch):
    monkeypatch.setenv("TROUBADOUR_DATA_DIR", str(tmp_path / "data"))

    def allow(*words):
        return CliRunner().invoke(app, ["memory", "allow", *words, "--fan", ANN.id])

    assert "private talk only" in allow().output
    told = allow("discord:77/5", "--json")
    assert json.loads(told.stdout) == {"fan": ANN.id, "allowed": ["discord:77/5"]}
    assert "discord:77/5" not in allow("discord:77/5", "--no-longer").output
    for mistyped in ("the lounge", "discord:77", "discord:"):
        assert allow(mistyped).exit_code == 2


def test_receipts_add_up_and_read_well():
    one = Receipt(MARCH, {"turn": 1, "fact": 2}, MARCH, MARCH)
    both = one + Receipt(MARCH, {"brief": 1}, left=(Path("a.log"),))
    assert str(both) == (
        "Forgotten: 1 thing you said, 2 facts about you, 1 song's brief, words and dedication, "
        "from 02 March 2026 to 02 March 2026. Still named in: a.log."
    )


def test_a_worker_that_tidies_up_takes_no_song_from_under_a_forgetting(house):
    house.memory.log.connection()
    tidied = threading.Thread(target=house.tidy)
    with (house.data / "forgetting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tidied.start()
        tidied.join(0.5)
        assert tidied.is_alive()
    tidied.join(30)
    assert not tidied.is_alive()


@pytest.mark.slow
def test_after_a_song_was_really_made_no_byte_and_no_log_names_what_was_forgotten(own_folders):
    """Talk, order, a worker in a process of its own with its log in the data folder; then forgotten while it runs."""
    data, sam = own_folders / "data", Fan("terminal:sam", "Sam")
    house = House(read_settings(log={"level": "debug"}))
    data.mkdir(exist_ok=True)
    house.memory.remember(
        sam, Scope("fan", sam.id), "Breaking Rust", f"My sister is called {MARKS[0]}.", "", MARCH
    )
    brief = Brief(f"the {MARKS[2]} harbour", style="blues", dedication=MARKS[3], seconds=10)
    song = house.book.order(sam.id, Address("terminal"), brief, "message-1").request.id
    with (data / "worker.log").open("ab") as log:
        command = [Path(sys.executable).with_name("troubadour"), "worker"]
        worker = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"TROUBADOUR_LOG__LEVEL": "debug"}
        )
        try:
            deadline = time.monotonic() + 240
            while (status := house.book.status(song)).open and time.monotonic() < deadline:
                assert worker.poll() is None, (data / "worker.log").read_text()
                time.sleep(0.2)
            assert status.state == "done", status
            words = [sam.id, song, *MARKS[2:]]
            assert files_with(data / "songs", *words) and files_with(data, MARKS[0])
            assert (data / "worker.log").read_bytes() and files_with(data, *words, *MARKS).count(
                data / "worker.log"
            ) == 0
            receipt = house.forgetting.fan(sam.id)
            assert receipt.left == () and receipt.counts["request"] == receipt.counts["brief"] == 1
            assert files_with(data, *words, *MARKS) == []
            kept = house.library.read(f"song-{song[-10:]}")
            assert house.library.clip(kept).stat().st_size > 100_000
        finally:
            worker.terminate()
            worker.wait(30)
    assert files_with(data, sam.id, song, *MARKS) == []
    house.memory.close()
    house.book.close()
