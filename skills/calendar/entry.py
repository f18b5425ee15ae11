"""The calendar as data: what the artist posts, when and where. Read from YAML; a key that is not known is an error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from skills.address import Address
from skills.calendar.holidays import check_holiday

What = Literal["verse", "snippet", "chart", "thought", "announcement", "throwback"]


class CalendarError(ValueError):
    """A calendar that cannot be followed; the message names the entry and says what to mend."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; they look like 'Europe/Berlin' or 'UTC'") from None
    return name


def _cron(text: str) -> str:
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(text, datetime(2026, 1, 1)))  # whether it can be read, and ever comes
    except (CronSimError, StopIteration):
        raise ValueError(
            f"{text!r} is no cron expression: minute, hour, day, month, weekday, such as '30 8 * * *'"
        ) from None
    return text


def _address(text: str) -> str:
    return str(Address.parse(text))


def _hour(value: object) -> object:
    """YAML 1.1 reads an unquoted 23:00 as the number 1380: minutes, as it happens."""
    return time(*divmod(value, 60)) if isinstance(value, int) and 0 <= value < 24 * 60 else value


Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
Place = Annotated[str, AfterValidator(_address)]
Holiday = Annotated[str, BeforeValidator(str), AfterValidator(check_holiday)]
Hour = Annotated[time, BeforeValidator(_hour)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Part):
    """One thing that is posted again and again by `cron`, or once on a `date`. Times are of `zone`.

    `jitter`: minutes by which it may come later. `quiet`: from, to; what falls between waits for the end.
    `missed`: whether what nobody was there to post is skipped, or made once; `grace`: minutes late that are no miss.
    `approve`: nothing is posted until the operator has said yes; a draft waits `expires` hours.
    `after`: days before a throwback looks back at a song.
    """

    name: str = Field(pattern=r"[a-z0-9][a-z0-9-]{0,39}")
    what: What
    cron: Cron | None = None
    date: datetime | None = None
    zone: Zone = "UTC"
    jitter: int = Field(0, ge=0, le=12 * 60)
    where: tuple[Place, ...] = ()
    quiet: tuple[Hour, Hour] | None = None
    holidays: tuple[Holiday, ...] = ()
    on_holidays: Literal["post", "skip", "only"] = "post"
    missed: Literal["skip", "once"] = "skip"
    grace: int = Field(30, ge=0, le=24 * 60)
    approve: bool = False
    expires: float = Field(72.0, gt=0, le=24 * 60)
    themes: tuple[str, ...] = ()
    text: str = ""
    style: str = ""
    seconds: float = Field(20.0, ge=10, le=240)
    after: int = Field(30, ge=1)
    tags: tuple[str, ...] = ()
    link: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Entry:
        if (self.cron is None) == (self.date is None):
            raise ValueError("say when: either `cron`, or a `date` with its time")
        if self.date is not None and self.date.tzinfo is not None:
            raise ValueError("`date` is a time of `zone`: leave the offset away")
        if self.what == "announcement" and not self.text.strip():
            raise ValueError("an announcement needs its `text`")
        if self.what in ("verse", "snippet") and not self.themes:
            raise ValueError(f"a {self.what} needs `themes`: what it is about, one after the other")
        if strange := [tag for tag in self.tags if not tag.isalnum()]:
            raise ValueError(f"a tag is letters and digits only, without '#': {', '.join(strange)}")
        if self.link and not self.link.startswith(("https://", "http://")):
            raise ValueError("`link` begins with https://")
        return self

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(Address.parse(text) for text in self.where)


SHARED = frozenset(Entry.model_fields) - {"name", "what", "cron", "date", "text", "themes"}


def read_calendar(path: Path, where: Sequence[str] = (), zone: str = "") -> tuple[Entry, ...]:
    """`entries: {<name>: {...}}`, and beside them what holds for all of them unless an entry says otherwise.

    `where` and `zone` are used where the file names none. Raises CalendarError with a sentence a mistake.
    """
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CalendarError(f"the calendar {path} cannot be read: {error}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("entries"), dict):
        raise CalendarError(f"{path}: a calendar is a mapping with `entries`, by name")
    given: dict[str, Any] = {"where": tuple(where)} | ({"zone": zone} if zone else {})
    shared = given | {key: value for key, value in raw.items() if key != "entries"}
    if strange := sorted(shared.keys() - SHARED):
        raise CalendarError(f"{path}: {', '.join(map(str, strange))} cannot stand beside `entries`")
    problems: list[str] = []
    entries: list[Entry] = []
    for name, own in raw["entries"].items():
        try:
            entries.append(Entry.model_validate({**shared, **(own or {}), "name": str(name)}))
        except (ValidationError, TypeError) as error:
            problems += [f"{path}: {name}: {sentence}" for sentence in _sentences(error)]
    if problems:
        raise CalendarError("; ".join(problems))
    return tuple(entries)


def _sentences(error: ValidationError | TypeError) -> list[str]:
    if isinstance(error, TypeError):
        return ["an entry is a mapping of what, when and where"]
    found = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"])
        said = "is not known" if problem["type"] == "extra_forbidden" else problem["msg"]
        found.append(f"{field}: {said}".removeprefix(": ").replace("Value error, ", ""))
    return found
