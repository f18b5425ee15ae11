"""The kills: songs are ordered, the worker is killed at every boundary of every step and at random moments, and what
came of it is counted in the files, the places and the book.
"""

from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from subprocess import Popen
from typing import Any

from persona.crashes import times
from persona.crashes.times import Times
from persona.crashes.victim import IMPORTED, Plan, Record, Setup, live
from skills.address import Address
from skills.book import RequestBook
from skills.brief import Brief
from skills.database import Database
from skills.library import Library, LibraryError
from skills.post import Inbox

ADDRESS = Address("terminal")
# Words that a fan gives are sung as they are: two lines at a brisk pace make a song of five seconds.
WORDS = "Rain on the roof tonight\nNobody home but the light"
SHORT = Brief("the rain on the roof", style="country", seconds=5.0, bpm=200.0, words=WORDS)
AROUND = ("late", "open", "lyrics", "score", "mix", "finish", "post", "keep")
# Side by side: a kill at one is a kill at the other, and five in a row are poison. So a song is killed at one of them.
BESIDE = ("sing", "band")
WITHIN = ("lyrics", "mix")
ANY = "any moment"
PATIENCE = 900.0  # seconds for one life, or for the rest after the last kill
LOOK = 2.0  # seconds between two looks at whether anything is left to make
TABLES = ("lyrics.json", "score.json", "take.json", "clip.json", "song.json")


@dataclass
class Result:
    """What came of it. `cut_off`: how often the run paused or was cut off. `times`: see times.py."""

    voice: str
    database: str
    songs: int = 0
    kills: int = 0
    cut_off: int = 0
    points: dict[str, int] = field(default_factory=dict)
    done: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    times: Times = field(default_factory=Times)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.corrupt or self.times.slow)


