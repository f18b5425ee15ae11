"""troubadour chat: talk and ask for songs in the terminal; and the worker alone."""

from __future__ import annotations

import os
import sys

import typer

from persona.commands.common import house


def add_to(app: typer.Typer) -> None:
    @app.command()
    def chat(name: str = typer.Option("", help="what the artist may call you")) -> None:
        """Talk with the artist. Reads lines from a pipe as well: `troubadour chat < lines.txt`."""
        from persona.stages.terminal import TerminalStage

        home = house()
        with home.working():
            stage = TerminalStage(home.artist, home.book, home.library, home.inbox, name)
            all_came = stage.run(interactive=sys.stdin.isatty())
        if not all_came:
            raise typer.Exit(1)

    @app.command()
    def worker(
        as_child: bool = typer.Option(
            False, "--as-child", hidden=True, help="end when standard input closes"
        ),
    ) -> None:
        """Only make songs from the queue, until stopped."""
        import signal

        from persona.children import end_with_parent

        # Blocked before any other thread is there, so that the signal is kept for sigwait whoever sends it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        if as_child:
            end_with_parent()
            os.nice(10)  # who sings yields to who talks
        home = house()
        with home.working(required=True):
            sys.stderr.write("making songs from the queue; Ctrl-C stops\n")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
