"""The feed is read here as a podcast program would read it."""

from __future__ import annotations

import dataclasses
import shutil
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from skills.address import Address
from skills.library import Library
from skills.places.feed import ITUNES, Channel, FeedOutlet
from skills.places.social import SocialPlace
from skills.post import Post, PostError
from tests.skills.places.conftest import a_journal

CHANNEL = Channel(
    Path("feed"), "https://example.org/rust/", "Breaking Rust", "Songs <low> & slow.", "me@example.org"
)


def a_feed(tmp_path: Path) -> tuple[SocialPlace, Path]:
    channel = dataclasses.replace(CHANNEL, folder=tmp_path / "feed")
    place = SocialPlace("feed", {"rust": lambda: FeedOutlet(channel)}, a_journal(tmp_path))
    return place, channel.folder / "feed.xml"


def a_post(
    clip: Path | None, nonce: str = "snippet@20261122T1800Z:feed", text: str = "Here's <one> & a half."
) -> Post:
    return Post(nonce, Address("feed", "rust"), text, clip)


def read(path: Path) -> tuple[ElementTree.Element, list[ElementTree.Element]]:
    rss = ElementTree.parse(path).getroot()
    assert (rss.tag, rss.get("version")) == ("rss", "2.0")
    channel = rss.find("channel")
    assert channel is not None
    return channel, channel.findall("item")


def test_a_song_becomes_an_episode_with_everything_that_podcast_programs_ask_for(
    tmp_path: Path, clip: Path
) -> None:
    place, path = a_feed(tmp_path)
    place.post(a_post(clip))
    channel, [item] = read(path)
    assert channel.findtext("title") == "Breaking Rust"
    assert channel.findtext("link") == "https://example.org/rust"
    assert "AI-made" in str(channel.findtext("description"))
    assert channel.findtext("language") == "en"
    assert channel.findtext(f"{{{ITUNES}}}explicit") == "false"
    assert channel.find(f"{{{ITUNES}}}category").get("text") == "Music"  # type: ignore[union-attr]
    assert channel.findtext(f"{{{ITUNES}}}owner/{{{ITUNES}}}email") == "me@example.org"
    assert item.findtext("title") == "Last Train Gone"
    assert str(item.findtext("description")).startswith("Here's <one> & a half.")
    assert "AI-made" in str(item.findtext("description"))
    assert item.findtext("guid") == "the-last-train-0123456789"
    assert item.find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr]
    assert parsedate_to_datetime(str(item.findtext("pubDate"))).tzinfo is not None
    assert item.findtext(f"{{{ITUNES}}}duration") == "21"
    enclosure = item.find("enclosure")
    assert enclosure is not None
    copy = path.parent / "songs" / "the-last-train-0123456789.mp3"
    assert enclosure.get("url") == "https://example.org/rust/songs/the-last-train-0123456789.mp3"
    assert enclosure.get("type") == "audio/mpeg"
    assert int(str(enclosure.get("length"))) == copy.stat().st_size == clip.stat().st_size
    image = item.find(f"{{{ITUNES}}}image")
    assert image is not None
    assert (
        path.parent / "songs" / str(image.get("href")).rsplit("/", 1)[1]
    ).read_bytes() == b"\x89PNG picture"


def test_a_song_stands_in_the_feed_once_even_if_all_that_we_remember_is_lost(
    tmp_path: Path, clip: Path
) -> None:
    place, path = a_feed(tmp_path)
    place.post(a_post(clip))
    (tmp_path / "requests.sqlite").unlink()
    place, _ = a_feed(tmp_path)
    place.post(a_post(clip))
    place.post(a_post(clip, "throwback@20270101T1200Z:feed"))
    assert len(read(path)[1]) == 1


def test_the_newest_comes_first_and_the_older_ones_stay(tmp_path: Path, clip: Path) -> None:
    place, path = a_feed(tmp_path)
    place.post(a_post(clip))
    other = clip.parent.parent / "another-song-0123456789"
    shutil.copytree(clip.parent, other)
    library = Library(other.parent)
    song = library.read(clip.parent.name)
    library.write(dataclasses.replace(song, id=other.name, title="Another"))
    place.post(a_post(other / "clip.mp3", "snippet@20261129T1800Z:feed"))
    place.post(a_post(None, "thought@20261130T1800Z:feed", "A thought, no song."))
    _, items = read(path)
    assert [item.findtext("title") for item in items] == ["A thought, no song.", "Another", "Last Train Gone"]
    assert [item.find("enclosure") is not None for item in items] == [False, True, True]


def test_a_damaged_feed_is_not_written_over(tmp_path: Path, clip: Path) -> None:
    place, path = a_feed(tmp_path)
    path.parent.mkdir()
    path.write_text("<rss><channel>")
    with pytest.raises(PostError, match="is damaged"):
        place.post(a_post(clip))
    assert path.read_text() == "<rss><channel>"
