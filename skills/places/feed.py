"""A folder with an RSS 2.0 feed that podcast programs read. Any web server can serve it; nothing is sent from here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from xml.etree import ElementTree

from skills.files import alone, written_whole
from skills.places.limits import Limits, labelled, limits_of
from skills.places.media import Media, mime
from skills.places.social import Item
from skills.post import PostError

STAGE = "feed"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Channel:
    """`url`: where the folder is served, such as https://example.org/songs."""

    folder: Path
    url: str
    title: str
    description: str
    email: str = ""


class FeedOutlet:
    """feed.xml is its own memory: an item that stands in it is not added again."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    @property
    def limits(self) -> Limits:
        return limits_of(STAGE)

    def send(self, item: Item) -> str:
        try:
            with self._alone():
                tree = self._read()
                if _with_guid(tree, _guid(item)) is None:
                    self._add(tree, item)
                    self._write(tree)
        except OSError as error:
            raise PostError(
                f"the feed's folder {self.channel.folder} cannot be written ({error.strerror or error})"
            ) from None
        return self._link(item)

    def find(self, item: Item) -> str | None:
        return None if _with_guid(self._read(), _guid(item)) is None else self._link(item)

    def look(self) -> str:
        self.channel.folder.mkdir(parents=True, exist_ok=True)
        count = len(self._read().findall("channel/item"))
        return f"{self.channel.folder / 'feed.xml'}, {count} items, served at {self.channel.url}/feed.xml"

    # ---- the file

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.channel.folder.mkdir(parents=True, exist_ok=True)
        with alone(self.channel.folder / ".lock"):
            yield

    def _read(self) -> ElementTree.Element:
        path = self.channel.folder / "feed.xml"
        if not path.is_file():
            rss = ElementTree.Element("rss", {"version": "2.0"})
            ElementTree.SubElement(rss, "channel")
            return rss
        try:
            return ElementTree.parse(path).getroot()  # noqa: S314  # our own file
        except ElementTree.ParseError as error:
            raise PostError(f"{path} is damaged ({error}): put a copy back, or move it away") from None

    def _write(self, rss: ElementTree.Element) -> None:
        self._head(rss)
        ElementTree.register_namespace("itunes", ITUNES)
        ElementTree.register_namespace("atom", ATOM)
        ElementTree.indent(rss)
        with written_whole(self.channel.folder / "feed.xml") as path:
            ElementTree.ElementTree(rss).write(path, encoding="utf-8", xml_declaration=True)

    def _head(self, rss: ElementTree.Element) -> None:
        """What stands above the items, written anew each time: the settings may have changed."""
        channel, told = rss.find("channel"), self.channel
        assert channel is not None
        items = channel.findall("item")
        channel.clear()
        url = told.url.rstrip("/")
        for name, text in (
            ("title", told.title),
            ("link", url),
            ("description", labelled(told.description, clip=True)),
            ("language", "en"),
            ("lastBuildDate", format_datetime(datetime.now(UTC))),
            ("generator", "Troubadour"),
            (f"{{{ITUNES}}}author", told.title),
            (f"{{{ITUNES}}}explicit", "false"),
            (f"{{{ITUNES}}}type", "episodic"),
        ):
            ElementTree.SubElement(channel, name).text = text
        ElementTree.SubElement(channel, f"{{{ITUNES}}}category", {"text": "Music"})
        ElementTree.SubElement(
            channel,
            f"{{{ATOM}}}link",
            {"href": f"{url}/feed.xml", "rel": "self", "type": "application/rss+xml"},
        )
        if told.email:
            owner = ElementTree.SubElement(channel, f"{{{ITUNES}}}owner")
            ElementTree.SubElement(owner, f"{{{ITUNES}}}name").text = told.title
            ElementTree.SubElement(owner, f"{{{ITUNES}}}email").text = told.email
        newest = next((item.find(f"{{{ITUNES}}}image") for item in items), None)
        if newest is not None:
            ElementTree.SubElement(channel, f"{{{ITUNES}}}image", {"href": str(newest.get("href"))})
        channel.extend(items)

    # ---- one item

    def _add(self, rss: ElementTree.Element, item: Item) -> None:
        entry = ElementTree.Element("item")
        media = item.media
        title = media.song.title if media else item.text.splitlines()[0][:80]
        for name, text in (
            ("title", title),
            ("description", item.text),
            ("pubDate", format_datetime(datetime.fromtimestamp(item.begun, UTC))),
        ):
            ElementTree.SubElement(entry, name).text = text
        ElementTree.SubElement(entry, "guid", {"isPermaLink": "false"}).text = _guid(item)
        if media is not None:
            self._enclose(entry, media)
        channel = rss.find("channel")
        assert channel is not None
        first = next((place for place, each in enumerate(channel) if each.tag == "item"), len(channel))
        channel.insert(first, entry)

    def _enclose(self, entry: ElementTree.Element, media: Media) -> None:
        clip = self._copy(media.need("mp3", self.limits.file), media.song.id)
        ElementTree.SubElement(
            entry,
            "enclosure",
            {"url": self._url(clip), "length": str(clip.stat().st_size), "type": mime(clip)},
        )
        ElementTree.SubElement(entry, f"{{{ITUNES}}}duration").text = str(round(media.song.seconds or 0))
        ElementTree.SubElement(entry, f"{{{ITUNES}}}explicit").text = "false"
        cover = media.find("cover", self.limits.file)
        if cover is not None:
            image = self._url(self._copy(cover, media.song.id))
            ElementTree.SubElement(entry, f"{{{ITUNES}}}image", {"href": image})

    def _copy(self, path: Path, song: str) -> Path:
        """The song's file in the feed's folder: the library may forget it, the feed has promised it."""
        copy = self.channel.folder / "songs" / f"{song}{path.suffix}"
        with written_whole(copy) as temporary:
            shutil.copyfile(path, temporary)
        return copy

    def _url(self, path: Path) -> str:
        return f"{self.channel.url.rstrip('/')}/songs/{path.name}"

    def _link(self, item: Item) -> str:
        where = f"songs/{item.media.song.id}.mp3" if item.media else "feed.xml"
        return f"{self.channel.url.rstrip('/')}/{where}"


def _guid(item: Item) -> str:
    """A song stands in a feed once, whoever posts it."""
    return item.media.song.id if item.media else item.nonce


def _with_guid(rss: ElementTree.Element, guid: str) -> ElementTree.Element | None:
    return next((item for item in rss.iter("item") if item.findtext("guid") == guid), None)
