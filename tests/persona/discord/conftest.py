"""The real stage on simulated Discord: real request book, real library, real database; the artist is scripted."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.persona.discord.house import Theatre, build


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine runs in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def theatre(own_folders: Path) -> Callable[..., AbstractAsyncContextManager[Theatre]]:
    """`async with theatre() as t:` is a server with a channel, two fans and the stage; see house.py."""

    @asynccontextmanager
    async def opened(**chosen: Any) -> AsyncIterator[Theatre]:
        import simcord

        parts = build(own_folders / "data", **chosen)
        from persona.stages.discord.bot import DiscordStage

        check = chosen.get("check_errors", True)
        try:
            async with simcord.run(
                DiscordStage(parts, shard_count=1), check_errors=check, settle_timeout=30.0
            ) as env:
                yield Theatre(env, parts)
        finally:
            parts.elsewhere.close()
            parts.skills.book.close()

    return opened
