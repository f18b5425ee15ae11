"""Posts to networks on loopback by processes that are killed at random moments, and counts what stands there.

    python -m bench.places_kills --posts 40

Every process posts what is not posted yet, one post after the other, to Mastodon, Bluesky and a feed; it is killed with
SIGKILL after a random time, and the next one goes on. Once-only means: every post stands at every place once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from skills.address import Address
from skills.brief import Brief
from skills.database import Database
from skills.library import Library
from skills.places.errors import NotYet
from skills.places.journal import Journal
from skills.places.social import SocialPlace
from skills.post import Post, PostBook

STAGES = ("mastodon", "bluesky", "feed")


def posting(folder: Path, count: int, mastodon: str, bluesky: str) -> None:
    """What the process does that is killed."""
    from skills.places.bluesky import BlueskyOutlet
    from skills.places.feed import Channel, FeedOutlet
    from skills.places.mastodon import MastodonOutlet
    from tests.skills.places.networks import TOKEN, Bluesky

    database = Database(f"sqlite:///{folder / 'requests.sqlite'}")
    journal = Journal(database)
    outlets = {
        "mastodon": MastodonOutlet(mastodon, TOKEN),
        "bluesky": BlueskyOutlet("rust.test", Bluesky.PASSWORD, bluesky, bluesky),
        "feed": FeedOutlet(Channel(folder / "feed", "https://example.org", "Rust", "Songs.")),
    }
    places = {
        stage: SocialPlace(stage, {"a": lambda outlet=outlet: outlet}, journal)  # type: ignore[misc]
        for stage, outlet in outlets.items()
    }
    book = PostBook(database, places)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    library = Library(folder / "songs")
    for number in range(count):
        for stage in STAGES:
            clip = library.folder(f"song-{number}") / "clip.mp3"
            while True:
                try:
                    book.deliver(
                        Post(f"n{number}:{stage}", Address(stage, "a"), f"Post number {number}.", clip)
                    )
                    break
                except NotYet:
                    time.sleep(0.05)


def run(count: int, seed: int) -> dict[str, object]:
    from tests.skills.places.networks import Bluesky, Mastodon

    draw, kills = random.Random(seed), 0
    mastodon, bluesky = Mastodon(), Bluesky()
    with tempfile.TemporaryDirectory() as name, mastodon.up(), bluesky.up():
        folder = Path(name)
        songs(folder, count)
        command = [sys.executable, "-m", "bench.places_kills", "--child", name, "--posts", str(count),
                   "--networks", mastodon.url, bluesky.url]  # fmt: skip
        while True:
            child = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert child.stdout is not None
            child.stdout.readline()  # it is at work
            try:
                child.wait(draw.uniform(0.02, 1.5))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.wait()
                kills += 1
                continue
            finally:
                child.stdout.close()
            if child.returncode:
                raise SystemExit("the posting process ended with an error")
            break
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
        for name in ("clip.mp3", "clip.mp4", "cover.png"):
            (library.folder(song.id) / name).write_bytes(f"{name} {number}".encode() * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--posts", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--networks", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        posting(chosen.child, chosen.posts, *chosen.networks)
    else:
        print(json.dumps(run(chosen.posts, chosen.seed)))


if __name__ == "__main__":
    main()
