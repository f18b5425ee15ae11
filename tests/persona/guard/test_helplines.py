"""Who answers where somebody is."""

from __future__ import annotations

import pytest

from persona.guard.helplines import country_of, lines, referral


@pytest.mark.parametrize(
    ("locale", "text", "country"),
    [
        ("en-GB", "", "GB"),
        ("en-US", "I live in Germany and I can't go on", "DE"),
        ("", "i'm from new zealand", "NZ"),
        ("de", "", ""),  # a language is no country
        ("xx-XX", "", ""),
    ],
)
def test_a_country_is_where_somebody_says_they_are_or_their_locale(
    locale: str, text: str, country: str
) -> None:
    assert country_of(locale, text) == country


def test_every_country_says_who_to_talk_to_and_who_comes() -> None:
    for country in set(lines()) - {"elsewhere"}:
        sentence = referral(country, "_", young=False)
        assert any(digit.isdigit() for digit in sentence) and len(sentence) < 160, country
        assert referral(country, "_", young=True)


def test_violence_adds_who_helps_against_it_and_nobody_is_sent_abroad() -> None:
    assert "0808 2000 247" in referral("GB", "danger", young=False)
    assert "0808 2000 247" not in referral("GB", "_", young=False)
    assert referral("", "_", young=False) == "" and "childhelpline" in referral("", "_", young=True)
