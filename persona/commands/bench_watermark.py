"""troubadour bench watermark: is it found, is it found where it is not, is it heard."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, print_json


def add_to(group: typer.Typer) -> None:
    @group.command("watermark")
    def watermark(
        sounds: Path = typer.Argument(help="a folder of recordings without a mark, of 10 s and more"),
        count: int = typer.Option(20, min=1, help="how many of them"),
        plot: Path | None = typer.Option(None, help="a picture of the scores, such as watermark.png"),
        as_json: bool = JSON,
    ) -> None:
        """Marks recordings of yours, treats them as clips are treated, and reads them; searches unmarked ones too."""
        from skills.provenance import bench

        console = Console(stderr=True, soft_wrap=True, highlight=False)
        report = bench.bench_watermark(sounds, count, lambda told: console.print(told, markup=False))
        if plot:
            bench.plot(report, plot)
        told = report.as_json()
        if as_json:
            print_json(told)
            return
        table = Table("treatment", "readings", "found", "message right", "lowest score", "median")
        for row in report.rows:
            figures = f"{row.lowest:.1f}", f"{row.median:.1f}"
            table.add_row(row.treatment, str(row.count), f"{row.found:.1%}", f"{row.right:.1%}", *figures)
        Console().print(table)
        for what, figure in told.items():
            if what != "rows":
                Console(highlight=False).print(f"{what}: {figure}", markup=False)
