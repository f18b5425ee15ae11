"""troubadour persona: the artist's card."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from persona.card import check, load_card, save_card
from persona.commands.common import JSON, house, print_json

CARD = typer.Argument("", help="a card of the cast, or a path; empty: the one in the settings")


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="The artist's card.", no_args_is_help=True)
    app.add_typer(group, name="persona")

    @group.command("show")
    def show(card: str = CARD, as_json: bool = JSON) -> None:
        """Who the artist is."""
        found = load_card(card or house().settings.persona)
        if as_json:
            print_json(found.raw)
            return
        console = Console(highlight=False)
        console.print(
            f"[bold]{found.name}[/]  sung by {found.voice}, {found.music.low} to {found.music.high}"
        )
        for part in (found.description, found.personality, found.scenario, found.first_mes):
            console.print(f"\n{part}", markup=False)
        console.print("\nnever sings about: " + "; ".join(found.music.never), markup=False)

    @group.command("check")
    def check_card(card: str = CARD, as_json: bool = JSON) -> None:
        """What is wrong with a card. Exit status 1 where something is."""
        problems = check(load_card(card or house().settings.persona))
        if as_json:
            print_json({"problems": problems})
        else:
            Console(highlight=False).print("\n".join(problems) or "It can go on stage.", markup=False)
        if problems:
            raise typer.Exit(1)

    @group.command("export")
    def export(out: Path = typer.Argument(help="a .json or .yaml file to write"), card: str = CARD) -> None:
        """Write a card as Character Card V2; fields that we do not know are kept. Also turns JSON into YAML."""
        save_card(load_card(card or house().settings.persona), out)
        Console(soft_wrap=True, highlight=False).print(str(out.absolute()))
