"""When the calendar comes, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from skills.calendar.entry import CalendarError, Entry, read_calendar
from skills.calendar.holidays import is_holiday
from skills.calendar.occasions import Occasion, occasion, past, upcoming
from tests.skills.entries import BERLIN, an_entry


def times(found: Sequence[Occasion]) -> list[str]:
    return [f"{each.local:%d %H:%M %Z}" for each in found]


def first(entry: Entry, after: datetime, count: int) -> list[Occasion]:
    return list(islice(upcoming(entry, after), count))


# ---- when


def test_in_spring_what_falls_into_the_hour_that_is_left_out_comes_at_its_end() -> None:
    entry = an_entry(cron="30 2 * * *")
    found = first(entry, datetime(2026, 3, 27, 12, tzinfo=BERLIN), 3)
    assert times(found) == ["28 02:30 CET", "29 03:00 CEST", "30 02:30 CEST"]


def test_in_autumn_what_falls_into_the_hour_that_comes_twice_comes_once() -> None:
    entry = an_entry(cron="30 2 * * *")
    found = first(entry, datetime(2026, 10, 24, 1, tzinfo=BERLIN), 3)
    assert times(found) == ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]


def test_in_autumn_what_comes_every_half_hour_comes_in_both_hours_with_a_name_each() -> None:
    found = first(an_entry(cron="*/30 * * * *"), datetime(2026, 10, 25, 1, 45, tzinfo=BERLIN), 5)
    assert times(found) == ["25 02:00 CEST", "25 02:30 CEST", "25 02:00 CET", "25 02:30 CET", "25 03:00 CET"]
    assert len({each.id for each in found}) == 5


def test_the_hour_of_the_wall_clock_stays_over_both_changes() -> None:
    for day in (datetime(2026, 3, 28, tzinfo=BERLIN), datetime(2026, 10, 24, tzinfo=BERLIN)):
        assert {each.local.hour for each in first(an_entry(), day, 3)} == {12}


def test_a_date_that_the_clock_leaves_out_comes_an_hour_later() -> None:
    entry = an_entry(date="2026-03-29 02:30", what="announcement", text="Tonight.")
    assert times(first(entry, datetime(2026, 1, 1, tzinfo=UTC), 9)) == ["29 03:30 CEST"]
    assert first(entry, datetime(2026, 3, 30, tzinfo=UTC), 9) == []


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 * * * *", "0 0 29 2 *", "15 12 * * 1,3"])
def test_looked_back_at_it_is_the_same_as_looked_forward_to(cron: str) -> None:
    entry = an_entry(cron=cron, jitter=50, quiet=("22:30", "07:30"))
    begin = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    ahead = first(entry, begin, 60)
    back = past(entry, begin, max(each.when for each in ahead))
    assert {each.id for each in ahead} <= {each.id for each in back}
    assert [each.when for each in back] == sorted((each.when for each in back), reverse=True)


def test_jitter_is_drawn_by_entry_and_time_and_never_moves() -> None:
    entry, begin = an_entry(jitter=45), datetime(2026, 11, 1, tzinfo=UTC)
    found = first(entry, begin, 60)
    assert found == first(an_entry(jitter=45), begin + timedelta(hours=1), 60), (
        "another process, another hour"
    )
    late = [each.when - each.nominal for each in found]
    assert all(timedelta() <= each <= timedelta(minutes=45) for each in late)
    assert len(set(late)) > 50
    assert late != [each.when - each.nominal for each in first(an_entry(jitter=45, name="other"), begin, 60)]


@pytest.mark.parametrize(
    ("hour", "comes"),
    [("23:10", "08:00"), ("02:00", "08:00"), ("07:59", "08:00"), ("08:00", "08:00"), ("22:59", "22:59")],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(hour: str, comes: str) -> None:
    entry = an_entry(quiet=("23:00", "08:00"))
    nominal = datetime.fromisoformat(f"2026-11-03T{hour}").replace(tzinfo=BERLIN)
    local = occasion(entry, nominal).local
    assert f"{local:%H:%M}" == comes
    assert local.date() == nominal.date() + timedelta(days=hour == "23:10")


def test_holidays_are_skipped_or_are_the_only_days() -> None:
    begin = datetime(2026, 12, 23, 13, tzinfo=BERLIN)
    rules = ("12-24", "12-25", "2026-12-26")
    skips = first(an_entry(holidays=rules, on_holidays="skip"), begin, 2)
    assert times(skips) == ["27 12:00 CET", "28 12:00 CET"]
    only = first(an_entry(holidays=rules, on_holidays="only"), begin, 4)
    assert times(only)[:3] == ["24 12:00 CET", "25 12:00 CET", "26 12:00 CET"]
    assert only[3].local.date() == date(2027, 12, 24)


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        (date(2026, 4, 5), "easter"),
        (date(2027, 3, 28), "easter"),
        (date(2038, 4, 25), "easter"),  # as late as it comes
        (date(2026, 4, 6), "easter+1"),
        (date(2026, 4, 3), "easter-2"),
        (date(2026, 11, 26), "4th thursday of november"),
        (date(2026, 5, 25), "last monday of may"),
        (date(2028, 2, 29), "02-29"),
    ],
)
def test_holidays_by_their_rules(day: date, rule: str) -> None:
    assert is_holiday(day, [rule])
    assert not is_holiday(day + timedelta(days=1), [rule])


# ---- as data


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "calendar.yaml"
    path.write_text(text, "utf-8")
    return path


def test_what_stands_beside_the_entries_holds_for_all_that_say_nothing_else(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        """
        zone: America/New_York
        quiet: [23:00, 07:00]
        holidays: [2026-11-26, easter]
        where: [mastodon:rust]
        entries:
          hello: {what: announcement, date: 2026-12-24 18:00, text: We play tonight., where: [feed:pod]}
          verse: {what: verse, cron: 30 8 * * *, themes: [rain], zone: UTC}
        """,
    )
    hello, verse = read_calendar(path, ["terminal:"], "Europe/Berlin")
    assert (hello.zone, verse.zone) == ("America/New_York", "UTC")
    assert (hello.where, verse.where) == (("feed:pod",), ("mastodon:rust",))
    assert [f"{hour:%H:%M}" for hour in verse.quiet or ()] == ["23:00", "07:00"]
    assert is_holiday(date(2026, 11, 26), hello.holidays)
    assert hello.date == datetime(2026, 12, 24, 18)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{what: thought}", "a: say when: either `cron`, or a `date`"),
        ("{what: thought, cron: every day}", "'every day' is no cron expression"),
        ("{what: thought, cron: 0 0 31 2 *}", "is no cron expression"),
        ("{what: thought, cron: 0 8 * * *, zone: Berlin}", "'Berlin' is no time zone"),
        ("{what: thought, cron: 0 8 * * *, wher: [a:b]}", "wher: is not known"),
        ("{what: thought, cron: 0 8 * * *, where: [rust]}", "an address looks like"),
        ("{what: thought, cron: 0 8 * * *, holidays: [someday]}", "'someday' names no day"),
        ("{what: verse, cron: 0 8 * * *}", "a verse needs `themes`"),
        ("{what: announcement, cron: 0 8 * * *}", "an announcement needs its `text`"),
        ("{what: dance, cron: 0 8 * * *}", "what: Input should be 'verse', 'snippet'"),
        ("daily", "an entry is a mapping"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_entry(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(CalendarError) as told:
        read_calendar(a_file(tmp_path, f"entries: {{a: {entry}}}"))
    assert said in str(told.value)
    assert "a: " in str(told.value)
