"""troubadour health, prepare, metrics, backup, restore: what an operator's machinery asks for."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from persona.commands.common import JSON, house, print_json
from persona.settings import SettingsError

if TYPE_CHECKING:
    from persona.wiring import House
    from skills.gauges import Gauges


def add_to(app: typer.Typer) -> None:
    @app.command()
    def health() -> None:
        """Exit status 0 while a worker of this machine is at work or waits for some: for containers."""
        from skills.gauges import healthy

        if not healthy(house().database):
            sys.stderr.write("troubadour: no worker of this machine was heard of for 30 seconds\n")
            raise typer.Exit(1)

    app.command()(prepare)

    @app.command()
    def metrics(
        serve: bool = typer.Option(False, "--serve", help="answer at /metrics until stopped"),
        host: str = typer.Option("127.0.0.1", help="where to listen; anybody who reaches it may read"),
        port: int = typer.Option(9464, min=1, max=65535),
    ) -> None:
        """Queue, step times, errors, posts and answers, in Prometheus' text format."""
        if importlib.util.find_spec("prometheus_client") is None:
            raise SettingsError("figures for Prometheus are not installed: pip install 'troubadour[metrics]'")
        from prometheus_client import CollectorRegistry, generate_latest, start_http_server

        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(house()))
        if not serve:
            sys.stdout.write(generate_latest(registry).decode())
            return
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise SettingsError(f"{host}:{port} cannot be listened at ({error.strerror}): --port?") from None
        sys.stderr.write(f"figures at http://{host}:{port}/metrics; Ctrl-C stops\n")
        try:
            thread.join()
        finally:
            server.shutdown()

    @app.command()
    def backup(
        into: Path = typer.Argument(help="a folder, on another disk; each backup is a folder in it"),
        keep: int = typer.Option(0, min=0, help="delete all but so many of the newest; 0: keep all"),
        as_json: bool = JSON,
    ) -> None:
        """Back up requests, memory, library and keys while the artist goes on."""
        from persona.backup import back_up

        made = back_up(house(), into.expanduser(), keep)
        print_json({"backup": made}) if as_json else Console(soft_wrap=True, highlight=False).print(str(made))

    @app.command()
    def restore(
        backup: Path = typer.Argument(help="one backup: a folder that `troubadour backup` made"),
        yes: bool = typer.Option(False, "--yes", help="do not ask first"),
        as_json: bool = JSON,
    ) -> None:
        """Put a backup in the place of what is there, less what was forgotten since. Stop everything else first."""
        from persona.backup import put_back

        home = house()
        if not yes:
            typer.confirm(f"Put {backup} in the place of {home.data}?", abort=True)
        aside = put_back(home, backup.expanduser())
        if as_json:
            print_json({"restored": home.data, "aside": list(aside)})
        else:
            told = f"{home.data} is restored"
            told += (
                f"; what was there is in {' and '.join(aside)}: delete it once all is well" if aside else ""
            )
            Console(soft_wrap=True, highlight=False).print(told)


def prepare() -> None:
    """Make what many machines share, where it is not there yet: the store's bucket, the certificate that signs."""
    from skills.provenance.operator import make_operator

    home = house()
    said = []
    if home.library.store:
        home.library.store.make_bucket()
        said.append(f"{home.library.store.url} is there")
    wanted = home.settings.provenance
    if wanted.certificate and wanted.key:
        make_operator(wanted.certificate, wanted.key)
        said.append(f"{wanted.certificate} signs")
    Console(soft_wrap=True, highlight=False).print("; ".join(said) or "nothing is shared: nothing to prepare")


class Figures:
    """What Prometheus is told, looked up anew each time that it asks."""

    def __init__(self, home: House) -> None:
        self._home = home

    def collect(self) -> Iterator[Any]:
        import shutil

        from prometheus_client.core import GaugeMetricFamily as Gauge

        from skills.gauges import look

        now = look(self._home.book)
        requests = Gauge("troubadour_requests", "Requests by state", labels=["state"])
        for state, count in now.requests.items():
            requests.add_metric([state], count)
        times = Gauge("troubadour_step_seconds", "Seconds of a step, last hour", labels=["step", "quantile"])
        steps = Gauge("troubadour_steps", "Steps that were done, last hour", labels=["step"])
        for name, step in now.steps.items():
            steps.add_metric([name], step.count)
            for quantile, seconds in step.seconds.items():
                times.add_metric([name, str(quantile)], seconds)
        troubles = Gauge("troubadour_troubles", "Steps that had trouble, last hour", labels=["kind"])
        for kind, count in now.troubles.items():
            troubles.add_metric([kind], count)
        occasions = Gauge("troubadour_occasions", "The calendar's occasions by state", labels=["state"])
        for state_, count in now.occasions.items():
            occasions.add_metric([state_], count)
        yield from (requests, times, steps, troubles, occasions, *_models(now), *self._answers())
        yield Gauge("troubadour_queue_waited_seconds", "The longest wait in the queue", value=now.waited)
        yield Gauge("troubadour_drained", "1 while nothing more is begun", value=now.drained)
        yield Gauge("troubadour_workers", "Workers heard of in the last 30 s", value=now.workers)
        yield Gauge("troubadour_posts", "Posts that were made and are remembered", value=now.posts)
        yield Gauge("troubadour_posts_unclear", "Posts whose end is not known", value=now.unclear)
        free = shutil.disk_usage(self._home.data).free
        yield Gauge("troubadour_disk_free_bytes", "Free where the data lie", value=free)

    def _answers(self) -> Iterator[Any]:
        """Discord's answers and the seconds that the artist thought about them, as far as they are written down."""
        from prometheus_client.core import CounterMetricFamily as Counter

        from persona.stages.discord.costs import Costs

        if (self._home.data / "discord.sqlite").is_file():
            costs = Costs(self._home.discord.store).all()
            yield Counter("troubadour_answers", "Answers on Discord", value=sum(c.answers for c in costs))
            yield Counter(
                "troubadour_seconds_of_work",
                "Seconds of answers and songs",
                value=sum(c.seconds for c in costs),
            )


def _models(now: Gauges) -> Iterator[Any]:
    """The chat model's own time, whoever asked it: the artist's answers, lyrics, facts."""
    from prometheus_client.core import CounterMetricFamily as Counter
    from prometheus_client.core import HistogramMetricFamily as Histogram

    from skills.gauges import BOUNDS

    times = Histogram("troubadour_model_seconds", "Seconds of the chat model's answers", labels=["model"])
    failed = Counter("troubadour_model_failures", "Questions that the model did not answer", labels=["model"])
    bounds = [*map(str, BOUNDS), "+Inf"]
    for model, each in now.models.items():
        times.add_metric([model], list(zip(bounds, each.within, strict=True)), each.seconds)
        failed.add_metric([model], each.failed)
    yield from (times, failed)
