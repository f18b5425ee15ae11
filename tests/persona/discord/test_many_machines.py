"""Two workers and a bot that share no folder: PostgreSQL, an S3 store, a Discord on loopback. `python -m
bench.many_machines` plays the same with a hundred requests, every process its own, and the real artist."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.many_machines import clips
from persona.cli import app
from persona.crashes import postgres
from persona.crashes.matrix import SHORT, Matrix
from persona.crashes.victim import Plan, Setup
from persona.settings import ProvenanceSettings, SettingsError, StoreSettings
from persona.stages.discord.bot import DiscordStage
from persona.stages.discord.outbox import Outbox
from persona.stages.discord.places import address_of
from persona.stages.discord.run import keep_on_stage
from skills.book import RequestBook
from skills.database import Database
from skills.library import Library
from skills.post import Inbox
from skills.provenance.operator import make_operator
from skills.store import Store
from tests.persona.discord.gateway import LoopbackDiscord
from tests.persona.discord.house import build
from tests.persona.discord.test_gateway import until
from tests.s3 import s3_server
from tests.secrets import SIGN

SONGS = 2


def parts_of(data: Path, database: str, store: Store):
    """The bot's, on a machine of its own."""
    parts = build(data)
    parts.skills.book.close()
    book, library = RequestBook(Database(database)), Library(data / "songs", store)
    skills = dataclasses.replace(parts.skills, book=book, library=library)
    return dataclasses.replace(
        parts, skills=skills, outbox=Outbox(parts.store, Inbox(book.database, library))
    )


def kept_by(parts) -> list[str]:
    """Whose songs the artist is to remember."""
    return [fan for (fan,) in parts.skills.book.database.read("select fan from keepsakes order by fan")]


@pytest.mark.slow
async def test_workers_that_share_no_folder_make_every_song_once_though_one_is_killed(
    own_folders: Path,
) -> None:
    try:
        postgres.program("initdb")
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))
    signing = ProvenanceSettings(certificate=own_folders / "chain.pem", key=own_folders / "key.pem")
    make_operator(own_folders / "chain.pem", own_folders / "key.pem")
    with postgres.server() as server, s3_server() as endpoint, LoopbackDiscord() as discord:
        database = postgres.new_database(server)
        chosen = StoreSettings(
            url="s3://songs/rust", endpoint=endpoint, key=f"key-{SIGN}", secret=f"store-{SIGN}"
        )
        one, two = (
            Matrix(Setup(own_folders / name, database=database, store=chosen, provenance=signing))
            for name in ("one", "two")
        )
        store = Store(chosen.url, endpoint, f"key-{SIGN}", f"store-{SIGN}")
        parts = parts_of(own_folders / "bot", database, store)
        wanted = []
        for number in range(SONGS):
            fan = 1000 + number
            brief = dataclasses.replace(SHORT, theme=f"rain {number}")
            address = address_of(5_000_000 + fan, None)
            request = parts.skills.book.order(f"discord:{fan}", address, brief, f"song {number}").request.id
            wanted.append(request)
        stop = asyncio.Event()
        stage = asyncio.create_task(
            keep_on_stage(
                lambda account: DiscordStage(parts, [], shard_count=1), f"a-{SIGN}", discord.api, stop
            )
        )
        first = wanted[0]
        killed, living = one.live(Plan({first: ("mix:before",)}, {})), None
        try:
            await asyncio.to_thread(killed.join, 300)
            assert killed.exitcode == -9, "it was killed with a song in its hands"
            living = two.live(Plan({}, {}))
            await until(lambda: len(clips(discord)) == SONGS, 300)
            await until(lambda: kept_by(parts) == ["discord:1000", "discord:1001"], 60)
        finally:
            for process in (killed, living):
                if process is not None:
                    process.kill()
                    await asyncio.to_thread(process.join)
            stop.set()
            await asyncio.wait_for(stage, 20)
            parts.elsewhere.close()
            parts.skills.book.close()
        posted = dict(clips(discord))
        assert sorted(song for song, _ in clips(discord)) == sorted(wanted)
        for song, data in posted.items():
            assert data == store._bucket.cat_file(f"songs/rust/{song}/clip.mp3"), "posted from the store"
        begun = {each["step"] for each in two.record.read() if each.get("request") == first}
        assert "mix" in begun and "sing" not in begun, "the second went on with what the first had sent"


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (["--without-worker"], {}, "set TROUBADOUR_SONGS__DATABASE_URL"),
        (
            [],
            {
                "TROUBADOUR_SONGS__DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
                "TROUBADOUR_DISCORD__OTHERS": '[{"persona": "blue-delta"}]',
            },
            "would sing each other's songs",
        ),
    ],
)
def test_what_cannot_be_run_on_many_machines_is_refused_with_what_to_do(
    words: list[str], settings: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"TROUBADOUR_DISCORD__TOKEN": f"a-{SIGN}"} | settings).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["run", *words])
    assert isinstance(done.exception, SettingsError)
    assert said in str(done.exception)
