"""Blending: a new voice between others, with the licences, origins and consents of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voice.consent import Consent, ConsentError, check_consent
from voice.expression import Curve, Expression
from voice.voices import Range, Voice, VoiceError


def blend(name: str, parts: Sequence[tuple[Voice, float]]) -> Voice:
    """The voice called `name`, weighted from `parts` (weights above 0, of any sum). Raises VoiceError.

    Its ranges lie between those of its parts; nobody has measured them on the new voice.
    """
    if len({voice.name for voice, _ in parts}) < max(2, len(parts)):
        raise VoiceError("a blend needs two voices or more, each named once")
    for voice, weight in parts:
        if not 0 < weight < float("inf"):
            raise VoiceError(f"voice {voice.name}: a weight is a number above 0, not {weight:g}")
        if voice.updates:
            raise VoiceError(
                f"voice {voice.name} is more than a style: it has updates, and cannot be blended"
            )
        try:
            check_consent(voice.consent, "blend")
        except ConsentError as error:
            raise VoiceError(f"voice {voice.name} may not be blended: {error}") from error
    weights = np.array([weight for _, weight in parts])
    shares = [float(share) for share in weights / weights.sum()]
    voices = [voice for voice, _ in parts]
    named = [f"{voice.name} x {share:.3g}" for voice, share in zip(voices, shares, strict=True)]
    style = np.array([voice.style for voice in voices]).T @ np.array(shares)
    return Voice(
        name=name,
        description=f"A blend of {', '.join(named)}.",
        style=tuple(float(x) for x in style),
        comfortable=_between([voice.comfortable for voice in voices], shares),
        extreme=_between([voice.extreme for voice in voices], shares),
        expression=_expression([voice.expression for voice in voices], shares),
        licence=" and ".join(dict.fromkeys(voice.licence for voice in voices)),
        origin="blend of "
        + "; ".join(f"{part} [{voice.origin}]" for part, voice in zip(named, voices, strict=True)),
        consent=_consent(voices),
        chest=round(sum(voice.chest * share for voice, share in zip(voices, shares, strict=True))),
    )


def _between(ranges: Sequence[Range], shares: Sequence[float]) -> Range:
    low = sum(r.low * share for r, share in zip(ranges, shares, strict=True))
    high = sum(r.high * share for r, share in zip(ranges, shares, strict=True))
    return Range(round(low), round(high))


def _expression(parts: Sequence[Expression], shares: Sequence[float]) -> Expression:
    """Knobs in between; where one is a curve over time, the largest part's."""
    largest = parts[int(np.argmax(shares))]
    knobs: dict[str, Curve] = {}
    for name, own in largest.knobs().items():
        values = [part.knobs()[name] for part in parts]
        numbers = [value for value in values if not isinstance(value, tuple)]
        mean = sum(value * share for value, share in zip(numbers, shares, strict=False))
        knobs[name] = round(mean, 4) if len(numbers) == len(values) else own
    return Expression.of(knobs)


def _consent(voices: Sequence[Voice]) -> str | tuple[Consent, ...]:
    """The record of everyone in the blend; where nobody is, that it is synthetic."""
    people = [one for voice in voices if not isinstance(voice.consent, str) for one in voice.consent]
    if people:
        return tuple(dict.fromkeys(people))
    return (
        f"Synthetic: a blend of {' and '.join(voice.name for voice in voices)}, which are synthetic voices."
    )
