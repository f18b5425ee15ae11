"""Compose: lyrics, brief and style become a score."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skills.brief import Brief
from skills.lyrics import Line, Lyrics
from skills.style import PITCH_NAMES, Style
from skills.tune.harmony import BAR, chord_tones, lay, spread, template_for
from skills.tune.measure import Figures, fault, figures
from skills.tune.melody import MoveCost, Phrase, Setting, Spot, plain_move, sing_line
from skills.tune.plan import Plan, plan
from skills.tune.prosody import STRESSED, pauses, weights
from skills.tune.rhythm import CROWDED, EIGHTH, Clock, Rhythm, is_strong, place_syllables, window
from voice.score import Chord, Dynamic, Key, Note, Score, Section, Syllabic, TempoMark

CANDIDATES = 10
CROWDED_SWING = 0.56
LEAST_RANGE = 9  # semitones between `low` and `high`


class TuneError(ValueError):
    """Words that cannot be set to music; the message says which and what to do."""


@dataclass(frozen=True)
class Slot:
    """A line of the lyrics in its place. `letter`: lines of one letter share a tune ('A'); `same_as`: the index
    of an earlier line with the very same words, whose tune it takes note for note."""

    line: Line
    stanza: str
    bar: int
    bars: int
    letter: str
    same_as: int | None
    final: bool
    closes: bool


def compose(lyrics: Lyrics, brief: Brief, style: Style, seed: int, low: int, high: int) -> Score:
    """A score for these words in this style, sung between `low` and `high` (MIDI), about brief.seconds long.

    The same arguments give the same score. Raises TuneError for words without a syllable or a range too narrow.
    """
    if not any(line.syllables for line in lyrics.lines):
        raise TuneError("there is nothing to sing: give me at least one line of words")
    if high - low < LEAST_RANGE:
        raise TuneError(f"a tune needs {LEAST_RANGE} semitones of range, {low} to {high} are {high - low}")
    rng = np.random.default_rng([seed, *lyrics.text.encode()[:64]])
    laid = _plan(lyrics, brief, style)
    clock = Clock(laid.bpm, _swing(laid, lyrics, style))
    slots = _slots(lyrics, laid)
    tonic = PITCH_NAMES[style.tune.keys[int(rng.integers(len(style.tune.keys)))]]
    chords, sections = _harmony(lyrics, laid, style, tonic, rng)
    best: Score | None = None
    best_fault = math.inf
    for _ in range(CANDIDATES):
        notes, cost = _sing(slots, laid.intro_bars > 0, style, clock, tonic, chords, low, high, rng)
        score = Score(
            title=lyrics.title,
            notes=tuple(notes),
            tempo=(TempoMark(0, laid.bpm),),
            key=Key(tonic, style.tune.mode),
            chords=tuple(_home_under(chords, notes, tonic, _home(style.harmony.ending[0]))),
            sections=tuple(sections),
            swing=clock.swing,
        )
        measured: Figures = figures(score)
        off = fault(measured) + 0.15 * cost / max(1, len(notes))
        if off < best_fault:
            best, best_fault = score, off
    assert best is not None
    return best


def _plan(lyrics: Lyrics, brief: Brief, style: Style) -> Plan:
    bars = [line.bars for line in lyrics.lines]
    syllables = [len(line.syllables) for line in lyrics.lines]
    return plan(style, brief.mood, brief.seconds, bars, syllables, brief.bpm)


def _swing(laid: Plan, lyrics: Lyrics, style: Style) -> float:
    """The style's swing; evened out where the words need sixteenths, which a deep swing makes too short."""
    swing = style.swing_at(laid.bpm)
    dense = max(len(line.syllables) / bars for line, bars in zip(lyrics.lines, laid.line_bars, strict=True))
    return min(swing, CROWDED_SWING) if dense > CROWDED else swing


def _slots(lyrics: Lyrics, laid: Plan) -> list[Slot]:
    """Every line with its bars, and whose tune it shares.

    AAB and couplets: the second line is A'. Stanzas of one name share their tunes line by line.
    """
    slots: list[Slot] = []
    seen: dict[tuple[str, ...], int] = {}
    bar = laid.intro_bars
    for stanza in lyrics.stanzas:
        pattern = _letters(len(stanza.lines))
        for i, line in enumerate(stanza.lines):
            index = len(slots)
            words = tuple(word.lower() for word in line.words)
            slots.append(
                Slot(
                    line=line,
                    stanza=stanza.name,
                    bar=bar,
                    bars=laid.line_bars[index],
                    letter=f"{stanza.name}-{pattern[i]}",
                    same_as=seen.get(words),
                    final=index == len(lyrics.lines) - 1,
                    closes=i == len(stanza.lines) - 1,
                )
            )
            seen.setdefault(words, index)
            bar += laid.line_bars[index]
    return slots


