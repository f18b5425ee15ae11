"""When an entry comes: every occasion of it, jitter, quiet hours and holidays taken in. Nothing here keeps state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from skills.calendar.entry import Entry
from skills.calendar.holidays import is_holiday

LOOKED_AT = 400  # times of the expression that are looked at for one that is no holiday


@dataclass(frozen=True)
class Occasion:
    """One time that an entry comes. `nominal`: what the expression says; `when`: when it is posted. Both in UTC."""

    entry: Entry
    nominal: datetime
    when: datetime

    @property
    def id(self) -> str:
        """The same for ever, whenever and wherever it is reckoned."""
        return f"{self.entry.name}@{self.nominal:%Y%m%dT%H%MZ}"

    @property
    def local(self) -> datetime:
        return self.when.astimezone(ZoneInfo(self.entry.zone))


def occasion(entry: Entry, nominal: datetime) -> Occasion:
    """`nominal` with a time zone."""
    when = (nominal.astimezone(UTC) + _jitter(entry, nominal)).astimezone(ZoneInfo(entry.zone))
    return Occasion(entry, nominal.astimezone(UTC), _after_quiet(entry, when).astimezone(UTC))


def quiet_for(entry: Entry, moment: datetime) -> timedelta:
    """How long the entry's quiet hours still last at a moment; nothing where they do not."""
    local = moment.astimezone(ZoneInfo(entry.zone))
    return _after_quiet(entry, local).astimezone(UTC) - local.astimezone(UTC)


def upcoming(entry: Entry, after: datetime) -> Iterator[Occasion]:
    """Every occasion later than `after`, in order of its nominal time."""
    for nominal in islice(_nominals(entry, after - _latest(entry)), LOOKED_AT):
        found = occasion(entry, nominal)
        if found.when > after and _kept(found):
            yield found


def past(entry: Entry, after: datetime, until: datetime) -> list[Occasion]:
    """The occasions with after < when <= until, latest first; of very many only the last ones."""
    found = []
    for nominal in islice(_nominals(entry, until, back=True), LOOKED_AT):
        if nominal < after - _latest(entry):
            break
        each = occasion(entry, nominal)
        if after < each.when <= until and _kept(each):
            found.append(each)
    return sorted(found, key=lambda each: each.when, reverse=True)


def _nominals(entry: Entry, start: datetime, back: bool = False) -> Iterator[datetime]:
    """What the expression says from `start` on, or from it back; in the entry's zone.

    Over a change of the clock: what falls into the hour that is left out comes at its end, and what falls into the
    hour that comes twice comes once (an hourly one, twice).
    """
    from cronsim import CronSim

    zone = ZoneInfo(entry.zone)
    if entry.date is not None:
        once = entry.date.replace(tzinfo=zone)
        # A wall clock's time that does not exist is read with the offset before the change: an hour later then.
        once = once.astimezone(UTC).astimezone(zone)
        if once <= start if back else once > start:
            yield once
        return
    assert entry.cron is not None
    # Back, the search begins a minute on: `start` itself counts.
    begin = start + timedelta(minutes=1) if back else start
    yield from CronSim(entry.cron, begin.astimezone(zone), reverse=back)


def _jitter(entry: Entry, nominal: datetime) -> timedelta:
    """Up to entry.jitter minutes, in seconds; by the entry and its time alone, so that a restart does not move it."""
    seed = hashlib.sha256(f"{entry.name} {nominal.astimezone(UTC):%Y%m%dT%H%M}".encode()).digest()
    return timedelta(seconds=int.from_bytes(seed[:8], "big") % (entry.jitter * 60 + 1))


def _after_quiet(entry: Entry, when: datetime) -> datetime:
    """The end of the quiet hours where `when` (of the entry's zone) falls into them."""
    if entry.quiet is None:
        return when
    begin, end = entry.quiet
    now = when.timetz().replace(tzinfo=None)
    quiet = begin <= now < end if begin <= end else now >= begin or now < end
    if not quiet:
        return when
    day = when.date() + timedelta(days=1 if now >= end else 0)
    return datetime.combine(day, end, when.tzinfo)


def _latest(entry: Entry) -> timedelta:
    """By how much an occasion may come after its nominal time, at most."""
    return timedelta(minutes=entry.jitter) + (timedelta(days=1, hours=1) if entry.quiet else timedelta())


def _kept(found: Occasion) -> bool:
    holiday = is_holiday(found.local.date(), found.entry.holidays)
    return {"post": True, "skip": not holiday, "only": holiday}[found.entry.on_holidays]
