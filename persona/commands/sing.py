"""troubadour sing: a score becomes a dry sung stem, and harmonies to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json

if TYPE_CHECKING:
    from voice.harmony import Side
    from voice.take import Take

SAY = typer.Option(None, "--say", help="WORD=PHONEMES, wherever the word stands: lead=lˈɛd (Kokoro's IPA)")
KNOB = typer.Option(None, "--knob", help="NAME=0..1, of voice/expression.py: rasp=0.3")
HARMONY = typer.Option(
    None, "--harmony", help="below, above, or below:VOICE: a part beside the lead, in a file of its own"
)
TRANSPOSE = typer.Option(0, help="semitones to move the score before it is sung; 12 is an octave")


def add_to(app: typer.Typer) -> None:
    @app.command()
    def sing(
        score: Path = typer.Argument(
            help="MusicXML, MIDI with lyrics, USTX, or our JSON (a song's score.json)"
        ),
        out: Path = typer.Option(Path("take.wav"), "-o", "--out", help="the WAV to write (48 kHz, 24 bit)"),
        voice: str = typer.Option("", help="a voice's name or file; `troubadour voices list`"),
        seed: int = typer.Option(0, help="the same seed gives the same take on the same machine"),
        say: list[str] | None = SAY,
        knob: list[str] | None = KNOB,
        harmony: list[str] | None = HARMONY,
        transpose: int = TRANSPOSE,
        plot: Path | None = typer.Option(None, help="draw spectrogram, F0, phonemes and words to this PNG"),
        as_json: bool = JSON,
    ) -> None:
        """Sing a score as it is written; --transpose moves it, and the report proposes a key where it lies ill."""
        from voice.expression import Expression, ExpressionError
        from voice.formats import read_score
        from voice.harmony import harmonist
        from voice.harmony import harmony as harmony_to
        from voice.reach import key_name, propose_key
        from voice.singer import Singer
        from voice.underlay import pronounced
        from voice.voices import Range, load_voice

        wanted = pronounced(read_score(score), _pairs(say, "--say", "lead=lˈɛd")).transposed(transpose)
        knobs = {name: _number(value) for name, value in _pairs(knob, "--knob", "rasp=0.3").items()}
        parts = _parts(harmony)
        home = house(**({"voice": {"name": voice}} if voice else {}))
        singer = home.score_singer
        try:
            expression = Expression.of({**singer.expression.knobs(), **knobs}) if knobs else None
        except ExpressionError as error:
            raise typer.BadParameter(str(error)) from error
        take = singer.sing(wanted, expression, seed=seed)
        files = {out: take}
        for side, named in parts:
            beside = load_voice(named) if named else harmonist(wanted, side, but=[singer.name])
            part = harmony_to(wanted, side, beside.comfortable)
            name = f"{out.stem}.{side}-{beside.name}{out.suffix}"
            files[out.with_name(name)] = Singer(home.network, beside).sing(part, seed=seed)
        lead = max(one.lead for one in files.values())  # all files begin at the same moment
        for path, one in files.items():
            _write(path, one, lead)
        if plot is not None:
            from voice.bench.plot import plot_take

            plot_take(wanted, take, plot)
        proposal = propose_key(wanted, Range(singer.low, singer.high))
        for said in take.adjusted:
            Console(stderr=True, highlight=False, soft_wrap=True).print(said, markup=False)
        if as_json:
            print_json(
                {
                    "take": str(out.absolute()),
                    "seconds": round(take.seconds, 3),
                    "lead": lead,
                    "notes": len(take.notes),
                    "breaths": len(take.breaths),
                    "adjusted": take.adjusted,
                    "range": {"comfortable": [singer.low, singer.high]},
                    "key": {"proposed": key_name(proposal.key), "transpose": proposal.semitones},
                    "harmonies": [str(path.absolute()) for path in files if path != out],
                }
            )
        else:
            for path in files:
                Console(soft_wrap=True, highlight=False).print(str(path.absolute()))


def _write(out: Path, take: Take, lead: float) -> None:
    """The take as a WAV that begins `lead` seconds before the score."""
    import numpy as np
    import soundfile

    from skills.files import written_whole
    from voice.take import STUDIO_RATE

    sound = np.pad(take.studio_audio(), (round((lead - take.lead) * STUDIO_RATE), 0))
    with written_whole(out) as path:
        soundfile.write(path, sound, STUDIO_RATE, subtype="PCM_24", format="WAV")


def _parts(given: list[str] | None) -> list[tuple[Side, str]]:
    """Each part's side and the voice that is to sing it, '' if the one that suits it best."""
    parts: list[tuple[Side, str]] = []
    for text in given or ():
        side, _, voice = text.partition(":")
        if side not in {"below", "above"}:
            raise typer.BadParameter(f"--harmony is below, above or below:VOICE, not {text!r}")
        parts.append(("below" if side == "below" else "above", voice))
    return parts


def _pairs(given: list[str] | None, option: str, example: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in given or ()]
    for name, _, value in pairs:
        if not name.strip() or not value.strip():
            raise typer.BadParameter(f"{option} takes {example}, not {name + value!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"--knob takes a number from 0 to 1, not {text!r}") from None
