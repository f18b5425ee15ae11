"""troubadour bench words: two hundred briefs, and whether their songs keep what was promised."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, house, print_json

if TYPE_CHECKING:
    from persona.models import Ask
    from persona.wiring import House
    from skills.brief import Brief
    from skills.words import Author
    from skills.words.bench.run import Writer
    from skills.words.bench.scripted import Script

Mode = Literal["embedded", "scripted", "model"]


@dataclass
class Alone:
    """An author, and what the model behind it says, if there is one."""

    author: Author
    answers: list[str] = field(default_factory=list)

    def begin(self, brief: Brief, seed: int, used: frozenset[str]) -> None:
        self.answers.clear()

    def said(self) -> Sequence[str]:
        return tuple(self.answers)


@dataclass
class OnPaper:
    """The endpoint's author before a scripted model, which is told of each song."""

    author: Author
    script: Script

    def begin(self, brief: Brief, seed: int, used: frozenset[str]) -> None:
        self.script.begin(brief, seed, used)

    def said(self) -> Sequence[str]:
        return tuple(self.script.answers)


def add_to(group: typer.Typer) -> None:
    @group.command("words")
    def words(
        mode: str = typer.Option(
            "embedded", help=f"who writes: {', '.join(get_args(Mode))} (the settings' own)"
        ),
        count: int = typer.Option(200, min=1, max=200, help="how many of the briefs"),
        out: Path | None = typer.Option(
            None, help="a row a song; a run that was cut off goes on with this file"
        ),
        as_json: bool = JSON,
    ) -> None:
        """Two hundred briefs: metre, rhyme, hook, no line twice, and what the fan asked for, by checks of their own."""
        from skills.words.bench.checks import read_asked
        from skills.words.bench.run import run, summary
        from skills.words.bench.stock import stock

        if mode not in get_args(Mode):
            raise typer.BadParameter(f"there is no mode {mode!r}: take {', '.join(get_args(Mode))}")
        home, console = house(), Console(stderr=True, highlight=False, soft_wrap=True)
        with contextlib.ExitStack() as open_until_done:
            writer = open_until_done.enter_context(_writer(home, mode))
            rows = out or home.settings.cache_dir.expanduser() / f"bench-words-{mode}.jsonl"
            if out is None:
                rows.unlink(missing_ok=True)
            try:
                done = run(read_asked()[:count], writer, rows, lambda line: console.print(line, markup=False))
            except ValueError as error:
                raise typer.BadParameter(str(error)) from error
        report = {"mode": mode, **summary(done), "stock": stock()}
        if as_json:
            print_json(report)
        else:
            _print(report)


@contextlib.contextmanager
def _writer(home: House, mode: str) -> Iterator[Writer]:
    from skills.words import EmbeddedAuthor, EndpointAuthor

    embedded = EmbeddedAuthor(home.embedder)
    if mode == "embedded":
        yield Alone(embedded)
    elif mode == "scripted":
        from skills.words.bench.scripted import Script, served

        script = Script(EmbeddedAuthor(home.embedder))
        with served(script) as url, _asking(home, url) as ask:
            yield OnPaper(EndpointAuthor(ask, embedded, home.guard.sayable), script)
    else:
        from persona.models import ask_with

        if home.settings.chat.model == "embedded":
            raise typer.BadParameter("no model is set: see chat.model (TROUBADOUR_CHAT__MODEL)")
        ask, answers = ask_with(home.chat_model), list[str]()

        def told(system: str, user: str, longest: int) -> str:
            answers.append(ask(system, user, longest))
            return answers[-1]

        yield Alone(EndpointAuthor(told, embedded, home.guard.sayable), answers)


@contextlib.contextmanager
def _asking(home: House, url: str) -> Iterator[Ask]:
    """Asks the endpoint at `url` as any endpoint is asked: over HTTP."""
    from persona.models import ask_with, release_model
    from persona.models.endpoint import endpoint_model

    model = endpoint_model(home.settings.chat.model_copy(update={"base_url": url, "retries": 0}))
    try:
        yield ask_with(model)
    finally:
        release_model(model)


def _print(report: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    table = Table("what", "songs", "without a fault", "faults")
    for kind, found in report["right"].items():
        table.add_row(kind, *(str(found[name]) for name in ("songs", "without a fault", "faults")))
    console.print(table)
    for name in ("songs", "lines", "forms", "different titles", "lines by the model", "stock"):
        console.print(f"{name}: {report[name]}", markup=False)
    console.print(f"seconds a song, median and longest: {report['seconds, median and longest']}")
    for worst in report["worst"]:
        console.print(f"{worst['kind']}: {worst['line']!r} {worst['why']} ({worst['brief']})", markup=False)
