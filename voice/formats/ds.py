"""A take as DiffSinger's .ds: by phrase its words, phonemes with their times, notes and F0, for any acoustic model.

Phonemes are ARPABET in small letters, SP and AP, as English voicebanks have them. Each group that `ph_num` counts
begins with a vowel (or a pause) and stands on one note of `note_seq`; notes with `note_slur` go on with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voice.alphabet import CONSONANTS, VOWELS, to_arpabet
from voice.score import Score
from voice.take import F0_RATE, Take, TimedPhoneme

NAMES = "C C# D D# E F F# G G# A A# B".split()
JOINED = {
    "aɪ": "ay",
    "eɪ": "ey",
    "oʊ": "ow",
    "aʊ": "aw",
    "ɔɪ": "oy",
    "ɜɹ": "er",
    "əɹ": "er",
}  # one sound of ARPABET
EDGE = 0.2  # seconds of silence around a phrase, where there is room
TINY = 0.02  # seconds; a shorter gap is none


@dataclass
class _Span:
    """`what` lasts from `start` to `end` [s]; `slur`: it goes on with the note before."""

    what: str
    start: float
    end: float
    slur: bool = False


def to_ds(score: Score, take: Take) -> str:
    """The take's phrases as JSON; `offset` counts from the beginning of the stem (`lead` before tick 0)."""
    segments = []
    free = -take.lead
    ranges = list(_phrases(score))
    for indices in ranges:
        phones = [p for p in take.phonemes if p.note in indices]
        timed = [n for n in take.notes if n.note in indices]
        if not phones or not timed:
            continue
        later = [p.start for p in take.phonemes if p.note >= indices.stop]
        start = max(free, phones[0].start - EDGE)
        end = min(max(p.end for p in phones) + EDGE, *(later or [np.inf]))
        free = end
        spans = _phones(phones, take.breaths, start, end)
        notes = [
            _Span(_name(score.notes[n.note].pitch), n.start, n.end, score.notes[n.note].syllable is None)
            for n in timed
        ]
        segments.append(_segment(_text(score, indices), spans, _with_rests(notes, spans, start, end), take))
    return json.dumps(segments, ensure_ascii=False, indent=1)


def _phrases(score: Score) -> Iterator[range]:
    first = 0
    for i, note in enumerate(score.notes):
        if note.breath_after or i == len(score.notes) - 1:
            yield range(first, i + 1)
            first = i + 1


def _text(score: Score, indices: range) -> str:
    words = ""
    for i in indices:
        note = score.notes[i]
        if note.syllable is not None:
            words += (" " if note.syllabic in ("single", "begin") else "") + note.syllable
    return words.strip()


def _phones(
    phones: Sequence[TimedPhoneme], breaths: Sequence[tuple[float, float]], start: float, end: float
) -> list[_Span]:
    """The phonemes without gaps: silence is SP, a breath is AP."""
    spans: list[_Span] = []
    at = start
    for phone in _joined(phones):
        if phone.start - at > TINY:
            spans += _pause(at, phone.start, breaths)
        elif spans:
            spans[-1].end = phone.start
        else:
            phone.start = at
        spans.append(phone)
        at = phone.end
    if end - at > TINY:
        spans.append(_Span("SP", at, end))
    else:
        spans[-1].end = end
    return spans


def _joined(phones: Sequence[TimedPhoneme]) -> Iterator[_Span]:
    """Each phoneme in ARPABET; the two halves of a diphthong, or a vowel and its r, are one sound there."""
    waiting = list(phones)
    while waiting:
        here = waiting.pop(0)
        pair = here.symbol + waiting[0].symbol if waiting and waiting[0].note == here.note else ""
        if pair in JOINED:
            yield _Span(JOINED[pair], here.start, waiting.pop(0).end)
        elif here.symbol in VOWELS or here.symbol in CONSONANTS:
            yield _Span(to_arpabet(here.symbol)[0].rstrip("012").lower(), here.start, here.end)
        else:
            yield _Span(here.symbol, here.start, here.end)  # a voicebank's own symbol


def _pause(start: float, end: float, breaths: Sequence[tuple[float, float]]) -> list[_Span]:
    breath = next(((a, b) for a, b in breaths if a < end and b > start), None)
    if breath is None:
        return [_Span("SP", start, end)]
    cut = max(start, breath[0])
    silence = [_Span("SP", start, cut)] if cut - start > TINY else []
    return [*silence, _Span("AP", silence[-1].end if silence else start, end)]


def _with_rests(notes: list[_Span], phones: list[_Span], start: float, end: float) -> list[_Span]:
    """The notes without gaps. A rest is kept where a phoneme begins in it; else the note before it lasts longer."""
    out: list[_Span] = []
    at = start
    for note in [*notes, _Span("", end, end)]:
        if note.start - at > TINY and any(at - TINY / 2 <= p.start < note.start - TINY / 2 for p in phones):
            out.append(_Span("rest", at, note.start))
        elif out:
            out[-1].end = note.start
        else:
            note.start = at
        if note.what:
            out.append(note)
        at = note.end
    return out


def _segment(text: str, phones: list[_Span], notes: list[_Span], take: Take) -> dict[str, Any]:
    heads = [n.start for n in notes if not n.slur]
    groups = [0] * len(heads)
    for phone in phones:
        groups[max(0, int(np.searchsorted(heads, phone.start + TINY / 2, "right")) - 1)] += 1
    start, end = phones[0].start, phones[-1].end
    clock = np.arange(start, end, 1 / F0_RATE)
    voiced = np.flatnonzero(take.f0 > 0)
    hertz = (
        np.interp((clock + take.lead) * F0_RATE - 0.5, voiced, take.f0[voiced]) if len(voiced) else clock * 0
    )
    return {
        "offset": round(start + take.lead, 5),
        "text": text,
        "ph_seq": " ".join(p.what for p in phones),
        "ph_dur": _joined_numbers([p.end - p.start for p in phones]),
        "ph_num": " ".join(map(str, groups)),
        "note_seq": " ".join(n.what for n in notes),
        "note_dur": _joined_numbers([n.end - n.start for n in notes]),
        "note_slur": " ".join(str(int(n.slur)) for n in notes),
        "f0_seq": " ".join(f"{value:.1f}" for value in hertz),
        "f0_timestep": str(1 / F0_RATE),
    }


def _joined_numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.6f}" for value in values)


def _name(pitch: int) -> str:
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
