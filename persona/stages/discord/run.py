"""Keeps the Discord stage running: a failed first handshake or a dropped gateway is tried again, for ever, visibly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import aiohttp
import discord
import structlog
import yarl

from persona.stages.discord.account import API, Account, look_at
from persona.stages.discord.bot import DiscordStage
from persona.stages.discord.token import TokenRefused
from persona.stages.discord.watch import Watchdog

log = structlog.get_logger()
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two attempts
STEADY = 120.0  # seconds of life after which the next pause is a first one again
Make = Callable[[Account], DiscordStage]


async def keep_on_stage(
    make: Make, token: str, api: str = "", stop: asyncio.Event | None = None, first_pause: float = FIRST_PAUSE
) -> None:
    """Runs until `stop` is set. Raises TokenRefused: that is the one thing that trying again cannot mend."""
    stop, pause = stop or asyncio.Event(), first_pause
    loop = asyncio.get_running_loop()
    watchdog = Watchdog()
    watchdog.start()
    try:
        while not stop.is_set():
            began = loop.time()
            try:
                await _once(make, token, api or API, stop)
                cause = "the connection was closed"
            except TokenRefused:
                raise
            except discord.LoginFailure as error:
                raise TokenRefused(str(error)) from None
            except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                cause = str(error) or repr(error)
            except Exception as error:  # whatever discord.py trips over: the show goes on
                log.error("discord: the client broke", exc_info=error)
                cause = repr(error)
            if stop.is_set():
                return
            pause = first_pause if loop.time() - began > STEADY else pause
            wait = pause * random.uniform(0.8, 1.2)
            log.warning("discord: not connected; trying again", in_seconds=round(wait, 1), cause=cause)
            pause = min(LONGEST_PAUSE, pause * 2)
            await _until(stop, wait)
    finally:
        watchdog.stop()


async def _once(make: Make, token: str, api: str, stop: asyncio.Event) -> None:
    """One life of the client: from the look at the account to the end of the connection, or of `stop`."""
    account = await look_at(token, api)
    if api != API:
        _point_at(api, account.gateway)
    stage = make(account)
    running = asyncio.create_task(stage.start(token, reconnect=True))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        stopping.cancel()
        await stage.close()
        if not running.done():
            running.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


def _point_at(api: str, gateway: str) -> None:
    """Speaks with another address than Discord's own: a proxy of it, or a test bench. One for all of a process."""
    discord.http.Route.BASE = api.rstrip("/")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
