"""troubadour sing: a score becomes a dry sung stem."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json


def add_to(app: typer.Typer) -> None:
    @app.command()
    def sing(
        score: Path = typer.Argument(
            help="MusicXML, MIDI with lyrics, USTX, or our JSON (a song's score.json)"
        ),
        out: Path = typer.Option(Path("take.wav"), "-o", "--out", help="the WAV to write (48 kHz, 24 bit)"),
        voice: str = typer.Option("", help="a voice's name or file; `troubadour voices list`"),
        seed: int = typer.Option(0, help="the same seed gives the same take on the same machine"),
        plot: Path | None = typer.Option(None, help="draw spectrogram, F0, phonemes and words to this PNG"),
        as_json: bool = JSON,
    ) -> None:
        """Sing a score."""
        import soundfile

        from skills.files import written_whole
        from voice.formats import read_score
        from voice.take import STUDIO_RATE

        wanted = read_score(score)
        home = house(**({"voice": {"name": voice}} if voice else {}))
        take = home.score_singer.sing(wanted, seed=seed)
        with written_whole(out) as path:
            soundfile.write(path, take.studio_audio(), STUDIO_RATE, subtype="PCM_24", format="WAV")
        if plot is not None:
            from voice.bench.plot import plot_take

            plot_take(wanted, take, plot)
        for said in take.adjusted:
            Console(stderr=True, highlight=False).print(said, markup=False)
        if as_json:
            print_json(
                {
                    "take": str(out.absolute()),
                    "seconds": round(take.seconds, 3),
                    "lead": take.lead,
                    "notes": len(take.notes),
                    "breaths": len(take.breaths),
                    "adjusted": take.adjusted,
                }
            )
        else:
            Console(soft_wrap=True, highlight=False).print(str(out.absolute()))
