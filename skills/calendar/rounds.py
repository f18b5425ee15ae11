"""Rounds: looks what is due and brings every occasion a step on. Any number of processes may go round at once.

What is missed while nobody goes round is skipped or made once, as its entry says; never is a flood made up for.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from skills.address import Address
from skills.brief import Brief
from skills.calendar.book import CalendarBook, Planned
from skills.calendar.book import Post as Fate
from skills.calendar.entry import Entry
from skills.calendar.occasions import past, quiet_for
from skills.library import Library, Song
from skills.patience import asked_wait, patience_for
from skills.places.errors import Perhaps
from skills.places.journal import Journal
from skills.places.limits import labelled
from skills.post import Post, PostBook, PostError

log = structlog.get_logger()
STAGE = "calendar"  # where a song that the calendar asked for is delivered: to its occasion
BEAT = 5.0  # seconds between two rounds
ASTRAY = timedelta(hours=1)  # by which the last look may lie in the future, until the clock is not believed


@dataclass(frozen=True)
class Words:
    """What is said on an occasion; `song` of the library goes with it."""

    text: str
    song: str = ""


@dataclass(frozen=True)
class Wish:
    """A song that is to be made first."""

    brief: Brief


@dataclass(frozen=True)
class Nothing:
    """Why there is nothing to say this time."""

    reason: str


class Writer(Protocol):
    """The artist's words for the calendar. The same again for the same occasion."""

    def write(self, planned: Planned) -> Words | Wish | Nothing: ...

    def caption(self, planned: Planned, song: Song) -> str:
        """Words that go with a song that was made for this occasion."""

    def wrong(self, text: str) -> str:
        """What the guard has against a text, or ''."""


class CalendarPlace:
    """The place of a song that was made for the calendar: it goes on from there to where it is posted."""

    def __init__(self, book: CalendarBook) -> None:
        self.book = book

    def post(self, post: Post) -> None:
        self.book.sung(post.address.place, post.clip.parent.name if post.clip else "")