def _letters(lines: int) -> str:
    """Which lines of a stanza share a tune."""
    known = {1: "A", 2: "AB", 3: "AAB", 4: "ABAC", 6: "ABABCD", 8: "ABACABAD"}
    return known.get(lines) or "".join("AB"[i % 2] for i in range(lines - 1)) + "C"


def _harmony(
    lyrics: Lyrics, laid: Plan, style: Style, tonic: int, rng: np.random.Generator
) -> tuple[list[Chord], list[Section]]:
    harmony = style.harmony
    chords: list[Chord] = []
    sections: list[Section] = []
    choice = int(rng.integers(1 << 16))
    bar, line = 0, 0

    def add(bars: Sequence[Sequence[str]]) -> None:
        nonlocal bar
        chords.extend(lay(bars, bar * BAR, tonic))
        bar += len(bars)

    if laid.intro_bars:
        intro = harmony.intro[choice % len(harmony.intro)]
        add(spread(intro, max(laid.intro_bars, len(intro.split("|"))))[-laid.intro_bars :])
        sections.append(Section(0, bar * BAR, "intro"))
    ending = [text.split() for text in harmony.ending[choice % len(harmony.ending)].split("|")]
    for n, stanza in enumerate(lyrics.stanzas):
        began = bar
        templates = _templates(style, stanza.name)
        patterns = template_for(templates, len(stanza.lines), choice)
        for i, pattern in enumerate(patterns):
            bars = spread(pattern, laid.line_bars[line])
            if i == len(patterns) - 1:
                if n == len(lyrics.stanzas) - 1:
                    bars[-1] = ending[0] if laid.ending_bars else ["I" + _home(harmony.ending[0])]
                elif harmony.turnaround and len(bars) > 1:
                    bars[-1] = harmony.turnaround[choice % len(harmony.turnaround)].split()
            add(bars)
            line += 1
        sections.append(Section(began * BAR, (bar - began) * BAR, stanza.name))
    if laid.ending_bars:
        add([ending[-1]] * laid.ending_bars)
        sections.append(Section((bar - laid.ending_bars) * BAR, laid.ending_bars * BAR, "ending"))
    return chords, sections


def _templates(style: Style, stanza: str) -> tuple[tuple[str, ...], ...]:
    if stanza.startswith(("chorus", "tag", "hook", "refrain")):
        return style.harmony.chorus or style.harmony.verse
    if stanza.startswith("bridge"):
        return style.harmony.bridge or style.harmony.verse
    return style.harmony.verse


def _home(ending: str) -> str:
    """The quality of the chord that the style ends on: '7' in the blues."""
    *_, last = ending.split()
    return last.lstrip("iI")


def _home_under(chords: Sequence[Chord], notes: Sequence[Note], tonic: int, quality: str) -> list[Chord]:
    """The chords with the home chord under the song's last syllable, if that one did not hold the tonic."""
    last = next(note for note in reversed(notes) if note.syllable)
    return [
        dataclasses.replace(chord, root=tonic, quality=quality)
        if chord.tick <= last.tick < chord.tick + chord.ticks and tonic not in chord_tones(chord)
        else chord
        for chord in chords
    ]


def _sing(
    slots: Sequence[Slot],
    early: bool,
    style: Style,
    clock: Clock,
    tonic: int,
    chords: Sequence[Chord],
    low: int,
    high: int,
    rng: np.random.Generator,
    move_cost: MoveCost = plain_move,
) -> tuple[list[Note], float]:
    """One candidate: notes for every line, and what they cost."""
    setting = Setting(style.tune, tonic, low, high)
    harmony = Score("", (), chords=tuple(chords))
    notes: list[Note] = []
    total = 0.0
    rhythms: list[Rhythm] = []
    tunes: list[list[int]] = []
    models: dict[str, int] = {}
    phrases = _phrases(rng)
    for index, slot in enumerate(slots):
        model = slot.same_as if slot.same_as is not None else models.get(slot.letter)
        rhythm = _rhythm(slot, index, early, style, clock, rng, rhythms, slots, model)
        spots = _spots(slot, rhythm, clock, harmony, model, rhythms, tunes)
        exact = slot.same_as is not None and _same_chords(slot, slots[slot.same_as], harmony)
        if slot.same_as is not None and (exact or slot.stanza != "verse"):
            pitches, cost = list(tunes[slot.same_as]), 0.0
        else:
            phrase = _aim(slot, phrases, setting, harmony, rhythm)
            before = tunes[-1][-1] if tunes else None
            pitches, cost = sing_line(spots, phrase, setting, rng, before, move_cost)
        rhythms.append(rhythm)
        tunes.append(pitches)
        models.setdefault(slot.letter, index)
        total += cost + rhythm.cost
        notes += _line_notes(slot, rhythm, pitches, spots, setting, clock, rng)
    return notes, total


