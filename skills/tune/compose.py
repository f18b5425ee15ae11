"""Compose: lyrics, brief and style become a score."""

from __future__ import annotations

import math

import numpy as np

from skills.brief import Brief
from skills.lyrics import Lyrics
from skills.style import PITCH_NAMES, Style
from skills.tune.errors import TuneError
from skills.tune.form import harmony_of, home_quality, home_under, is_hook, slots_of
from skills.tune.lines import LineWriter
from skills.tune.measure import fault, figures
from skills.tune.melody import Setting, learned_moves
from skills.tune.model import load_model
from skills.tune.plan import Plan, plan
from skills.tune.rhythm import CROWDED, Clock, fits
from voice.score import Key, Score, TempoMark

CANDIDATES = 10
MOST_BARS = 8  # that one line may take
CROWDED_SWING = 0.56
LEAST_RANGE = 9  # semitones between `low` and `high`
COST_WEIGHT = 0.15  # of a note's mean cost against one band width of `fault`


def compose(lyrics: Lyrics, brief: Brief, style: Style, seed: int, low: int, high: int) -> Score:
    """A score for these words in this style, sung between `low` and `high` (MIDI), about brief.seconds long.

    Several are written and the one most like real tunes is kept. The same arguments give the same score.
    Raises TuneError for words without a syllable, a line too long for its bars, or a range too narrow.
    """
    if not any(line.syllables for line in lyrics.lines):
        raise TuneError("there is nothing to sing: give me at least one line of words")
    if high - low < LEAST_RANGE:
        raise TuneError(f"a tune needs {LEAST_RANGE} semitones of range, {low} to {high} are {high - low}")
    rng = np.random.default_rng([seed, *lyrics.text.encode()[:64]])
    laid, clock = _plan(lyrics, brief, style)
    tonic = PITCH_NAMES[style.tune.keys[int(rng.integers(len(style.tune.keys)))]]
    chords, sections = harmony_of(lyrics, laid, style, tonic, rng)
    slots = slots_of(lyrics, laid)
    setting = Setting(style.tune, tonic, low, high)
    moves = learned_moves(setting, load_model())  # candidates ask for the same moves again and again
    best: Score | None = None
    least = math.inf
    for _ in range(CANDIDATES):
        writer = LineWriter(style, setting, moves, clock, chords, laid.intro_bars > 0, rng)
        for slot in slots:
            writer.write(slot)
        notes = writer.notes
        score = Score(
            title=lyrics.title,
            notes=tuple(notes),
            tempo=(TempoMark(0, laid.bpm),),
            key=Key(tonic, style.tune.mode),
            chords=tuple(home_under(chords, notes, tonic, home_quality(style))),
            sections=tuple(sections),
            swing=clock.swing,
            language=brief.language,
        )
        off = fault(figures(score)) + COST_WEIGHT * writer.cost / len(notes)
        if off < least:
            best, least = score, off
    assert best is not None
    return best


def _plan(lyrics: Lyrics, brief: Brief, style: Style) -> tuple[Plan, Clock]:
    """Tempo and bars with which every line can be sung; a line that does not go into its bars gets more."""
    bars = [line.bars for line in lyrics.lines]
    syllables = [len(line.syllables) for line in lyrics.lines]
    laid = plan(style, brief.mood, brief.seconds, bars, syllables, brief.bpm)
    while True:
        clock = Clock(laid.bpm, _swing(laid, lyrics, style))
        tight = [
            i
            for i, (line, count) in enumerate(zip(lyrics.lines, laid.line_bars, strict=True))
            if count < MOST_BARS and not fits(line, count, clock, style.tune, firm=is_hook(line, lyrics))
        ]
        if not tight:
            return laid, clock
        bars = [2 * count if i in tight else count for i, count in enumerate(laid.line_bars)]
        # Not halved again: so the bars only grow, and this ends.
        laid = plan(style, brief.mood, brief.seconds, bars, syllables, brief.bpm, scales=(1.0,))


def _swing(laid: Plan, lyrics: Lyrics, style: Style) -> float:
    """The style's swing; evened out where the words need sixteenths, which a deep swing makes too short."""
    swing = style.swing_at(laid.bpm)
    dense = max(len(line.syllables) / bars for line, bars in zip(lyrics.lines, laid.line_bars, strict=True))
    return min(swing, CROWDED_SWING) if dense > CROWDED else swing
