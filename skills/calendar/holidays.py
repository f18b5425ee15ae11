"""Holidays as data: '12-25', '2026-11-26', 'easter', 'easter+1', '4th thursday of november', 'last monday of may'."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
NTH = {"1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "last": -1}
EVERY_YEAR = re.compile(r"(\d\d)-(\d\d)")
ONE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
EASTER = re.compile(r"easter(?:([+-]\d{1,3}))?")
WEEKDAY = re.compile(rf"({'|'.join(NTH)}) ({'|'.join(DAYS)}) of ({'|'.join(MONTHS)})")


def check_holiday(rule: str) -> str:
    """The rule as it is. Raises ValueError where it names no day."""
    rule = rule.strip().lower()
    _day(rule, 2028)  # a leap year: 02-29 is a day
    return rule


def is_holiday(day: date, rules: Sequence[str]) -> bool:
    return any(_day(rule, day.year) == day for rule in rules)


def _day(rule: str, year: int) -> date | None:
    """The day of a rule in a year; None where that year has none."""
    if ONE_DAY.fullmatch(rule):
        return date.fromisoformat(rule)
    if found := EVERY_YEAR.fullmatch(rule):
        month, day = int(found[1]), int(found[2])
        date(2028, month, day)
        return None if (month, day) == (2, 29) and not calendar.isleap(year) else date(year, month, day)
    if found := EASTER.fullmatch(rule):
        return _easter(year) + timedelta(int(found[1] or 0))
    if found := WEEKDAY.fullmatch(rule):
        month, weekday = MONTHS[found[3]], DAYS[found[2]]
        length = calendar.monthrange(year, month)[1]
        days = [date(year, month, day) for day in range(1, length + 1)]
        return [day for day in days if day.weekday() == weekday][NTH[found[1]]]
    raise ValueError(
        f"{rule!r} names no day: write '12-25', '2026-11-26', 'easter', 'easter+1', '4th thursday of november'"
    )


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, ch. 8)."""
    golden, century, rest = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
