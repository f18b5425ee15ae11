"""troubadour voices consent | revoke: a person's signed word, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json


def add_to(group: typer.Typer) -> None:
    @group.command("consent")
    def consent(
        out: Path = typer.Argument(help="the record to write, such as consent.yaml beside the recordings"),
        who: str = typer.Option(..., help="whose voice it is"),
        what: str = typer.Option(..., help="what is given: recordings, a voicebank, and for what"),
        until: str = typer.Option(..., help="the last day, such as 2030-12-31"),
        use: list[str] = typer.Option(..., help="sing, blend, train; once for each"),
        key: Path = typer.Option(..., help="the person's own Ed25519 key (PEM); made there if it is missing"),
        as_json: bool = JSON,
    ) -> None:
        """Write a dated record of a person's consent, signed with that person's key (which the person keeps)."""
        import dataclasses

        import yaml

        from skills.files import write_text_whole
        from voice.consent import Consent
        from voice.consents import signed

        today = datetime.now(UTC).date().isoformat()
        record = signed(Consent(who, what, until, tuple(use), f"{today}, with the key {key.name}"), key)
        told = {**dataclasses.asdict(record), "uses": list(record.uses)}
        write_text_whole(out, yaml.safe_dump(told, allow_unicode=True, sort_keys=False))
        if as_json:
            print_json({**told, "file": str(out.absolute())})
            return
        Console(soft_wrap=True, highlight=False).print(
            f"{out}: signed by {who} on {today}. The key is theirs: it is not needed to take the consent back.",
            markup=False,
        )

    @group.command("revoke")
    def revoke_consent(
        name: str = typer.Argument(help="a person, or a voice as `troubadour voices list` shows it"),
        as_json: bool = JSON,
    ) -> None:
        """Take a consent back: the voices sing no more from now on, and the songs made with them are listed."""
        from skills.provenance.sung import songs_sung_with
        from voice.consents import revoke

        home = house()
        files = revoke(home.data / "voices", name)
        songs = songs_sung_with(home.library, files)
        if as_json:
            print_json(
                {
                    "revoked": [str(path) for path in files],
                    "songs": [{"id": song.id, "title": song.title, "made": song.made} for song in songs],
                }
            )
            return
        console = Console(soft_wrap=True, highlight=False, markup=False)
        for path in files:
            console.print(f"out of use: {path}")
        console.print("Songs made with it:" if songs else "No song was made with it.")
        for song in songs:
            console.print(f"  {song.id}  {song.title}  {song.made[:10]}")
