"""The melody model knows old tunes better than chance, and its figure holds on tunes that it was not taught."""

import csv
import math
from pathlib import Path

import pytest

from bench.train_melody import LEDGER, bits, read_tunes
from skills.tune.model import CONTEXTS, Event, load_model


def test_its_probabilities_are_probabilities():
    model = load_model()
    for degree, history in ((0, ()), (7, (2, 2)), (3, (-2, 12)), (11, (1, -1))):
        event = Event("major", degree, history, 2, True, (0, 4))
        for likely in (model.intervals(event), model.with_chord(event)):
            assert math.isclose(sum(likely.values()), 1, rel_tol=1e-6)
            assert min(likely.values()) > 0


def test_the_leading_note_leads_home_and_a_held_strong_note_belongs_to_its_chord():
    model = load_model()
    leading = model.intervals(Event("major", 11, (2, 2), 2, True, (0, 4)))
    assert max(leading, key=lambda interval: leading[interval]) == 1
    event = Event("major", 5, (-2, -1), 2, True, (0, 4))
    likely = model.with_chord(event)
    inside = sum(p for interval, p in likely.items() if event.over_chord(interval) in (0, 4, 7))
    assert inside > 0.85


def test_the_ledger_names_every_tune_and_keeps_essen_out():
    with LEDGER.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) > 4000
    assert {Path(row["source"]).parts[0] for row in rows} == {"oneills1850", "ryansMammoth", "airdsAirs"}
    assert sum(row["use"] == "held out" for row in rows) > 250


@pytest.mark.slow
def test_held_out_tunes_cost_at_most_2_6_bits_an_interval():
    with LEDGER.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        held = {(row["source"], row["number"]) for row in rows if row["use"] == "held out"}
    tunes = [tune for tune in read_tunes(("airdsAirs",)) if (tune.source, tune.number) in held]
    assert len(tunes) > 60
    assert bits(load_model(), tunes, len(CONTEXTS) - 1, False) <= 2.6
