"""troubadour calendar: what the artist posts by itself, when, and what waits for the operator's yes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from persona.commands.common import JSON, house, print_json
from skills.calendar.entry import CalendarError, Entry

if TYPE_CHECKING:
    from persona.wiring import House
    from skills.calendar.book import Planned

MARKS = {
    "due": "·",
    "singing": "♪",
    "sung": "♪",
    "draft": "?",
    "ready": "→",
    "posted": "✓",
    "skipped": "-",
    "rejected": "×",
    "expired": "-",
    "failed": "!",
}
LOOK = 0.5  # seconds between two looks at what is being posted
NOWHERE = (
    "Nothing is posted yet: no address is set. Set TROUBADOUR_CALENDAR__WHERE, or `where` in the calendar "
    "(docs/places.md)."
)


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="What the artist posts by itself.", no_args_is_help=True)
    app.add_typer(group, name="calendar")
    _add_looking(group)
    _add_deciding(group)


def _add_looking(group: typer.Typer) -> None:
    @group.command("list")
    def list_all(
        count: int = typer.Option(10, "--last", min=0, help="how many of the last occasions"),
        as_json: bool = JSON,
    ) -> None:
        """The entries, the drafts that wait, and what came last."""
        home = house()
        entries, last = home.posting.calendar.read(), home.posting.book.latest(count)
        if as_json:
            found = [entry.model_dump(mode="json", exclude_defaults=True) for entry in entries]
            print_json({"entries": found, "last": [_facts(planned) for planned in last]})
            return
        console = Console(highlight=False)
        table = Table("entry", "what", "when", "where", box=None, pad_edge=False, header_style="dim")
        for entry in entries:
            when = entry.cron or f"{entry.date:%Y-%m-%d %H:%M}"
            more = [f"+{entry.jitter} min"] * bool(entry.jitter) + ["after approval"] * entry.approve
            table.add_row(
                entry.name,
                entry.what,
                f"{when} {entry.zone}" + (f" ({', '.join(more)})" if more else ""),
                ", ".join(entry.where) or "[yellow]nowhere[/]",
            )
        console.print(table if entries else f"There is no calendar at {home.posting.calendar.path}.")
        if entries and not any(entry.where for entry in entries):
            console.print(f"\n{NOWHERE}")
        if last:
            console.print()
            console.print(_table(last))
        if drafts := home.posting.book.drafts():
            console.print(f"\n{len(drafts)} waiting for you: troubadour calendar approve")

    @group.command("next")
    def coming(count: int = typer.Option(10, "-n", "--count", min=1, max=1000), as_json: bool = JSON) -> None:
        """What comes next, to the second."""
        from skills.calendar.occasions import upcoming

        now = datetime.now(UTC)
        entries = house().posting.calendar.read()
        found = sorted(
            (each for entry in entries for each in islice(upcoming(entry, now), count)),
            key=lambda each: each.when,
        )[:count]
        if as_json:
            rows = [
                {"id": each.id, "what": each.entry.what, "when": each.local, "where": each.entry.where}
                for each in found
            ]
            print_json({"next": rows})
            return
        table = Table("when", "in", "entry", "what", "where", box=None, pad_edge=False, header_style="dim")
        for each in found:
            table.add_row(
                f"{each.local:%a %d %b %Y %H:%M:%S %Z}",
                _spoken((each.when - now).total_seconds()),
                each.entry.name,
                each.entry.what,
                ", ".join(each.entry.where) or "[yellow]nowhere[/]",
            )
        Console(highlight=False).print(table if found else "Nothing comes any more.")

    @group.command("show")
    def show(occasion: str = typer.Argument(help="an id of `calendar list`"), as_json: bool = JSON) -> None:
        """One occasion: its text, where it went, and what stood in the way."""
        planned = house().posting.book.get(occasion)
        if as_json:
            print_json(_facts(planned))
        else:
            _print(Console(highlight=False), planned)


def _add_deciding(group: typer.Typer) -> None:
    @group.command("run")
    def run(
        entry: str = typer.Argument(help="an entry of the calendar"),
        wait: float = typer.Option(900.0, min=0, help="seconds to wait for its end; 0: only write it down"),
        as_json: bool = JSON,
    ) -> None:
        """Make an entry's post now. A draft that needs your yes waits for it."""
        from skills.calendar.occasions import Occasion

        home = house()
        chosen = _entry(home.posting.calendar.read(), entry)
        if not chosen.where:
            raise CalendarError(NOWHERE)
        now = datetime.now(UTC).replace(microsecond=0)
        # What was asked for by hand comes now: neither jitter nor quiet hours move it.
        occasion = Occasion(chosen, now.replace(second=0), now)
        home.posting.book.add(occasion)
        if wait:
            with home.working():
                _wait(home, occasion.id, wait)
        planned = home.posting.book.get(occasion.id)
        if as_json:
            print_json(_facts(planned))
        else:
            _print(Console(highlight=False), planned)
        if planned.state == "failed":
            raise typer.Exit(1)

    @group.command("approve")
    def approve(
        occasion: str = typer.Argument("", help="an id; empty: all that wait, one after the other"),
        text: str = typer.Option("", help="other words for it"),
        yes: bool = typer.Option(False, "--yes", "-y", help="do not ask"),
        as_json: bool = JSON,
    ) -> None:
        """Let a draft be posted."""
        home = house()
        book = home.posting.book
        drafts = [book.get(occasion)] if occasion else book.drafts()
        if text:
            if not occasion:
                raise CalendarError("other words are for one draft: name it")
            text = _checked(home, drafts[0], text)
        if as_json and not (yes or occasion):
            print_json({"drafts": [_facts(draft) for draft in drafts]})
            return
        decided = list(_decided(home, drafts, text, ask=not (yes or as_json)))
        if as_json:
            print_json({"approved": [_facts(each) for each in decided]})

    @group.command("reject")
    def reject(occasion: str = typer.Argument(help="an id of `calendar list`"), as_json: bool = JSON) -> None:
        """Let a draft never be posted."""
        planned = house().posting.book.reject(occasion)
        if as_json:
            print_json(_facts(planned))
        else:
            Console(highlight=False).print(f"× {planned.id} will not be posted")


