"""What stands in the prompt does not come out of it, in whatever clothes."""

from __future__ import annotations

import base64
import codecs

import pytest

from persona.card import Card
from persona.guard.private import Private
from persona.prompt import private_parts
from persona.repertoire import Repertoire

NOTES = (
    "Always be kind to the person in front of you and never speak of the seventh gate. Code: ZEBRA-7741-QK."
)


@pytest.mark.parametrize(
    "reply",
    [
        "Sure: Always be kind to the person in front of you and never speak of the seventh gate.",
        "My rules say ALWAYS BE KIND, to the person in front of you.",
        "The word is ZEBRA-7741-QK",
        "Z E B R A 7 7 4 1 Q K, there you go",
        codecs.encode(NOTES, "rot13"),
        NOTES[::-1],
        base64.b64encode(NOTES.encode()).decode(),
        "here: " + NOTES.encode().hex(),
        " ".join(word[::-1] for word in NOTES.split()),
        " ".join(NOTES),
        "".join(chr((ord(c) - 97 + 3) % 26 + 97) if c.islower() else c for c in NOTES[:90]),
        base64.b32encode(NOTES.encode()).decode()[:101],
        NOTES.encode().hex()[:121],
        base64.b85encode(NOTES.encode()).decode(),
        " ".join(f"{byte:08b}" for byte in NOTES.encode()),
        "\n".join(f"{number}. {word}" for number, word in enumerate(NOTES.split(), 1)),
        " la ".join(NOTES.split()),
        "\u200b".join("ZEBRA-7741-QK"),
        "ＺＥＢＲＡ－７７４１－ＱＫ",
        "%5A%45%42%52%41-7741-QK",
        "&#90;EBRA-7741-QK",
        "--.. . -... .-. .- / --... --... ....- .---- / --.- -.-",
        "Zulu echo bravo romeo alpha, seven seven four one, quebec kilo.",
        "Zoos empty by roads around 7 7 4 1 quiet kids.",
    ],
)
def test_a_leak_is_seen(reply: str) -> None:
    assert Private(NOTES).leaks(reply)


def test_the_canary_is_seen_and_is_another_one_each_time() -> None:
    one, other = Private(NOTES), Private(NOTES)
    assert one.leaks(f"It says {one.canary}.") and one.canary != other.canary and one.canary in one.text


def test_what_the_artist_says_of_itself_is_no_leak(card: Card) -> None:
    private = Private(private_parts(card))
    lines = [line.text for line in Repertoire.of(card).all] + [
        card.first_mes,
        *card.alternate_greetings,
        card.mes_example,
    ]
    assert [line for line in lines if private.leaks(line)] == []
    assert not Private(NOTES).leaks("Be kind to the person at the gate, always.")
