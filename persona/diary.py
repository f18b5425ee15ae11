"""The diary: what the artist says in public by itself, on the occasions of its calendar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from persona.card import CAST
from persona.repertoire import Repertoire
from skills.book import seed_of
from skills.brief import Brief
from skills.calendar.book import CalendarBook, Planned
from skills.calendar.rounds import Nothing, Wish, Words
from skills.library import Library, LibraryError, Song
from skills.words import Author, write_lyrics

if TYPE_CHECKING:
    from persona.stages.discord.charts import Charts, Entry

HOUSE = "breaking-rust.posts.yaml"  # for a card that has none of its own; no line of it names the artist
WEEK = timedelta(days=7)
LISTED = 5  # songs of a chart


def lines_of(persona: str, cast: Path = CAST) -> Repertoire:
    """What a persona says in public, by the name or path of its card, beside which the lines lie."""
    card = Path(persona)
    folder = card.parent if card.suffix else cast
    own = folder / f"{card.stem}.posts.yaml"
    return Repertoire.load(own.name, folder) if own.is_file() else Repertoire.load(HOUSE, cast)


class Diary:
    """A Writer (see skills/calendar/rounds.py). `guard(text)` says what it has against a text, or ''.

    Only songs that were made for the calendar are shown in public: what a fan asked for is the fan's.
    """

    def __init__(
        self,
        lines: Repertoire,
        book: CalendarBook,
        library: Library,
        author: Callable[[], Author],
        guard: Callable[[str], str],
        charts: Callable[[], Charts],
    ) -> None:
        self.lines, self.book, self.library = lines, book, library
        self.author, self.guard, self.charts = author, guard, charts

    def write(self, planned: Planned) -> Words | Wish | Nothing:
        match planned.entry.what:
            case "verse":
                return self._verse(planned)
            case "snippet":
                entry = planned.entry
                return Wish(Brief(self._theme(planned), style=entry.style, seconds=entry.seconds))
            case "chart":
                return self._chart(planned)
            case "thought":
                return Words(self._line("thought", planned))
            case "announcement":
                return Words(planned.entry.text)
            case "throwback":
                return self._throwback(planned)

    def caption(self, planned: Planned, song: Song) -> str:
        return self._line("snippet", planned, title=song.title, theme=song.brief.theme)

    def wrong(self, text: str) -> str:
        return self.guard(text)

    # ---- each kind

    def _verse(self, planned: Planned) -> Words:
        theme = self._theme(planned)
        wanted = Brief(theme, style=planned.entry.style, form="verse-chorus")
        seed = seed_of("calendar", planned.id)
        lyrics = write_lyrics(wanted, seed, self.author(), self.library.used_lines(""))
        verse = "\n".join(line.text for line in lyrics.stanzas[0].lines)
        return Words(f"{self._line('verse', planned, theme=theme)}\n\n{verse}")

    def _chart(self, planned: Planned) -> Words | Nothing:
        since = (planned.when - WEEK).timestamp()
        guilds = {_guild(text) for text in planned.entry.where}
        if len(guilds) == 1 and (guild := guilds.pop()) is not None:
            placed = self.charts().top(guild, since)
        else:
            placed = self.charts().among(self._published(planned, timedelta()), since)
        if not placed:
            return Nothing("nobody did anything with a song this week")
        titles = [self._title(each) for each in placed[:LISTED]]
        rows = [
            f"{place}. {title} · {each.fans} fan{'s' * (each.fans != 1)}"
            for place, (title, each) in enumerate(zip(titles, placed, strict=False), 1)
        ]
        return Words(self._line("chart", planned, title=titles[0]) + "\n\n" + "\n".join(rows))

    def _title(self, placed: Entry) -> str:
        try:
            return self.library.read(placed.song).title
        except LibraryError:  # deleted since: as it was posted
            return placed.title

    def _throwback(self, planned: Planned) -> Words | Nothing:
        songs = self._published(planned, timedelta(days=planned.entry.after))
        if not songs:
            return Nothing(f"no song was published {planned.entry.after} days ago or before")
        song = self.library.read(songs[self.book.number(planned) % len(songs)])
        made = next(each.when for each in self.book.published() if each.song == song.id)
        when = f"{made.astimezone(ZoneInfo(planned.entry.zone)):in %B %Y}"
        return Words(self._line("throwback", planned, title=song.title, when=when), song.id)

    # ---- what is chosen from

    def _published(self, planned: Planned, before: timedelta) -> list[str]:
        """Ids of songs that were published at least that long before, oldest first, as far as they are kept."""
        found = []
        for each in self.book.published():
            if each.when < planned.when - before:
                try:
                    found.append(self.library.read(each.song).id)
                except LibraryError:  # deleted since
                    continue
        return found

    def _theme(self, planned: Planned) -> str:
        themes = planned.entry.themes
        return themes[self.book.number(planned) % len(themes)]

    def _line(self, kind: str, planned: Planned, **slots: str) -> str:
        """A wording in turn: all are said, in an order that looks like none, before one returns."""
        rows = [
            line
            for line in self.lines.all
            if line.id.startswith(f"posts/{kind}/") and line.slots <= set(slots)
        ]
        number = self.book.number(planned)
        turn, place = divmod(number, len(rows))
        seed = f"{planned.entry.name} {turn}"
        rows.sort(key=lambda line: hashlib.sha256(f"{seed} {line.id}".encode()).digest())
        return rows[place].filled(slots)


def _guild(address: str) -> int | None:
    """The Discord server of an address, or None."""
    stage, _, place = address.partition(":")
    guild = place.partition("/")[0]
    return int(guild) if stage == "discord" and guild.isdigit() else None