def _entry(entries: Sequence[Entry], name: str) -> Entry:
    for entry in entries:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in entries) or "none"
    raise CalendarError(f"the calendar has no entry {name!r}; it has: {known}")


def _decided(home: House, drafts: Sequence[Planned], text: str, ask: bool) -> Iterator[Planned]:
    """Those that the operator says yes to."""
    console = Console(highlight=False, stderr=not ask)
    if not drafts:
        console.print("Nothing waits for you.")
    for draft in drafts:
        if ask:
            _print(console, draft)
            if not typer.confirm("Post it?"):
                continue
        yield home.posting.book.approve(draft.id, text)
        console.print(f"[green]✓[/] {draft.id} will be posted")


def _checked(home: House, draft: Planned, text: str) -> str:
    """The operator's words with link, tags and label, if the guard has nothing against them."""
    from skills.calendar.rounds import finished

    whole = finished(draft.entry, text, clip=bool(draft.song))
    if wrong := home.posting.diary.wrong(whole):
        raise CalendarError(f"the guard stopped these words: it {wrong}")
    return whole


def _wait(home: House, id: str, seconds: float) -> None:
    """Until the occasion is at its end, or waits for somebody."""
    end = time.monotonic() + seconds
    console = Console(stderr=True)
    with console.status("writing"):
        while time.monotonic() < end:
            if home.posting.book.get(id).state not in ("due", "singing", "sung", "ready"):
                return
            time.sleep(LOOK)


def _facts(planned: Planned) -> dict[str, Any]:
    return {
        "id": planned.id,
        "entry": planned.entry.name,
        "what": planned.entry.what,
        "when": planned.when.isoformat(),
        "state": planned.state,
        "text": planned.text,
        "song": planned.song,
        "posts": {address: vars(fate) for address, fate in planned.posts.items()},
        "note": planned.note,
    }


def _table(last: Sequence[Planned]) -> Table:
    table = Table("", "occasion", "when", "state", "", box=None, pad_edge=False, header_style="dim")
    for planned in last:
        local = planned.when.astimezone(ZoneInfo(planned.entry.zone))
        said = planned.note or " ".join(planned.text.split())
        said = said if len(said) <= 60 else said[:59] + "…"
        table.add_row(MARKS[planned.state], planned.id, f"{local:%a %d %b %H:%M}", planned.state, Text(said))
    return table


def _print(console: Console, planned: Planned) -> None:
    title = f"{planned.id} · {planned.entry.what} · {planned.state}"
    console.print(
        Panel(Text(planned.text or "(no words yet)"), title=title, title_align="left", width=80), markup=False
    )
    if planned.song:
        console.print(f"  song: {planned.song}", markup=False)
    for address in planned.entry.where:
        fate = planned.posts.get(address)
        said = f"{fate.state} {fate.link} {fate.note}".rstrip() if fate else "not yet"
        console.print(f"  {address} {said}", markup=False)
    if planned.note:
        console.print(f"  {planned.note}", markup=False)


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
