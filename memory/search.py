"""Finding what bears on a question among the entries in sight."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock, Thread

import numpy as np
from numpy.typing import NDArray

from memory.index import IndexHeldError, VectorIndex
from memory.log import BIG, Drawer, Log, marks
from memory.rank import LASTING, Question, Shelf, Turn, Weights
from memory.scopes import Sight
from memory.words import bag

log = logging.getLogger(__name__)

NEAREST = 100  # candidates by meaning from a big drawer
PER_WORD = 50  # candidates by each of its telling words, the latest first
WORDS = 3  # how many of the question's words look for candidates, the rarest first
COMMON_AT = 2000  # a word that stands in more entries than this is not counted further
OWN = 50  # the asker's own latest entries in a big drawer
OWN_ELSEWHERE = 500  # and those that they left in public, when they ask in private
NEW = 200  # entries that the index may lag behind before it follows
AROUND = 1  # neighbours of every candidate, for the views that need them most
REMAKE = (
    64  # vectors that one recall makes anew after the embedder changed; the rest follow in the background
)


@dataclass
class Found:
    """Entries to be ranked, and how common the question's words are where not all entries were read."""

    turns: list[Turn] = field(default_factory=list)
    vectors: list[NDArray[np.float32] | None] = field(default_factory=list)
    entries: int = 0
    frequencies: Counter[str] | None = None


