"""Can a voice be learned from its singing? A hidden one sings three minutes; a voice is fitted to them, from another.

The hidden voice is hidden.json: a blend of style rows that no shipped voice holds. What is learned from is what a
stranger would have: wavs, phonemes with durations, notes. Then all three sing lines that were not learned from.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from voice.alphabet import STRESSES, VOWELS
from voice.bench.lines import Line, bench_lines
from voice.expression import Expression
from voice.score import TICKS_PER_QUARTER, Note, Score
from voice.singer import Singer
from voice.take import SAMPLE_RATE, Take
from voice.timing import DIPHTHONGS
from voice.training.mel import unlikeness
from voice.training.plan import Plan
from voice.underlay import lay_words
from voice.voices import Voice, load_voice

if TYPE_CHECKING:
    from voice.training.fit import Judgement

MINUTES = 3.0  # of the hidden voice's singing
HELD = (
    "amazing",
    "dusty-road",
    "liquids",
    "diphthongs",
    "high-call",
    "strengths",
)  # lines never learned from
PLAIN = Expression(breath=0.0)  # breaths are nobody's voice
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SEED = 1
SHORT = 1.5  # seconds


@dataclass(frozen=True)
class Compared:
    """A held-out line: how far each take lies from the hidden voice's, in dB of mel; `again`: from that voice's own
    take with other noise and drift, for scale."""

    line: str
    start: float
    fitted: float
    again: float

    @property
    def nearer(self) -> float:
        return 1 - self.fitted / self.start


@dataclass(frozen=True)
class Recovery:
    lines: tuple[Compared, ...]
    history: tuple[Judgement, ...]
    minutes: float

    @property
    def nearer(self) -> float:
        """The share of the distance that is gone, over all lines."""
        return 1 - sum(one.fitted for one in self.lines) / sum(one.start for one in self.lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "nearer": round(self.nearer, 4),
            "minutes": round(self.minutes, 2),
            "lines": [{**one.__dict__, "nearer": round(one.nearer, 4)} for one in self.lines],
            "history": [one.__dict__ for one in self.history],
        }


def hidden_voice() -> Voice:
    text = resources.files("voice.bench").joinpath("hidden.json").read_text("utf-8")
    return Voice.from_mapping(json.loads(text))


def recover(
    cache: Path,
    work: Path,
    steps: int = Plan.steps,
    updates: int = 0,
    minutes: float = MINUTES,
    held: Sequence[str] = HELD,
    told: Callable[[str, float], None] = lambda what, share: None,
) -> Recovery:
    """The whole proof, in the folder `work`; run again it goes on.

    updates: steps on low-rank updates of the decoder, after those on the style. told: what is being done, the share
    done.
    """
    from voice.network.updates import with_updates
    from voice.training.learn import learn
    from voice.weights import load_network, plain_network

    plan = Plan(steps=steps, update_steps=updates, held_out=0.08)
    hidden, start = hidden_voice(), load_voice("breaking-rust")
    network = load_network(cache, 1)
    folder = work / "singing"
    lines = [line for line in bench_lines() if line.name not in held]
    if not (folder / "transcriptions.csv").exists():
        write_dataset(
            folder, short_lines(lines), Singer(network, hidden), 60 * minutes, lambda x: told("recordings", x)
        )
    learned = learn(
        folder, "recovered", lambda: plain_network(cache), start, plan, work,
        told=lambda step, loss: told("learning", step / plan.all_steps),
    )  # fmt: skip
    fitted = with_updates(network, learned.updates) if learned.updates else network
    compared = []
    chosen = [line for line in bench_lines() if line.name in held]
    for i, line in enumerate(chosen):
        # One name for all: chance is drawn from it, and only the voices are to differ.
        wanted, again = (_sung(network, hidden.style, hidden, line.score, SEED + j) for j in (0, 1))
        takes = [
            _sung(own, style, hidden, line.score, SEED)
            for own, style in ((network, start.style), (fitted, learned.voice.style))
        ]
        compared.append(Compared(line.name, *(distance(take, wanted) for take in (*takes, again))))
        told("comparing", (i + 1) / len(chosen))
    seconds = sum(float(one) for row in _rows(folder) for one in row["ph_dur"].split())
    return Recovery(tuple(compared), learned.fitted.history, seconds / 60)


def _sung(network: Any, style: tuple[float, ...], hidden: Voice, score: Score, seed: int) -> Take:
    return Singer(network, replace(hidden, style=style)).sing(score, PLAIN, seed)


def short_lines(lines: Sequence[Line]) -> list[Line]:
    """Cut between words into phrases of SHORT seconds or a little more: a step of learning costs what it lasts."""
    out: list[Line] = []
    for line in lines:
        score, own = line.score, list[Note]()
        for note in score.notes:
            first = note.syllable and note.syllabic in ("single", "begin")
            if own and first and score.seconds(own[-1].end) - score.seconds(own[0].tick) >= SHORT:
                out.append(_part(line, own))
                own = []
            own.append(note)
        out.append(_part(line, own))
    return out


def _part(line: Line, notes: Sequence[Note]) -> Line:
    first = notes[0].tick - TICKS_PER_QUARTER // 2
    name = f"{line.name}-{notes[0].tick}"
    moved = tuple(replace(note, tick=note.tick - first) for note in notes)
    return Line(name, "", Score(name, moved, tempo=line.score.tempo))


def distance(one: Take, other: Take) -> float:
    """dB between two takes of a score, frame by frame from tick 0 on, in mel, whatever their gains."""
    first, second = (torch.tensor(take.audio[round(take.lead * SAMPLE_RATE) :]) for take in (one, other))
    size = min(len(first), len(second))
    return float(unlikeness(first[None, :size], second[None, :size], torch.ones(1, size)))


def write_dataset(
    folder: Path, lines: Sequence[Line], singer: Singer, seconds: float, told: Callable[[float], None]
) -> None:
    """`lines` sung, as many as fill `seconds`, in DiffSinger's layout, with the record of whose voice it is."""
    import soundfile
    import yaml

    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    sung = 0.0
    for line in lines:
        take = singer.sing(line.score, PLAIN, SEED)
        soundfile.write(folder / "wavs" / f"{line.name}.wav", take.audio, SAMPLE_RATE, subtype="PCM_16")
        rows.append(transcription(line.name, line.score, take))
        sung += take.seconds
        told(min(sung / seconds, 1.0))
        if sung >= seconds:
            break
    record = {
        "who": "nobody: the hidden synthetic voice of Troubadour's training bench",
        "what": "lines of the bench, sung by the program itself",
        "until": (datetime.now(UTC).date() + timedelta(days=30)).isoformat(),
        "uses": ["train", "sing"],
        "signed": f"{datetime.now(UTC).date()}, by the program that made the recordings",
    }
    (folder / "consent.yaml").write_text(yaml.safe_dump(record, sort_keys=False), "utf-8")
    with (folder / "transcriptions.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def transcription(name: str, score: Score, take: Take) -> dict[str, str]:
    """A take as a row of transcriptions.csv: phonemes in Kokoro's IPA, words and notes, as an aligner knows them."""
    spans, notes = _spans(score, take), _notes(score, take)
    words: list[tuple[str, float]] = []
    begun = -1
    for symbol, start, end, note in spans:
        if note < 0:
            words.append((symbol, end - start))
        elif note != begun and (begun < 0 or score.notes[note].syllabic in ("single", "begin")):
            words.append(((score.notes[note].syllable or "_").strip("-"), end - start))
        else:
            words[-1] = (words[-1][0], words[-1][1] + end - start)
        begun = note
    return {
        "name": name,
        "ph_seq": " ".join(symbol for symbol, _, _, _ in spans),
        "ph_dur": " ".join(f"{end - start:.6f}" for _, start, end, _ in spans),
        "word_seq": " ".join(word for word, _ in words),
        "word_dur": " ".join(f"{seconds:.6f}" for _, seconds in words),
        "note_seq": " ".join(note for note, _ in notes),
        "note_dur": " ".join(f"{seconds:.6f}" for _, seconds in notes),
    }


def _spans(score: Score, take: Take) -> list[tuple[str, float, float, int]]:
    """Phonemes and silences: symbol, start, end, and the note that each began on, or -1."""
    marks = {
        one.notes[0]: "".join(mark for mark in STRESSES if mark in one.phonemes) for one in lay_words(score)
    }
    wholes = {pair: whole for whole, pair in DIPHTHONGS.items()}
    spans: list[tuple[str, float, float, int]] = []
    now = -take.lead
    for p in take.phonemes:
        if p.start > now + 1e-6:
            spans.append(("SP", now, p.start, -1))
        elif spans and spans[-1][3] == p.note and (whole := wholes.get(spans[-1][0] + p.symbol)):
            spans.append((whole, spans.pop()[1], p.end, p.note))
            now = p.end
            continue
        spans.append((p.symbol, max(p.start, now), p.end, p.note))
        now = p.end
    end = take.seconds - take.lead
    if end > now:
        spans.append(("SP", now, end, -1))
    return [
        (marks[note] + symbol if symbol in VOWELS else symbol, start, stop, note)
        for symbol, start, stop, note in spans
    ]


def _notes(score: Score, take: Take) -> list[tuple[str, float]]:
    notes: list[tuple[str, float]] = []
    now = -take.lead
    for timed in take.notes:
        if timed.start > now + 1e-6:
            notes.append(("rest", timed.start - now))
        pitch = score.notes[timed.note].pitch
        notes.append((f"{NOTES[pitch % 12]}{pitch // 12 - 1}", timed.end - max(timed.start, now)))
        now = timed.end
    end = take.seconds - take.lead
    if end > now:
        notes.append(("rest", end - now))
    return notes


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "transcriptions.csv").read_text("utf-8").splitlines()))