class Rounds:
    """`order(entry, id, brief)` asks for a song, delivered to `calendar:<id>`; asking twice is asking once."""

    def __init__(
        self,
        book: CalendarBook,
        entries: Callable[[], Sequence[Entry]],
        writer: Writer,
        order: Callable[[Entry, str, Brief], None],
        posts: PostBook,
        library: Library,
    ) -> None:
        self.book, self.entries, self.writer, self.order = book, entries, writer, order
        self.posts, self.library = posts, library
        self.journal = Journal(book.database)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calendar", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.round()
            except (
                Exception
            ) as error:  # a database that is away for a moment, a calendar that was written wrong
                log.warning("the calendar could not be looked at", cause=f"{type(error).__name__}: {error}")
            self._ended.wait(BEAT)

    def round(self) -> None:
        for entry in self.entries():
            if entry.where:
                self._see(entry)
        for planned in self.book.open():
            if self._ended.is_set():
                return
            if self.book.hold(planned):
                self._go_on(planned)

    # ---- what comes

    def _see(self, entry: Entry) -> None:
        now = datetime.fromtimestamp(self.book.now(), UTC)
        since = self.book.looked(entry.name)
        if since is None or since > now + ASTRAY:
            since = now
        came = past(entry, since, now)
        if came:
            latest, late = came[0], now - came[0].when > timedelta(minutes=entry.grace)
            if not late or entry.missed == "once":
                self.book.add(latest)
            skipped = len(came) - 1 + (late and entry.missed == "skip")
            if skipped:
                log.warning("nobody was there when it was due", entry=entry.name, skipped=skipped)
        self.book.look(entry.name, max(since, now))

    # ---- one step on

    def _go_on(self, planned: Planned) -> None:
        try:
            match planned.state:
                case "due":
                    self._write(planned)
                case "singing":  # the song comes by itself
                    self._wait(planned, "its song never came")
                case "sung":
                    song = self.library.read(planned.song)
                    self._drafted(planned, self.writer.caption(planned, song), song.id)
                case "draft":
                    self._wait(planned, "nobody approved it in time")
                case "ready" if quiet := self._quiet(planned):
                    self.book.later(planned, quiet)
                case "ready":
                    self._deliver(planned)
        except Exception as error:
            patience = patience_for(error)
            wait = patience.wait(planned.tried + 1, asked_wait(error))
            reason = _told(error)
            log.warning("the calendar stumbled", occasion=planned.id, cause=reason, in_seconds=wait)
            if wait is None:
                self.book.move(planned, "failed", note=reason)
            else:
                self.book.later(planned, wait, reason)

    def _write(self, planned: Planned) -> None:
        match self.writer.write(planned):
            case Nothing(reason):
                self.book.move(planned, "skipped", note=reason)
            case Wish(brief):
                self.order(planned.entry, planned.id, brief)
                self.book.move(planned, "singing")
            case Words(text, song):
                self._drafted(planned, text, song)

    def _drafted(self, planned: Planned, text: str, song: str) -> None:
        whole = finished(planned.entry, text, clip=bool(song))
        if wrong := self.writer.wrong(whole):
            self.book.move(planned, "failed", text=whole, song=song, note=f"the guard: it {wrong}")
            return
        self.book.move(planned, "draft" if planned.entry.approve else "ready", text=whole, song=song)

    def _wait(self, planned: Planned, in_vain: str) -> None:
        expires = planned.when + timedelta(hours=planned.entry.expires)
        if datetime.fromtimestamp(self.book.now(), UTC) >= expires:
            self.book.move(planned, "expired", note=in_vain)
        else:
            self.book.later(planned, BEAT)

    # ---- to every address

    def _quiet(self, planned: Planned) -> float:
        """Seconds for which what was missed, sung long or approved by night waits. What an operator runs by hand in
        the quiet hours does not: nothing else is ever due in them."""
        now = datetime.fromtimestamp(self.book.now(), UTC)
        by_hand = quiet_for(planned.entry, planned.when) > timedelta()
        return 0.0 if by_hand else quiet_for(planned.entry, now).total_seconds()

    def _deliver(self, planned: Planned) -> None:
        posts = dict(planned.posts)
        for address in planned.entry.addresses:
            fate = posts.get(str(address), Fate("waiting"))
            if fate.state == "waiting" and fate.again <= self.book.now():
                posts[str(address)] = self._post(planned, address, fate)
                self.book.keep_posts(planned, posts, held=self.book.now())
        waiting = [fate.again for fate in posts.values() if fate.state == "waiting"]
        if waiting:
            self.book.keep_posts(planned, posts, held=min(waiting))
            return
        said = any(fate.state in ("posted", "perhaps") for fate in posts.values())
        note = "; ".join(f"{address}: {fate.note}" for address, fate in posts.items() if fate.note)
        self.book.move(planned, "posted" if said else "failed", note=note)
        log.info("the calendar posted", occasion=planned.id, note=note)

    def _post(self, planned: Planned, address: Address, fate: Fate) -> Fate:
        nonce = nonce_of(planned.id, address, clip=bool(planned.song))
        try:
            if planned.song:
                with self.library.held(planned.song, stems=False):  # a place may have a video made
                    clip = self.library.clip(self.library.read(planned.song)).absolute()
                    self.posts.deliver(Post(nonce, address, planned.text, clip))
            else:
                self.posts.deliver(Post(nonce, address, planned.text))
        except Perhaps as error:
            return replace(fate, state="perhaps", note=str(error))
        except Exception as error:
            wait = patience_for(error).wait(fate.tried + 1, asked_wait(error))
            log.warning(
                "not posted", occasion=planned.id, address=str(address), cause=_told(error), again_in=wait
            )
            if wait is None:
                return replace(fate, state="failed", note=_told(error))
            return replace(fate, note=_told(error), tried=fate.tried + 1, again=self.book.now() + wait)
        return Fate("posted", link=self.journal.link(nonce) or "", tried=fate.tried + 1)


def nonce_of(occasion: str, address: Address, clip: bool) -> str:
    """One for ever for an occasion at an address; its end says what it is."""
    digest = hashlib.sha256(str(address).encode()).hexdigest()[:12]
    return f"{occasion}.{digest}:{'clip' if clip else 'post'}"


def finished(entry: Entry, text: str, clip: bool) -> str:
    """The words with link, tags and label, as they are shown to the operator and posted."""
    tail = " ".join([entry.link] * bool(entry.link) + [f"#{tag}" for tag in entry.tags])
    return labelled("\n\n".join(part for part in (text.strip(), tail) if part), clip)


def _told(error: BaseException) -> str:
    """Our own errors are sentences; of others only the kind is safe to write down."""
    return str(error) if isinstance(error, PostError | ValueError) else type(error).__name__