class Search:
    """Looks through the drawers in sight: exactly through small ones, through indexes in big ones."""

    def __init__(self, log: Log, index: VectorIndex, embedder: str, dimensions: int) -> None:
        self._log = log
        self._index = index
        self._embedder = embedder
        self._none = np.zeros(dimensions, np.float32)
        self._following: dict[int, Thread] = {}
        self._lock = Lock()

    def rank(
        self, persona: str, fan: str, sight: Sight, question: Question, weights: Weights
    ) -> tuple[list[Turn], NDArray[np.float32], list[int]]:
        """Entries in sight, their scores, and ids of those that have no vector by this embedder yet."""
        found = Found()
        for drawer in self._log.drawers(persona, sight.open):
            if drawer.big:
                self._look_into(drawer, fan, question, found)
            else:
                self._read(found, "entry.drawer = ?", [drawer.id])
        if sight.own:
            self._read(found, *_own_elsewhere(persona, sight))
        order = sorted(range(len(found.turns)), key=lambda at: (found.turns[at].kind in LASTING, at))
        turns = [found.turns[at] for at in order]
        missing = [turns[place].id for place, at in enumerate(order) if found.vectors[at] is None]
        units = [self._none if found.vectors[at] is None else found.vectors[at] for at in order]
        vectors = np.array(units, np.float32).reshape(len(turns), len(self._none))
        if found.frequencies is not None:
            found.frequencies[""] = max(found.entries, len(turns))
        return turns, Shelf(turns, vectors, found.frequencies).scores(question, weights), missing

    def _read(self, found: Found, where: str, values: Sequence[object]) -> None:
        turns, units = self._log.select(where, values, self._embedder)
        found.turns += turns
        found.vectors += units
        found.entries += len(turns)

    def _look_into(self, drawer: Drawer, fan: str, question: Question, found: Found) -> None:
        """Candidates from a big drawer: near in meaning, sharing telling words, the asker's own, the latest."""
        places: set[int] = set()
        upto = self._upto(drawer.id)
        places.update(range(max(upto, drawer.size - NEW), drawer.size))
        if upto:
            places.update(self._nearest(drawer, question.vector))
        if drawer.size - upto > NEW:
            self.follow(drawer.id)
        if found.frequencies is None:
            found.frequencies = Counter()
        by_word = {stem: self._log.seqs_with(drawer.id, stem, COMMON_AT) for stem in bag(question.text)}
        for stem, seqs in by_word.items():
            found.frequencies[stem] += max(len(seqs), 1)
        for seqs in sorted(filter(None, by_word.values()), key=len)[:WORDS]:
            places.update(seqs[:PER_WORD])
        sql = "SELECT seq FROM entry WHERE fan = ? AND drawer = ? ORDER BY seq DESC LIMIT ?"
        places.update(seq for (seq,) in self._log.connection().execute(sql, (fan, drawer.id, OWN)))
        wanted = sorted({near for seq in places for near in range(seq - AROUND, seq + AROUND + 1)})
        self._read(found, f"entry.drawer = ? AND entry.seq IN ({marks(wanted)})", [drawer.id, *wanted])
        found.entries += drawer.size

    def _nearest(self, drawer: Drawer, vector: NDArray[np.float32]) -> list[int]:
        try:
            return self._index.nearest(_name(drawer.id, self._embedder), vector, NEAREST)
        except IndexHeldError:
            return []  # words, the latest and the asker's own still find; a Chroma server would serve both
        except Exception:
            log.exception("the vector index cannot be read; it will be built again from the log")
            self.rebuild()
            return []

    def follow(self, drawer: int) -> Thread:
        """Let the index take in what the log has more of, in the background."""
        with self._lock:
            thread = self._following.get(drawer)
            if thread is None or not thread.is_alive():
                thread = Thread(target=self._follow, args=(drawer,), daemon=True, name=f"index-{drawer}")
                self._following[drawer] = thread
                thread.start()
            return thread

    def _follow(self, drawer: int) -> None:
        try:
            while (size := self._log.drawer(drawer).size) > (upto := self._upto(drawer)):
                if upto == 0:
                    self._index.drop(_name(drawer, self._embedder))
                end = min(upto + 2000, size)
                where = "entry.drawer = ? AND entry.seq >= ? AND entry.seq < ?"
                turns, units = self._log.select(where, (drawer, upto, end), self._embedder)
                known = [
                    (turn.seq, unit) for turn, unit in zip(turns, units, strict=True) if unit is not None
                ]
                if known:
                    vectors = np.stack([unit for _, unit in known])
                    self._index.add(_name(drawer, self._embedder), [seq for seq, _ in known], vectors)
                with self._log.write() as db:
                    row = (drawer, self._embedder, end)
                    db.execute("INSERT OR REPLACE INTO indexed VALUES (?, ?, ?)", row)
        except IndexHeldError:
            pass  # the process that keeps the index follows the log itself
        except Exception:
            log.exception("the vector index could not follow the log; recall goes on without it")
        finally:
            self._log.close()

    def settle(self) -> None:
        """Wait until the indexes have caught up."""
        with self._lock:
            threads = list(self._following.values())
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Wait for the indexes and let another process have them."""
        self.settle()
        self._index.close()

    def rebuild(self) -> None:
        """Throw every index away and build it again from the log."""
        self.settle()
        self._index.destroy()
        with self._log.write() as db:
            db.execute("DELETE FROM indexed")
        for (drawer,) in self._log.connection().execute("SELECT id FROM drawer WHERE big").fetchall():
            self.follow(drawer)

    def forgotten(self, drawers: Sequence[int]) -> None:
        """Something in these big drawers is gone: their vectors go now, and the rest are indexed again."""
        self.settle()
        for drawer in drawers:
            self._index.drop(_name(drawer, self._embedder))
            if self._log.drawer(drawer).size > BIG:
                self.follow(drawer)

    def _upto(self, drawer: int) -> int:
        sql = "SELECT upto FROM indexed WHERE drawer = ? AND embedder = ?"
        row = self._log.connection().execute(sql, (drawer, self._embedder)).fetchone()
        return int(row[0]) if row else 0


def _name(drawer: int, embedder: str) -> str:
    return f"drawer-{drawer}-{embedder}"


def _own_elsewhere(persona: str, sight: Sight) -> tuple[str, list[object]]:
    opened = sorted(sight.open)
    where = (
        "entry.id IN (SELECT entry.id FROM entry JOIN drawer ON drawer.id = entry.drawer WHERE entry.fan = ?"  # noqa: S608
        " AND drawer.persona = ? AND drawer.scope NOT LIKE 'fan:%'"
        f" AND drawer.scope NOT IN ({marks(opened)}) ORDER BY entry.id DESC LIMIT ?)"
    )
    return where, [sight.own, persona, *opened, OWN_ELSEWHERE]
