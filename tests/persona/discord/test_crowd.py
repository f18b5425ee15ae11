"""A crowd of fans at once, on one shard and on two; and `troubadour run` as a whole. bench/ has the figures."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.discord_crowd import measure
from tests.persona.discord.gateway import BOT, LoopbackDiscord
from tests.persona.discord.test_gateway import sends, until
from tests.secrets import SIGN

ME = f"<@{BOT}>"


@pytest.mark.parametrize("shards", [1, 2])
async def test_each_fan_of_a_crowd_gets_one_answer_to_each_message_and_nothing_is_left_behind(
    own_folders, shards
):
    found = await measure(own_folders, fans=100, rounds=3, pause=1.5, shards=shards, songs=False)
    assert found.right and found.messages == 300
    assert found.commands > 3 and found.left == 0


@pytest.mark.slow
async def test_troubadour_run_with_a_token_is_all_that_an_operator_does(own_folders):
    """The command itself, with the real artist and its worker: a fan asks in words, a sung clip is posted."""
    with LoopbackDiscord() as server:
        guild, [channel] = server.add_guild(1)
        env = {**os.environ, "TROUBADOUR_DISCORD__TOKEN": f"a-{SIGN}", "TROUBADOUR_DISCORD__API": server.api}
        log = (own_folders / "run.log").open("wb")
        run = subprocess.Popen(
            [Path(sys.executable).with_name("troubadour"), "run"], env=env, stdout=log, stderr=log
        )
        try:
            await until(lambda: server.known_at or run.poll() is not None, 120)
            server.message(
                7, channel, f"{ME} write me a slow blues about the last train home, it's for Maya", guild
            )
            await until(lambda: any(call.files for call in sends(server)) or run.poll() is not None, 400)
            assert run.poll() is None, Path(log.name).read_text()
            [clip] = [call for call in sends(server) if call.files]
            assert next(iter(clip.files)).endswith(".mp3") and len(next(iter(clip.files.values()))) > 100_000
            assert any("▰" in call.body.get("content", "") for call in server.calls if call.method == "PATCH")
            # A second one for the same token is refused with the holder's name.
            second = await asyncio.to_thread(
                subprocess.run,
                [Path(sys.executable).with_name("troubadour"), "run"],
                env=env,
                capture_output=True,
                timeout=120,
            )
            assert second.returncode == 1 and f"process {run.pid}" in second.stderr.decode()
        finally:
            run.terminate()
            assert run.wait(60) == 0, Path(log.name).read_text()
            log.close()
        assert "Traceback" not in Path(log.name).read_text()
