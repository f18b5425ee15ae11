"""The real client over real sockets: limits, failures, lost answers, dropped connections, a crowd."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import asynccontextmanager, suppress

import pytest

from persona.stages.discord import permissions
from persona.stages.discord.account import examine
from persona.stages.discord.bot import DiscordStage, Guest
from persona.stages.discord.run import keep_on_stage
from persona.stages.discord.token import TokenRefused
from skills.address import Address
from skills.post import Post
from tests.persona.discord.gateway import BOT, Fault, LoopbackDiscord
from tests.persona.discord.house import build, make_song
from tests.secrets import SIGN

ME = f"<@{BOT}>"


@asynccontextmanager
async def on_stage(data, server, guests=(), **chosen):
    """The stage as `troubadour run` keeps it, connected to the loopback server; yields its parts."""
    parts, stop, stages = build(data, **chosen), asyncio.Event(), []

    def make(account):
        stages.append(DiscordStage(parts, [Guest(each) for each in guests], shard_count=server.shards))
        return stages[-1]

    running = asyncio.create_task(keep_on_stage(make, f"a-{SIGN}", server.api, stop, first_pause=0.05))
    try:
        await until(lambda: running.done() or (stages and stages[-1].is_ready()))
        if running.done():
            running.result()
        parts.elsewhere.artist.stages = stages
        yield parts
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)
        for each in (parts, *guests):
            each.elsewhere.close()
            each.skills.book.close()


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def world():
    with LoopbackDiscord() as server:
        server.guild, server.channels = server.add_guild(2)
        yield server


@pytest.fixture
def data(own_folders):
    return own_folders / "data"


def talk_of(parts):
    return parts.elsewhere.artist.stages[-1].main.talk


def said(server, channel):
    return [message["content"] for message in server.messages.get(channel, [])]


def sends(server):
    return [call for call in server.calls if call.method == "POST" and call.path.endswith("/messages")]


def post_song(parts, server, **large):
    """What the worker leaves for the stage."""
    make_song(parts.skills.library, "train-1", "Last Train Home", **large)
    clip = parts.skills.library.folder("train-1") / "clip.mp3"
    parts.outbox.inbox.post(
        Post("train-1:clip", Address("discord", f"{server.guild}/{server.channels[0]}"), "Here", clip)
    )


async def test_it_connects_hears_and_answers(world, data):
    async with on_stage(data, world):
        world.message(7, world.channels[0], f"{ME} hello", world.guild)
        await until(lambda: said(world, world.channels[0]))
        assert said(world, world.channels[0]) == ["You said: hello"]


async def test_a_rate_limit_is_waited_out_and_the_answer_is_said_once(world, data):
    body = {"message": "You are being rate limited.", "retry_after": 0.4, "global": False}
    world.faults.append(
        Fault("POST", r"/channels/\d+/messages", 2, 429, {"Retry-After": "1", "Via": "1.1 google"}, body)
    )
    async with on_stage(data, world):
        began = time.monotonic()
        world.message(7, world.channels[0], f"{ME} hello", world.guild)
        await until(lambda: said(world, world.channels[0]))
        assert time.monotonic() - began > 0.8
        assert said(world, world.channels[0]) == ["You said: hello"] and len(sends(world)) == 3


async def test_a_rate_limit_without_via_is_tried_again_later_by_us(world, data, monkeypatch):
    """discord.py raises there: it takes it for a ban by Cloudflare."""
    world.faults.append(
        Fault("POST", r"/channels/\d+/messages", 1, 429, {"Retry-After": "1"}, {"retry_after": 0.1})
    )
    async with on_stage(data, world):
        world.message(7, world.channels[0], f"{ME} hello", world.guild)
        await until(lambda: said(world, world.channels[0]))


async def test_server_errors_are_tried_again_with_the_same_nonce(world, data):
    world.faults.append(Fault("POST", r"/channels/\d+/messages", 2, 503))
    async with on_stage(data, world):
        world.message(7, world.channels[0], f"{ME} hello", world.guild)
        await until(lambda: said(world, world.channels[0]))
        assert len({call.body["nonce"] for call in sends(world)}) == 1 and len(sends(world)) == 3


async def test_a_send_that_was_carried_out_though_its_answer_was_lost_shows_once(world, data):
    world.faults.append(Fault("POST", r"/channels/\d+/messages", 2, lose=True))
    async with on_stage(data, world) as parts:
        world.message(7, world.channels[0], f"{ME} hello", world.guild)
        await until(lambda: len(sends(world)) == 3 and not talk_of(parts)._tasks)
        assert said(world, world.channels[0]) == ["You said: hello"]


async def test_a_clip_whose_answer_was_lost_with_the_process_shows_once_though_the_nonce_is_forgotten(
    world, data
):
    world.faults.append(Fault("POST", r"/channels/\d+/messages", 1, lose=True))
    async with on_stage(data, world) as parts:
        post_song(parts, world)
        await until(lambda: sends(world))
    assert parts.store.read("select 1 from outbox where message = ''"), "it ended without knowing"
    world._nonces.clear()
    parts.store.write("update outbox set due = 0")
    async with on_stage(data, world) as parts:
        await until(lambda: not parts.store.read("select 1 from outbox where message = ''"))
        assert len(said(world, world.channels[0])) == 1


async def test_a_clip_of_twelve_megabytes_fits_a_limit_of_ten(world, data):
    async with on_stage(data, world) as parts:
        post_song(parts, world, kilobytes=12_000)
        await until(lambda: said(world, world.channels[0]))
        [call] = sends(world)
        assert call.status == 200 and all(len(file) < 10 * 1024 * 1024 for file in call.files.values())


async def test_a_limit_that_is_lower_than_expected_is_met_with_a_smaller_file(world, data):
    world.faults.append(
        Fault("POST", r"/channels/\d+/messages", 1, 413, body={"code": 40005, "message": "too large"})
    )
    async with on_stage(data, world) as parts:
        post_song(parts, world, kilobytes=9_000)
        await until(lambda: said(world, world.channels[0]))
        first, second = (sum(map(len, call.files.values())) for call in sends(world))
        assert second < first / 2 + 1


async def test_a_voice_message_carries_length_and_waveform_and_nothing_else(world, data):
    async with on_stage(data, world) as parts:
        await parts.servers.change(world.guild, voice_messages=True)
        post_song(parts, world)
        await until(lambda: len(sends(world)) == 2)
        voice = sends(world)[1]
        [attachment] = voice.body["attachments"]
        assert voice.body["flags"] == 8192 and not voice.body.get("content")
        assert attachment["duration_secs"] == pytest.approx(2.0, abs=0.1)
        assert len(base64.b64decode(attachment["waveform"])) <= 256
        assert list(voice.files) == ["voice-message.ogg"] and voice.files["voice-message.ogg"][:4] == b"OggS"


async def test_a_voice_message_that_is_forbidden_leaves_the_clip_as_it_is(world, data):
    async with on_stage(data, world) as parts:
        await parts.servers.change(world.guild, voice_messages=True)
        post_song(parts, world)
        await until(lambda: len(sends(world)) == 1)
        world.faults.append(
            Fault("POST", r"/channels/\d+/messages", 1, 403, body={"code": 50173, "message": "no"})
        )
        await until(lambda: not parts.store.read("select 1 from outbox where message = ''"))
        assert len(said(world, world.channels[0])) == 1


# ---- the gateway


async def test_a_dropped_connection_is_resumed_and_what_was_missed_is_answered_once(world, data):
    world.replay = 3  # Discord may send again what was heard before
    async with on_stage(data, world) as parts:
        world.message(7, world.channels[0], f"{ME} before", world.guild)
        await until(lambda: said(world, world.channels[0]))
        world.drop()
        world.message(7, world.channels[0], f"{ME} meanwhile", world.guild)
        await until(lambda: world.resumed == 1)
        await until(lambda: len(said(world, world.channels[0])) == 2)
        world.message(
            7, world.channels[0], f"{ME} after", world.guild
        )  # what was sent again came before this
        await until(lambda: "You said: after" in said(world, world.channels[0]))
        assert said(world, world.channels[0]) == [
            "You said: before",
            "You said: meanwhile",
            "You said: after",
        ]
        assert world.identified == 1
        assert len(parts.elsewhere.artist.met) == 3, "nor is anything thought about twice"


async def test_an_invalid_session_is_begun_anew(world, data):
    async with on_stage(data, world):
        world.invalidate()
        await until(lambda: world.identified == 2, 30)
        await until(lambda: world._sessions)
        world.message(7, world.channels[0], f"{ME} again", world.guild)
        await until(lambda: said(world, world.channels[0]))


async def test_a_failed_first_handshake_is_tried_again(world, data):
    world.refuse_handshakes = 1
    async with on_stage(data, world):
        assert world.identified == 1


async def test_discord_being_down_at_the_start_is_waited_out_visibly(world, data, capsys):
    world.faults.append(Fault("GET", r"/applications/@me", 3, 502))
    async with on_stage(data, world):
        assert capsys.readouterr().out.count("trying again") == 3


async def test_a_refused_token_is_said_so_and_not_tried_again(world, data):
    world.faults.append(Fault("GET", r"/applications/@me", 9, 401))
    with pytest.raises(TokenRefused, match="Reset Token"):
        async with on_stage(data, world):
            pass
    assert len(world.calls) == 1


async def test_duplicated_and_out_of_order_events_are_answered_once_each(world, data):
    async with on_stage(data, world):
        events = [
            world.message(10 + n, world.channels[0], f"{ME} number {n}", world.guild, send=False)
            for n in range(6)
        ]
        for event in [*reversed(events), *events]:
            world.dispatch("MESSAGE_CREATE", event)
        world.message(20, world.channels[0], f"{ME} number 6", world.guild)
        await until(lambda: len(said(world, world.channels[0])) >= 7)
        assert sorted(said(world, world.channels[0])) == [f"You said: number {n}" for n in range(7)]


async def test_a_malformed_event_ends_neither_the_connection_nor_the_process(world, data):
    async with on_stage(data, world):
        for event in ("MESSAGE_CREATE", "GUILD_UPDATE", "MESSAGE_UPDATE", "INTERACTION_CREATE"):
            world.dispatch(event, {"id": "x", "nonsense": True})
        for fan in range(40):  # what is said while it connects anew is lost, as on Discord
            world.message(fan, world.channels[0], f"{ME} still there?", world.guild)
            with suppress(TimeoutError):
                await until(lambda: said(world, world.channels[0]), 0.5)
                break
        assert said(world, world.channels[0])


# ---- the doctor


async def test_the_doctor_tells_whose_token_it_is_which_intents_and_what_lacks_where(world):
    fine, lacking = permissions.wanted(), permissions.wanted()
    lacking.attach_files = False
    world.memberships = [
        {"name": "Good Place", "permissions": str(fine.value)},
        {"name": "Mute Place", "permissions": str(lacking.value)},
    ]
    told = await examine(f"a-{SIGN}", world.api)
    assert "999 connections left today; 1 shard(s) advised" in told
    assert "Rust, in 2 servers" in told and "message content intent on" in told
    assert "Mute Place lacks Attach Files" in told and "Good Place" not in told
    assert permissions.invite(100) in told


async def test_the_doctor_says_how_to_mend_a_refused_token(world):
    world.faults.append(Fault("GET", r"/applications/@me", 1, 401))
    with pytest.raises(TokenRefused, match="TROUBADOUR_DISCORD__TOKEN"):
        await examine(f"a-{SIGN}", world.api)
