"""What every command needs: the wired house, one JSON object on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from persona.logs import set_up_logs
from persona.settings import read_settings
from persona.wiring import House
from skills.song import STEPS
from skills.song import Progress as Report

WORDS = {
    "lyrics": "writing the words",
    "score": "finding the tune",
    "sing": "singing",
    "band": "the band plays",
    "mix": "mixing",
}
JSON = typer.Option(False, "--json", help="one JSON object on standard output")


def house(**chosen: Any) -> House:
    """Reads the settings, sets up the logs and wires the parts."""
    settings = read_settings(**chosen)
    set_up_logs(settings.log.level, settings.log.json_lines)
    return House(settings)


def print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def song_progress(console: Console) -> Iterator[Report]:
    """A bar for each step of a song; on a console that is no terminal a line as each step ends."""
    if not console.is_terminal:
        yield _in_lines(console)
        return
    columns = (TextColumn("{task.description:>18}"), BarColumn(28), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {step: bars.add_task(WORDS[step], total=1.0, start=False) for step in STEPS}

        def report(step: str, fraction: float) -> None:
            if not bars.tasks[tasks[step]].started:
                bars.start_task(tasks[step])
            bars.update(tasks[step], completed=fraction)

        yield report


def _in_lines(console: Console) -> Report:
    told: set[str] = set()

    def report(step: str, fraction: float) -> None:
        if fraction >= 1.0 and step not in told:
            told.add(step)
            console.print(f"  {WORDS[step]}: done", highlight=False)

    return report
