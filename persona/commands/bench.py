"""troubadour bench: figures that anyone can make again."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from persona.commands import bench_guard, bench_songs, bench_watermark, bench_words, crashes
from persona.commands.common import JSON, house, print_json
from persona.commands.originality import add_originality
from persona.commands.training import add_bench


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Measure: songs, voice, memory, watermark and more.", no_args_is_help=True)
    app.add_typer(group, name="bench")
    add_bench(group)
    bench_watermark.add_to(group)
    bench_guard.add_to(group)
    bench_words.add_to(group)
    bench_songs.add_to(group)

    add_originality(group)

    @group.command("voice")
    def voice_lines(
        only: list[str] | None = typer.Option(None, help="names of lines"),
        lines: Path | None = typer.Option(
            None, exists=True, dir_okay=False, help="lines of your own, written as in voice/bench/lines.txt"
        ),
        plot: Path | None = typer.Option(None, help="a folder for a picture of every line"),
        voice: str = typer.Option("", help="a voice of our own engine, by name or file"),
        peers: bool = typer.Option(True, help="also Festival, where it is installed, and WORLD"),
        seed: int = typer.Option(0),
        as_json: bool = JSON,
    ) -> None:
        """Forty lines, or your own: pitch, onsets, voicing, words, sound, speed, memory. The table of docs/voice.md."""
        from voice.bench import table
        from voice.bench.lines import bench_lines, read_lines
        from voice.bench.peers import peers_as_json, peers_as_text, run_peers
        from voice.bench.process import alone

        home = house(**({"voice": {"name": voice}} if voice else {}))
        try:
            every = read_lines(lines.read_text("utf-8")) if lines else bench_lines()
        except ValueError as error:
            raise typer.BadParameter(f"{lines}: {error}") from error
        chosen = [line for line in every if not only or line.name in only]
        if not chosen:
            raise typer.BadParameter(
                f"there is no line {', '.join(only or [])} in {lines or 'voice/bench/lines.txt'}"
            )
        singer, console = home.singer, Console(stderr=True, highlight=False, soft_wrap=True)
        wanted = home.settings.voice
        process = alone(wanted.name, home.settings.cache_dir.expanduser(), wanted.threads)
        results = table.run(
            singer, chosen, plot, seed, told=lambda one: console.print(table.told(one), markup=False)
        )
        beside = run_peers(singer, [(one.line, one.take) for one in results]) if peers else []
        if as_json:
            print_json({**table.as_json(results, process), "peers": peers_as_json(beside)})
            return
        text = table.as_text(results, process) + ("\n\n" + peers_as_text(beside) if peers else "")
        Console(highlight=False, soft_wrap=True).print(text, markup=False)

    crashes.add_to(group)

    @group.command("memory")
    def memory(
        data: Path = typer.Option(help="conversations in LoCoMo's format"),
        corrections: Path | None = typer.Option(None, help="corrected evidence, by question"),
        words: int = typer.Option(1000, min=1, help="the budget of a recall"),
        cross: bool = typer.Option(False, help="also with weights chosen on the other conversations"),
        as_json: bool = JSON,
    ) -> None:
        """The share of evidence recalled within a budget of words, beside BM25 alone."""
        import json

        from memory.bench import bench

        report = bench(data, corrections, words, cross=cross)
        if as_json:
            print_json(report)
        else:
            Console(highlight=False, soft_wrap=True).print(json.dumps(report, indent=1), markup=False)
