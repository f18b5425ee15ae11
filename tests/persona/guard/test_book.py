"""What the guard writes down: notices, ages, incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona.guard.book import GuardBook
from persona.guard.rules import Verdict
from skills.address import Address

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE, THERE = Address("terminal"), Address("discord", "1/2")


def test_a_notice_is_due_once_in_a_place_and_again_after_three_hours_even_after_a_restart(
    tmp_path: Path,
) -> None:
    book = GuardBook(tmp_path / "guard.sqlite")
    assert book.due("sam", HERE, NOON) == "first"
    book.told("sam", HERE, NOON)
    book = GuardBook(tmp_path / "guard.sqlite")
    assert book.due("sam", HERE, NOON + timedelta(hours=2, minutes=59)) == ""
    assert book.due("sam", HERE, NOON + timedelta(hours=3)) == "again"
    assert book.due("sam", THERE, NOON) == "first" and book.due("maya", HERE, NOON) == "first"


def test_somebody_young_is_known_until_they_are_grown_up(tmp_path: Path) -> None:
    book = GuardBook(tmp_path / "guard.sqlite")
    book.said_age("kim", 14, NOON)
    assert book.is_young("kim", NOON) and not book.is_young("sam", NOON)
    assert book.is_young("kim", NOON + timedelta(days=3 * 365))
    assert not book.is_young("kim", NOON + timedelta(days=6 * 366))
    book.said_age("kim", 31, NOON)
    assert not book.is_young("kim", NOON)


def test_incidents_are_counted_without_words_or_names(tmp_path: Path) -> None:
    book = GuardBook(tmp_path / "guard.sqlite")
    for _ in range(3):
        book.count(Verdict("out_of_bounds", "hate", "judged 0.71"), "discord:1", NOON)
    book.count(Verdict("crisis", "_"), "discord:2", NOON - timedelta(days=1))
    assert [(each.topic, each.why, each.count) for each in book.incidents(NOON, "discord:1")] == [
        ("hate", "judged", 3)
    ]
    assert len(book.incidents(NOON - timedelta(days=2))) == 2 and len(book.incidents(NOON)) == 1


def test_a_fan_who_is_forgotten_leaves_no_byte(tmp_path: Path) -> None:
    book = GuardBook(tmp_path / "guard.sqlite")
    book.told("discord:987654321", HERE, NOON)
    book.said_age("discord:987654321", 15, NOON)
    assert book.forget("discord:987654321") == 2
    assert not any(b"987654321" in path.read_bytes() for path in tmp_path.iterdir())
