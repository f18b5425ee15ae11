"""troubadour library export, remake: a song goes to a musician's desk, and comes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json, song_progress


def add_desk(group: typer.Typer) -> None:
    @group.command("export")
    def export_song(
        song: str,
        what: str = typer.Option(
            "kit", help="one or more of stems,midi,musicxml,ustx,svp,ds,lrc,ass,kit,mp4"
        ),
        out: Path = typer.Option(Path(), help="the folder to write to"),
        as_json: bool = JSON,
    ) -> None:
        """A song for a musician's desk or a screen."""
        from skills.kit import export, open_desk

        wanted = [name.strip() for name in what.split(",") if name.strip()]
        library = house().library
        with library.held(song):  # what is signed stands in the song's ledger
            paths = [path.absolute() for path in export(open_desk(library, song), wanted, out.expanduser())]
        if as_json:
            print_json({"song": song, "files": [str(path) for path in paths]})
            return
        for path in paths:
            Console(soft_wrap=True, highlight=False).print(str(path), markup=False)

    @group.command("remake")
    def remake_song(
        song: str,
        score: Path | None = typer.Option(
            None, help="edited MusicXML, USTX, SVP, MIDI with lyrics, or our JSON"
        ),
        words: str = typer.Option("", help="new words: a text file, or the lines with ' / ' between them"),
        key: str = typer.Option("", help="a tonic ('A', 'Bb') or semitones ('+2')"),
        tempo: float | None = typer.Option(None, help="beats a minute"),
        style: str = typer.Option("", help="another band: a style, or two as 'blues+electronica'"),
        voice: str = typer.Option("", help="another singer; `troubadour voices list`"),
        expression: str = typer.Option("", help="knobs of the singing: 'rasp=.8,vibrato=.5'"),
        take: bool = typer.Option(False, "--take", help="the same, sung once more"),
        as_json: bool = JSON,
    ) -> None:
        """A version of a song beside the old one: only what changed is sung, played and mixed again."""
        from skills.remake import Change, read_knobs, remake
        from skills.style import load_style
        from voice.formats import read_score

        singer = voice or house().library.read(song).voice
        home = house(**({"voice": {"name": singer}} if singer else {}))
        if style:
            load_style(style)
        change = Change(
            score=read_score(score) if score else None,
            words=Path(words).read_text("utf-8")
            if words and Path(words).is_file()
            else words.replace(" / ", "\n"),
            key=key,
            tempo=tempo,
            style=style,
            voice=voice,
            expression=read_knobs(expression),
            take=take,
        )
        with song_progress(Console(stderr=True)) as report:
            made = remake(home.studio(home.library, home.library.used_lines), song, change, report)
        clip = home.library.clip(made).absolute()
        if as_json:
            print_json({**dataclasses.asdict(made), "clip": str(clip), "folder": str(clip.parent)})
            return
        Console(highlight=False).print(f"[bold]{made.title}[/bold] ({made.id}): {'; '.join(made.changes)}")
        Console(soft_wrap=True, highlight=False).print(str(clip), markup=False)
