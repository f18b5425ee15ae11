"""troubadour library: what was made."""

from __future__ import annotations

import dataclasses

import typer
from rich.console import Console
from rich.table import Table

from persona.commands import credits
from persona.commands.common import JSON, house, print_json
from persona.commands.desk import add_desk


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Songs that were made.", no_args_is_help=True)
    app.add_typer(group, name="library")

    @group.command("list")
    def list_songs(as_json: bool = JSON) -> None:
        """Every finished song, oldest first."""
        library = house().library
        songs = list(library.songs())
        if as_json:
            print_json({"songs": [dataclasses.asdict(song) for song in songs]})
            return
        if not songs:
            Console().print(
                f'No songs yet in {library.root}. Make one: troubadour song "a slow blues about rain"'
            )
            return
        table = Table("id", "title", "made", "seconds")
        for song in songs:
            table.add_row(song.id, song.title, song.made[:16], f"{song.seconds or 0:.1f}")
        Console().print(table)

    @group.command("show")
    def show(song: str, as_json: bool = JSON) -> None:
        """One song: brief, words, credits, files."""
        from skills.originality.compare import told

        library = house().library
        found = library.read(song)
        folder = library.folder(song)
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        if as_json:
            print_json({**dataclasses.asdict(found), "folder": str(folder), "files": files})
            return
        console = Console(soft_wrap=True, highlight=False)
        console.print(f"[bold]{found.title}[/bold]  ({found.brief.theme})\n")
        console.print(library.read_lyrics(song).text + "\n")
        for role, credit in found.credits.items():
            console.print(f"{role}: {credit}")
        if found.version_of:
            console.print(f"a version of {found.version_of}: {'; '.join(found.changes)}")
        for kind, finding in found.originality.items():
            console.print(told(kind, finding), markup=False)
        console.print(f"\n{folder}")
        for name in files:
            console.print(f"  {name}")

    credits.add_to(group)
    add_desk(group)
