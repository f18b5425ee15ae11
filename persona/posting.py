"""Posting: the operator's accounts as places, and the artist's calendar, from the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from persona.card import CAST, Card
from persona.settings import BlueskyAccount, CalendarSettings, FeedFolder, MastodonAccount, SocialSettings
from skills.calendar.entry import CalendarError, Entry, read_calendar
from skills.places.journal import Journal
from skills.places.social import Outlet, SocialPlace
from skills.post import Place

if TYPE_CHECKING:
    from persona.diary import Diary
    from persona.stages.discord.charts import Charts
    from persona.wiring import House
    from skills.brief import Brief
    from skills.calendar.book import CalendarBook
    from skills.calendar.rounds import Rounds

Build = Callable[[], Outlet]


class Posting:
    """The parts of what the artist posts by itself, of one house."""

    def __init__(self, house: House) -> None:
        self.house, self.settings = house, house.settings

    @cached_property
    def social(self) -> dict[str, SocialPlace]:
        return social_places(self.settings.social, self.house.card, Journal(self.house.database))

    @property
    def places(self) -> dict[str, Place]:
        """For the post book: the networks, and the calendar itself, to which the songs it asked for are delivered."""
        from skills.calendar.rounds import STAGE, CalendarPlace

        return {STAGE: CalendarPlace(self.book), **self.social}

    @cached_property
    def calendar(self) -> CalendarFile:
        return CalendarFile(self.settings.calendar, self.settings.persona)

    @cached_property
    def book(self) -> CalendarBook:
        from skills.calendar.book import CalendarBook

        return CalendarBook(self.house.database)

    @cached_property
    def diary(self) -> Diary:
        from persona.diary import Diary, lines_of

        house = self.house
        return Diary(
            lines_of(self.settings.persona),
            self.book,
            house.library,
            lambda: house.author,
            self._wrong,
            lambda: self._charts,
        )

    @cached_property
    def rounds(self) -> Rounds:
        from skills.calendar.rounds import Rounds

        house = self.house
        return Rounds(self.book, self.calendar.read, self.diary, self._order, house.posts, house.library)

    @contextmanager
    def going_round(self) -> Iterator[None]:
        """The calendar is followed meanwhile."""
        self.rounds.start()
        try:
            yield
        finally:
            self.rounds.stop()

    def _wrong(self, text: str) -> str:
        return self.house.guard.wrong(text)

    @cached_property
    def _charts(self) -> Charts:
        """To be read: who counts is the stage."""
        from persona.stages.discord.charts import Charts

        house = self.house
        return Charts(
            house.discord.store, house.discord.servers, house.discord.lines, lambda title, guild: None
        )

    def _order(self, entry: Entry, occasion: str, brief: Brief) -> None:
        """A song for the calendar stands in the queue like anybody's; it comes back to its occasion."""
        from skills.address import Address
        from skills.calendar.rounds import STAGE
        from skills.requesting import Asker, order

        asker = Asker(f"{STAGE}:{entry.name}", Address(STAGE, occasion), occasion)
        order(self.house.skills, asker, brief)


def social_places(social: SocialSettings, card: Card, journal: Journal) -> dict[str, SocialPlace]:
    """A place for every network; an account is spoken with when it is first posted to."""
    bluesky = {name: _bluesky(name, account) for name, account in social.bluesky.items()}
    handles = {account.handle: bluesky[name] for name, account in social.bluesky.items() if account.handle}
    accounts: dict[str, dict[str, Build]] = {
        "mastodon": {name: _mastodon(account) for name, account in social.mastodon.items()},
        "bluesky": bluesky | handles,
        "apprise": {name: _apprise(name, url.get_secret_value()) for name, url in social.apprise.items()},
        "feed": {name: _feed(folder, card) for name, folder in social.feed.items()},
    }
    return {stage: SocialPlace(stage, each, journal) for stage, each in accounts.items()}


def _mastodon(account: MastodonAccount) -> Build:
    def build() -> Outlet:
        from skills.places.mastodon import MastodonOutlet

        return MastodonOutlet(account.server, account.token.get_secret_value())

    return build


def _bluesky(name: str, account: BlueskyAccount) -> Build:
    def build() -> Outlet:
        from skills.places.bluesky import BlueskyOutlet

        password = account.password.get_secret_value()
        return BlueskyOutlet(account.handle or name, password, account.service, account.video)

    return build


def _apprise(name: str, url: str) -> Build:
    def build() -> Outlet:
        from skills.places.notify import AppriseOutlet

        return AppriseOutlet(name, url)

    return build


def _feed(folder: FeedFolder, card: Card) -> Build:
    def build() -> Outlet:
        from skills.places.feed import Channel, FeedOutlet

        title = folder.title or card.name
        told = folder.description or f"Songs by {card.name}."
        return FeedOutlet(Channel(folder.folder.expanduser(), folder.url, title, told, folder.email))

    return build


class CalendarFile:
    """The calendar that holds now: read again when the file changes."""

    def __init__(self, chosen: CalendarSettings, persona: str, cast: Path = CAST) -> None:
        card = Path(persona)
        beside = (card.parent if card.suffix else cast) / f"{card.stem}.calendar.yaml"
        self.chosen, self.path = chosen, chosen.file.expanduser() if chosen.file else beside
        self._read: tuple[float, tuple[Entry, ...]] = (-1.0, ())

    def read(self) -> tuple[Entry, ...]:
        """Raises CalendarError where the file cannot be followed. A card without a calendar has no occasions."""
        if not self.path.is_file():
            if self.chosen.file:
                raise CalendarError(f"there is no calendar {self.path}: mend TROUBADOUR_CALENDAR__FILE")
            return ()
        changed = self.path.stat().st_mtime
        if changed != self._read[0]:
            self._read = (changed, read_calendar(self.path, self.chosen.where, self.chosen.zone))
        return self._read[1]
