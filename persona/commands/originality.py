"""troubadour bench originality: how well copies are found."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, print_json


def add_originality(group: typer.Typer) -> None:
    @group.command("originality")
    def originality(
        count: int = typer.Option(100, min=5, help="melodies of each kind"),
        plot: Path | None = typer.Option(None, help="draw found copies against false alarms to this PNG"),
        seed: int = typer.Option(1),
        as_json: bool = JSON,
    ) -> None:
        """Planted copies of old tunes among held-out ones: how many are found. The table of docs/originality.md."""
        from skills.originality.bench import planted
        from skills.originality.table import found_at, plot_found

        scored = planted(count, seed)
        shares = found_at(scored)
        if plot is not None:
            plot_found(scored, plot)
        if as_json:
            print_json({"found": shares, "melodies": [dataclasses.asdict(one) for one in scored]})
            return
        table = Table("melodies", "called too near")
        for kind, share in shares.items():
            table.add_row(kind, f"{share:.1%}")
        Console().print(table)
