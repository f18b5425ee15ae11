"""The calendar's book: every occasion that came, as a row that goes from state to state. Each move is made once.

due -> (singing -> sung ->) draft -> ready -> posted, where a snippet is sung and a draft waits for the operator; or it
ends as skipped, rejected, expired or failed, with a note that says why.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from skills.calendar.entry import CalendarError, Entry
from skills.calendar.occasions import Occasion
from skills.database import Database

State = Literal[
    "due", "singing", "sung", "draft", "ready", "posted", "skipped", "rejected", "expired", "failed"
]
OPEN: tuple[State, ...] = ("due", "singing", "sung", "draft", "ready")
HOLD = 120.0  # seconds that a row is one process's; then it counts as dead
COLUMNS = "id, entry, due, state, text, song, posts, note, tried, held"


@dataclass(frozen=True)
class Post:
    """What became of an occasion at one address. `again`: when it is tried next, seconds since 1970."""

    state: Literal["waiting", "posted", "perhaps", "failed"]
    note: str = ""
    link: str = ""
    tried: int = 0
    again: float = 0.0


@dataclass(frozen=True)
class Planned:
    """One row. `posts` by address; `note` says why it ended, or what its last try ran into."""

    id: str
    entry: Entry
    when: datetime
    state: State
    text: str = ""
    song: str = ""
    posts: dict[str, Post] = field(default_factory=dict)
    note: str = ""
    tried: int = 0
    held: float = 0.0


class CalendarBook:
    """Rows in the requests' database; any process may read and write."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self.database, self.now = database, now

    # ---- reading

    def get(self, id: str) -> Planned:
        """Raises CalendarError where there is no such occasion."""
        found = self._rows("where id = :id", id=id)
        if not found:
            raise CalendarError(f"there is no occasion {id!r}; `troubadour calendar list` shows them")
        return found[0]

    def latest(self, count: int) -> list[Planned]:
        """What came last, newest first."""
        return self._rows("order by due desc limit :count", count=count)

    def open(self) -> list[Planned]:
        """Everything that is not at its end and that nobody holds, oldest first."""
        return self._rows(f"where {_among(OPEN)} and held <= :now order by due", now=self.now())

    def drafts(self) -> list[Planned]:
        return self._rows(f"where {_among(('draft',))} order by due")

    def published(self) -> list[Planned]:
        """Songs that the artist made for the calendar and published, oldest first: nobody's request."""
        return [
            planned
            for planned in self._rows("where state = 'posted' and song <> '' order by due")
            if planned.entry.what == "snippet"
        ]

    def number(self, planned: Planned) -> int:
        """How often its entry came before."""
        [[count]] = self.database.read(
            "select count(*) from occasions where name = :name and due < :due",
            name=planned.entry.name, due=planned.when.timestamp(),
        )  # fmt: skip
        return int(count)

    # ---- what comes

    def add(self, occasion: Occasion) -> bool:
        """Whether it is new: an occasion comes once, whoever sees it."""
        return bool(
            self.database.write(
                "insert into occasions values (:id, :entry, :name, :due, 'due', '', '', '{}', '', 0, 0) "
                "on conflict (id) do nothing",
                id=occasion.id, entry=occasion.entry.model_dump_json(), name=occasion.entry.name,
                due=occasion.when.timestamp(),
            )
        )  # fmt: skip

    def looked(self, name: str) -> datetime | None:
        """Until when an entry was looked at; None: never before."""
        rows = self.database.read("select at from looks where name = :name", name=name)
        return datetime.fromtimestamp(float(rows[0][0]), UTC) if rows else None

    def look(self, name: str, until: datetime) -> None:
        self.database.write(
            "insert into looks values (:name, :at) on conflict (name) do update set at = excluded.at",
            name=name, at=until.timestamp(),
        )  # fmt: skip

    # ---- moving

    def hold(self, planned: Planned) -> bool:
        """Makes the row ours for a while; False where somebody else was quicker."""
        return bool(
            self.database.write(
                "update occasions set held = :until where id = :id and state = :state and held <= :now",
                until=self.now() + HOLD, id=planned.id, state=planned.state, now=self.now(),
            )
        )  # fmt: skip

    def move(self, planned: Planned, to: State, text: str = "", song: str = "", note: str = "") -> None:
        """To another state. Text and song stay where none are given."""
        self.database.write(
            "update occasions set state = :to, text = :text, song = :song, note = :note, tried = 0, held = 0 "
            "where id = :id and state = :state",
            to=to, text=text or planned.text, song=song or planned.song, note=note,
            id=planned.id, state=planned.state,
        )  # fmt: skip

    def later(self, planned: Planned, wait: float, note: str = "") -> None:
        """Looked at again in the same state after `wait` seconds; a `note` says what the try ran into."""
        self.database.write(
            "update occasions set tried = tried + :failed, note = :note, held = :held where id = :id",
            note=note, failed=int(bool(note)), held=self.now() + wait, id=planned.id,
        )  # fmt: skip

    def keep_posts(self, planned: Planned, posts: dict[str, Post], held: float) -> None:
        self.database.write(
            "update occasions set posts = :posts, held = :held where id = :id",
            posts=json.dumps({address: vars(post) for address, post in posts.items()}),
            held=held, id=planned.id,
        )  # fmt: skip

    # ---- what others decide

    def sung(self, id: str, song: str) -> None:
        """The song that an occasion waited for; '' where it could not be made."""
        planned = self.get(id)
        if planned.state == "singing":
            if song:
                self.move(planned, "sung", song=song)
            else:
                self.move(planned, "failed", note="the song could not be made")

    def approve(self, id: str, text: str = "") -> Planned:
        """The operator's yes, perhaps with other words. Raises CalendarError where nothing waits for it."""
        return self._decide(id, "ready", text)

    def reject(self, id: str) -> Planned:
        return self._decide(id, "rejected")

    def _decide(self, id: str, to: State, text: str = "") -> Planned:
        planned = self.get(id)
        if planned.state != "draft":
            raise CalendarError(f"{id} is {planned.state}: only a draft can be approved or rejected")
        self.move(planned, to, text=text, note="rejected by the operator" if to == "rejected" else "")
        return self.get(id)

    # ---- rows

    def _rows(self, where: str, **values: Any) -> list[Planned]:
        rows: Sequence[Any] = self.database.read(f"select {COLUMNS} from occasions {where}", **values)  # noqa: S608 - our own words
        return [
            Planned(
                id,
                Entry.model_validate_json(entry),
                datetime.fromtimestamp(float(due), UTC),
                state,
                text,
                song,
                {address: Post(**post) for address, post in json.loads(posts).items()},
                note,
                int(tried),
                float(held),
            )
            for id, entry, due, state, text, song, posts, note, tried, held in rows
        ]


def _among(states: Sequence[State]) -> str:
    return f"state in ({', '.join(repr(state) for state in states)})"
