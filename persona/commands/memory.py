"""troubadour memory: what the artist keeps of a fan; to see, to take along, to forget."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import typer
from rich.console import Console

from memory.fan import Fan, Scope
from persona.commands.common import JSON, house, print_json

FAN = typer.Option("", help="a fan's id ('discord:1234'); empty: you, at this terminal")


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="What the artist remembers of a fan.", no_args_is_help=True)
    app.add_typer(group, name="memory")

    @group.command("recall")
    def recall(
        question: str, fan: str = FAN, words: int = typer.Option(300, min=1), as_json: bool = JSON
    ) -> None:
        """What would be recalled for a message, in private with that fan."""
        home, who = house(), _fan(fan)
        found = home.memory.recall(who, Scope("fan", who.id), home.card.name, question, words)
        if as_json:
            print_json({"recalled": [vars(each) for each in found]})
            return
        console = Console(highlight=False, soft_wrap=True)
        for each in found:
            console.print(f"{each.when:%Y-%m-%d}  {each.speaker}: {each.text}", markup=False)
        if not found:
            console.print("nothing")

    @group.command("export")
    def export(out: Path = typer.Argument(help="a .json or .html file to write"), fan: str = FAN) -> None:
        """Everything that is kept of a fan, as JSON or as a page."""
        from memory.export import as_html, export_fan
        from skills.files import write_text_whole

        kept = export_fan(house().memory, _fan(fan).id)
        page = out.suffix.lower() in (".html", ".htm")
        write_text_whole(
            out, as_html(kept) if page else json.dumps(kept, ensure_ascii=False, indent=1, default=str)
        )
        Console(soft_wrap=True, highlight=False).print(str(out.absolute()))

    @group.command("forget")
    def forget(
        fan: str = FAN,
        about: str = typer.Option("", help="only what was said about this ('my job')"),
        yes: bool = typer.Option(False, "--yes", help="do not ask first"),
        as_json: bool = JSON,
    ) -> None:
        """Forget a fan, or what a fan said about one thing. It cannot be undone."""
        from memory.forgetting import forget_about, forget_fan

        who = _fan(fan)
        if not yes:
            typer.confirm(f"Forget {about or 'everything'} of {who.id}?", abort=True)
        memory = house().memory
        receipt = forget_about(memory, who.id, about) if about else forget_fan(memory, who.id)
        if as_json:
            print_json(vars(receipt))
        else:
            Console(highlight=False, soft_wrap=True).print(str(receipt), markup=False)


def _fan(fan: str) -> Fan:
    return Fan(fan or f"terminal:{getpass.getuser()}")