def _rhythm(
    slot: Slot,
    index: int,
    early: bool,
    style: Style,
    clock: Clock,
    rng: np.random.Generator,
    rhythms: Sequence[Rhythm],
    slots: Sequence[Slot],
    model: int | None,
) -> Rhythm:
    place = window(slot.bars, len(slot.line.syllables), clock, index == 0, slot.final, early)
    if slot.same_as is not None and slots[slot.same_as].bars == slot.bars:
        same = rhythms[slot.same_as]
        if same.onsets[0] >= place.earliest and same.end <= place.latest:
            return same
    like = rhythms[model] if model is not None else None
    found = place_syllables(
        weights(slot.line),
        pauses(slot.line),
        place,
        clock,
        rng,
        style.tune.pickup,
        style.tune.syncopation,
        like,
    )
    if found is None:
        raise TuneError(
            f"the line {slot.line.text!r} is too long to be sung in {slot.bars} bars at {clock.bpm:g} beats a minute: "
            "give it fewer syllables, more bars or a slower tempo"
        )
    return found


def _spots(
    slot: Slot,
    rhythm: Rhythm,
    clock: Clock,
    harmony: Score,
    model: int | None,
    rhythms: Sequence[Rhythm],
    tunes: Sequence[Sequence[int]],
) -> list[Spot]:
    spots = []
    strengths = weights(slot.line)
    begin = slot.bar * BAR
    pulse = window(slot.bars, len(slot.line.syllables), clock, False, False, True).pulse
    for i, (onset, until) in enumerate(zip(rhythm.onsets, [*rhythm.onsets[1:], rhythm.end], strict=True)):
        chord = harmony.chord_at(max(0, begin + onset)) or harmony.chords[0]
        if onset < 0 and strengths[i] < STRESSED:  # a pick-up already thinks of the chord that it leads to
            chord = harmony.chord_at(begin) or chord
        spots.append(
            Spot(
                seconds=clock.seconds(until) - clock.seconds(onset),
                weight=strengths[i],
                strong=is_strong(onset, pulse),
                chord=chord,
                place=i / max(1, len(rhythm.onsets) - 1),
                last=i == len(rhythm.onsets) - 1,
                guide=_guide(onset, i, rhythm, slot, model, rhythms, tunes),
            )
        )
    return spots


