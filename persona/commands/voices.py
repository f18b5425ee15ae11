"""troubadour voices: who can sing, what they may be used for, and new voices between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from persona.commands import consent
from persona.commands.common import JSON, house, print_json
from persona.commands.training import add_train

if TYPE_CHECKING:
    from voice.voices import Voice

Facts = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Who can sing.", no_args_is_help=True)
    app.add_typer(group, name="voices")
    add_train(group)
    consent.add_to(group)

    @group.command("list")
    def list_voices(as_json: bool = JSON) -> None:
        """The voices that come with the program, and yours: files and voicebanks in `voices` of the data folder."""
        found = list(_all(house().data / "voices"))
        if as_json:
            print_json({"voices": found})
            return
        for facts in found:
            _print(facts)

    @group.command("show")
    def show(
        name: str = typer.Argument(help="a voice's name, a voice file, or a voicebank's folder"),
        as_json: bool = JSON,
    ) -> None:
        """One voice: range, habits, licence, origin, consent."""
        facts = _named(name, house().data / "voices")
        if as_json:
            print_json(facts)
        else:
            _print(facts, habits=True)

    @group.command("blend")
    def blend_voices(
        out: Path = typer.Argument(help="the voice file to write, such as my-voice.json"),
        parts: list[str] = typer.Argument(
            help="two voices or more with their weights: NAME=WEIGHT NAME=WEIGHT"
        ),
        description: str = typer.Option("", help="a line that says what it is like"),
        force: bool = typer.Option(False, "--force", help="write over a file that is there"),
        as_json: bool = JSON,
    ) -> None:
        """A new voice between others. Licences, origins and consents of its parts go with it."""
        import dataclasses

        from skills.files import written_whole
        from voice.blend import blend
        from voice.voices import VoiceError

        if out.suffix != ".json":
            raise VoiceError(f"{out}: a voice file's name ends in .json")
        if out.exists() and not force:
            raise VoiceError(f"{out} is there already: choose another name, or write over it with --force")
        folder = house().data / "voices"
        made = blend(out.stem, [_part(part, folder) for part in parts])
        if description:
            made = dataclasses.replace(made, description=description)
        with written_whole(out) as path:
            path.write_text(made.to_json(), "utf-8")
        facts = _facts(made, str(out.absolute()))
        if as_json:
            print_json(facts)
            return
        _print(facts)
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"Its range is reckoned from its parts', not measured. Hear it: troubadour sing SCORE --voice {out}",
            markup=False,
        )


def _part(text: str, folder: Path) -> tuple[Voice, float]:
    """'breaking-rust=.7' -> the voice and its weight."""
    from voice.engines import engine_of
    from voice.voices import VoiceError, load_voice

    name, _, weight = text.rpartition("=")
    try:
        number = float(weight)
    except ValueError:
        number = 0.0
    if not name or not number > 0:
        raise VoiceError(
            f"{text!r}: a part is written NAME=WEIGHT, with a weight above 0, such as breaking-rust=0.7"
        )
    voice = _where(name, folder)
    if engine_of(voice) != "troubadour":
        raise VoiceError(f"{name} is a DiffSinger voicebank: only voices of our own engine can be blended")
    return load_voice(voice), number


def _where(name: str, folder: Path) -> str | Path:
    """A shipped voice's name as it is; one of the user's own by name; else a path."""
    from voice.voices import shipped

    if name in shipped():
        return name
    for own in (folder / f"{name}.json", folder / name):
        if Path(name).name == name and own.exists():
            return own
    return Path(name) if Path(name).exists() else name


def _all(folder: Path) -> Iterator[Facts]:
    """Every voice; one that may not be used says why."""
    from voice.voices import VoiceError, shipped

    own = sorted(folder.iterdir()) if folder.is_dir() else []
    own = [path for path in own if path.suffix == ".json" or (path / "dsconfig.yaml").is_file()]
    voices: list[str | Path] = [*shipped(), *own]
    for voice in voices:
        try:
            yield _described(voice)
        except VoiceError as error:
            yield {"name": Path(voice).stem, "file": str(voice), "error": str(error)}


def _named(name: str, folder: Path) -> Facts:
    return _described(_where(name, folder))


def _described(voice: str | Path) -> Facts:
    """Raises VoiceError. A voicebank's models are not opened for it."""
    from voice.engines import engine_of
    from voice.voices import load_voice

    file = str(voice) if isinstance(voice, Path) else None
    if engine_of(voice) == "diffsinger":
        from voice.engines.diffsinger.config import read_card

        card = asdict(read_card(Path(voice)))
        card["comfortable"] = {"low": card.pop("low"), "high": card.pop("high")}
        return {**card, "engine": "diffsinger", "file": file}
    return _facts(load_voice(voice), file)


def _facts(voice: Voice, file: str | None) -> Facts:
    raw = asdict(voice)
    del raw["style"]
    return {**raw, "languages": ["en"], "engine": "troubadour", "file": file}


def _print(facts: Facts, habits: bool = False) -> None:
    from voice.consent import in_words, read_consent
    from voice.reach import note_name

    console = Console(soft_wrap=True, highlight=False, markup=False)
    if "error" in facts:
        console.print(f"{facts['name']}: cannot be used: {facts['error']}\n")
        return

    def reach(span: dict[str, int]) -> str:
        return f"{note_name(span['low'])} to {note_name(span['high'])}"

    extreme = f" (at most {reach(facts['extreme'])})" if "extreme" in facts else ""
    console.print(f"{facts['name']}: {facts.get('description', '')}".rstrip(": "))
    rows = {
        "range": reach(facts["comfortable"]) + extreme,
        "engine": f"{facts['engine']}, sings {', '.join(facts['languages'])}",
        "licence": facts["licence"],
        "origin": facts["origin"],
        "consent": in_words(read_consent(facts["consent"])),
        "learned": facts.get("trained"),
        "file": facts["file"],
    }
    if habits and "expression" in facts:
        knobs = facts["expression"].items()
        rows["habits"] = ", ".join(f"{knob} {'a curve' if isinstance(v, tuple) else v}" for knob, v in knobs)
    for what, said in rows.items():
        if said:
            console.print(f"  {what + ':':<9}{said}")
    console.print()
