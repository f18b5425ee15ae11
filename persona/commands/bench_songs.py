"""troubadour bench songs, mixes and tunes: what songs sound like and are made of, against their bounds."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, house, print_json


def add_to(group: typer.Typer) -> None:
    @group.command("songs")
    def songs(
        count: int = typer.Option(20, min=1, max=20, help="how many of the briefs"),
        seconds: float = typer.Option(20.0, min=10, max=240),
        out: Path | None = typer.Option(None, help="keep the songs here"),
        as_json: bool = JSON,
    ) -> None:
        """Twenty briefs, twenty seeds: pitch, words, loudness, time and memory, on the files that a user gets."""
        from skills.bench import bench_songs, read_briefs, summary

        console = Console(stderr=True, highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            rows = []
            for row in bench_songs(out or Path(folder), read_briefs()[:count], seconds):
                rows.append(row)
                console.print(
                    f"{row.title}: {row.cents_median} cents, {row.within_50:.1%} within 50 by DIO, "
                    f"{row.cents_median_again} and {row.within_50_again:.1%} by swift-f0, "
                    f"CER {row.character_error_rate:.3f}, {row.seconds:.1f} s, {row.lufs} LUFS, "
                    f"{row.true_peak_db} dBTP, {row.wall:.1f} s"
                )
        if as_json:
            print_json({"summary": summary(rows), "songs": [dataclasses.asdict(row) for row in rows]})
            return
        for row in rows:
            Console(highlight=False).print(f"[bold]{row.title}[/]  [dim]({row.brief})[/]")
            Console(highlight=False).print("\n".join(f"  {line}" for line in row.lines) + "\n")
        table = Table("what", "figure")
        for what, figure in summary(rows).items():
            table.add_row(what, str(figure))
        Console().print(table)

    _add_mixes(group)
    _add_speed(group)


def _add_mixes(group: typer.Typer) -> None:
    @group.command("mixes")
    def mixes(
        out: Path = typer.Option(help="a folder for the songs; what lies there is not made again"),
        snippets: int = typer.Option(45, min=0, help="songs of 20 s"),
        whole: int = typer.Option(9, min=0, help="songs of 140 s"),
        as_json: bool = JSON,
    ) -> None:
        """Songs in every style, made and measured: loudness, peaks, octaves, the voice over the band, its words."""
        from skills.library import Library
        from skills.studio.bench import BOUNDS, bench_mixes, summary

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        studio = house().studio(Library(out.expanduser()), lambda _: frozenset())
        rows = []
        for row in bench_mixes(studio, snippets, whole):
            rows.append(row)
            console.print(
                f"{len(rows)} {row.style} {row.seconds:.0f} s, {row.title}: {row.lufs} LUFS, {row.true_peak_db} dBTP, "
                f"{row.loudness_range} LU, voice {row.over:+.1f} dB, CER {row.character_error_rate:.2f}",
                markup=False,
            )
        if as_json:
            print_json({"summary": summary(rows), "songs": [dataclasses.asdict(row) for row in rows]})
            return
        bounds = {what: f"{bound.low:g} to {bound.high:g}" for what, bound in BOUNDS.items()}
        _print_table(summary(rows), bounds)

    @group.command("tunes")
    def tunes(
        count: int = typer.Option(200, min=1, help="songs, in every style, form and pace"),
        out: Path | None = typer.Option(
            None, help="a file for the figures; what stands there is not made again"
        ),
        as_json: bool = JSON,
    ) -> None:
        """Tunes for songs of the embedded words, without singing them: against real tunes, and stress on beats."""
        from skills.tune.bench import bench_tunes, summary

        home = house()
        with tempfile.TemporaryDirectory() as folder:
            path = out.expanduser() if out else Path(folder) / "tunes.jsonl"
            rows = list(bench_tunes(home.author, count, *home.reach, path))
        found, bounds = summary(rows)
        if as_json:
            print_json({"summary": found, "tunes": [dataclasses.asdict(row) for row in rows]})
        else:
            _print_table(found, bounds)


def _add_speed(group: typer.Typer) -> None:
    @group.command("speed")
    def speed(
        snippets: int = typer.Option(3, min=1, help="songs of 20 s"),
        whole: int = typer.Option(1, min=0, help="songs of 150 s"),
        as_json: bool = JSON,
    ) -> None:
        """Seconds from the brief to the clip, by step, in a process that has loaded everything; and its memory."""
        import resource

        from skills.bench import bench_speed
        from skills.library import Library

        console, rows = Console(stderr=True), []
        with tempfile.TemporaryDirectory() as folder:
            studio = house().studio(Library(Path(folder)), lambda _: frozenset())
            for row in bench_speed(studio, [20.0] * snippets + [150.0] * whole):
                rows.append(row)
                console.print(f"{row.style} {row.seconds:.0f} s: {row.total:.1f} s", highlight=False)
        memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        if as_json:
            print_json({"songs": [dataclasses.asdict(row) for row in rows], "peak memory MB": memory})
            return
        table = Table("song", *rows[0].steps, "all", "without singing")
        for row in rows:
            steps = (f"{seconds:.1f}" for seconds in row.steps.values())
            table.add_row(f"{row.style} {row.seconds:.0f} s", *steps, f"{row.total:.1f}", f"{row.unsung:.1f}")
        Console().print(table)
        Console().print(f"peak memory: {memory} MB")

    @group.command("fusions")
    def fusions(as_json: bool = JSON) -> None:
        """Two fusions beside their parents: tempo, players and spectrum of their bands, measured in the sound."""
        from skills.studio.fusions import bench_fusions

        table = Table(
            "style", "tempo written", "tempo heard", "players", "octave furthest from the fusion, dB"
        )
        families = list(bench_fusions(*house().reach))
        if as_json:
            print_json({"fusions": [[dataclasses.asdict(one) for one in family] for family in families]})
            return
        for fusion, *parents in families:
            for one in (fusion, *parents):
                apart = "" if one is fusion else f"{one.apart(fusion):.1f}"
                table.add_row(one.style, f"{one.written:g}", f"{one.tempo:g}", ", ".join(one.players), apart)
        Console().print(table)


def _print_table(found: Mapping[str, Mapping[str, Any]], bounds: Mapping[str, str]) -> None:
    columns = list(next(iter(found.values())))
    table = Table("what", "asked", *columns)
    for what, figures in found.items():
        table.add_row(what, bounds.get(what, ""), *(str(figures[name]) for name in columns))
    Console().print(table)
