"""troubadour queue: what was ordered, what is made, what was set aside; run again, cancel, drain."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from persona.commands.common import JSON, WORDS, house, print_json
from skills.book import FRONT, OWED, RequestBook, RequestStatus
from skills.brief import BriefError
from skills.song import STEPS

LOOK = 0.5  # seconds between two looks at what is still at work
SHOWN = {"failed": "set aside"}


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Requests for songs: the queue, and what was set aside.", no_args_is_help=True)
    app.add_typer(group, name="queue")
    _looking(group)
    _changing(group)
    _draining(group)


def _looking(group: typer.Typer) -> None:
    @group.command("list")
    def list_requests(
        aside: bool = typer.Option(False, "--set-aside", help="only what failed, with its reason"),
        fan: str = typer.Option("", help="everything of one fan: terminal:sam, discord:1234"),
        as_json: bool = JSON,
    ) -> None:
        """What is at work and queued, in the order in which it is made; then what was set aside."""
        book = house().book
        waiting = [] if aside else book.open_requests()
        found = book.of_fan(fan) if fan else waiting + book.set_aside()
        drained = book.drained
        if as_json:
            print_json({"drained": drained, "requests": [as_row(status) for status in found]})
            return
        console = Console()
        if drained:
            console.print("[yellow]Drained: nothing more is begun until `troubadour queue drain --end`.[/]")
        console.print(_table(found) if found else "Nothing is queued, and nothing was set aside.")

    @group.command("show")
    def show(request: str, as_json: bool = JSON) -> None:
        """One request: its brief, its times, its steps and how often each was tried."""
        status = _found(house().book, request)
        if as_json:
            print_json(as_row(status))
            return
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"[bold]{status.request.id}[/]  {SHOWN.get(status.state, status.state)}")
        if status.error:
            console.print(f"[red]{status.error}[/]")
        for name, value in as_row(status).items():
            if name in (
                "fan",
                "address",
                "theme",
                "seed",
                "turn",
                "ahead",
                "ordered",
                "begun",
                "ended",
                "worker",
            ):
                console.print(f"{name:>9}: {value}")
        table = Table("step", "done", "begun", "process died", "what came between")
        tries = {each.step: each for each in status.tries}
        for step in dict.fromkeys([*STEPS, *tries]):
            tried = tries.get(step)
            done = f"{status.progress[step]:.0%}" if step in status.progress else ""
            table.add_row(
                WORDS.get(step, step), done, *(
                    (str(tried.tried), str(tried.died), tried.reason) if tried else ("", "", "")
                )
            )  # fmt: skip
        console.print(table)


def _changing(group: typer.Typer) -> None:
    @group.command("retry")
    def retry(
        requests: list[str] = typer.Argument(None),
        everything: bool = typer.Option(False, "--all", help="all that was set aside"),
        as_json: bool = JSON,
    ) -> None:
        """Run again what was set aside or cancelled, from the step that failed."""
        book = house().book
        wanted = [status.request.id for status in book.set_aside()] if everything else list(requests or ())
        if not wanted and not everything:
            raise BriefError("which one? Name requests, or say --all; `troubadour queue list` shows them")
        _say([book.retry(_found(book, request).request.id) for request in wanted], "runs again", as_json)

    @group.command("cancel")
    def cancel(requests: list[str], as_json: bool = JSON) -> None:
        """Take requests out of the queue; what is at work stops."""
        book = house().book
        done = []
        for request in requests:
            if not _found(book, request).open:
                raise BriefError(f"{request} is not queued or at work any more")
            book.cancel(request)
            done.append(book.status(request))
        _say(done, "cancelled", as_json)

    @group.command("first")
    def first(request: str, as_json: bool = JSON) -> None:
        """Make this one before all others that wait."""
        book = house().book
        if _found(book, request).state != "queued":
            raise BriefError(f"{request} does not wait any more")
        book.raise_to_front(request)
        _say([book.status(request)], "is next", as_json)


def _draining(group: typer.Typer) -> None:
    @group.command("drain")
    def drain(
        end: bool = typer.Option(False, "--end", help="begin requests again"),
        wait: bool = typer.Option(True, help="wait until nothing is at work"),
        as_json: bool = JSON,
    ) -> None:
        """Before an update: begin nothing more, and wait for what is at work. Orders are taken all the same."""
        home = house()
        book, console = home.book, Console(stderr=True)
        book.drain(not end, home.settings.songs.at_once)
        while wait and not end and (working := _working(book)):
            console.print(
                f"{len(working)} at work: {', '.join(s.request.id for s in working)}", highlight=False
            )
            while wait and {s.request.id for s in _working(book)} == {s.request.id for s in working}:
                time.sleep(LOOK)
        queued = sum(status.state == "queued" for status in book.open_requests())
        if as_json:
            print_json({"drained": not end, "queued": queued, "at_work": len(_working(book))})
        elif end:
            Console().print(f"Requests are begun again; {queued} wait.", highlight=False)
        else:
            Console().print(f"Drained: {queued} wait until `troubadour queue drain --end`.", highlight=False)


def as_row(status: RequestStatus) -> dict[str, Any]:
    """A request as one flat JSON object."""
    request = status.request
    return {
        "id": request.id,
        "state": status.state,
        "reason": status.error,
        "fan": request.fan,
        "address": str(request.address),
        "theme": request.brief.theme,
        "seed": request.seed,
        "turn": {FRONT: "first", OWED: "owed a place at the front"}.get(status.turn, str(status.turn)),
        "ahead": status.ahead,
        **{name: at.isoformat(timespec="seconds") for name, at in status.times.items()},
        "worker": status.worker,
        "progress": dict(status.progress),
        "tries": [vars(each) for each in status.tries],
    }


def _table(found: Iterable[RequestStatus]) -> Table:
    table = Table("request", "fan", "state", "where", "ordered", "reason")
    for status in found:
        where = f"{status.ahead} ahead" if status.state == "queued" else WORDS.get(status.step, status.step)
        table.add_row(
            status.request.id, status.request.fan, SHOWN.get(status.state, status.state),
            where if status.open else "", _ago(status.times.get("ordered")), status.error,
        )  # fmt: skip
    return table


def _ago(at: datetime | None) -> str:
    if at is None:
        return ""
    minutes = int((datetime.now(UTC) - at).total_seconds() / 60)
    if minutes < 60:
        return f"{max(0, minutes)} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def _working(book: RequestBook) -> list[RequestStatus]:
    return [status for status in book.open_requests() if status.state == "at work"]


def _found(book: RequestBook, request: str) -> RequestStatus:
    try:
        return book.status(request)
    except KeyError:
        raise BriefError(f"nobody ordered {request!r}; `troubadour queue list` shows what there is") from None


def _say(statuses: list[RequestStatus], what: str, as_json: bool) -> None:
    if as_json:
        print_json({"requests": [as_row(status) for status in statuses]})
        return
    for status in statuses:
        Console(highlight=False).print(f"{status.request.id} {what}")
    if not statuses:
        Console().print("Nothing was set aside.")
