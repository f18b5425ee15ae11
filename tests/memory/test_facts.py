"""Facts a fan states about themselves, by rule: right ones, and none from noise."""

from datetime import UTC, datetime

import pytest
import yaml

from memory.facts import extract

from .histories import DATA


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ("call me Jules, everyone does", ["Ann wants to be called Jules"]),
        ("I go by they/them, just so you know", ["Ann's pronouns are they/them"]),
        ("we moved to Leeds last month", ["Ann lives in Leeds"]),
        ("I'm from a tiny town called Hebden Bridge", ["Ann comes from Hebden Bridge"]),
        ("I work nights at a bakery", ["Ann works at a bakery"]),
        ("my little sister Bea sings too", ["Ann's sister is called Bea"]),
        ("adopted a greyhound, she's called Juniper", ["Ann's greyhound is called Juniper"]),
        ("my birthday is on 14 November", ["Ann's birthday is 14 November"]),
        ("Maya's birthday is June 3rd", ["Maya's birthday is June 3rd"]),
        ("my favourite colour is rust red, ha", ["Ann's favourite colour is rust red"]),
        ("I really love slide guitar", ["Ann likes slide guitar"]),
        ("I hate winter", ["Ann does not like winter"]),
        ("I'm allergic to peanuts", ["Ann is allergic to peanuts"]),
        ("I live in Oslo. My dog is called Rex!", ["Ann lives in Oslo", "Ann's dog is called Rex"]),
        (
            "that song about the lighthouse got me through the winter",
            ["lighthouse", "got me through the winter"],
        ),
    ],
)
def test_a_statement_gives_its_fact(said, facts):
    found = " | ".join(fact.text for fact in extract(said, "Ann"))
    assert all(fact in found for fact in facts), found


@pytest.mark.parametrize(
    "said",
    [
        "I promised my mother I'd come home for Easter",
        "do I live in Oslo?",
        "you live in Oslo",
        "I love it",
        "I'm not from Leeds",
        "my password is Leeds",
    ],
)
def test_what_states_no_fact_gives_none(said):
    assert extract(said, "Ann") == []


def test_noise_gives_no_facts():
    noise = yaml.safe_load((DATA / "gate.yaml").read_text("utf-8"))["noise"]
    found = {text: extract(text, "Ann") for texts in noise.values() for text in texts}
    assert {text: facts for text, facts in found.items() if facts} == {}


def test_the_labelled_messages_give_their_facts_and_no_others():
    """Figures: precision 1.0, recall .91 (.94 and .82 when the rules first met them)."""
    labels = yaml.safe_load((DATA / "facts.yaml").read_text("utf-8"))
    wanted = {(told["said"], *fact) for told in labels["told"] for fact in told["facts"].items()}
    said = [*(told["said"] for told in labels["told"]), *labels["nothing"]]
    found = {(text, fact.slot, fact.value) for text in said for fact in extract(text, "Ann")}
    precision, recall = len(found & wanted) / len(found), len(found & wanted) / len(wanted)
    print(f"\nfacts: precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.95 and recall >= 0.85
    assert {slot for _, slot, _ in found} >= {
        "name", "pronouns", "home", "origin", "job", "person", "pet", "birthday", "favourite", "taste", "diet",
        "allergy", "fear", "plays", "song",
    }  # fmt: skip


SLOTS = {
    "person": {"person", "pet"},
    "place": {"home", "origin", "job"},
    "like": {"taste", "favourite", "plays"},
    "dislike": {"taste"},
}


def test_messages_of_a_blind_set_give_their_facts_and_newer_ones_replace_older():
    """Precision .938, recall .500 at first sight; 1.000 and .900 after the rules had been widened on other messages."""
    labels = yaml.safe_load((DATA / "facts_blind.yaml").read_text("utf-8"))
    told = [(each["said"], each["facts"]) for each in labels["told"]]
    right = wrong = missed = 0
    for said, wanted in [*told, *(([each], {}) for each in labels["nothing"])]:
        facts = [fact for text in said for fact in extract(text, "Ann", datetime(2026, 11, 23, tzinfo=UTC))]
        held = {(fact.slot, fact.key): fact for fact in facts}
        left = [fact for fact in held.values() if fact.value]
        for kind, value in wanted.items():
            hit = [
                fact
                for fact in left
                if fact.slot in SLOTS.get(kind, {kind})
                and value.lower() in fact.text.lower()
                and ("does not like" in fact.text) == (kind == "dislike")
            ]
            right, missed = right + bool(hit), missed + (not hit)
            left = [fact for fact in left if fact not in hit[:1]]
        wrong += len(left)
    print(f"\nblind facts: precision {right / (right + wrong):.3f}, recall {right / (right + missed):.3f}")
    assert right / (right + wrong) >= 0.95 and right / (right + missed) >= 0.85


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("it's my birthday tomorrow, come sing", "birthday is 24 November"),
        ("my birthday was yesterday", "birthday is 22 November"),
        ('"Tin Roof" reminds me of my mother', "of the song Tin Roof: reminds me of my mother"),
        ("every time I hear Salt Road I think of my brother", "of the song Salt Road: I think of my brother"),
        ("I'm not really a fan of musicals", "does not like musicals"),
        ("born and raised in Tulsa", "comes from Tulsa"),
        ("Henrik, my husband, cooks tonight", "husband is called Henrik"),
        ("my kids Alma and Ruben love this", "kids are called Alma and Ruben"),
        ("we baked for my daughter Sara's party", "daughter is called Sara"),
    ],
)
def test_days_titles_and_asides_are_understood(said, fact):
    [found] = extract(said, "Ann", datetime(2026, 11, 23, tzinfo=UTC))
    assert fact in found.text


@pytest.mark.parametrize(
    "said",
    [
        "Uncle Ben got me through it",
        "Nobody here but me",
        "I'm over the moon",
        "New York reminds me of rain",
        "people call me crazy",
        "it's my birthday next month",
        'she said "My Old Man got me through it"',
    ],
)
def test_what_only_looks_like_a_fact_is_none(said):
    assert extract(said, "Ann", datetime(2026, 11, 23, tzinfo=UTC)) == []


def test_like_and_dislike_of_one_thing_share_a_key():
    (before,), (after,) = extract("I love trains", "Ann"), extract("I can't stand trains", "Ann")
    assert (before.slot, before.key) == (after.slot, after.key) and before.text != after.text


def test_what_ended_replaces_what_held():
    (before,), (after,) = extract("I'm vegetarian", "Ann"), extract("I'm not vegetarian any more", "Ann")
    assert (before.slot, before.key) == (after.slot, after.key) and after.value == ""
