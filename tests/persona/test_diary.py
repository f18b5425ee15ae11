"""What the artist says by itself, with its real lines, its real author and a real calendar."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.embedder import Embedder
from persona.card import says_ai
from persona.diary import Diary, lines_of
from persona.guard import rules
from persona.stages.discord.charts import Charts
from persona.stages.discord.lines import Lines
from persona.stages.discord.servers import Servers
from persona.stages.discord.store import Store
from skills.brief import Brief
from skills.calendar.book import CalendarBook, Planned
from skills.calendar.entry import Entry, read_calendar
from skills.calendar.occasions import occasion
from skills.calendar.rounds import Nothing, Wish, Words, finished
from skills.database import Database
from skills.library import Library
from skills.places.limits import limits_of
from skills.places.text import fit
from skills.words import EmbeddedAuthor

CAST = Path(__file__).parents[2] / "persona" / "cast"
MONDAY = datetime(2026, 11, 2, 11, tzinfo=UTC)


class Desk:
    """A diary over a book in a folder of this test."""

    def __init__(self, folder: Path) -> None:
        self.book = CalendarBook(Database(f"sqlite:///{folder / 'requests.sqlite'}"))
        self.library = Library(folder / "songs")
        self.store = Store(folder / "discord.sqlite")
        lines = Lines.load("breaking-rust")
        charts = Charts(self.store, Servers(self.store), lines, lambda title, guild: None)
        self.diary = Diary(
            lines_of("breaking-rust"),
            self.book,
            self.library,
            lambda: EmbeddedAuthor(Embedder()),
            _wrong,
            lambda: charts,
        )

    def comes(self, week: int = 0, **chosen: Any) -> Planned:
        entry = Entry.model_validate({"name": chosen["what"], "cron": "0 12 * * *"} | chosen)
        came = occasion(entry, MONDAY + timedelta(weeks=week))
        self.book.add(came)
        return self.book.get(came.id)

    def publish(self, title: str, week: int) -> str:
        """A song that was made for the calendar, in a week before or after the first."""
        planned = self.comes(week, what="snippet", themes=("rain",))
        song = self.library.open(Brief("rain"), week + 100, f"{title.lower().replace(' ', '-')}-0123456789")
        self.library.write(dataclasses.replace(song, title=title, clip="clip.mp3"))
        self.book.move(planned, "posted", text=title, song=song.id)
        return song.id


def _wrong(text: str) -> str:
    return "claimed human" if rules.claims_human(text) else ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_every_thought_is_said_before_one_returns_and_a_restart_changes_none(
    desk: Desk, tmp_path: Path
) -> None:
    count = sum(line.id.startswith("posts/thought/") for line in lines_of("breaking-rust").all)
    said = [desk.diary.write(desk.comes(week, what="thought")) for week in range(2 * count)]
    texts = [words.text for words in said if isinstance(words, Words)]
    assert len(set(texts[:count])) == count >= 20
    assert set(texts[count:]) == set(texts[:count])
    assert texts[:count] != texts[count:], "in another order the second time"
    assert Desk(tmp_path).diary.write(desk.comes(5, what="thought")) == said[5]


def test_a_verse_is_about_its_theme_and_fits_wherever_it_is_posted(desk: Desk) -> None:
    planned = desk.comes(what="verse", themes=("an empty chair",))
    words = desk.diary.write(planned)
    assert isinstance(words, Words)
    intro, _, verse = words.text.partition("\n\n")
    assert "an empty chair" in intro.lower()
    assert 2 <= len(verse.splitlines()) <= 8
    assert desk.diary.write(planned) == words, "the same again after a crash"
    whole = fit(finished(planned.entry, words.text, clip=False), limits_of("bluesky"))
    assert whole.endswith("Written by an AI.")


def test_themes_take_turns(desk: Desk) -> None:
    wishes = [
        desk.diary.write(desk.comes(week, what="snippet", themes=("rain", "rust"))) for week in range(3)
    ]
    assert [wish.brief.theme for wish in wishes if isinstance(wish, Wish)] == ["rain", "rust", "rain"]


def test_a_snippet_is_a_wish_for_a_song_and_its_caption_names_it(desk: Desk) -> None:
    planned = desk.comes(what="snippet", themes=("the harbor at night",), style="soul", seconds=15)
    assert desk.diary.write(planned) == Wish(Brief("the harbor at night", style="soul", seconds=15))
    song = dataclasses.replace(desk.library.open(Brief("the harbor at night"), 1, "x-1"), title="Low Lamp")
    assert '"Low Lamp"' in desk.diary.caption(planned, song)


def test_an_announcement_is_said_in_the_words_that_were_written(desk: Desk) -> None:
    assert desk.diary.write(desk.comes(what="announcement", text="We play tonight.")) == Words(
        "We play tonight."
    )


def test_a_throwback_takes_songs_in_turn_that_are_old_enough(desk: Desk) -> None:
    young = desk.comes(4, what="throwback", after=60)
    assert isinstance(desk.diary.write(young), Nothing)
    songs = [desk.publish("Low Lamp", 0), desk.publish("Late Bus", 1)]
    found = [desk.diary.write(desk.comes(week, what="throwback", after=60)) for week in (20, 24, 28)]
    assert [words.song for words in found if isinstance(words, Words)] in (
        [*songs, songs[0]],
        [*songs[::-1], songs[1]],
    )
    assert all(
        isinstance(words, Words) and re.search(r"in November 2026", words.text, re.I) for words in found
    )


def like(desk: Desk, song: str, fan: str, guild: str, at: datetime) -> None:
    desk.store.write(
        "insert into liked values (?, ?, ?, ?, ?)", song, fan, "reaction ❤", guild, at.timestamp()
    )


def test_a_chart_for_everybody_knows_only_songs_that_the_artist_published(desk: Desk) -> None:
    ours, fans_own = desk.publish("Low Lamp", -1), "for-maya-0123456789"
    sunday = desk.comes(what="chart", where=("mastodon:rust", "discord:7/8"))
    assert isinstance(desk.diary.write(sunday), Nothing)
    for fan in ("ann", "bob"):
        like(desk, fans_own, fan, "7", MONDAY - timedelta(days=1))
    like(desk, ours, "ann", "9", MONDAY - timedelta(days=1))
    like(desk, ours, "bob", "9", MONDAY - timedelta(days=8))
    words = desk.diary.write(sunday)
    assert isinstance(words, Words)
    assert words.text.splitlines()[0].count('"Low Lamp"') == 1
    assert "1. Low Lamp · 1 fan" in words.text
    assert "maya" not in words.text.lower()


def test_a_chart_of_one_server_is_that_server_s_own(desk: Desk) -> None:
    like(desk, "for-maya-0123456789", "ann", "7", MONDAY - timedelta(days=1))
    like(desk, "elsewhere-0123456789", "ann", "9", MONDAY - timedelta(days=1))
    words = desk.diary.write(desk.comes(what="chart", where=("discord:7/8",)))
    assert isinstance(words, Words)
    assert "for-maya" in words.text
    assert "elsewhere" not in words.text


def test_no_line_claims_a_human_s_life_and_each_says_no_more_than_is_known() -> None:
    known = {
        "verse": {"theme"},
        "snippet": {"theme", "title"},
        "chart": {"title"},
        "throwback": {"title", "when"},
        "thought": set(),
    }
    lines = lines_of("breaking-rust").all
    assert {line.id.split("/")[1] for line in lines} == set(known)
    for line in lines:
        assert line.slots <= known[line.id.split("/")[1]], line.text
        assert not rules.claims_human(line.text), line.text
    assert sum(says_ai(line.text) for line in lines) >= 3


def test_the_calendar_beside_the_card_can_be_followed() -> None:
    entries = read_calendar(CAST / "breaking-rust.calendar.yaml", ["terminal:"], "Europe/Berlin")
    assert {entry.what for entry in entries} == {"verse", "snippet", "chart", "thought", "throwback"}
    assert all(entry.quiet and entry.zone == "Europe/Berlin" for entry in entries)


def test_a_card_without_lines_borrows_the_house_s(tmp_path: Path) -> None:
    assert lines_of(str(tmp_path / "someone.yaml")).all == lines_of("breaking-rust").all
    (tmp_path / "someone.posts.yaml").write_text("posts:\n  thought: |\n    Mine.\n")
    assert [line.text for line in lines_of(str(tmp_path / "someone.yaml")).all] == ["Mine."]
