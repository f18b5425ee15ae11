"""troubadour bench crashes: the worker killed and starved, and what came of it."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from persona.crashes.matrix import Result


def add_to(group: typer.Typer) -> None:
    @group.command("crashes")
    def crashes(
        kills: int = typer.Option(500, min=0, help="SIGKILLs of the worker; 0: only the scenes"),
        voice: str = typer.Option(
            "hum", help="who sings: `hum` costs a second a song, a voice half a minute"
        ),
        scenes: bool = typer.Option(True, help="also a full disk, a locked database, a dead place ..."),
        out: Path | None = typer.Option(
            None, help="keep all of it here; a run that was cut off goes on from what is here"
        ),
        minutes: float = typer.Option(math.inf, min=0, help="pause after so long; needs --out to go on"),
        as_json: bool = JSON,
    ) -> None:
        """Kill the worker at every boundary of every step and at random; count lost, doubled and torn songs."""
        from persona.crashes import matrix
        from persona.crashes import scenes as other
        from persona.crashes.victim import Setup

        console = Console(stderr=True, highlight=False)
        with tempfile.TemporaryDirectory() as temporary:
            folder = out or Path(temporary)
            result = None
            if kills:
                run = matrix.Matrix(Setup(folder / "kills", voice), told=console.print)
                result = run.run(kills, seconds=minutes * 60)
                if result is None:
                    console.print("paused; the same command goes on")
                    return
            played = list(other.play(folder / "scenes")) if scenes else []
        failed = [scene for scene in played if scene.passed is False]
        if as_json:
            shown = [other.as_json(scene) for scene in played]
            print_json({"kills": result and matrix.as_json(result), "scenes": shown})
        else:
            if result:
                _show(result)
            for scene in played:
                word = {True: "passed", False: "FAILED", None: "not played"}[scene.passed]
                Console(highlight=False, soft_wrap=True).print(
                    f"{scene.name}: {word}. {scene.note}", markup=False
                )
        if failed or (result is not None and not result.clean):
            raise typer.Exit(1)


def _show(result: Result) -> None:
    times = result.times
    table = Table("what", "figure")
    rows = {
        "kills": result.kills,
        "the run itself paused or was cut off, and went on": f"{result.cut_off} times",
        "songs": f"{result.done} of {result.songs} made",
        "lost": len(result.lost),
        "posted twice": len(result.twice),
        "torn or missing files": len(result.corrupt),
        "killed requests whose time is judged": len(times.requests),
        "beyond their time and one step's for each kill": len(times.slow),
        "delay by a kill, in longest steps, a request": _spread(times.share, ""),
        "work undone by a kill": _spread(times.again, " s"),
        "kills that undid more than the request's longest step": times.dearer,
        "until a new process was at work": _spread(times.back, " s"),
    }
    for what, figure in rows.items():
        table.add_row(what, str(figure))
    console = Console(highlight=False)
    console.print(table)
    console.print("where: " + ", ".join(f"{point} {count}" for point, count in result.points.items()))
    for fault in (*result.lost, *result.twice, *result.corrupt, *times.slow):
        console.print(fault, markup=False)


def _spread(figures: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{value}{unit} ({what})" for what, value in figures.items())
