"""What the bench of originality says: how many planted copies are found at which rate of false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skills.originality.bench import Scored
from skills.originality.compare import TOO_NEAR_MELODY, TOO_NEAR_PHRASE

REAL = "held-out tune"


def found_at(
    scored: Sequence[Scored], melody: float = TOO_NEAR_MELODY, phrase: float = TOO_NEAR_PHRASE
) -> dict[str, float]:
    """Share of each kind that is called too near at these thresholds (bits)."""
    kinds = dict.fromkeys(one.kind for one in scored)
    return {
        kind: sum(one.melody >= melody or one.phrase >= phrase for one in scored if one.kind == kind)
        / sum(one.kind == kind for one in scored)
        for kind in kinds
    }


def plot_found(scored: Sequence[Scored], path: Path) -> None:
    """Found copies against false alarms, as both thresholds go down together; a cross where they are set."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    points = [
        found_at(scored, TOO_NEAR_MELODY * share / 100, TOO_NEAR_PHRASE * share / 100)
        for share in range(40, 201, 2)
    ]
    now = found_at(scored)
    figure, axes = pyplot.subplots(figsize=(7, 5))
    for kind in now:
        if not kind.startswith("held-out"):
            (line,) = axes.plot([p[REAL] for p in points], [p[kind] for p in points], label=kind)
            axes.plot(now[REAL], now[kind], "x", color=line.get_color())
    axes.axvline(0.05, color="grey", lw=0.7, ls="--")
    axes.axhline(0.95, color="grey", lw=0.7, ls="--")
    axes.set(
        xlabel="held-out real tunes called too near",
        ylabel="planted copies found",
        xlim=(0, 0.5),
        ylim=(0, 1.01),
    )
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
