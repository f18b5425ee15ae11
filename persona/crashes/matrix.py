"""The kills: songs are ordered, the worker is killed at every boundary of every step and at random moments, and what
came of it is counted in the files, the places and the book.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from subprocess import Popen
from typing import Any

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
PATIENCE = 900.0  # seconds for one life, or for the rest after the last kill
TABLES = ("lyrics.json", "score.json", "take.json", "clip.json", "song.json")


@dataclass
class Result:
    """What came of it. `again`: seconds of work done twice, a kill; `back`: seconds until a new process was at work."""

    voice: str
    database: str
    songs: int = 0
    kills: int = 0
    points: dict[str, int] = field(default_factory=dict)
    done: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    again: dict[str, float] = field(default_factory=dict)
    back: dict[str, float] = field(default_factory=dict)
    beyond: int = 0
    steps: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.corrupt or self.beyond)


class Matrix:
    """One folder, one book, any number of lives."""

    def __init__(self, setup: Setup, seed: int = 1, told: Callable[[str], None] = lambda line: None) -> None:
        self.setup, self.rng, self.told = setup, random.Random(seed), told
        self.record = Record(setup.data)
        setup.data.mkdir(parents=True, exist_ok=True)
        self.url = setup.database or f"sqlite:///{setup.data / 'requests.sqlite'}"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(IMPORTED))

    @contextmanager
    def book(self) -> Iterator[RequestBook]:
        book = RequestBook(Database(self.url))
        try:
            yield book
        finally:
            book.close()

    def order(self, songs: int, brief: Brief) -> list[str]:
        """Requests of a few fans, in the order in which they are made."""
        with self.book() as book:
            for number in range(songs):
                theme = f"{brief.theme} {number + 1}"  # else it were a double click
                one = dataclasses.replace(brief, theme=theme)
                book.order(f"terminal:fan-{number % 3}", ADDRESS, one, f"song {number}")
            return [status.request.id for status in book.open_requests()]

    def live(self, plan: Plan) -> BaseProcess:
        process = self._context.Process(target=live, args=(self.setup, plan), daemon=True)
        process.start()
        return process

    def open(self) -> int:
        with self.book() as book:
            return len(book.open_requests())

    # ---- the kills

    def run(self, kills: int, brief: Brief = SHORT) -> Result:
        """Orders as many songs as that many kills need, makes one in peace, and kills the others."""
        began = time.monotonic()
        songs = 1 + -(-kills // len(points_of(0)))
        requests = self.order(songs, brief)
        typical = self._in_peace(requests[0])
        points = {request: points_of(number) for number, request in enumerate(requests[1:])}
        plan = Plan(points, typical)
        while self.open():
            self._life(plan, kills)
        result = self.judge(requests)
        result.seconds = time.monotonic() - began
        return result

    def _in_peace(self, request: str) -> dict[str, float]:
        """Makes the first song without a kill, and says what each step takes."""
        process = self.live(Plan({}, {}))
        with self.book() as book:
            until(lambda: not book.status(request).open, process)
        process.kill()
        process.join()
        return {step: max(took) for step, took in durations(self.record.read()).items()}

    def _life(self, plan: Plan, kills: int) -> None:
        """One process, from its start to its end: by the plan, or by us at a random moment, or with nothing left."""
        before = self._kills()
        # One life in eight ends at any moment at all: at the start, between two steps, in the middle of a write.
        if before < kills and self.rng.random() < 0.125:
            process = self.live(plan)
            process.join(self.rng.uniform(0.1, 8.0))
            if process.is_alive():
                self.record.write(what="kill", request=self._at_work(), step="", point="any moment")
                process.kill()
            process.join()
        else:
            self.one_life(plan if before < kills else dataclasses.replace(plan, points={}))
        self.told(f"{self._kills()} kills, {self.open()} songs to go")

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
            process.join(0.5)
        process.kill()
        process.join()

    def _kills(self) -> int:
        return sum(each["what"] == "kill" for each in self.record.read())

    def _at_work(self) -> str:
        begun = [each["request"] for each in self.record.read() if each["what"] == "begin"]
        return begun[-1] if begun else ""

    # ---- the judgement

    def judge(self, requests: Sequence[str]) -> Result:
        told = self.record.read()
        library = Library(self.setup.data / "songs")
        result = Result(self.setup.voice, self.url.partition(":")[0], songs=len(requests))
        killed = [each for each in told if each["what"] == "kill"]
        result.kills = len(killed)
        result.points = dict(sorted(Counter(each["point"] for each in killed).items()))
        result.steps = {step: round(max(took), 2) for step, took in durations(told).items()}
        with self.book() as book:
            inbox = Inbox(book.database, library)
            for request in requests:
                status = book.status(request)
                clips = [post for post in inbox.of_request(request) if post.clip]
                if status.state != "done" or not clips:
                    result.lost.append(f"{request}: {status.state} {status.error}")
                if len(clips) > 1:
                    result.twice.append(request)
                result.corrupt += [f"{request}: {fault}" for fault in faults(library, request)]
                result.done += status.state == "done"
        result.again, result.back, result.beyond = costs(told)
        return result


def points_of(number: int) -> tuple[str, ...]:
    """Where the song of that number is killed: each step's beginning and end, and moments within the long ones."""
    beside = BESIDE[number % 2]
    return (
        *(f"{step}:{when}" for step in (*AROUND, beside) for when in ("before", "after")),
        *(f"{step}:within" for step in (*WITHIN, beside)),
        "post:between",
    )


def durations(told: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Seconds by step, of the times that it came to its end."""
    begun: dict[tuple[int, str, str], float] = {}
    took: dict[str, list[float]] = {}
    for each in told:
        if each["what"] == "begin":
            begun[each["life"], each["request"], each["step"]] = each["at"]
        elif each["what"] == "end":
            start = begun.get((each["life"], each["request"], each["step"]))
            if start is not None:
                took.setdefault(each["step"], []).append(each["at"] - start)
    return took


def costs(told: Sequence[dict[str, Any]]) -> tuple[dict[str, float], dict[str, float], int]:
    """(seconds of a step's work lost by a kill, seconds until the next process was at work, kills that cost more work
    than the longest step's time, noise of a busy machine allowed)."""
    longest = {step: max(took) for step, took in durations(told).items()}
    lost, back, beyond = [], [], 0
    for number, kill in enumerate(told):
        if kill["what"] != "kill":
            continue
        ended = {
            (each["request"], each["step"]) for each in told[:number]
            if each["what"] == "end"
        }  # fmt: skip
        at_work = {
            each["step"]: each["at"]
            for each in told[:number]
            if each["what"] == "begin" and each["life"] == _life_killed(told, number)
            and each["request"] == kill["request"] and (each["request"], each["step"]) not in ended
        }  # fmt: skip
        if at_work:
            since = min(at_work.values())
            lost.append(kill["at"] - since)
            beyond += lost[-1] > 1.5 * max(longest.values())
        following = next((each for each in told[number + 1 :] if each["what"] == "begin"), None)
        if following is not None:
            back.append(following["at"] - kill["at"])
    return _spread(lost), _spread(back), beyond


def _life_killed(told: Sequence[dict[str, Any]], number: int) -> int:
    """The process that a kill ended: its own, or where we killed it from outside the last that said something."""
    if told[number]["point"] != "any moment":
        return int(told[number]["life"])
    return next((int(each["life"]) for each in reversed(told[:number]) if each["what"] != "kill"), 0)


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {
        "median": round(statistics.median(values), 2),
        "most": round(max(values), 2),
        "sum": round(sum(values), 1),
    }


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
