"""troubadour song: a brief becomes a clip, in this process."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json, song_progress


def add_to(app: typer.Typer) -> None:
    @app.command()
    def song(
        brief: str = typer.Argument(
            help='what to sing of: "a slow blues about the last train home, for Maya"'
        ),
        style: str = typer.Option("", help="one of the styles (`troubadour doctor` lists them)"),
        seconds: float = typer.Option(0.0, min=0, max=240, help="about how long; 0: as the settings say"),
        seed: int = typer.Option(-1, help="the same seed gives the same score and vocal on the same machine"),
        score: Path | None = typer.Option(None, help="sing this score instead of a tune of our own"),
        out: Path | None = typer.Option(None, help="a folder for the song's folder, instead of the library"),
        as_json: bool = JSON,
    ) -> None:
        """Write, compose, sing, play and mix a song."""
        from skills.brief import Brief
        from skills.library import Library
        from skills.reading import read_brief
        from skills.remake import song_of_score
        from skills.song import make_song
        from voice.formats import read_score

        home = house()
        wanted = read_brief(brief, Brief("", seconds=home.settings.songs.seconds))
        if seconds:
            wanted = dataclasses.replace(wanted, seconds=seconds)
        if style:
            wanted = dataclasses.replace(wanted, style=style)
        library = Library(out.expanduser()) if out else home.library
        # A chosen seed means: this very song again. Otherwise lines that the library sings already are left out.
        used = (lambda _: frozenset()) if seed >= 0 else home.library.used_lines
        console = Console(stderr=True)
        number = seed if seed >= 0 else random.SystemRandom().randrange(2**31)
        given = read_score(score) if score else None
        with song_progress(console) as report:
            if given is not None:
                made = song_of_score(home.studio(library, used), given, wanted, number, report)
            else:
                made = make_song(home.studio(library, used), wanted, number, report)
        clip = library.clip(made).absolute()
        if as_json:
            print_json(
                {
                    "id": made.id,
                    "title": made.title,
                    "clip": str(clip),
                    "folder": str(clip.parent),
                    "seconds": made.seconds,
                    "lufs": made.lufs,
                    "true_peak_db": made.true_peak_db,
                    "seed": made.seed,
                    "timings": made.timings,
                    "adjusted": made.adjusted,
                }
            )
            return
        lyrics = library.read_lyrics(made.id)
        Console().print(f"[bold]{made.title}[/bold]\n\n{lyrics.text}\n", highlight=False)
        Console(soft_wrap=True).print(str(clip), highlight=False)
