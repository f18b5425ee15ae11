"""Helplines: who answers in a fan's country (cast/helplines.yaml), as one sentence that follows a crisis line."""

from __future__ import annotations

import re
from functools import cache

import yaml

from persona.card import CAST

HOME = re.compile(
    r"\b(?:i'?m|i am|i live|living|here|we are|we live|from|based)\b.{0,20}\b(?:in|from)\b (?:the )?(.{3,40})",
    re.I,
)


@cache
def lines() -> dict[str, dict[str, str]]:
    """By country code, and 'elsewhere'."""
    raw = yaml.safe_load((CAST / "helplines.yaml").read_text(encoding="utf-8"))
    return {country: dict(row) for country, row in raw.items()}


def country_of(locale: str, text: str = "") -> str:
    """ISO code of a country, as far as we know helplines there, or ''. What somebody says outweighs a locale
    ('en-GB'); a locale without a country says nothing.
    """
    if said := HOME.search(text):
        for country, row in lines().items():
            if any(
                re.match(rf"{re.escape(name)}\b", said[1], re.IGNORECASE) for name in row.get("names", ())
            ):
                return country
    code = locale.replace("_", "-").partition("-")[2][:2].upper()
    return code if code in lines() else ""


def referral(country: str, topic: str, young: bool) -> str:
    """Where to turn, in one sentence. `topic` 'danger' adds who helps against violence."""
    row = lines().get(country)
    if row is None:
        row = lines()["elsewhere"]
        return f"For young people, {row['young']} says who to call." if young else ""
    talk = row["young"] if young else row["talk"]
    sentence = f"Where you are: {talk} to talk, {row['emergency']} if it can't wait"
    if topic == "danger" and "harm" in row:
        sentence += f", {row['harm']} if somebody hurts you"
    return sentence + "."
