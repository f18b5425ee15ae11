"""troubadour library credits: who made what of a song."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json

SHARE = {"All": "by machine", "Partly": "by machine and people", "None": "by people"}


def add_to(group: typer.Typer) -> None:
    @group.command("credits")
    def credits_of_song(
        song: str,
        ddex: bool = typer.Option(False, "--ddex", help="the AI declaration in DDEX's ERN 4.3.2, as XML"),
        as_json: bool = JSON,
    ) -> None:
        """Who made what of a song: people, models with licences and what they learnt from, and every step."""
        from skills.originality.compare import told
        from skills.provenance.credits import COPYRIGHT, as_ddex, credits_of, ddex_fields

        library = house().library
        found = library.read(song)
        before = [library.folder(each) for each in library.versions_before(found)]
        credits = credits_of(library.folder(song), found.title, found.credits.get("artist", ""), before)
        if ddex:
            sys.stdout.write(as_ddex(credits) + "\n")
            return
        if as_json:
            print_json({**credits.as_json(), "ddex": ddex_fields(credits)})
            return
        console = Console(soft_wrap=True, highlight=False, markup=False)
        console.print(
            f"\u201c{credits.title}\u201d by {credits.artist}, begun {credits.made}\n", style="bold"
        )
        for one in credits.contributions:
            console.print(f"{one.part}: {SHARE[one.ai]}  (DDEX: {one.ai})")
            for did in one.people:
                console.print(f"  person: {did}")
            for model in one.models:
                console.print(f"  model:  {model['name']} {model['version']}, {model['licence']}".rstrip())
                console.print(f"          learnt from {model['learnt_from']}")
        compared = [told(kind, found) for kind, found in credits.originality.items()]
        console.print("\n" + "\n".join(compared or ["not compared with known tunes and texts"]))
        console.print("\nledger (chain whole):")
        for entry in credits.entries:
            words = "".join(f"; {name}: {text}" for name, text in entry.words.items() if name != "by")
            erased = "; words erased" if entry.commitments and not entry.words else ""
            seed = f", seed {entry.facts['seed']}" if "seed" in entry.facts else ""
            console.print(f"  {entry.when[:19]}  {entry.by} {entry.what}{seed}{words}{erased}")
        console.print(f"\n{COPYRIGHT}")