def _guide(
    onset: int,
    i: int,
    rhythm: Rhythm,
    slot: Slot,
    model: int | None,
    rhythms: Sequence[Rhythm],
    tunes: Sequence[Sequence[int]],
) -> int | None:
    """What the model line sings at this place; a line that closes a section is led for its first half only."""
    if model is None:
        return None
    ahead = len(rhythm.onsets) - i
    if ahead <= 2 or (slot.closes and i > len(rhythm.onsets) // 2):
        return None
    sung = [k for k, other in enumerate(rhythms[model].onsets) if other <= onset]
    return tunes[model][sung[-1]] if sung else tunes[model][0]


def _same_chords(slot: Slot, other: Slot, harmony: Score) -> bool:
    if slot.bars != other.bars:
        return False
    steps = range(0, slot.bars * BAR, BAR // 4)
    here = [harmony.chord_at(slot.bar * BAR + step) for step in steps]
    there = [harmony.chord_at(other.bar * BAR + step) for step in steps]
    return all(
        a is not None and b is not None and (a.root, a.quality) == (b.root, b.quality)
        for a, b in zip(here, there, strict=True)
    )


def _phrases(rng: np.random.Generator) -> dict[str, tuple[float, float, float, float]]:
    """Contours by role: start, peak, where the peak is, end; semitones about the middle of the range."""
    lift = float(rng.normal(0, 0.8))
    return {
        "open": (
            float(rng.uniform(-2, 2)),
            3.0 + lift,
            float(rng.uniform(0.2, 0.5)),
            float(rng.uniform(-2, 1)),
        ),
        "answer": (
            float(rng.uniform(0, 3)),
            3.5 + lift,
            float(rng.uniform(0.1, 0.4)),
            float(rng.uniform(-4, -1)),
        ),
        "chorus": (
            float(rng.uniform(1, 3)),
            5.0 + lift,
            float(rng.uniform(0.2, 0.6)),
            float(rng.uniform(-1, 2)),
        ),
        "close": (float(rng.uniform(0, 3)), 3.0 + lift, float(rng.uniform(0.1, 0.4)), -3.0),
    }


def _aim(
    slot: Slot,
    phrases: dict[str, tuple[float, float, float, float]],
    setting: Setting,
    harmony: Score,
    rhythm: Rhythm,
) -> Phrase:
    """Where a line goes: verses open and answer, choruses sit higher, the song ends on its tonic, a question rises."""
    role = (
        "chorus"
        if slot.stanza.startswith(("chorus", "tag"))
        else "open"
        if slot.letter.endswith("A")
        else "answer"
    )
    if slot.closes:
        role = "close"
    start, peak, peak_at, end = phrases[role]
    chord = harmony.chord_at(slot.bar * BAR + rhythm.onsets[-1]) or harmony.chords[-1]
    rests = frozenset(chord_tones(chord)) & frozenset((setting.tonic + d) % 12 for d in setting.tune.scale)
    if slot.final or (slot.closes and setting.tonic in chord_tones(chord)):
        rests = frozenset({setting.tonic})
    if slot.line.text.rstrip("\"'”’ ").endswith("?"):
        end = max(end, 2.0)
    return Phrase(start, peak, peak_at, end, rests or frozenset(chord_tones(chord)))


def _line_notes(
    slot: Slot,
    rhythm: Rhythm,
    pitches: Sequence[int],
    spots: Sequence[Spot],
    setting: Setting,
    clock: Clock,
    rng: np.random.Generator,
) -> list[Note]:
    notes: list[Note] = []
    line, begin = slot.line, slot.bar * BAR
    waits = pauses(line)
    dynamic: Dynamic = "f" if slot.stanza.startswith(("chorus", "tag")) or slot.closes else "mf"
    ends = [*rhythm.onsets[1:], rhythm.end]
    for i, syllable in enumerate(line.syllables):
        onset, until = rhythm.onsets[i], ends[i]
        if waits[i] and until - onset >= 3 * EIGHTH // 2:
            until -= EIGHTH // 2 if until - onset < 2 * EIGHTH else EIGHTH
        note = Note(
            tick=begin + onset,
            ticks=until - onset,
            pitch=pitches[i],
            syllable=syllable.text,
            syllabic=_syllabic(line, i),
            accent=spots[i].weight >= STRESSED and spots[i].strong and pitches[i] == max(pitches),
            breath_after=i == len(line.syllables) - 1,
            dynamic=dynamic if i == 0 else None,
        )
        notes += _ornamented(note, spots[i], setting, clock, rng)
    return notes


def _ornamented(
    note: Note, spot: Spot, setting: Setting, clock: Clock, rng: np.random.Generator
) -> list[Note]:
    """A long last note may begin on its upper neighbour: a short melisma that falls home."""
    take = rng.random() < setting.tune.melisma
    first = 2 * EIGHTH if clock.seconds(EIGHTH) < 0.3 else EIGHTH
    if not (take and spot.last and spot.weight >= STRESSED and note.ticks >= first + 2 * EIGHTH):
        return [note]
    above = [p for p in setting.pitches() if 1 <= p - note.pitch <= 3]
    if not above:
        return [note]
    begin = dataclasses.replace(note, ticks=first, pitch=above[0], breath_after=False)
    rest = dataclasses.replace(
        note,
        tick=note.tick + first,
        ticks=note.ticks - first,
        syllable=None,
        syllabic="single",
        slurred=True,
        accent=False,
        dynamic=None,
    )
    return [begin, rest]


def _syllabic(line: Line, i: int) -> Syllabic:
    word = line.syllables[i].word
    before = i > 0 and line.syllables[i - 1].word == word
    after = i + 1 < len(line.syllables) and line.syllables[i + 1].word == word
    if before and after:
        return "middle"
    return "begin" if after else "end" if before else "single"
