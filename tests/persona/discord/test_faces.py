"""Several artists on one account: each with its own name and memories, through webhooks of a Discord on loopback."""

from __future__ import annotations

import pytest

from persona.settings import read_settings
from persona.wiring import House
from skills.address import Address
from skills.post import Post
from tests.persona.discord.gateway import BOT, Fault, LoopbackDiscord
from tests.persona.discord.house import Scripted, build, make_song
from tests.persona.discord.test_gateway import on_stage, said, until

ME = f"<@{BOT}>"


class Blue(Scripted):
    name = "Blue Note"

    def __init__(self):
        super().__init__(lambda encounter: f"Mm-hm: {encounter.message.text}")


@pytest.fixture
def world():
    with LoopbackDiscord() as server:
        server.guild, server.channels = server.add_guild(2)
        yield server


@pytest.fixture
def blue(own_folders):
    return build(own_folders / "data" / "artists" / "blue", artist=Blue())


def authors(server, channel):
    return [message["author"]["username"] for message in server.messages.get(channel, [])]


def by_webhook(server):
    return [call for call in server.calls if call.method == "POST" and call.path.startswith("/webhooks/")]


async def test_an_artist_without_an_account_answers_by_name_under_its_own_name_and_mentions_whom_it_answers(
    world, blue, own_folders
):
    [here, _] = world.channels
    async with on_stage(own_folders / "data", world, guests=[blue]) as main:
        world.message(7, here, "hey Blue Note, how are you?", world.guild)
        world.message(8, here, f"{ME} and you?", world.guild)
        await until(lambda: len(said(world, here)) == 2)
        assert sorted(zip(authors(world, here), said(world, here), strict=True)) == [
            ("Blue Note", "<@7> Mm-hm: hey Blue Note, how are you?"),
            ("rust", "You said: and you?"),
        ]
        [call] = by_webhook(world)
        assert call.body["allowed_mentions"] == {"parse": [], "users": [7], "replied_user": True}
        assert [e.fan.id for e in blue.elsewhere.artist.met] == ["discord:7"], "the other heard nothing of it"
        assert [e.fan.id for e in main.elsewhere.artist.met] == ["discord:8"]


async def test_a_reply_to_an_artist_is_for_that_artist_and_one_webhook_serves_a_channel(
    world, blue, own_folders
):
    [here, _] = world.channels
    async with on_stage(own_folders / "data", world, guests=[blue]):
        world.message(7, here, "Blue Note?", world.guild)
        await until(lambda: len(said(world, here)) == 1)
        world.message(8, here, "what did you say?", world.guild, answers=world.messages[here][0])
        await until(lambda: len(said(world, here)) == 2)
        assert authors(world, here) == ["Blue Note", "Blue Note"] and len(world.webhooks) == 1


async def test_in_a_channel_that_is_its_home_an_artist_takes_calls_songs_progress_and_posts(
    world, blue, own_folders
):
    [_, home] = world.channels
    async with on_stage(own_folders / "data", world, guests=[blue]) as main:
        await main.servers.set_home(world.guild, home, "Blue Note")
        world.message(7, home, f"{ME} hello there", world.guild)
        await until(lambda: len(said(world, home)) == 1)
        assert authors(world, home) == ["Blue Note"]
        make_song(blue.skills.library, "blue-1", "Blue Hour")
        clip = blue.skills.library.folder("blue-1") / "clip.mp3"
        blue.outbox.inbox.post(Post("blue-1:clip", Address("discord", f"{world.guild}/{home}"), "Here", clip))
        await until(lambda: len(said(world, home)) == 2)
        posted = world.messages[home][-1]
        assert (
            posted["author"]["username"] == "Blue Note"
            and posted["attachments"][0]["filename"] == "Blue Hour.mp3"
        )
        assert "song:faster:blue-1" in str(posted["components"])
        stage = main.elsewhere.artist.stages[-1]
        assert stage.act_of("blue-1").name == "Blue Note" and stage.act_of("other").name == "Breaking Rust"


async def test_a_send_by_webhook_whose_answer_was_lost_shows_once_though_webhooks_know_no_nonce(
    world, blue, own_folders
):
    [here, _] = world.channels
    async with on_stage(own_folders / "data", world, guests=[blue]) as main:
        world.message(7, here, "Blue Note, first", world.guild)
        await until(lambda: len(said(world, here)) == 1)
        world.faults.append(Fault("POST", r"/webhooks/\d+/[\w-]+", 1, lose=True))
        world.message(8, here, "Blue Note, second", world.guild)
        talk = main.elsewhere.artist.stages[-1].acts[1].talk
        await until(lambda: len(by_webhook(world)) >= 2 and not talk._tasks)
        assert len(said(world, here)) == 2


async def test_without_the_permission_the_account_says_its_words_with_its_name_before_them(
    world, blue, own_folders
):
    [here, _] = world.channels
    world.faults.append(
        Fault(
            "GET", r"/channels/\d+/webhooks", 9, 403, body={"code": 50013, "message": "Missing Permissions"}
        )
    )
    async with on_stage(own_folders / "data", world, guests=[blue]):
        world.message(7, here, "Blue Note, are you in?", world.guild)
        await until(lambda: said(world, here))
        assert said(world, here)[0].startswith("**Blue Note:** Mm-hm") and authors(world, here) == ["rust"]


def test_an_artist_without_a_token_is_a_house_of_its_own_that_shares_servers_limits_and_embedder(own_folders):
    home = House(
        read_settings(discord={"others": [{"persona": "breaking-rust", "picture": "https://x/y.png"}]})
    )
    [(guest, picture)] = home.discord.guests
    assert picture == "https://x/y.png" and guest.data == home.data / "artists" / "breaking-rust"
    assert guest.discord.servers is home.discord.servers and guest.discord.pace is home.discord.pace
    assert guest.discord.store is not home.discord.store and guest.discord.guests == ()
