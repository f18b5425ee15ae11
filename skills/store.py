"""The store: the songs of many machines in an S3-compatible bucket, of which every machine works on copies.

A song is a folder of the bucket as it is one of the disk. There an object is whole or not at all; here a file has a
temporary name until it is. Beside the copies lies, by song, a record of which state of the bucket each file is a copy
of: what differs from the record was changed here and is sent, what differs from the bucket was changed elsewhere and
is brought. Sending or bringing twice does no more than once.
"""

from __future__ import annotations

import errno
import json
import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from skills.files import write_text_whole, written_whole

STEMS = "stems/"
LAST = "song.json"  # names the clip, so it is sent when all else is there
LATELY = 5.0  # seconds for which a reader's copy counts as fresh
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}}
State = dict[str, list[Any]]  # by name: the object's tag, and the copy's time of change and size


class StoreError(ConnectionError):
    """The store cannot be reached or refuses; the message says what to look at."""


class Store:
    """`url`: s3://bucket/prefix. `endpoint`: of a store that is not Amazon's. Without `key` and `secret` the usual
    places are asked (AWS_* variables, a machine's role)."""

    def __init__(self, url: str, endpoint: str = "", key: str = "", secret: str = "") -> None:
        self.url, self.endpoint = url.rstrip("/"), endpoint
        self._key, self._secret = key, secret
        self._prefix = url.removeprefix("s3://").strip("/")
        self._turns: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._held: Counter[str] = Counter()
        self._looked: dict[object, float] = {}
        if not url.startswith("s3://") or not self._prefix:
            raise StoreError(f"{url!r} is no address of a store: it begins with s3:// and a bucket's name")

    @cached_property
    def _bucket(self) -> Any:
        try:
            import s3fs
        except ImportError:
            raise StoreError("an S3 store needs s3fs: pip install 'troubadour[many]'") from None
        return s3fs.S3FileSystem(
            key=self._key or None,
            secret=self._secret or None,
            endpoint_url=self.endpoint or None,
            config_kwargs=TIMEOUTS,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def make_bucket(self) -> None:
        bucket = self._prefix.partition("/")[0]
        with self._reaching():
            if not self._bucket.exists(bucket):
                self._bucket.mkdir(bucket)

    # ---- what lies there

    def songs(self) -> set[str]:
        """Ids of all that is there."""
        with self._reaching():
            try:
                return {path.rpartition("/")[2] for path in self._bucket.ls(self._prefix, detail=False)}
            except FileNotFoundError:
                if not self._bucket.exists(self._prefix.partition("/")[0]):
                    raise
                return set()

    def _there(self, song: str) -> dict[str, str]:
        """The objects of a song: tag by name."""
        start = f"{self._prefix}/{song}/"
        with self._reaching():
            found = self._bucket.find(start.rstrip("/"), detail=True)
        return {
            path.removeprefix(start): one["ETag"] for path, one in found.items() if path.startswith(start)
        }

    # ---- copies

    @contextmanager
    def held(self, folder: Path, stems: bool) -> Iterator[None]:
        """A copy to write in: it is brought first, and what was changed is sent after, unless the block raises."""
        song = folder.name
        with self._turns[song]:
            if not self._held[song]:
                self.bring(folder, stems)
            self._held[song] += 1
        try:
            yield
            self.send(folder)
        finally:
            self._held[song] -= 1

    def freshen(self, folder: Path, stems: bool) -> None:
        """Brings a copy to read in, unless this process has looked lately or writes in it."""
        what = (folder.name, stems)
        if not self._held[folder.name] and self._due(what):
            self.bring(folder, stems)
            self._looked[what] = time.monotonic()

    def bring(self, folder: Path, stems: bool = True, only: Collection[str] = ()) -> None:
        """Makes the copy as the bucket is. What was never sent stays; a song that the bucket had and has not goes."""
        song = folder.name
        with self._turns[song]:
            there, known = self._there(song), _read(folder)
            if known and not there:
                _forget(folder)
            if not there:
                return
            for name in [name for name in known if name not in there]:
                (folder / name).unlink(missing_ok=True)
                del known[name]
            for name, tag in there.items():
                path = folder / name
                wanted = name in only if only else stems or not name.startswith(STEMS)
                if not wanted or (path.is_file() and known.get(name, [""])[0] == tag):
                    continue
                with written_whole(path) as temporary, self._reaching():
                    self._bucket.get_file(f"{self._prefix}/{song}/{name}", str(temporary))
                path.chmod(0o600)  # words of fans are among it
                known[name] = [tag, *_stamp(path)]
            _write(folder, known)

    def send(self, folder: Path) -> None:
        """Makes the bucket as the copy is: what was changed here since it was brought, what was deleted here."""
        song = folder.name
        with self._turns[song]:
            known, here = _read(folder), _files(folder)
            changed = [name for name in here if known.get(name, [""])[1:] != _stamp(here[name])]
            sent = {}
            for name in sorted(changed, key=lambda name: name == LAST):
                sent[name] = _stamp(here[name])
                with self._reaching():
                    self._bucket.put_file(str(here[name]), f"{self._prefix}/{song}/{name}")
            gone = [name for name in known if name not in here]
            if gone:
                self._remove(song, gone)
            if not (sent or gone):
                return
            tags = self._there(song)
            kept = {name: one for name, one in known.items() if name in here}
            _write(folder, kept | {name: [tags.get(name, ""), *stamp] for name, stamp in sent.items()})

    def delete(self, folder: Path) -> None:
        """There and here."""
        with self._turns[folder.name]:
            if there := self._there(folder.name):
                self._remove(folder.name, there)
            _forget(folder)

    def lighten(self, folder: Path) -> None:
        """Lets go of the copy's stems, which are most of its bytes and which hardly anybody reads again."""
        with self._turns[folder.name]:
            known = _read(folder)
            _write(folder, {name: one for name, one in known.items() if not name.startswith(STEMS)})
            shutil.rmtree(folder / STEMS, ignore_errors=True)

    def catch_up(self, root: Path, names: Collection[str], finished: Callable[[Path], bool]) -> None:
        """Brings the files `names` of every song that is not copied or was not `finished` then, and lets go of copies
        of what is there no more."""
        if not self._due(""):
            return
        there = self.songs()
        for record in root.glob(".*.json"):
            if (song := record.name[1 : -len(".json")]) not in there and not self._held[song]:
                _forget(root / song)
        for song in sorted(there):
            if not self._held[song] and not finished(root / song):
                self.bring(root / song, only=names)
        self._looked[""] = time.monotonic()

    # ---- the whole

    def copy_all(self, into: Path) -> None:
        """Every song, whole, into a folder that keeps no record: a backup."""
        for song in sorted(self.songs()):
            for name in self._there(song):
                (into / song / name).parent.mkdir(parents=True, exist_ok=True)
                with self._reaching():
                    self._bucket.get_file(f"{self._prefix}/{song}/{name}", str(into / song / name))

    def replace_all(self, by: Path, aside: str) -> str:
        """Puts the songs of folder `by` in the place of what is there, which is moved to where this returns, '' where
        there was nothing. Cut off, it can be done again: what was moved then stays where it is."""
        set_aside, there = f"{self._prefix}.{aside}", sorted(self.songs())
        for song in there:
            names = self._there(song)
            for name in names:
                with self._reaching():
                    self._bucket.cp_file(f"{self._prefix}/{song}/{name}", f"{set_aside}/{song}/{name}")
            self._remove(song, names)
        for folder in sorted(by.iterdir() if by.is_dir() else ()):
            for name, path in _files(folder).items():
                with self._reaching():
                    self._bucket.put_file(str(path), f"{self._prefix}/{folder.name}/{name}")
        return f"s3://{set_aside}" if there else ""

    def _remove(self, song: str, names: Collection[str]) -> None:
        with self._reaching():
            self._bucket.rm([f"{self._prefix}/{song}/{name}" for name in names])

    def _due(self, what: object) -> bool:
        return time.monotonic() - self._looked.get(what, -LATELY) >= LATELY

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # botocore's, aiohttp's, s3fs' translations of them
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # this machine's disk
            why = str(error).strip().partition("\n")[0]
            raise StoreError(
                f"the library's store {self.url} cannot be used ({type(error).__name__}: {why}): does it answer, is "
                "the bucket there, and are TROUBADOUR_SONGS__STORE__URL, __ENDPOINT, __KEY and __SECRET right?"
            ) from error


# ---- the record beside a copy


def _record(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.json")


def _read(folder: Path) -> State:
    """{} where there is no copy: a record without one (somebody emptied the folder) says nothing."""
    try:
        state: State = json.loads(_record(folder).read_text("utf-8")) if folder.is_dir() else {}
    except (FileNotFoundError, ValueError):
        return {}
    return state


def _write(folder: Path, state: State) -> None:
    write_text_whole(_record(folder), json.dumps(state))


def _forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _record(folder).unlink(missing_ok=True)


def _files(folder: Path) -> dict[str, Path]:
    """By name; without what is being written."""
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in found.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def _stamp(path: Path) -> list[int]:
    about = path.stat()
    return [about.st_mtime_ns, about.st_size]
