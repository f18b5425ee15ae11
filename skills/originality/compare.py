"""What a song shares with old tunes, with the library's songs and with known phrases; what is near, what is too near.

Thresholds are those of docs/originality.md. No note count says in law what a copy is; and that nothing was found here
does not mean that a song is original.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skills.lyrics import Lyrics
from skills.originality.align import Line, Match, Shelf, Worth
from skills.originality.tunes import old_tunes
from voice.score import Score

NEAR_MELODY, TOO_NEAR_MELODY = 60.0, 74.0  # bits shared, whatever the rhythm
NEAR_PHRASE, TOO_NEAR_PHRASE = 60.0, 71.0  # bits shared, rhythm and all
SHINGLE = 5  # words
NEAR_WORDS = 0.2  # of all five-word groups are shared (Jaccard)
RUN = 7  # words in a row
PHRASES = Path(__file__).parent / "phrases.txt"


@dataclass(frozen=True)
class Likeness:
    """`closest`: what shares most, '' if nothing shares anything. `figures` by measure. `near`: worth a look;
    `too_near`: to be written again. `compared`: with how many."""

    closest: str
    figures: Mapping[str, float]
    near: bool
    too_near: bool
    compared: int


@cache
def _old_shelf() -> tuple[Shelf, tuple[str, ...]]:
    lines = [Line.of(tune.melody) for tune in old_tunes()]
    return Shelf(lines, Worth.of(lines)), tuple(tune.name for tune in old_tunes())


def melody_likeness(score: Score, library: Mapping[str, Score]) -> Likeness:
    """Against the old tunes and the library's songs, by name."""
    shelf, names = _old_shelf()
    own = Shelf([_line(other) for other in library.values()], shelf.worth)
    line = _line(score)
    found = [(shelf.closest(line), shelf.closest(line, rhythm=True), names)]
    found.append((own.closest(line), own.closest(line, rhythm=True), tuple(library)))
    melody, phrase, where = max(found, key=lambda each: max(_share(each[0]), each[1].bits / TOO_NEAR_PHRASE))
    best = phrase if phrase.bits / TOO_NEAR_PHRASE > _share(melody) else melody
    return Likeness(
        closest=where[best.tune] if best.tune >= 0 else "",
        figures={"melody_bits": round(melody.bits, 1), "phrase_bits": round(phrase.bits, 1)},
        near=melody.bits >= NEAR_MELODY or phrase.bits >= NEAR_PHRASE,
        too_near=melody.bits >= TOO_NEAR_MELODY or phrase.bits >= TOO_NEAR_PHRASE,
        compared=len(names) + len(library),
    )


def _share(match: Match) -> float:
    return match.bits / TOO_NEAR_MELODY


def _line(score: Score) -> Line:
    """The sung line; a line that comes again (a hook, a repeated verse) is looked at once."""
    phrases: list[list[tuple[int, int]]] = [[]]
    for note in score.notes:
        phrases[-1].append((note.pitch, note.ticks))
        if note.breath_after:
            phrases.append([])
    once: list[tuple[int, int]] = []
    for i, phrase in enumerate(phrases):
        if phrase not in phrases[:i]:
            once += phrase
    return Line.of(once)


def words_likeness(lyrics: Lyrics, library: Mapping[str, Lyrics], phrases: Iterable[str]) -> Likeness:
    """Against the library's lyrics (five-word groups, runs of words) and known phrases."""
    mine = _words(lyrics.text)
    shingles, runs = _groups(mine, SHINGLE), _groups(mine, RUN)
    text = f" {' '.join(mine)} "
    known = [phrase for phrase in phrases if _words(phrase) and f" {' '.join(_words(phrase))} " in text]
    best, most, run = "", 0.0, 0
    for name, other in library.items():
        theirs = _words(other.text)
        both = _groups(theirs, SHINGLE)
        share = len(shingles & both) / max(1, len(shingles | both))
        same_run = bool(runs & _groups(theirs, RUN))
        if (same_run, share) > (bool(run), most):
            best, most, run = name, share, int(same_run)
    again = bool(known) or run > 0 or most > NEAR_WORDS
    return Likeness(
        closest=f"the phrase {known[0]!r}" if known else best,
        figures={
            "shared_groups": round(most, 3),
            "runs_of_seven": float(run),
            "known_phrases": float(len(known)),
        },
        near=again or most > NEAR_WORDS / 2,
        too_near=again,
        compared=len(library),
    )


def known_phrases(own: Path | None = None) -> tuple[str, ...]:
    """The phrases that come with Troubadour, and the owner's (a line each; # begins a comment)."""
    files = [PHRASES, *([own] if own is not None and own.is_file() else [])]
    lines = [line.split("#")[0].strip() for file in files for line in file.read_text("utf-8").splitlines()]
    return tuple(line for line in lines if line)


def told(kind: str, found: Mapping[str, object]) -> str:
    """A finding in a sentence that promises no more than it knows."""
    figures = found.get("figures")
    numbers = (
        ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in figures.items())
        if isinstance(figures, dict)
        else ""
    )
    closest = f"closest: {found['closest']}; " if found.get("closest") else ""
    verdict = (
        "TOO NEAR: look at it before you publish it"
        if found.get("too_near")
        else "near enough to be worth a look"
        if found.get("near")
        else "no match found above the threshold"
    )
    return (
        f"{kind}: {verdict} ({closest}{numbers}; compared with {found.get('compared', 0)}). "
        "This is no proof of originality: only these were compared."
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower().replace("’", "'"))


def _groups(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}
