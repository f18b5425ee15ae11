"""Posts to networks on loopback by processes that are killed at random moments, and counts what stands there.

    python -m bench.places_kills --posts 40

Every process posts what is not posted yet, one post after the other, to Mastodon, Bluesky and a feed; it is killed with
SIGKILL after a random time, and the next one goes on. Once-only means: every post stands at every place once.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from skills.address import Address
from skills.brief import Brief
from skills.database import Database
from skills.library import Library
from skills.places.bluesky import BlueskyOutlet
from skills.places.errors import NotYet
from skills.places.feed import Channel, FeedOutlet
from skills.places.journal import Journal
from skills.places.mastodon import MastodonOutlet
from skills.places.social import Outlet, SocialPlace
from skills.post import Post, PostBook
from tests.skills.places.networks import TOKEN, Bluesky, Mastodon

STAGES = ("mastodon", "bluesky", "feed")


def posting(folder: Path, count: int, mastodon: str, bluesky: str) -> None:
    """What the process does that is killed."""
    database = Database(f"sqlite:///{folder / 'requests.sqlite'}")
    journal = Journal(database)
    outlets: dict[str, Outlet] = {
        "mastodon": MastodonOutlet(mastodon, TOKEN),
        "bluesky": BlueskyOutlet("rust.test", Bluesky.PASSWORD, bluesky, bluesky),
        "feed": FeedOutlet(Channel(folder / "feed", "https://example.org", "Rust", "Songs.")),
    }
    places = {stage: SocialPlace(stage, {"a": _always(outlet)}, journal) for stage, outlet in outlets.items()}
    book = PostBook(database, places)
    library = Library(folder / "songs")
    for number in range(count):
        clip = library.folder(f"song-{number}") / "clip.mp3"
        for stage in STAGES:
            while True:
                try:
                    book.deliver(
                        Post(f"n{number}:{stage}", Address(stage, "a"), f"Post number {number}.", clip)
                    )
                    break
                except NotYet:
                    time.sleep(0.05)


def _always(outlet: Outlet) -> Callable[[], Outlet]:
    return lambda: outlet


def nursery(folder: Path, count: int, seed: int, mastodon: str, bluesky: str) -> int:
    """Forks one process after the other and kills each after a random time, until one comes to the end of its work.

    A process of its own, without threads, in which everything is imported already. Returns the number of kills.
    """
    for library in ("atproto", "mastodon", "sqlalchemy"):  # before the first fork
        importlib.import_module(library)
    draw, kills = random.Random(seed), 0
    while True:
        child = os.fork()
        if child == 0:
            posting(folder, count, mastodon, bluesky)
            os._exit(0)
        end = time.monotonic() + draw.uniform(0.05, 8.0)
        while time.monotonic() < end:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                if status:
                    raise SystemExit("the posting process ended with an error")
                return kills
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1


def run(count: int, seed: int) -> dict[str, object]:
    mastodon, bluesky = Mastodon(), Bluesky()
    with tempfile.TemporaryDirectory() as name, mastodon.up(), bluesky.up():
        folder = Path(name)
        songs(folder, count)
        command = [sys.executable, "-m", "bench.places_kills", "--posts", str(count), "--seed", str(seed),
                   "--nursery", name, mastodon.url, bluesky.url]  # fmt: skip
        kills = int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        items = ElementTree.parse(folder / "feed" / "feed.xml").getroot().iter("item")  # noqa: S314
        found = {
            "mastodon": Counter(status["text"] for status in mastodon.statuses),
            "bluesky": Counter(post["text"] for post in bluesky.posts),
            "feed": Counter(item.findtext("guid") for item in items),
        }
    return {
        "posts": count,
        "kills": kills,
        "lost": {stage: count - len(each) for stage, each in found.items()},
        "twice": {stage: sum(times > 1 for times in each.values()) for stage, each in found.items()},
        "uploads": {"mastodon": len(mastodon.files), "bluesky": len(bluesky.jobs)},
    }


def songs(folder: Path, count: int) -> None:
    """As many songs as posts, as small as they can be."""
    library = Library(folder / "songs")
    for number in range(count):
        song = library.open(Brief("rain"), number, f"song-{number}")
        library.write(dataclasses.replace(song, title=f"Song {number}", clip="clip.mp3", seconds=1.0))
        for name in ("clip.mp3", "clip-square.mp4", "cover.png"):
            (library.folder(song.id) / name).write_bytes(f"{name} {number}".encode() * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--posts", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nursery", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.nursery:
        folder, mastodon, bluesky = chosen.nursery
        print(nursery(Path(folder), chosen.posts, chosen.seed, mastodon, bluesky))
    else:
        print(json.dumps(run(chosen.posts, chosen.seed)))


if __name__ == "__main__":
    main()
