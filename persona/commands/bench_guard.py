"""troubadour bench guard: what is declined that should be, and what is that should not."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json


def add_to(group: typer.Typer) -> None:
    @group.command("guard")
    def guard(
        data: Path | None = typer.Option(
            None, help="messages that nobody tuned by: tests/persona/guard/blind.yaml"
        ),
        as_json: bool = JSON,
    ) -> None:
        """The judge, each example left out in turn; and on a set of your own."""
        from persona.guard import bench

        judge = house().guard.judge
        report = {"left out": bench.left_out(judge)}
        if data is not None:
            report |= {"measured": bench.measured(judge, data)}
        if as_json:
            print_json(report)
        else:
            Console(highlight=False, soft_wrap=True).print(json.dumps(report, indent=1), markup=False)
