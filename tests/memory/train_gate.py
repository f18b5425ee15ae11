"""Fits the gate's small model and writes memory/data/gate.json: `python -m tests.memory.train_gate`.

From paraphrases.yaml (facts are worth keeping, questions are not) and gate_examples.yaml; gate.yaml, the labelled
set on which figures are reported, is not read here. The threshold is set on folds of the examples themselves.
"""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import yaml

from memory import gate
from memory.embedder import Embedder
from memory.rank import Turn
from tests.memory.histories import DATA, read_facts

NAMES = "Ann Bo Cleo Dana nightowl77 Priya xX_rust_Xx Omar Ingrid mossback Fan Tomas".split(" ")
RIDGE, STEPS, RATE, FOLDS = 0.003, 3000, 0.5, 5


def read_examples() -> tuple[list[str], np.ndarray]:
    """Texts, and 1 for what is worth keeping, 0 for what is not."""
    table = yaml.safe_load((DATA / "gate_examples.yaml").read_text("utf-8"))
    facts = [said for each in read_facts().values() for _, said in each]
    keep, noise = table["keep"] * 3 + facts, table["noise"] * 3
    return keep + noise, np.array([1.0] * len(keep) + [0.0] * len(noise))


def as_turns(texts: list[str]) -> list[str]:
    """The texts as they are embedded, said by various people on various days."""
    dice = random.Random(11)
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=dice.randrange(1000)) for _ in texts]
    names = [dice.choice(NAMES) for _ in texts]
    return [Turn(0, 0, "", "turn", *each).line for each in zip(names, texts, days, strict=True)]


def fit(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression with a ridge; both classes count the same."""
    weights, bias = np.zeros(x.shape[1]), 0.0
    each = np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    for _ in range(STEPS):
        error = (1 / (1 + np.exp(-(x @ weights + bias))) - y) * each
        weights -= RATE * (x.T @ error + RIDGE * weights)
        bias -= RATE * error.sum()
    return weights, float(bias)


def main() -> None:
    texts, y = read_examples()
    unique = list(dict.fromkeys(texts))
    vectors = dict(zip(unique, Embedder(2)(as_turns(unique)), strict=True))
    x = np.stack([gate.features(text, vectors[text]) for text in texts]).astype(float)
    fold = np.array([unique.index(text) % FOLDS for text in texts])
    held = np.zeros(len(y))
    for part in range(FOLDS):
        weights, bias = fit(x[fold != part], y[fold != part])
        held[fold == part] = 1 / (1 + np.exp(-(x[fold == part] @ weights + bias)))
    for threshold in np.arange(0.3, 0.8, 0.05):
        kept = held >= threshold
        precision, recall = (y[kept]).mean(), kept[y > 0].mean()
        print(
            f"threshold {threshold:.2f}: precision {precision:.3f}, recall {recall:.3f} on held-out examples"
        )
    weights, bias = fit(x, y)
    packed = base64.b64encode(weights.astype(np.float16).tobytes()).decode()
    gate.MODEL.write_text(
        json.dumps({"bias": round(bias, 5), "threshold": 0.5, "weights": packed}) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
