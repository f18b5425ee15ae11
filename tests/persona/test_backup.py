"""What is backed up comes back whole, less what was forgotten since; figures and health are read from the same book."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from memory.fan import Fan, Scope
from persona.backed_up import BackupError, parse_backup
from persona.backup import back_up, put_back
from persona.cli import app
from persona.crashes import postgres
from persona.settings import read_settings
from persona.wiring import House
from skills.address import Address
from skills.brief import Brief
from skills.post import Post
from skills.store import Store
from tests.persona.scripted_endpoint import Fails, Says, scripted
from tests.s3 import s3_server

ANN, BOB = Fan("terminal:ann", "Ann"), Fan("terminal:bob", "Bob")
HERE = Address("terminal")


def fill(house: House, fan: Fan, secret: str) -> str:
    """A memory, a request, a song of the library and a post."""
    said = f"My sister is called {secret}."
    house.memory.remember(fan, Scope("fan", fan.id), "Breaking Rust", said, "", house.memory.now())
    brief = Brief(f"the hills of {secret}")
    song = house.book.order(fan.id, HERE, brief, secret).request.id
    house.library.open(brief, 7, song)
    with house.library.held(song) as folder:
        (folder / "lyrics.json").write_text(f"{secret}, oh {secret}", "utf-8")
    house.posts.deliver(Post(f"{song}:clip", HERE, f"For {secret}"))
    return song


def close(house: House) -> None:
    house.memory.close()
    house.book.close()


def holding(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def recalled(house: House, fan: Fan) -> str:
    found = house.memory.recall(fan, Scope("fan", fan.id), "Breaking Rust", "what is my sister called?")
    return " ".join(each.text for each in found)


@pytest.fixture
def house(own_folders: Path) -> Iterator[House]:
    house = House(read_settings())
    yield house
    close(house)


def test_the_round_trip_brings_requests_memory_library_and_key_back(house: House, tmp_path: Path) -> None:
    song = fill(house, ANN, "Zanzibarine")
    (house.data / "keys").mkdir(exist_ok=True)
    (house.data / "keys" / "signing.pem").write_text("a key")
    made = back_up(house, tmp_path / "backups")  # the house goes on: nothing was closed
    late = fill(house, BOB, "Quillivert")
    close(house)
    shutil.rmtree(house.data)

    assert put_back(House(read_settings()), made) == ()
    again = House(read_settings())
    assert [each.request.id for each in again.book.of_fan(ANN.id)] == [song]
    assert "Zanzibarine" in recalled(again, ANN)
    assert again.library.read(song).brief.theme == "the hills of Zanzibarine"
    assert (again.data / "keys" / "signing.pem").read_text() == "a key"
    assert again.posts.deliver(Post(f"{song}:clip", HERE, "again")) is False, (
        "what was posted is not posted twice"
    )
    assert not again.library.folder(late).exists()
    close(again)


def test_a_restore_forgets_what_was_forgotten_since_the_backup(house: House, tmp_path: Path) -> None:
    fill(house, ANN, "Zanzibarine")
    kept = fill(house, BOB, "Quillivert")
    made = back_up(house, tmp_path / "backups")
    assert holding(made, "Zanzibarine")
    house.forgetting.fan(ANN.id)
    close(house)

    aside = put_back(House(read_settings()), made)
    again = House(read_settings())
    assert Path(aside[0]).is_dir()
    assert holding(again.data, "Zanzibarine") == []
    assert again.book.of_fan(ANN.id) == []
    assert again.book.status(kept).request.fan == BOB.id
    assert "Quillivert" in recalled(again, BOB)
    close(again)


def test_on_postgresql_the_requests_come_back_with_the_rest(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        postgres.program("initdb"), postgres.program("pg_dump")
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))
    with postgres.server() as server:
        monkeypatch.setenv("TROUBADOUR_SONGS__DATABASE_URL", postgres.new_database(server))
        house = House(read_settings())
        gone, kept = fill(house, ANN, "Zanzibarine"), fill(house, BOB, "Quillivert")
        made = back_up(house, own_folders / "backups")
        house.forgetting.fan(ANN.id)
        house.book.cancel(kept)
        close(house)
        put_back(House(read_settings()), made)
        again = House(read_settings())
        assert again.book.status(kept).state == "queued"
        assert again.book.of_fan(ANN.id) == []
        assert not again.database.read("select 1 from posts where nonce = :nonce", nonce=f"{gone}:clip")
        close(again)


def test_a_damaged_backup_is_refused_before_anything_is_touched(house: House, tmp_path: Path) -> None:
    song = fill(house, ANN, "Zanzibarine")
    made = back_up(house, tmp_path / "backups")
    (made / "data" / "songs" / song / "lyrics.json").write_text("torn")
    with pytest.raises(BackupError, match=r"lyrics.json is damaged or missing: choose another backup"):
        put_back(house, made)
    assert house.library.folder(song).is_dir()


def _leads_out(made: Path, listed: dict[str, str]) -> None:
    (made.parent / "other.txt").write_text("a key of somebody's")
    listed["data/../../other.txt"] = hashlib.sha256(b"a key of somebody's").hexdigest()


def _is_a_link(made: Path, listed: dict[str, str]) -> None:
    (made.parent / "other.txt").write_text("a key of somebody's")
    (made / "data" / "note.txt").symlink_to(made.parent / "other.txt")
    listed["data/note.txt"] = hashlib.sha256(b"a key of somebody's").hexdigest()


def _acts_by_itself(made: Path, listed: dict[str, str]) -> None:
    path = made / "data" / "forged.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "create table told (x); create trigger t after insert on told begin delete from told; end;"
        )
    listed["data/forged.sqlite"] = hashlib.sha256(path.read_bytes()).hexdigest()


def _has_a_long_name(made: Path, listed: dict[str, str]) -> None:
    listed["data/songs/1" + "[" * 400] = hashlib.sha256(b"").hexdigest()


def _is_no_database(made: Path, listed: dict[str, str]) -> None:
    (made / "data" / "forged.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 500)
    listed["data/forged.sqlite"] = hashlib.sha256(b"SQLite format 3\0" + b"\xff" * 500).hexdigest()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_leads_out, "which leads out of it"),
        (_is_a_link, "which leads out of it"),
        (_acts_by_itself, "its t would act by itself"),
        (_has_a_long_name, "longer than 255 bytes"),  # found by fuzzing
        (_is_no_database, "forged.sqlite cannot be put back"),
    ],
)
def test_somebody_elses_backup_brings_nothing_that_does_not_belong_in_one(
    tmp_path: Path, harm: Callable[[Path, dict[str, str]], None], said: str
) -> None:
    made, listed = tmp_path / "theirs", dict[str, str]()
    (made / "data").mkdir(parents=True)
    harm(made, listed)
    (made / "backup.json").write_text(json.dumps({"format": 1, "sha256": listed}))
    with pytest.raises(BackupError, match=said):
        parse_backup(made)


@pytest.mark.parametrize(
    "text", ["[]", '{"format": 1}', '{"format": 1, "sha256": [1]}', "[" * 100_000, "\xff"]
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "backup.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BackupError, match="is no backup"):
        parse_backup(tmp_path)


def test_what_the_list_does_not_name_is_not_put_back(house: House, tmp_path: Path) -> None:
    fill(house, ANN, "Zanzibarine")
    made = back_up(house, tmp_path / "backups")
    (made / "data" / "stray.sh").write_text("rm -rf")
    put_back(house, made)
    assert house.data.is_dir() and not (house.data / "stray.sh").exists()


def test_nothing_is_restored_under_somebody_at_work(house: House, tmp_path: Path) -> None:
    fill(house, ANN, "Zanzibarine")
    made = back_up(house, tmp_path / "backups")
    at_work(house, "elsewhere")
    with pytest.raises(BackupError, match="stop `troubadour run`"):
        put_back(house, made)


def test_old_backups_go_and_the_newest_stay(house: House, tmp_path: Path) -> None:
    fill(house, ANN, "Zanzibarine")
    made = [back_up(house, tmp_path / "backups", keep=2) for _ in range(3)]
    assert sorted((tmp_path / "backups").iterdir()) == made[1:]
    with pytest.raises(BackupError, match="choose a folder elsewhere"):
        back_up(house, house.data / "backups")


def test_every_database_of_a_backup_is_whole(house: House, tmp_path: Path) -> None:
    fill(house, ANN, "Zanzibarine")
    made = back_up(house, tmp_path / "backups")
    databases = [path for path in made.rglob("*") if path.suffix in (".sqlite", ".sqlite3")]
    assert {"requests.sqlite", "memory.sqlite3"} <= {path.name for path in databases}
    for path in databases:
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",), path
    listed = json.loads((made / "backup.json").read_text())["sha256"]
    assert len(listed) == len([path for path in made.rglob("*") if path.is_file()]) - 1


def at_work(house: House, host: str) -> None:
    clock = house.database.clock
    house.database.write(f"insert into workers values ('w', :host, 1, '2', {clock})", host=host)


def test_a_machine_is_healthy_while_its_own_worker_is_heard_of(house: House) -> None:
    import socket

    assert CliRunner().invoke(app, ["health"]).exit_code == 1
    at_work(house, "elsewhere")
    assert CliRunner().invoke(app, ["health"]).exit_code == 1
    house.database.write("update workers set host = :host", host=socket.gethostname())
    assert CliRunner().invoke(app, ["health"]).exit_code == 0
    house.database.write("update workers set seen = seen - 60")
    assert CliRunner().invoke(app, ["health"]).exit_code == 1


def figures() -> dict[tuple[str, ...], float]:
    from prometheus_client.parser import text_string_to_metric_families

    done = CliRunner().invoke(app, ["metrics"])
    assert done.exit_code == 0, done.output
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(done.stdout)
        for sample in family.samples
    }


def test_the_figures_say_how_the_queue_the_steps_and_the_posts_stand(house: House) -> None:
    song = fill(house, ANN, "Zanzibarine")
    house.book.cancel(fill(house, BOB, "Quillivert"))
    house.book.tries.begin(song, "sing")
    house.book.tries.note(song, "sing", "no room on the disk (OSError)")
    at_work(house, "elsewhere")
    now = house.book.now() * 1000
    with house.database.transaction() as db:
        for number, seconds in enumerate((2, 4, 9)):
            db.exec_driver_sql(
                "insert into operation_outputs (workflow_uuid, function_id, function_name, started_at_epoch_ms, "
                "completed_at_epoch_ms) values (?, ?, 'sing', ?, ?)",
                (song, number, int(now) - seconds * 1000, int(now)),
            )
    found = figures()
    assert found["troubadour_requests", "queued"] == 1
    assert found["troubadour_requests", "cancelled"] == 1
    assert found["troubadour_steps", "sing"] == 3
    assert found["troubadour_step_seconds", "0.5", "sing"] == 4
    assert found["troubadour_step_seconds", "1.0", "sing"] == 9
    assert found["troubadour_troubles", "no room on the disk"] == 1
    assert found["troubadour_posts",] == 2
    assert found["troubadour_workers",] == 1
    assert found["troubadour_disk_free_bytes",] > 0


def test_the_chat_models_own_time_is_a_figure_whoever_asked_it(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persona.models import ask_with, release_model

    with scripted(Says("Rain again."), Fails(400)) as endpoint:
        monkeypatch.setenv("TROUBADOUR_CHAT__MODEL", "endpoint")
        monkeypatch.setenv("TROUBADOUR_CHAT__BASE_URL", endpoint.base_url)
        monkeypatch.setenv("TROUBADOUR_CHAT__NAME", "scripted")
        house = House(read_settings())
        ask = ask_with(house.chat_model)
        assert ask("You are a singer.", "What do you sing of?") == "Rain again."
        with pytest.raises(Exception, match="400"):
            ask("You are a singer.", "And else?")
        release_model(house.chat_model)
        close(house)
    found = figures()
    assert found["troubadour_model_seconds_count", "scripted"] == 1
    assert found["troubadour_model_seconds_bucket", "+Inf", "scripted"] == 1
    assert 0 < found["troubadour_model_seconds_sum", "scripted"] < 60
    assert found["troubadour_model_failures_total", "scripted"] == 1


def test_a_library_in_a_store_is_in_the_backup_and_comes_back_into_the_store(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server() as endpoint:
        for name, value in {
            "URL": "s3://songs/rust",
            "ENDPOINT": endpoint,
            "KEY": "k",
            "SECRET": "s",
        }.items():
            monkeypatch.setenv(f"TROUBADOUR_SONGS__STORE__{name}", value)
        house = House(read_settings())
        gone, kept = fill(house, ANN, "Zanzibarine"), fill(house, BOB, "Quillivert")
        made = back_up(house, own_folders / "backups")
        assert holding(made / "data" / "songs" / gone, "Zanzibarine")
        house.forgetting.fan(ANN.id)
        house.library.delete(kept)
        late = fill(house, BOB, "Orpentine")
        close(house)

        data, store = put_back(House(read_settings()), made)
        again = House(read_settings())
        assert again.library.ids() == [kept], "less what was forgotten since, and what was ordered since"
        assert again.library.read(kept).brief.theme == "the hills of Quillivert"
        assert holding(again.data, "Zanzibarine") == []
        assert Path(data).is_dir()
        assert store.startswith("s3://songs/rust.before-")
        aside = Store(store, endpoint, "k", "s")
        assert aside.songs() == {late}
        close(again)
