"""Trains skills/tune/model.json.gz on the old fiddle tunes and airs that music21 ships, and writes its ledger.

    python bench/train_melody.py [--check]

O'Neill's Music of Ireland (1850 melodies), Ryan's Mammoth Collection and Aird's Airs: tunes of the 18th and 19th
century, out of copyright. The Essen collection is left out (non-commercial). One tune in ten is held out, unless
one like it (its first twelve intervals, or its title) is among the others. `--check` prints the figures for some
orders and writes nothing. Some two minutes on one core.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skills.tune.model import CONTEXTS, FEWEST, MODEL, Event, Model, interval_of
from skills.tune.under import likeliest_chords

SOURCES = ("oneills1850", "ryansMammoth", "airdsAirs")
LEDGER = Path(__file__).parent / "melody_ledger.tsv"
SHORTEST_TUNE = 24  # notes
MINORS = ("minor", "min", "m", "aeo", "dor", "phr")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Tune:
    """`notes`: (pitch, place in the bar 0..1, length in bars, half bar that it begins in)."""

    source: str
    number: str
    title: str
    tonic: int
    mode: str
    notes: tuple[tuple[int, float, float, int], ...]

    @property
    def intervals(self) -> list[int]:
        return [b[0] - a[0] for a, b in zip(self.notes, self.notes[1:], strict=False)]


def read_tunes(sources: Sequence[str] = SOURCES) -> Iterator[Tune]:
    from music21 import abcFormat, corpus

    root = Path(corpus.__file__).parent
    for source in sources:
        for path in sorted((root / source).glob("*.abc")):
            file: Any = abcFormat.ABCFile()
            file.open(str(path))
            handler = file.read()
            file.close()
            parts = handler.splitByReferenceNumber() if handler.definesReferenceNumbers() else {"1": handler}
            for number, part in parts.items():
                tune = read_tune(part, f"{source}/{path.name}", str(number))
                if tune is not None:
                    yield tune


def read_tune(part: Any, source: str, number: str) -> Tune | None:
    """One tune's melody, without grace notes and with ties joined; None where key, metre or bars are unclear."""
    from music21 import abcFormat

    reading = Reading()
    for token in part.tokens:
        if isinstance(token, abcFormat.ABCMetadata):
            if token.isKey():
                if reading.key:
                    break  # the tune changes key: keep what was before
                reading.key = token.data
            elif token.isMeter():
                reading.bar = bar_quarters(token.data)
        elif isinstance(token, abcFormat.ABCBar):
            reading.close_bar()
        elif isinstance(token, abcFormat.ABCTie):
            reading.tied = True
        elif isinstance(token, abcFormat.ABCNote) and not token.inGrace:
            reading.add(
                midi(token.pitchName) if token.pitchName and not token.isRest else None,
                float(token.quarterLength or 0),
            )
    found = tonic_of(reading.key)
    if found is None or not reading.bar or len(reading.notes) < SHORTEST_TUNE:
        return None
    return Tune(source, number, str(part.getTitle() or "").strip(), *found, tuple(reading.notes))


@dataclass
class Reading:
    """A tune being read, a bar at a time. `bar` in quarters."""

    key: str = ""
    bar: float = 0.0
    notes: list[tuple[int, float, float, int]] = field(default_factory=list)
    place: float = 0.0
    bars: int = 0
    tied: bool = False
    open_bar: list[tuple[int, float, float]] = field(default_factory=list)

    def add(self, pitch: int | None, length: float) -> None:
        if pitch is not None and self.tied and self.open_bar and self.open_bar[-1][0] == pitch:
            self.open_bar[-1] = (pitch, self.open_bar[-1][1], self.open_bar[-1][2] + length)
        elif pitch is not None:
            self.open_bar.append((pitch, self.place, length))
        self.place += length
        self.tied = False

    def close_bar(self) -> None:
        if self.place > 0 and self.bar:
            late = max(0.0, self.bar - self.place) if not self.notes else 0.0  # a pick-up ends with its bar
            for pitch, at, length in self.open_bar:
                where = (at + late) / self.bar
                self.notes.append((pitch, where % 1, length / self.bar, 2 * self.bars + int(where >= 0.5)))
            self.bars += 1
        self.place, self.open_bar = 0.0, []


def bar_quarters(metre: str) -> float:
    text = metre.strip().split()[0] if metre.strip() else ""
    if text in ("C", "C|"):
        return 4.0
    try:
        beats, unit = text.split("/")
        return 4.0 * int(beats) / int(unit)
    except ValueError:
        return 0.0


