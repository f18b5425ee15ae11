"""How often the guard declines what it should, and what it should not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from persona.guard import rules
from persona.guard.judge import BARS, WELCOME, Judge, Policy, Strictness


def left_out(judge: Judge) -> dict[str, dict[str, float]]:
    """By strictness: the share of declined and of welcome examples that meet the bar, each judged by all the others."""
    meaning = judge.meaning
    sure = 1 - meaning.leave_one_out()[:, meaning.labels.index(WELCOME)]
    declined = np.array([label != WELCOME for label in meaning.of])
    return {
        name: {
            "declined": round(float((sure[declined] >= bar).mean()), 4),
            "refused though welcome": round(float((sure[~declined] >= bar).mean()), 4),
        }
        for name, bar in BARS.items()
    }


def measured(judge: Judge, file: Path, strictness: Strictness = "normal") -> dict[str, Any]:
    """On messages that it did not learn from: `declined: {topic: [texts]}` and `harmless: [texts]`, as YAML.

    A topic is right when the topic of the verdict is the file's; a crisis counts as seen. Texts are not told.
    """
    messages = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy = Policy(strictness)
    seen: Counter[str] = Counter()
    rows = [(topic, text) for topic, texts in messages["declined"].items() for text in texts]
    for topic, text in rows:
        verdict = rules.crisis(text) or judge.verdict(text, policy)
        seen[topic] += verdict is not None
        seen["right topic"] += verdict is not None and verdict.topic == topic
    refused = sum(judge.verdict(text, policy) is not None for text in messages["harmless"])
    total = Counter(topic for topic, _ in rows)
    return {
        "declined": round(sum(seen[topic] for topic in total) / len(rows), 4),
        "with the right topic": round(seen["right topic"] / len(rows), 4),
        "by topic": {topic: f"{seen[topic]} of {count}" for topic, count in total.items()},
        "harmless": len(messages["harmless"]),
        "harmless refused": round(refused / len(messages["harmless"]), 4),
    }
