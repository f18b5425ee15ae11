"""A year in one channel, put together from the paraphrase set: three friends, passers-by, small talk, answers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import yaml

from memory.rank import Turn

DATA = Path(__file__).parent / "data"
PERSONA = "Breaking Rust"


class Question(NamedTuple):
    fan: str
    text: str
    evidence: int  # the id of the turn that answers it


def read_facts() -> dict[str, list[tuple[str, str]]]:
    """For each fan, pairs of a question and what the fan had said."""
    table = yaml.safe_load((DATA / "paraphrases.yaml").read_text("utf-8"))
    return {
        fan: [
            (question, said) for question, said in (line.split(" | ") for line in lines.strip().splitlines())
        ]
        for fan, lines in table.items()
    }


def a_year() -> tuple[list[Turn], list[Question]]:
    """Some 1,700 turns in order, and 300 questions about them; always the same ones."""
    dice = random.Random(2026)
    gate = yaml.safe_load((DATA / "gate.yaml").read_text("utf-8"))
    replies = (DATA / "replies.txt").read_text("utf-8").splitlines()
    talk = [
        text
        for kind in ("chatter", "questions", "orders", "no lasting worth")
        for text in gate["noise"][kind]
    ]
    said: list[tuple[str, str, str]] = []  # fan, text, question
    for fan, facts in read_facts().items():
        said += [(fan, text, question) for question, text in facts]
    # Each fan's facts stay in order (a wedding is planned before it is put off); the three are shuffled together.
    order = [fan for fan, _, _ in said]
    dice.shuffle(order)
    queues = {fan: iter([each for each in said if each[0] == fan]) for fan in set(order)}
    events = [next(queues[fan]) for fan in order]
    others = [("Passer-by", text, "") for text in gate["keep"]]
    others += [(dice.choice(["Ann", "Bo", "Cleo", "Passer-by"]), dice.choice(talk), "") for _ in range(350)]
    for other in others:
        events.insert(dice.randrange(len(events) + 1), other)
    turns: list[Turn] = []
    questions: list[Question] = []
    at = datetime(2025, 9, 1, 8, 0, tzinfo=UTC)
    for fan, text, question in events:
        at += timedelta(minutes=dice.choice([2, 3, 5, 8, 600, 1300]))
        if question:
            questions.append(Question(fan, question, len(turns)))
        turns.append(Turn(len(turns), 1, fan.lower(), "turn", fan, text, at))
        turns.append(Turn(len(turns), 1, fan.lower(), "turn", PERSONA, dice.choice(replies), at))
    return turns, questions
