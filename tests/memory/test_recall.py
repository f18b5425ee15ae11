"""Fans never ask in the words they told: recall on 300 paraphrased questions over a year in one channel."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from memory.bench import bench, bm25_windows
from memory.memory import within
from memory.rank import Question, Shelf, Turn, Weights

from .histories import a_year

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = 1000


@pytest.fixture(scope="module")
def year(embed):
    turns, questions = a_year()
    shelf = Shelf(turns, embed([turn.line for turn in turns]))
    vectors = embed([question.text for question in questions])
    asked = [
        (question, Question(question.text, vector, question.fan, turns[-1].at))
        for question, vector in zip(questions, vectors, strict=True)
    ]
    return shelf, asked


def found(year, score, words):
    shelf, asked = year
    hits = {"Ann": [], "Bo": [], "Cleo": []}
    for question, text in asked:
        recalled = within(shelf.turns, score(shelf, text), words)
        hits[question.fan].append(question.evidence in {each.id for each in recalled})
    return hits


@pytest.mark.slow
def test_paraphrased_questions_find_their_evidence(year, capsys):
    fused = found(year, lambda shelf, text: shelf.scores(text, Weights()), WORDS)
    words = found(year, bm25_windows, WORDS)
    short = found(year, lambda shelf, text: shelf.scores(text, Weights()), 300)
    share, alone, less = (
        float(np.mean([hit for each in hits.values() for hit in each])) for hits in (fused, words, short)
    )
    with capsys.disabled():
        each = {fan: round(float(np.mean(hits)), 2) for fan, hits in fused.items()}
        print(
            f"\nparaphrases at {WORDS} words: {share:.3f} {each}; at 300: {less:.3f}; BM25 alone: {alone:.3f}"
        )
    assert share >= 0.85 and share >= alone
    assert less >= 0.60


def test_who_is_named_counts(year):
    shelf, asked = year
    question, text = next((q, t) for q, t in asked if q.text == "what kind of pet do I own?")
    scores = shelf.scores(text, Weights())
    others = shelf.scores(Question(text.text, text.vector, "Bo", text.now), Weights())
    assert scores[question.evidence] > others[question.evidence]


def test_a_question_without_words_is_answered_by_meaning_alone():
    turns = [Turn(n, 1, "a", "turn", "Ann", text, NOON, n) for n, text in enumerate(["one", "two"])]
    shelf = Shelf(turns, np.eye(2, 384, dtype=np.float32))
    assert shelf.scores(Question("?", np.eye(2, 384, dtype=np.float32)[1]), Weights()).argmax() == 1


def test_locomos_format_is_read_and_measured(tmp_path, embed):
    talk = {
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a beagle called Biscuit."},
            {"speaker": "Bo", "dia_id": "D1:2", "text": "I weld herons out of scrap."},
        ],
        "session_2_date_time": "9:10 am on 1 June, 2023",
        "session_2": [{"speaker": "Ann", "dia_id": "D2:1", "text": "I moved to Leeds with the dog."}],
    }
    asked = [
        {"question": "What is Ann's beagle called?", "category": 4, "evidence": ["D1:1"]},
        {"question": "Where did Ann move with Biscuit?", "category": 1, "evidence": ["D01:01; D2:1"]},
        {"question": "Which herons does Bo weld?", "category": 4, "evidence": ["D9:9"]},
        {"question": "Does Bo fly?", "category": 5, "evidence": ["D1:2"]},
    ]
    data, fixed = tmp_path / "talks.json", tmp_path / "fixed.json"
    data.write_text(json.dumps([{"sample_id": "conv-30", "conversation": talk, "qa": asked}]))
    fixed.write_text(json.dumps([{"question_id": "locomo_1_qa2", "correct_evidence": ["D1:2"]}]))
    report = bench(data, fixed, 8, embed)
    assert (report["conversations"], report["turns"], report["questions"]) == (1, 3, 3)
    assert report["recall"]["by_category"] == {"multi-hop": 50.0, "single-hop": 100.0}
    assert bench(data, fixed, 100, embed)["recall"]["overall"] == 100.0
    assert bench(data, None, 100, embed)["questions"] == 2