class Matrix:
    """One folder, one book, any number of lives. A run that was cut off goes on in the same folder."""

    def __init__(self, setup: Setup, seed: int = 1, told: Callable[[str], None] = lambda line: None) -> None:
        self.setup, self.rng, self.told = setup, random.Random(seed), told
        self.record = Record(setup.data)
        setup.data.mkdir(parents=True, exist_ok=True)
        self.url = setup.database or f"sqlite:///{setup.data / 'requests.sqlite'}"
        self.book = RequestBook(Database(self.url))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(IMPORTED))

    def order(self, songs: int, brief: Brief) -> list[str]:
        """Requests of a few fans, in the order in which they are made; those that were ordered before stay one."""
        requests = []
        for number in range(songs):
            theme = f"{brief.theme} {number + 1}"  # else it were a double click
            one = dataclasses.replace(brief, theme=theme)
            status = self.book.order(f"terminal:fan-{number % 3}", ADDRESS, one, f"song {number}")
            requests.append(status.request.id)
        return requests

    def live(self, plan: Plan) -> BaseProcess:
        process = self._context.Process(target=live, args=(self.setup, plan), daemon=True)
        process.start()
        return process

    def open(self) -> int:
        return len(self.book.open_requests())

    # ---- the kills

    def run(self, kills: int, brief: Brief = SHORT, seconds: float = math.inf) -> Result | None:
        """Orders as many songs as that many kills need, makes one in peace, and kills the others.

        None where `seconds` are over before: the next run in this folder goes on.
        """
        end = time.monotonic() + seconds
        if before := self.record.read():
            self.record.write(what="resumed")
            self.told(f"going on after {kills_in(before)} kills")
        requests = self.order(1 + -(-kills // len(points_of(0))), brief)
        typical = self._in_peace(requests[0])
        points = {request: points_of(number) for number, request in enumerate(requests[1:])}
        plan = Plan(points, typical)
        while self.open():
            if time.monotonic() > end:
                self.record.write(what="paused")
                return None
            self._life(plan, kills)
        return self.judge(requests)

    def _in_peace(self, request: str) -> dict[str, float]:
        """Makes the first song without a kill, unless it is made, and says what each step takes."""
        if self.book.status(request).open:
            process = self.live(Plan({}, {}))
            until(lambda: not self.book.status(request).open, process)
            process.kill()
            process.join()
        return times.last_runs(self.record.read(), request)

    def _life(self, plan: Plan, kills: int) -> None:
        """One process, from its start to its end: by the plan, or by us at a random moment, or with nothing left."""
        told = self.record.read()
        before = kills_in(told)
        # One life in eight ends at any moment at all: at the start, between two steps, in the middle of a write. One
        # a song: five deaths in a row at one step are poison, and up to three are planned.
        done = {each["request"] for each in told if each.get("point") == ANY}
        if before < kills and self.rng.random() < 0.125 and times.at_work(told) not in done:
            process = self.live(plan)
            process.join(self.rng.uniform(0.1, 8.0))
            if process.is_alive() and (request := times.at_work(self.record.read())) not in done:
                self.record.write(what="kill", request=request, step="", point=ANY)
            process.kill()
            process.join()
        else:
            self.one_life(plan if before < kills else dataclasses.replace(plan, points={}))
        self.told(f"{kills_in(self.record.read())} kills, {self.open()} songs to go")

    def one_life(self, plan: Plan) -> None:
        """One process, until the plan has killed it or nothing is open any more."""
        process = self.live(plan)
        deadline = time.monotonic() + PATIENCE
        while process.is_alive() and self.open():
            if time.monotonic() > deadline:
                process.kill()
                raise TimeoutError(
                    f"a life of more than {PATIENCE:.0f} s; {self.record.path} says what it did"
                )
            process.join(LOOK)
        process.kill()
        process.join()

    # ---- the judgement

    def judge(self, requests: Sequence[str]) -> Result:
        told = self.record.read()
        library = Library(self.setup.data / "songs")
        inbox = Inbox(self.book.database, library)
        result = Result(self.setup.voice, self.url.partition(":")[0], songs=len(requests))
        result.kills = kills_in(told)
        result.cut_off = sum(each["what"] == "resumed" for each in told)
        result.points = dict(
            sorted(Counter(each["point"] for each in told if each["what"] == "kill").items())
        )
        for request in requests:
            status = self.book.status(request)
            clips = [post for post in inbox.of_request(request) if post.clip]
            if status.state != "done" or not clips:
                result.lost.append(f"{request}: {status.state} {status.error}")
            if len(clips) > 1:
                result.twice.append(request)
            result.corrupt += [f"{request}: {fault}" for fault in faults(library, request)]
            result.done += status.state == "done"
        result.times = times.reckoned(told, requests)
        return result


def points_of(number: int) -> tuple[str, ...]:
    """Where the song of that number is killed: each step's beginning and end, and moments within the long ones."""
    beside = BESIDE[number % 2]
    return (
        *(f"{step}:{when}" for step in (*AROUND, beside) for when in ("before", "after")),
        *(f"{step}:within" for step in (*WITHIN, beside)),
        "post:between",
    )


def kills_in(told: Sequence[dict[str, Any]]) -> int:
    return sum(each["what"] == "kill" for each in told)


def faults(library: Library, request: str) -> list[str]:
    """What is wrong with a finished song's files: nothing, where every one is whole."""
    import soundfile

    folder, found = library.folder(request), []
    for name in TABLES:
        try:
            json.loads((folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            found.append(f"{name}: {error}")
    try:
        song = library.read(request)
        lengths = {}
        for path in (*(folder / "stems").glob("*.wav"), folder / "clip.mp3", folder / "clip.ogg"):
            audio, rate = soundfile.read(path)
            lengths[path.name] = len(audio) / rate
        if abs(lengths["clip.mp3"] - (song.seconds or 0)) > 0.2:
            found.append(f"the clip is {lengths['clip.mp3']:.2f} s long and should be {song.seconds}")
        if "vocal.wav" not in lengths or len(lengths) < 4:
            found.append(f"stems are missing: {sorted(lengths)}")
    except (LibraryError, OSError, RuntimeError, KeyError) as error:
        found.append(f"{type(error).__name__}: {error}")
    found += [f"a torn file is left: {path.name}" for path in folder.rglob(".*")]
    return found


def until(
    condition: Callable[[], bool], process: BaseProcess | Popen[bytes], patience: float = PATIENCE
) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if not (process.is_alive() if isinstance(process, BaseProcess) else process.poll() is None):
            raise RuntimeError("the worker ended by itself; its log says why")
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came of it in {patience:.0f} s")
        time.sleep(0.2)


def as_json(result: Result) -> dict[str, Any]:
    return {**dataclasses.asdict(result), "clean": result.clean}
