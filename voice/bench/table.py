"""The bench of the voice: its forty lines sung, measured and set beside the same voice speaking them."""

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
from voice.singer import Singer
from voice.take import SAMPLE_RATE
from voice.underlay import lay_words

TARGETS = {
    "cents_median": "<= 10", "cents_p90": "<= 30", "within_50": ">= 0.95", "octave_errors": "<= 0",
    "lock_80": "<= 0", "onset_median": "<= 20", "onset_p95": "<= 50", "voicing_error": "<= 0.05",
    "level_spread": "<= 3", "overall": ">= 3.1", "p808": ">= 3.9", "rtf": "<= 0.55",
}  # fmt: skip


@dataclass(frozen=True)
class LineResult:
    """One line: what was sung, and what the recogniser makes of the same voice speaking it."""

    name: str
    words: str
    figures: TakeFigures
    rtf: float
    spoken: str
    spoken_error: float


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
        begun = time.perf_counter()
        take = singer.sing(line.score, seed=seed)
        rtf = (time.perf_counter() - begun) / take.seconds
        heard = hearing.recognise(spoken(singer, line), SAMPLE_RATE)
        result = LineResult(
            name=line.name,
            words=line.words,
            figures=measure_take(line.score, take, line.words),
            rtf=rtf,
            spoken=heard,
            spoken_error=hearing.character_error_rate(line.words, heard),
        )
        results.append(result)
        if plots:
            plots.mkdir(parents=True, exist_ok=True)
            plot_take(
                line.score, take, plots / f"{line.name}.png", f"{line.words}   [{result.figures.heard}]"
            )
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
    """Means over lines; the worst line where one failure is too many; errors over all characters."""
    names = [k for k, v in asdict(results[0].figures).items() if isinstance(v, float)]
    means = {name: float(np.nanmean([getattr(r.figures, name) for r in results])) for name in names}
    means["level_spread"] = max(r.figures.level_spread for r in results)
    length = np.array([len(hearing.plain(r.words)) for r in results], float)
    sung = np.array([r.figures.character_error_rate for r in results])
    said = np.array([r.spoken_error for r in results])
    means["character_error_rate"] = float((sung * length).sum() / length.sum())
    means["spoken_error_rate"] = float((said * length).sum() / length.sum())
    means["rtf"] = float(np.median([r.rtf for r in results]))
    return means


def as_json(results: Sequence[LineResult]) -> dict[str, Any]:
    return {"summary": summary(results), "targets": TARGETS, "lines": [asdict(r) for r in results]}


def as_text(results: Sequence[LineResult]) -> str:
    """A Markdown table of the summary beside its targets."""
    found = summary(results)
    allowed = 1.25 * found["spoken_error_rate"] + 0.02
    rows = [(name, f"{found[name]:.3g}", wanted) for name, wanted in TARGETS.items()]
    rows.append(("character_error_rate", f"{found['character_error_rate']:.3f}", f"<= {allowed:.3f}"))
    rows.append(("spoken_error_rate", f"{found['spoken_error_rate']:.3f}", ""))
    head = [f"| {len(results)} lines | found | target |", "|---|---|---|"]
    return "\n".join(head + [f"| {name} | {value} | {wanted} |" for name, value, wanted in rows])
