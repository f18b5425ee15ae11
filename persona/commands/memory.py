"""troubadour memory: what the artist keeps of a fan; to see, to take along, to forget."""

from __future__ import annotations

import getpass
import json
import re
from pathlib import Path

import typer
from rich.console import Console

from memory.fan import Fan, Scope
from persona.commands.common import JSON, house, print_json
from persona.wiring import House

DISCORD = re.compile(r"(?:\d+|@me)/\d+")
FAN = typer.Option("", help="a fan's id ('discord:1234'); empty: you, at this terminal")


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="What the artist remembers of a fan.", no_args_is_help=True)
    app.add_typer(group, name="memory")
    for command in (recall, export, forget, catch_up, tidy, allow, privacy):
        group.command(command.__name__.replace("_", "-"))(command)


def recall(
    question: str, fan: str = FAN, words: int = typer.Option(300, min=1), as_json: bool = JSON
) -> None:
    """What would be recalled for a message, in private with that fan."""
    home, who = house(), _fan(fan)
    home.keepsakes.take_into(home.memory)
    found = home.memory.recall(who, Scope("fan", who.id), home.card.name, question, words)
    if as_json:
        print_json({"recalled": [vars(each) for each in found]})
        return
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        console.print(f"{each.when:%Y-%m-%d}  {each.speaker}: {each.text}", markup=False)
    if not found:
        console.print("nothing")


def export(out: Path = typer.Argument(help="a .json or .html file to write"), fan: str = FAN) -> None:
    """Everything that is kept of a fan in any store, as JSON or as a page."""
    from persona.export import everything_of
    from persona.export_page import as_html
    from skills.files import write_text_whole

    kept = everything_of(house(), _fan(fan).id)
    page = out.suffix.lower() in (".html", ".htm")
    write_text_whole(
        out, as_html(kept) if page else json.dumps(kept, ensure_ascii=False, indent=1, default=str)
    )
    Console(soft_wrap=True, highlight=False).print(str(out.absolute()))


def forget(
    fan: str = FAN,
    about: str = typer.Option("", help="only what was said about this ('my job')"),
    clips: bool = typer.Option(False, "--clips", help="delete the clips of those songs as well"),
    yes: bool = typer.Option(False, "--yes", help="do not ask first"),
    as_json: bool = JSON,
) -> None:
    """Forget a fan, or what a fan said about one thing, everywhere. It cannot be undone."""
    who, home, console = _fan(fan), house(), Console(highlight=False, soft_wrap=True)
    if not yes:
        for text in home.forgetting.matching(who.id, about) if about else ():
            console.print(f"  {text}", markup=False)
        typer.confirm(f"Forget {about or 'everything'} of {who.id}?", abort=True)
    receipt = home.forgetting.fan(who.id, about, clips)
    for other in home.settings.discord.others:  # artists whose data lie apart know the fan by themselves
        theirs = home.settings.of_artist(other.persona)
        if theirs.data_dir.is_dir():
            receipt += House(theirs).forgetting.fan(who.id, about, clips)
    if as_json:
        print_json({**vars(receipt), "left": [str(path) for path in receipt.left]})
    else:
        console.print(str(receipt), markup=False)


def catch_up(copy: Path = typer.Argument(help="a copy of the data folder that is not in use")) -> None:
    """Let a backup forget what was forgotten since it was made; also before it is restored."""
    if not copy.is_dir():
        raise typer.BadParameter(f"{copy} is no folder")
    receipt = house().forgetting.catch_up(copy)
    Console(highlight=False, soft_wrap=True).print(str(receipt), markup=False)


def tidy() -> None:
    """Let go of what is older than its kind is kept. `troubadour run` does it by itself every day."""
    Console(highlight=False, soft_wrap=True).print(str(house().tidy()), markup=False)


def allow(
    channel: str = typer.Argument("", help="such as discord:<server>/<channel>; none: list them"),
    fan: str = FAN,
    no_longer: bool = typer.Option(False, "--no-longer", help="take it back"),
    as_json: bool = JSON,
) -> None:
    """Let what a fan told in private be recalled to them in a channel, at that fan's wish."""
    home, who = house(), _fan(fan)
    if channel:
        home.memory.allow(who, home.card.name, _channel(channel), not no_longer)
    allowed = [each.place for each in home.memory.allowed(who, home.card.name)]
    if as_json:
        print_json({"fan": who.id, "allowed": allowed})
    else:
        where = ", ".join(allowed) or "private talk only"
        Console(highlight=False, soft_wrap=True).print(
            f"What {who.id} told in private is recalled in: {where}", markup=False
        )


def privacy() -> None:
    """What is kept of people, who sees it, how long, and how to undo it, in plain words."""
    from persona.privacy import privacy as in_words

    home = house()
    commands = tuple(f"`troubadour memory {name}`" for name in ("export", "forget", "allow"))
    Console(highlight=False).print(in_words(home.settings, home.card.name, *commands), markup=False)


def _channel(address: str) -> Scope:
    stage, _, place = address.partition(":")
    if not re.fullmatch(r"\w+", stage) or not place or (stage == "discord" and not DISCORD.fullmatch(place)):
        raise typer.BadParameter(f"{address!r} is no channel: give its address, discord:<server>/<channel>")
    return Scope("channel", address)


def _fan(fan: str) -> Fan:
    return Fan(fan or f"terminal:{getpass.getuser()}")
