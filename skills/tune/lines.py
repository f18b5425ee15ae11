"""Lines: one candidate for a song's sung part, line after line, each in the light of those before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from skills.lyrics import Line
from skills.style import Style, Tune
from skills.tune.errors import TuneError
from skills.tune.form import Slot
from skills.tune.harmony import BAR, chord_tones
from skills.tune.melody import MoveCosts, Phrase, Setting, Spot, sing_line
from skills.tune.prosody import STRESSED, pauses, weights
from skills.tune.rhythm import EIGHTH, Clock, Rhythm, Window, is_strong, place_syllables, window
from voice.score import Chord, Dynamic, Note, Score, Syllabic

Contour = tuple[float, float, float, float]
Span = tuple[float, float]


class LineWriter:
    """Sets the lines of a song to music in order. `notes` and `cost` grow; one writer makes one candidate."""

    def __init__(
        self,
        style: Style,
        setting: Setting,
        moves: MoveCosts,
        clock: Clock,
        chords: Sequence[Chord],
        begins_early: bool,
        rng: np.random.Generator,
    ) -> None:
        self.style, self.setting, self.moves, self.clock, self.rng = style, setting, moves, clock, rng
        self.begins_early = begins_early  # an intro gives the first line room for a pick-up
        self.harmony = Score("", (), chords=tuple(chords))
        self.contours = contours(style.tune, rng)
        self.slots: list[Slot] = []
        self.rhythms: list[Rhythm] = []
        self.tunes: list[list[int]] = []
        self.lines: list[list[Note]] = []
        self.models: dict[str, int] = {}
        self.cost = 0.0

    @property
    def notes(self) -> list[Note]:
        return [note for line in self.lines for note in line]

    def write(self, slot: Slot) -> None:
        """Adds the next line. Raises TuneError for one that does not fit its bars."""
        model = slot.same_as if slot.same_as is not None else self.models.get(slot.letter)
        rhythm = self._rhythm(slot, model)
        spots = self._spots(slot, rhythm, model)
        original = slot.same_as if slot.same_as is not None and self._sung_alike(slot, rhythm) else None
        if original is not None:
            pitches = self.tunes[original]
            shift = (slot.bar - self.slots[original].bar) * BAR
            notes = [dataclasses.replace(n, tick=n.tick + shift) for n in self.lines[original]]
        else:
            before = self.tunes[-1][-1] if self.tunes else None
            aim = self._aim(slot, rhythm)
            pitches, cost = sing_line(spots, aim, self.setting, self.rng, before, self.moves)
            notes = self._notes(slot, rhythm, pitches, spots)
            self.cost += cost + rhythm.cost
        self.models.setdefault(slot.letter, len(self.slots))
        self.slots.append(slot)
        self.rhythms.append(rhythm)
        self.tunes.append(pitches)
        self.lines.append(notes)

    def _sung_alike(self, slot: Slot, rhythm: Rhythm) -> bool:
        """A line that comes again is the same note for note: always in a chorus, in a verse over the same chords."""
        assert slot.same_as is not None
        if rhythm != self.rhythms[slot.same_as]:
            return False
        return slot.stanza != "verse" or self._same_chords(slot, self.slots[slot.same_as])

    def _same_chords(self, slot: Slot, other: Slot) -> bool:
        def chords(of: Slot) -> list[tuple[int, str]]:
            found = [self.harmony.chord_at(of.bar * BAR + step) for step in range(0, of.bars * BAR, BAR // 4)]
            return [(chord.root, chord.quality) for chord in found if chord]

        return chords(slot) == chords(other)

    def _window(self, slot: Slot) -> Window:
        first = not self.slots
        return window(slot.bars, len(slot.line.syllables), self.clock, first, slot.last, self.begins_early)

    def _rhythm(self, slot: Slot, model: int | None) -> Rhythm:
        place = self._window(slot)
        if slot.same_as is not None and self.slots[slot.same_as].bars == slot.bars:
            same = self.rhythms[slot.same_as]
            if same.onsets[0] >= place.earliest and same.end <= place.latest:
                return same
        like = self.rhythms[model] if model is not None else None
        found = place_syllables(
            weights(slot.line),
            pauses(slot.line),
            place,
            self.clock,
            self.rng,
            self.style.tune,
            like,
            firm=slot.hook,
        )
        if found is None:
            raise TuneError(
                f"the line {slot.line.text!r} is too long to be sung in {slot.bars} bars at {self.clock.bpm:g} "
                "beats a minute: give it fewer syllables, more bars or a slower tempo"
            )
        return found

    def _spots(self, slot: Slot, rhythm: Rhythm, model: int | None) -> list[Spot]:
        strengths = weights(slot.line)
        begin, pulse = slot.bar * BAR, self._window(slot).pulse
        spots = []
        for i, (onset, until) in enumerate(zip(rhythm.onsets, [*rhythm.onsets[1:], rhythm.end], strict=True)):
            chord = self.harmony.chord_at(max(0, begin + onset)) or self.harmony.chords[0]
            if onset < 0 and strengths[i] < STRESSED:  # a pick-up already thinks of the chord it leads to
                chord = self.harmony.chord_at(begin) or chord
            strong = is_strong(onset, pulse)
            spots.append(
                Spot(
                    seconds=self.clock.seconds(until) - self.clock.seconds(onset),
                    weight=strengths[i],
                    strong=strong,
                    strength=2 if onset % (BAR // 2) == 0 else 1 if strong else 0,
                    chord=chord,
                    place=i / max(1, len(rhythm.onsets) - 1),
                    last=i == len(rhythm.onsets) - 1,
                    guide=self._guide(slot, rhythm, i, model),
                )
            )
        return spots

    def _guide(self, slot: Slot, rhythm: Rhythm, i: int, model: int | None) -> int | None:
        """What the model line sings at this place; its end is free, and half of a line that closes a stanza."""
        count = len(rhythm.onsets)
        if model is None or count - i <= 2 or (slot.closes and i > count // 2):
            return None
        sung = [k for k, other in enumerate(self.rhythms[model].onsets) if other <= rhythm.onsets[i]]
        return self.tunes[model][sung[-1] if sung else 0]

    def _aim(self, slot: Slot, rhythm: Rhythm) -> Phrase:
        """Verses open and answer, choruses sit higher, the song ends on its tonic, a question rises."""
        role = "open" if slot.letter.endswith("A") else "answer"
        if slot.closes or slot.in_chorus:
            role = "close" if slot.closes else "chorus"
        start, peak, peak_at, end = self.contours[role]
        chord = self.harmony.chord_at(slot.bar * BAR + rhythm.onsets[-1]) or self.harmony.chords[-1]
        tonic = self.setting.tonic
        rests = chord_tones(chord) & {(tonic + degree) % 12 for degree in self.setting.tune.scale}
        if slot.final or (slot.closes and tonic in chord_tones(chord)):
            rests = {tonic}
        if slot.line.text.rstrip("\"'”’ ").endswith("?"):
            end = max(end, 2.0)
        return Phrase(start, peak, peak_at, end, frozenset(rests or chord_tones(chord)))

    def _notes(self, slot: Slot, rhythm: Rhythm, pitches: Sequence[int], spots: Sequence[Spot]) -> list[Note]:
        notes: list[Note] = []
        line, begin, waits = slot.line, slot.bar * BAR, pauses(slot.line)
        dynamic: Dynamic = "f" if slot.in_chorus or slot.closes else "mf"
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
                syllabic=syllabic(line, i),
                accent=spots[i].weight >= STRESSED and spots[i].strong and pitches[i] == max(pitches),
                breath_after=i == len(line.syllables) - 1,
                dynamic=dynamic if i == 0 else None,
            )
            notes += self._ornamented(note, spots[i])
        return notes

    def _ornamented(self, note: Note, spot: Spot) -> list[Note]:
        """A long last note may begin on its upper neighbour: a short melisma that falls home."""
        wanted = self.rng.random() < self.setting.tune.melisma
        first = 2 * EIGHTH if self.clock.seconds(EIGHTH) < 0.3 else EIGHTH
        above = [p for p in self.setting.pitches() if 1 <= p - note.pitch <= 3]
        room = note.ticks >= first + 2 * EIGHTH
        if not (wanted and room and above and spot.last and spot.weight >= STRESSED):
            return [note]
        begin = dataclasses.replace(note, ticks=first, pitch=above[0], breath_after=False)
        rest = Note(note.tick + first, note.ticks - first, note.pitch, slurred=True, breath_after=True)
        return [begin, rest]


def contours(tune: Tune, rng: np.random.Generator) -> dict[str, Contour]:
    """By a line's role: start, peak, where the peak is, end; in semitones about the middle of the range."""
    lift = float(rng.normal(0, 0.8))

    def drawn(start: Span, peak: float, at: Span, end: Span) -> Contour:
        return float(rng.uniform(*start)), peak + lift, float(rng.uniform(*at)), float(rng.uniform(*end))

    if tune.contour == "fall":
        return {
            "open": drawn((2, 5), 5.0, (0.1, 0.35), (-4, -1)),
            "answer": drawn((0, 4), 5.5, (0.1, 0.4), (-6, -3)),
            "chorus": drawn((3, 6), 7.0, (0.15, 0.4), (-3, 1)),
            "close": drawn((2, 5), 6.0, (0.1, 0.35), (-5, -3)),
        }
    return {
        "open": drawn((-6, -2), 3.0, (0.35, 0.7), (-3, 1)),
        "answer": drawn((-2, 3), 4.5, (0.2, 0.5), (-6, -2)),
        "chorus": drawn((1, 4), 7.0, (0.3, 0.6), (-1, 3)),
        "close": drawn((0, 3), 5.0, (0.15, 0.45), (-5, -2)),
    }


def syllabic(line: Line, i: int) -> Syllabic:
    """Where syllable `i` stands in its word."""
    word = line.syllables[i].word
    before = i > 0 and line.syllables[i - 1].word == word
    after = i + 1 < len(line.syllables) and line.syllables[i + 1].word == word
    if before and after:
        return "middle"
    return "begin" if after else "end" if before else "single"