def as_text(found: Recovery) -> str:
    """A Markdown table."""
    head = [
        "| held-out line | start | fitted | nearer | the hidden voice, other noise |",
        "|---|---|---|---|---|",
    ]
    rows = [
        f"| {one.line} | {one.start:.2f} dB | {one.fitted:.2f} dB | {one.nearer:.0%} | {one.again:.2f} dB |"
        for one in found.lines
    ]
    start, fitted, again = (
        float(np.mean([getattr(one, k) for one in found.lines])) for k in ("start", "fitted", "again")
    )
    return "\n".join(
        [*head, *rows, f"| all | {start:.2f} dB | {fitted:.2f} dB | {found.nearer:.0%} | {again:.2f} dB |"]
    )


def plot(found: Recovery, path: Path) -> None:
    """Held-out loss by step, and the lines before and after."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    steps = [one.step for one in found.history]
    left.plot(steps, [one.loss for one in found.history], "0.7", label="pieces learned from")
    left.plot(steps, [one.held_out for one in found.history], "b.-", label="held-out recordings")
    left.set(xlabel="step", ylabel="energy distance of mel spectra [dB]", ylim=(0, None), title="Learning")
    left.legend()
    places = np.arange(len(found.lines))
    for shift, name, colour in ((-0.27, "start", "0.7"), (0.0, "fitted", "b"), (0.27, "again", "g")):
        label = {
            "start": "the starting voice",
            "fitted": "the learned voice",
            "again": "the hidden voice again",
        }[name]
        right.bar(
            places + shift, [getattr(one, name) for one in found.lines], 0.26, color=colour, label=label
        )
    right.set_xticks(places, [one.line for one in found.lines], rotation=20)
    tallest = max(one.start for one in found.lines)
    right.set(
        ylabel="mel distance to the hidden voice [dB]",
        ylim=(0, 1.4 * tallest),  # room for the legend
        title=f"Held-out lines: {found.nearer:.0%} nearer",
    )
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)
