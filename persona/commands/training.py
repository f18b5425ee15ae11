"""troubadour voices train, and the bench that proves it: a voice learned from consented recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from persona.commands.common import JSON, house, print_json
from voice.training.plan import Plan

if TYPE_CHECKING:
    from persona.settings import VoiceSettings
    from voice.network.network import Network
    from voice.training.learn import Learned


def add_train(group: typer.Typer) -> None:
    @group.command("train")
    def train(
        dataset: Path = typer.Argument(help="a folder with wavs/, transcriptions.csv and consent.yaml"),
        out: Path | None = typer.Option(None, help="the voice file; else in `voices` of the data folder"),
        start: str = typer.Option(
            "breaking-rust", "--from", help="the voice to begin at, the nearer the better"
        ),
        licence: str = typer.Option("", help="of the new voice; else what the consent record says, no more"),
        steps: int = typer.Option(Plan.steps, min=1, help="on the style's 256 numbers"),
        updates: int = typer.Option(0, min=0, help="further steps, on low-rank updates of the decoder too"),
        rank: int = typer.Option(Plan.rank, min=1, max=64, help="of those updates"),
        seconds: float = typer.Option(
            Plan.seconds, min=0.5, max=20.0, help="of a piece, as far as phrases allow"
        ),
        batch: int = typer.Option(Plan.batch, min=1, help="pieces a step"),
        device: str = typer.Option("auto", help="cpu, cuda, or auto"),
        seed: int = typer.Option(0),
        force: bool = typer.Option(False, "--force", help="write over a voice file that is there"),
        as_json: bool = JSON,
    ) -> None:
        """Fits a new voice to consented recordings. A run that was cut off goes on where it was."""
        from voice.training.learn import LICENCE, learn
        from voice.voices import VoiceError, load_voice

        home = house()
        cache = home.settings.cache_dir.expanduser()
        out = out or home.data / "voices" / f"{dataset.absolute().name}.json"
        if out.suffix != ".json":
            raise VoiceError(f"{out}: a voice file's name ends in .json")
        if out.exists() and not force:
            raise VoiceError(
                f"{out} is there already: choose another with --out, or write over it with --force"
            )
        plan = Plan(steps=steps, update_steps=updates, rank=rank, seconds=seconds, batch=batch, seed=seed)
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        try:
            with _bar(console, "learning", plan.all_steps) as told:
                learned = learn(
                    dataset, out.stem, lambda: _plain(cache, home.settings.voice, device), load_voice(start),
                    plan, cache / "training", licence or LICENCE, told,
                    lambda one: console.print(
                        f"step {one.step}: {one.loss:.2f} dB from what it learns, {one.held_out:.2f} dB held out"
                    ),
                )  # fmt: skip
        except KeyboardInterrupt:
            console.print("Stopped. The same command goes on after the last step that was done.")
            raise
        written = write_voice(learned, out)
        if as_json:
            history = [one.__dict__ for one in learned.fitted.history]
            print_json({"voice": str(out), "files": [str(path) for path in written], "history": history})
            return
        console.print(f"{learned.voice.trained}\n{', '.join(map(str, written))}", markup=False)
        console.print(f"Hear it: troubadour sing SCORE --voice {out}", markup=False)


def add_bench(group: typer.Typer) -> None:
    @group.command("training")
    def training(
        work: Path | None = typer.Option(
            None, help="where recordings and checkpoints are kept; run again, it goes on"
        ),
        steps: int = typer.Option(Plan.steps, min=1),
        updates: int = typer.Option(0, min=0, help="further steps, on low-rank updates of the decoder"),
        minutes: float = typer.Option(3.0, min=0.2, help="of the hidden voice's singing"),
        plot: Path | None = typer.Option(None, help="a picture: learning, and the lines before and after"),
        as_json: bool = JSON,
    ) -> None:
        """Recovers a hidden voice from three minutes of its own singing. The figures of docs/training.md."""
        from voice.bench import recovery

        home = house()
        cache = home.settings.cache_dir.expanduser()
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        with _stages(console) as told:
            found = recovery.recover(
                cache, work or cache / "training-bench", steps, updates, minutes, told=told
            )
        if plot:
            recovery.plot(found, plot)
        if as_json:
            print_json(found.as_json())
        else:
            Console(highlight=False, soft_wrap=True).print(recovery.as_text(found), markup=False)


def write_voice(learned: Learned, out: Path) -> list[Path]:
    """The voice file, its card, and its updates beside it; the voice file last, so that it is never alone."""
    from skills.files import write_text_whole
    from voice.network import store

    card = out.with_suffix(".md")
    write_text_whole(card, learned.card)
    written = [out, card]
    if learned.updates:
        companion = out.with_name(learned.voice.updates)
        store.write(companion, learned.updates)
        written.append(companion)
    write_text_whole(out, learned.voice.to_json())
    return written


def _plain(cache: Path, wanted: VoiceSettings, device: str) -> Network:
    import torch

    from voice.voices import VoiceError
    from voice.weights import Source, plain_network

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.empty(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise VoiceError(f"torch has no device {device!r} here: use --device cpu") from error
    network = plain_network(cache, Source(wanted.weights))
    torch.set_num_threads(wanted.threads)
    return network.to(chosen)


@contextmanager
def _bar(console: Console, what: str, total: int) -> Iterator[Callable[[int, float], None]]:
    """A bar with the last loss; on a console that is no terminal nothing: what was judged is printed anyway."""
    columns = (
        TextColumn("{task.description:>9}"), BarColumn(28), 
        TextColumn("{task.completed}/{task.total}  {task.fields[loss]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=total, loss="")

        def told(step: int, loss: float) -> None:
            bars.update(task, completed=step, loss=f"{loss:.2f} dB")

        yield told


@contextmanager
def _stages(console: Console) -> Iterator[Callable[[str, float], None]]:
    """A bar for each stage of the bench."""
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(28),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def told(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=1.0)
            bars.update(tasks[what], completed=share)

        yield told
