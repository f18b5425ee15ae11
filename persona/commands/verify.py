"""troubadour verify: where a file comes from."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json


def add_to(app: typer.Typer) -> None:
    @app.command()
    def verify(
        file: Path | None = typer.Argument(None, help="an MP3, M4A, WAV, MP4 or Ogg file"),
        serve: bool = typer.Option(
            False, "--serve", help="a page on this machine, where files can be dropped"
        ),
        port: int = typer.Option(8462, min=0, max=65535, help="of the page; 0: any that is free"),
        sidecar: Path | None = typer.Option(None, help="its credentials, if they lie beside it (NAME.c2pa)"),
        as_json: bool = JSON,
    ) -> None:
        """Does a file carry valid credentials and our watermark, and which song is it?

        Exit status: 0 as it left the studio; 3 signed by somebody unknown; 4 changed; 5 only our watermark; 6 nothing.
        """
        from skills.provenance.verify import VerifyError, verify

        home = house()
        anchors = home.operator.anchors
        if serve:
            from skills.provenance.page import Page

            with Page(home.library, anchors, port) as page:
                Console(stderr=True, soft_wrap=True, highlight=False).print(
                    f"{page.address} (on this machine only; Ctrl-C ends it)"
                )
                page.serve()
            return
        if file is None:
            raise VerifyError("which file? troubadour verify FILE, or --serve for a page")
        report = verify(file, anchors, home.library, sidecar)
        if as_json:
            print_json(report.as_json())
        else:
            console = Console(soft_wrap=True, highlight=False, markup=False)
            first, *rest = report.sentences
            console.print(first, style="bold green" if report.code == 0 else "bold yellow")
            for sentence in rest:
                console.print(f"  {sentence}")
        raise typer.Exit(report.code)
