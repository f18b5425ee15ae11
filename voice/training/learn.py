"""From a dataset to a voice: the whole way, and the card that tells what was done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voice.consent import in_words
from voice.training.dataset import CONSENT, Dataset, read_consent_file, read_dataset
from voice.voices import Range, Voice

if TYPE_CHECKING:
    from torch import Tensor

    from voice.network.network import Network
    from voice.training.fit import Fitted, Judgement
    from voice.training.plan import Plan

LICENCE = "for the uses of its consent record only; the network under it is Apache-2.0"
BEYOND = 2  # semitones beyond the lowest and highest note of the recordings that may be reached


@dataclass(frozen=True)
class Learned:
    """A voice, its low-rank updates (none: only its style was learned), and its card in Markdown."""

    voice: Voice
    updates: dict[str, Tensor]
    card: str
    fitted: Fitted


def learn(
    folder: Path,
    name: str,
    network: Callable[[], Network],
    start: Voice,
    plan: Plan,
    work: Path,
    licence: str = LICENCE,
    told: Callable[[int, float], None] = lambda step, loss: None,
    judged: Callable[[Judgement], None] = lambda judgement: None,
) -> Learned:
    """The voice of the recordings in `folder`, called `name`. `work` keeps checkpoints, from which a run goes on;
    `network` gives a plain one, and is asked only once the recordings may be learned from.

    Raises DatasetError (no signed consent that allows it today, or recordings that cannot be learned from), OSError.
    """
    from voice.training.fit import checkpoint_path, fit

    consent = read_consent_file(folder / CONSENT)
    dataset = read_dataset(folder)
    checkpoint = checkpoint_path(work, dataset, start.style, plan)
    fitted = fit(dataset, network(), start.style, plan, checkpoint, told, judged)
    comfortable, extreme = ranges(dataset)
    first, last = fitted.history[0].held_out, min(one.held_out for one in fitted.history)
    people = ", ".join(one.who for one in consent)
    voice = replace(
        start,
        name=name,
        description=f"Learned from recordings of {people}.",
        style=fitted.style,
        comfortable=comfortable,
        extreme=extreme,
        licence=licence,
        origin=f"{len(dataset.recordings)} recordings of {people}, {dataset.seconds / 60:.1f} min, sha256 "
        f"{dataset.fingerprint[:16]}; begun at {start.name} [{start.origin}]",
        consent=consent,
        trained=f"{datetime.now(UTC).date()}: {fitted.history[-1].step} steps, held-out difference "
        f"{first:.2f} -> {last:.2f} dB",
        updates=f"{name}.safetensors" if fitted.updates else "",
    )
    return Learned(voice, fitted.updates, card(voice, dataset, plan, fitted, start), fitted)


def ranges(dataset: Dataset) -> tuple[Range, Range]:
    """(comfortable, extreme): where nine tenths of the singing lies, and all of it with a little beyond."""
    hertz = np.concatenate([one.pitch.hertz for one in dataset.recordings])
    pitch = 69 + 12 * np.log2(hertz[hertz > 0] / 440)
    low, high = (math.floor(np.percentile(pitch, 5)), math.ceil(np.percentile(pitch, 95)))
    lowest, highest = math.floor(pitch.min()) - BEYOND, math.ceil(pitch.max()) + BEYOND
    return Range(low, max(high, low + 1)), Range(min(lowest, low), max(highest, low + 1))


def card(voice: Voice, dataset: Dataset, plan: Plan, fitted: Fitted, start: Voice) -> str:
    """A model card: what it is, from what, how, how near it came, and what nobody knows."""
    rows = "\n".join(f"| {one.step} | {one.loss:.2f} | {one.held_out:.2f} |" for one in fitted.history)
    learned = "its style, 256 numbers"
    if fitted.updates:
        count = sum(update.numel() for update in fitted.updates.values())
        learned += f", and low-rank updates of the decoder (rank {plan.rank}, {count:,} numbers)"
    return f"""# {voice.name}

{voice.description} A voice for Troubadour's singing network (Kokoro-82M, Apache-2.0), begun at `{start.name}`.

| | |
|---|---|
| licence | {voice.licence} |
| consent | {in_words(voice.consent)} |
| origin | {voice.origin} |
| comfortable range | MIDI {voice.comfortable.low} to {voice.comfortable.high}, from the notes of the recordings |
| what was learned | {learned} |
| how | gradient descent through the decoder on pieces of {plan.seconds:g} s, seed {plan.seed} |
| steps | {plan.steps} on the style, {plan.update_steps} with updates |
| kept | the state after step {fitted.best}, the nearest to the held-out recordings |

## Use
For the uses that the consent record names, until its last day; the program loads it for nothing else. It makes an
artificial voice: say so where it is heard.

## Held out
The difference in dB between mel spectra of the recordings and of the network's rendering of the same phonemes, F0
and energy, whatever the gain, less half of that between two renderings with other noise (their energy distance);
{round(plan.held_out * 100)} % of the recordings were never learned from.

| step | learned from | held out |
|---|---|---|
{rows}

## Not known
Nobody has judged by ear how near it is to the person, nor how it sings outside the recordings' range, language and
style. The network was trained on speech: what it cannot say, this voice cannot sing.
"""