def tonic_of(key: str) -> tuple[int, str] | None:
    """Tonic and mode of an ABC key field ('Gm', 'E Minor', 'D Mix', 'Ador')."""
    text = key.strip()
    if not text or text[0] not in LETTERS:
        return None
    tonic, rest = LETTERS[text[0]], text[1:]
    if rest[:1] in ("#", "b"):
        tonic, rest = tonic + (1 if rest[0] == "#" else -1), rest[1:]
    mode = rest.strip().lower()
    return tonic % 12, "minor" if mode.startswith(MINORS) and not mode.startswith(
        "mix"
    ) and not mode.startswith("maj") else "major"


def midi(name: str) -> int:
    letter, rest = name[0], name[1:]
    shift = rest.count("#") - rest.count("-")
    return LETTERS[letter] + shift + 12 * (int(rest.strip("#-n")) + 1)


def harmonise(tune: Tune) -> dict[int, tuple[int, int]]:
    """The likeliest triad (root above the tonic, third) of every half bar: fit of its notes, and staying put."""
    halves: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for pitch, place, length, half in tune.notes:
        halves[half][(pitch - tune.tonic) % 12] += length * (1.6 if place % 0.5 == 0 else 1.0)
    return likeliest_chords(halves, tune.mode)


def events(tune: Tune) -> list[tuple[Event, int]]:
    """(what is known before a note, the interval to it) for every note but the first."""
    chords = harmonise(tune)
    made = []
    history: list[int] = []
    for before, (pitch, place, length, half) in zip(tune.notes, tune.notes[1:], strict=False):
        interval = interval_of(pitch - before[0])
        root, third = chords[half]
        made.append(
            (
                Event(
                    mode=tune.mode,
                    degree=(before[0] - tune.tonic) % 12,
                    history=tuple(history[-2:]),
                    strength=bar_strength(place),
                    long=length >= 0.24,
                    chord=(root, third),
                ),
                interval,
            )
        )
        history.append(interval)
    return made


def bar_strength(place: float) -> int:
    return 2 if place % 0.5 < 1e-6 else 1 if place % 0.25 < 1e-6 else 0


def split(tunes: list[Tune]) -> tuple[list[Tune], list[Tune]]:
    """(to learn from, held out): by a hash of the tune; variants of a learnt tune are not held out."""

    def chosen(tune: Tune) -> bool:
        return hashlib.sha256(f"{tune.source}#{tune.number}".encode()).digest()[0] < 26

    def likeness(tune: Tune) -> set[str]:
        return {tune.title.lower(), str(tune.intervals[:12]), str(tune.intervals[12:24])}

    learn = [tune for tune in tunes if not chosen(tune)]
    known = set().union(*(likeness(tune) for tune in learn)) - {""}
    held = [tune for tune in tunes if chosen(tune) and not likeness(tune) & known]
    return learn, held


def count(tunes: list[Tune]) -> Model:
    contexts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    chord: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for tune in tunes:
        for event, interval in events(tune):
            for order in range(len(CONTEXTS)):
                contexts[event.context(order)][interval] += 1
            chord[event.chord_context()][event.over_chord(interval)] += 1
            chord[event.plain_context()][event.over_chord(interval)] += 1
    kept = {k: dict(v) for k, v in contexts.items() if sum(v.values()) >= FEWEST}
    return Model(kept, {k: dict(v) for k, v in chord.items()})


def bits(model: Model, tunes: list[Tune], order: int, chords: bool) -> float:
    total = number = 0.0
    for tune in tunes:
        for event, interval in events(tune):
            likely = model.with_chord(event) if chords else model.intervals(event, order)
            total -= math.log2(max(likely.get(interval, 0.0), 1e-9))
            number += 1
    return total / number


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="print figures, write nothing")
    options = parser.parse_args()
    began = time.perf_counter()
    tunes = list(read_tunes())
    learn, held = split(tunes)
    print(
        f"{len(tunes)} tunes read in {time.perf_counter() - began:.0f} s; {len(learn)} learnt, {len(held)} held out"
    )
    model = count(learn)
    notes = sum(len(tune.notes) - 1 for tune in held)
    print(f"held-out intervals: {notes}; contexts kept: {len(model.contexts)}")
    for order in range(len(CONTEXTS)):
        print(f"order {order} {CONTEXTS[order]}: {bits(model, held, order, False):.3f} bits per interval")
    print(f"with the chord (found from the tune itself): {bits(model, held, len(CONTEXTS) - 1, True):.3f}")
    if options.check:
        return
    with MODEL.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(json.dumps(model.to_plain(), separators=(",", ":"), sort_keys=True).encode())
    print(f"{MODEL}: {MODEL.stat().st_size / 1024:.0f} kB")
    rows = ["source\tnumber\ttitle\tnotes\tuse"]
    use = {id(tune): "learnt" for tune in learn} | {id(tune): "held out" for tune in held}
    rows += [
        f"{t.source}\t{t.number}\t{t.title}\t{len(t.notes)}\t{use.get(id(t), 'like a learnt one: neither')}"
        for t in tunes
    ]
    LEDGER.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
