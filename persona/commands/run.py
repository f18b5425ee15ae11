"""troubadour run: every configured stage, and the worker; troubadour servers: what each Discord server costs."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import sys
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, house, print_json
from persona.settings import SettingsError

if TYPE_CHECKING:
    from persona.wiring import House

NOTHING_TO_RUN = (
    "no stage is configured: set TROUBADOUR_DISCORD__TOKEN to your Discord bot's token (docs/discord.md shows "
    "every click), use `troubadour chat` to talk in the terminal, or `troubadour worker` to follow the calendar alone"
)

SHARED_QUEUE = (
    "several artists on one PostgreSQL queue would sing each other's songs: leave TROUBADOUR_DISCORD__OTHERS empty and "
    "run each artist by itself, with a database of its own"
)


def add_to(app: typer.Typer) -> None:
    @app.command()
    def run(
        without_worker: bool = typer.Option(
            False, "--without-worker", help="other machines make the songs (TROUBADOUR_SONGS__DATABASE_URL)"
        ),
        as_child: bool = typer.Option(
            False, "--as-child", hidden=True, help="end when standard input closes"
        ),
    ) -> None:
        """Every configured stage, and a worker process that makes the songs. Ctrl-C stops."""
        home = house()
        if not home.settings.discord.token.get_secret_value():
            raise SettingsError(NOTHING_TO_RUN)
        if importlib.util.find_spec("discord") is None:
            raise SettingsError("the Discord stage is not installed: pip install 'troubadour[discord]'")
        if as_child:
            from persona.children import end_with_parent

            end_with_parent()
        if home.database.shared and home.settings.discord.others:
            raise SettingsError(SHARED_QUEUE)
        if without_worker and not home.database.shared:
            raise SettingsError("--without-worker needs a queue that workers elsewhere reach: "
                                "set TROUBADOUR_SONGS__DATABASE_URL")  # fmt: skip
        asyncio.run(_run(home, without_worker))

    @app.command()
    def servers(as_json: bool = JSON) -> None:
        """What each Discord server costs: answers, songs and seconds of work, by day."""
        from persona.stages.discord.costs import Costs

        costs = Costs(house().discord.store).all()
        if as_json:
            print_json({"costs": [vars(cost) for cost in costs]})
            return
        table = Table("server", "day", "answers", "songs", "seconds")
        for cost in costs:
            table.add_row(cost.server, cost.day, str(cost.answers), str(cost.songs), f"{cost.seconds:.0f}")
        Console().print(table if costs else "Nothing was asked on Discord yet.")


async def _run(home: House, without_worker: bool) -> None:
    from persona.children import Child, environment_for, troubadour
    from persona.stages.discord.run import keep_on_stage
    from persona.stages.discord.token import hold_token

    chosen, stop = home.settings.discord, asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    token = chosen.token.get_secret_value()
    with hold_token(token):
        children = [] if without_worker else [Child("worker", troubadour("worker", "--as-child"))]
        for other in chosen.others:
            own = other.token.get_secret_value()
            settings = environment_for(other.persona, own, home.data, os.environ, home.settings.songs.store)
            # Without an account of its own it speaks here, and only its songs are made elsewhere.
            children.append(
                Child(other.persona, troubadour("run" if own else "worker", "--as-child"), settings)
            )
        # Built before anything is connected: a mistake in a card or a missing model ends us with its sentence.
        houses = [home, *(guest for guest, _ in home.discord.guests)]
        thinkers = [await asyncio.to_thread(lambda each=each: each.discord.elsewhere) for each in houses]  # type: ignore[misc]
        sys.stderr.write(f"{home.card.name} goes on stage; Ctrl-C stops\n")
        keepers = [asyncio.create_task(child.keep(stop)) for child in children]
        try:
            await keep_on_stage(home.discord.stage, token, chosen.api, stop)
        finally:
            stop.set()
            await asyncio.gather(*keepers, return_exceptions=True)
            for thinker in thinkers:
                await asyncio.to_thread(thinker.close)
