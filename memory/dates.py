"""Times as people say them: 'last winter', 'three weeks ago', 'in June' become a span of days."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

MONTHS = "january february march april may june july august september october november december".split(" ")
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split(" ")
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # the first of three months
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple of": 2}
UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}

_AGO = re.compile(rf"\b(?:a )?({'|'.join(NUMBERS)}|\d+) (day|week|month|year)s? ago\b")
_LAST = re.compile(rf"\b(last|this|past) (week|month|year|{'|'.join(SEASONS)}|{'|'.join(MONTHS + DAYS)})\b")
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_DATE = re.compile(rf"\b(?:{_NTH}(?: of)? )?({'|'.join(MONTHS)})(?: {_NTH}\b)?(?:,? (\d{{4}}))?")
_IN_YEAR = re.compile(r"\b(?:in|during|of|since) ((?:19|20)\d\d)\b")
_ON_DAY = re.compile(rf"\bon ({'|'.join(DAYS)})\b")
_MAY_IS_A_VERB = re.compile(r"\bmay (?!\d)(?!of\b)(?!and\b)")


class Span(NamedTuple):
    """From the first moment to the last."""

    start: datetime
    end: datetime

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment < self.end


def read_span(text: str, now: datetime) -> Span | None:
    """The span of past time that a text speaks of, or None; every open date is the latest one before now."""
    text = text.lower()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = (read(text, today) for read in (_read_days, _read_ago, _read_last, _read_calendar))
    return next((span for span in spans if span is not None), None)


def _read_days(text: str, today: datetime) -> Span | None:
    day = timedelta(days=1)
    if re.search(r"\b(yesterday|last night)\b", text):
        return Span(today - day, today)
    if re.search(r"\b(today|this morning|tonight|earlier)\b", text):
        return Span(today, today + day)
    return None


def _read_ago(text: str, today: datetime) -> Span | None:
    if not (found := _AGO.search(text)):
        return None
    count = NUMBERS.get(found[1]) or min(int(found[1]), 1000)
    day = timedelta(days=1)
    unit = UNITS[found[2]] * day
    middle, slack = today - count * unit, max(day, unit / 2 if count < 4 else unit)
    return Span(middle - slack, middle + slack + day)


def _read_last(text: str, today: datetime) -> Span | None:
    if found := _LAST.search(text):
        return _relative(found[1] != "this", found[2], today)
    if found := _ON_DAY.search(text):
        return _relative(True, found[1], today)
    return None


def _read_calendar(text: str, today: datetime) -> Span | None:
    if (found := _DATE.search(text)) and not (found[2] == "may" and _MAY_IS_A_VERB.search(text)):
        return _dated(found, today)
    if found := _IN_YEAR.search(text):
        return Span(today.replace(int(found[1]), 1, 1), today.replace(int(found[1]) + 1, 1, 1))
    return None


def _relative(past: bool, unit: str, today: datetime) -> Span:
    day = timedelta(days=1)
    if unit == "week":
        monday = today - today.weekday() * day
        return Span(monday - 7 * day, monday) if past else Span(monday, monday + 7 * day)
    if unit == "month":
        first = today.replace(day=1)
        return _months((first - day).replace(day=1), 1) if past else _months(first, 1)
    if unit == "year":
        return Span(today.replace(today.year - past, 1, 1), today.replace(today.year - past + 1, 1, 1))
    if unit in DAYS:
        back = (today.weekday() - DAYS.index(unit)) % 7 or 7 * past
        return Span(today - back * day, today - back * day + day)
    if unit in MONTHS:
        return _months(_latest(MONTHS.index(unit) + 1, 1, today, past), 1)
    return _months(_latest(SEASONS[unit], 3, today, past), 3)


def _latest(month: int, length: int, today: datetime, ended: bool) -> datetime:
    """The first day of the latest such month or season; `ended` leaves out one that is still running."""
    first = today.replace(month=month, day=1)
    while first > today or (ended and _months(first, length).end > today):
        first = first.replace(year=first.year - 1)
    return first


def _months(first: datetime, count: int) -> Span:
    year, month = divmod(first.month - 1 + count, 12)
    return Span(first, first.replace(year=first.year + year, month=month + 1))


def _dated(found: re.Match[str], today: datetime) -> Span:
    month, number = MONTHS.index(found[2]) + 1, found[1] or found[3]
    year = int(found[4]) if found[4] else today.year - (today.replace(month=month, day=1) > today)
    first = today.replace(year, month, 1)
    if number and 1 <= int(number) <= (_months(first, 1).end - first).days:
        first = first.replace(day=int(number))
        return Span(first, first + timedelta(days=1))
    return _months(first, 1)
