"""The bench of the voice: its forty lines sung, measured and set beside the same voice speaking them, and peers.

Lines go through MusicXML before they are sung, as a user's scores do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.bench import hearing
from voice.bench.figures import TakeFigures, measure_take
from voice.bench.lines import Line, bench_lines
from voice.bench.plot import plot_take
from voice.bench.process import Alone
from voice.formats.musicxml_read import from_musicxml
from voice.formats.musicxml_write import to_musicxml
from voice.singer import Singer
from voice.take import SAMPLE_RATE, Take
from voice.underlay import lay_words

# What is found, what it must reach, what it is. Figures of pitch are pooled over all voiced frames of all lines.
ROWS = (
    ("cents_median", "<= 10", "cents from the note, median"),
    ("cents_p90", "<= 30", "the same, 90th percentile"),
    ("within_50", ">= 0.95", "voiced frames within 50 cents"),
    ("again_median", "<= 10", "by swift-f0: cents, median"),
    ("again_p90", "<= 30", "by swift-f0: 90th percentile"),
    ("again_within_50", ">= 0.95", "by swift-f0: frames within 50 cents"),
    ("octave_errors", "0", "frames an octave off, the worst line"),
    ("lock_80", "0", "frames fallen to 80 Hz, the worst line"),
    ("onset_median", "<= 20", "vowel onset against the score, ms, median"),
    ("onset_p95", "<= 50", "the same, 95th percentile (mean of lines)"),
    ("voicing_error", "<= 0.05", "voiced or unvoiced where it should not be"),
    ("again_voicing_error", "<= 0.05", "the same by swift-f0"),
    ("level_spread", "<= 3", "held vowels: largest stray from an even level, dB"),
    ("overall", ">= 3.1", "DNSMOS overall"),
    ("p808", ">= 3.9", "DNSMOS p808"),
    ("character_error_rate", "", "character error rate of Whisper-base, sung"),
    ("spoken_error_rate", "", "the same voice speaking the same lines"),
    ("rtf", "<= 0.55", "singing over sounding time, in this process"),
)


@dataclass(frozen=True)
class LineResult:
    """One line: what was sung, and what the recogniser makes of the same voice speaking it."""

    line: Line
    take: Take
    figures: TakeFigures
    rtf: float
    spoken: str
    spoken_error: float

    @property
    def name(self) -> str:
        return self.line.name

    @property
    def words(self) -> str:
        return self.line.words


def run(
    singer: Singer,
    lines: Sequence[Line] | None = None,
    plots: Path | None = None,
    seed: int = 0,
    told: Callable[[LineResult], None] | None = None,
) -> list[LineResult]:
    """Sings and measures every line; draws each into the folder `plots` if given."""
    results = []
    for line in lines or bench_lines():
        score = from_musicxml(to_musicxml(line.score).encode())
        begun = time.perf_counter()
        take = singer.sing(score, seed=seed)
        rtf = (time.perf_counter() - begun) / take.seconds
        heard = hearing.recognise(spoken(singer, line), SAMPLE_RATE)
        result = LineResult(
            line=line,
            take=take,
            figures=measure_take(score, take, line.words),
            rtf=rtf,
            spoken=heard,
            spoken_error=hearing.character_error_rate(line.words, heard),
        )
        results.append(result)
        if plots:
            plots.mkdir(parents=True, exist_ok=True)
            plot_take(score, take, plots / f"{line.name}.png", f"{line.words}   [{result.figures.heard}]")
        if told:
            told(result)
    return results


def spoken(singer: Singer, line: Line) -> NDArray[np.float32]:
    """The same words spoken by the same voice."""
    import torch

    from voice.network.network import vocabulary

    text = "".join(
        (" " if i and one.starts_word else "") + one.phonemes for i, one in enumerate(lay_words(line.score))
    )
    tokens = torch.tensor([[0, *(vocabulary()[symbol] for symbol in text + "."), 0]])
    style = torch.tensor(singer.voice.style, dtype=torch.float32)[None]
    with torch.inference_mode():
        return np.asarray(
            singer.network.speak(tokens, style, generator=torch.Generator().manual_seed(0))[0].numpy(),
            np.float32,
        )


def summary(results: Sequence[LineResult]) -> dict[str, float]:
    """Pitch over all voiced frames, errors over all characters, the worst line where one failure is too many; else
    means over lines."""
    every = [r.figures for r in results]
    names = [k for k, v in vars(every[0]).items() if isinstance(v, float)]
    found = {name: float(np.nanmean([getattr(f, name) for f in every])) for name in names}
    for start, curves in (("cents", [f.cents for f in every]), ("again", [f.cents_again for f in every])):
        size = np.abs(np.concatenate(curves))
        found[f"{start}_median"], found[f"{start}_p90"] = (float(x) for x in np.percentile(size, (50, 90)))
        found["within_50" if start == "cents" else "again_within_50"] = float(np.mean(size < 50))
    for name in ("level_spread", "octave_errors", "lock_80"):
        found[name] = max(getattr(f, name) for f in every)
    length = np.array([len(hearing.plain(r.words)) for r in results], float)
    for name, errors in (
        ("character_error_rate", [f.character_error_rate for f in every]),
        ("spoken_error_rate", [r.spoken_error for r in results]),
    ):
        found[name] = float((np.array(errors) * length).sum() / length.sum())
    found["rtf"] = float(np.median([r.rtf for r in results]))
    return found


def as_json(results: Sequence[LineResult], process: Alone | None = None) -> dict[str, Any]:
    lines = [
        {
            "name": r.name, "words": r.words, "rtf": r.rtf, "spoken": r.spoken, "spoken_error": r.spoken_error,
            "figures": r.figures.numbers(),
        }
        for r in results
    ]  # fmt: skip
    targets = {name: target for name, target, _ in ROWS}
    alone = asdict(process) if process else None
    return {"summary": summary(results), "targets": targets, "process": alone, "lines": lines}


def as_text(results: Sequence[LineResult], process: Alone | None = None) -> str:
    """A Markdown table of the summary beside its targets."""
    found = summary(results)
    allowed = f"<= {1.25 * found['spoken_error_rate'] + 0.02:.3f}"
    rows = [
        (what, f"{found[name]:.3g}", allowed if name == "character_error_rate" else target)
        for name, target, what in ROWS
    ]
    if process:
        rows += [
            ("singing over sounding time, alone", f"{process.rtf:.2f}", "<= 0.55"),
            ("cold process to ready, s", f"{process.start:.1f}", "<= 3"),
            ("memory at its peak, GB", f"{process.memory:.2f}", "<= 1.2"),
            ("transformers loaded", "yes" if process.transformers else "no", "no"),
        ]
    head = [f"| {len(results)} lines | found | must reach |", "|---|---|---|"]
    return "\n".join(head + [f"| {what} | {value} | {target} |" for what, value, target in rows])


def told(result: LineResult) -> str:
    """A line's figures on one line."""
    f = result.figures
    return (
        f"{result.name:16} cents {f.cents_median:5.1f} p90 {f.cents_p90:6.1f} within {f.within_50:.3f} "
        f"(swift {f.again_p90:5.1f} {f.again_within_50:.3f}) onset {f.onset_median:4.0f}/{f.onset_p95:4.0f} ms "
        f"v/uv {f.voicing_error:.3f} ({f.again_voicing_error:.3f}) level {f.level_spread:4.1f} "
        f"CER {f.character_error_rate:.2f} (spoken {result.spoken_error:.2f}) MOS {f.overall:.2f}/{f.p808:.2f} "
        f"RTF {result.rtf:.2f}  {f.heard}"
    )
