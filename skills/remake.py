"""Remake: a version of a song, with what a person changed, beside the song that it is a version of.

The changes are laid down under `given/` in the version's folder; then the steps run as for any song, and those that
would only make again what they made before take it over (skills/reuse.py).
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from skills.brief import Brief
from skills.library import Library, LibraryError, Song, lyrics_to_json, read_score, song_id
from skills.lyrics import Lyrics, Stanza
from skills.provenance.ledger import NAME as LEDGER
from skills.provenance.ledger import append
from skills.song import Progress, Studio, begin, nothing, run_steps
from skills.tune.errors import TuneError
from voice.score import TICKS_PER_QUARTER, Note, Score, Section, Syllabic, TempoMark

PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
RELATIVE = re.compile(r"[+-]\d{1,2}")  # semitones
SLOWEST, FASTEST = 30.0, 300.0  # beats a minute
LINE = 16  # notes; in a score without breaths a longer line takes one at its longest rest


@dataclass(frozen=True)
class Change:
    """What is to be different. Empty text and None: as it was.

    `key`: a tonic ('A', 'Bb') or semitones ('+2', '-3'). `tempo`: beats a minute at the start. `voice`: the name of
    who sings now. `expression`: knobs by name (voice/expression.py). `take`: the same, sung once more.
    """

    score: Score | None = None
    words: str = ""
    key: str = ""
    tempo: float | None = None
    style: str = ""
    voice: str = ""
    expression: Mapping[str, float] = field(default_factory=dict)
    take: bool = False

    def told(self) -> tuple[str, ...]:
        """The changes in words, for song.json and the ledger."""
        knobs = ", ".join(f"{name} {value:g}" for name, value in self.expression.items())
        said = {
            "the score was edited by a person": self.score is not None,
            "the words were written by a person": bool(self.words),
            f"key: {self.key}": bool(self.key),
            f"tempo: {self.tempo or 0:g}": self.tempo is not None,
            f"style: {self.style}": bool(self.style),
            f"voice: {self.voice}": bool(self.voice),
            f"expression: {knobs}": bool(knobs),
            "another take": self.take,
        }
        return tuple(text for text, holds in said.items() if holds)


def remake(studio: Studio, song: str, change: Change, progress: Progress = nothing) -> Song:
    """Sings and mixes a version of `song`. Raises LibraryError, TuneError, ScoreError with what to do."""
    return run_steps(studio, begin_version(studio.library, song, change, studio.voice), progress)


def song_of_score(
    studio: Studio, score: Score, brief: Brief, seed: int, progress: Progress = nothing
) -> Song:
    """A song from a score that a person wrote: sung, played and mixed like any other. Raises TuneError."""
    score = ready(score)
    lyrics = lyrics_of_score(score)
    song = song_id(brief, seed, score.to_json())
    begin(studio.library, brief, seed, song)
    with studio.library.held(song) as folder:
        studio.library.give(song, "lyrics.json", lyrics_to_json(lyrics))
        studio.library.give(song, "score.json", score.to_json())
        append(folder, "composed", "person", {"score": True}, {"words": lyrics.text})
    return run_steps(studio, song, progress)


def begin_version(library: Library, song: str, change: Change, voice: str, version: str = "") -> str:
    """Opens the version in the library with what was given for it, to be sung by `voice`; returns its id.

    `version`: the id that it is to have; else the song's own with a number.
    """
    old = library.read(song)
    if not old.clip:
        raise LibraryError(f"the song {song!r} is not finished yet: remake it when it is")
    if not change.told():
        raise LibraryError(
            "say what is to change: a score, words, key, tempo, style, voice, expression or take"
        )
    _check_knobs(change.expression)
    lyrics, score = library.read_lyrics(song), read_score(library.folder(song))
    brief = dataclasses.replace(old.brief, style=change.style or old.brief.style)
    if change.score is not None:
        score = ready(completed(change.score, score))
        lyrics = _words_as_before(lyrics, lyrics_of_score(score))
    sung: Score | None = score
    if change.words:
        lyrics = _written(change.words, old, lyrics)
        sung = with_words(score, lyrics)
        brief = dataclasses.replace(brief, words=change.words, bpm=score.tempo[0].bpm)
    if RELATIVE.fullmatch(change.key):
        brief = dataclasses.replace(brief, shift=brief.shift + int(change.key))
    if sung is not None:
        sung = _in_tempo(_in_key(sung, change.key), change.tempo)
    else:  # the words do not fit the notes: a new tune is written to them
        brief = dataclasses.replace(brief, bpm=change.tempo or brief.bpm)
    version = version or _next_number(library, old.id)
    with library.held(version):
        opened = dataclasses.replace(library.open(brief, old.seed, version), voice=voice)
        _give(library, old, opened, change, lyrics, sung)
    return version


def _next_number(library: Library, song: str) -> str:
    root, number, there = re.sub(r"-v\d+$", "", song), 2, set(library.ids())
    while f"{root}-v{number}" in there:
        number += 1
    return f"{root}-v{number}"


def _next_take(library: Library, old: Song) -> int:
    """One that no version of the song is yet."""
    return 1 + max([old.take, *(song.take for song in library.songs() if song.version_of == old.id)])


def _give(
    library: Library, old: Song, version: Song, change: Change, lyrics: Lyrics, score: Score | None
) -> None:
    song = version.id
    library.give(song, "lyrics.json", lyrics_to_json(lyrics))
    if score is not None:
        library.give(song, "score.json", score.to_json())
    library.write(
        dataclasses.replace(
            version,
            expression={**old.expression, **change.expression},
            take=_next_take(library, old) if change.take else old.take,
            version_of=old.id,
            changes=change.told(),
        )
    )
    past = (
        library.folder(old.id) / LEDGER
    )  # its history goes on here; anybody's words in it stay where they are
    if past.is_file():
        shutil.copyfile(past, library.folder(song) / LEDGER)
    facts = {"version_of": old.id, "changes": list(change.told())}
    append(library.folder(song), "edited", "person", facts, {"words": change.words})


def completed(edited: Score, before: Score) -> Score:
    """An edited score with what its file may have lost on the way: chords, sections, key, swing, title."""
    lost = not edited.chords and bool(before.chords)
    return dataclasses.replace(
        edited,
        title=before.title,
        chords=before.chords if lost else edited.chords,
        sections=edited.sections or before.sections,
        key=before.key if lost else edited.key,
        swing=before.swing if lost and edited.swing == 0.5 else edited.swing,
    )


def ready(score: Score) -> Score:
    """A score as the band can play it: breaths, key, chords and a section where it came without. Raises TuneError."""
    if any((mark.beats, mark.unit) != (4, 4) for mark in score.metre):
        raise TuneError(
            "the band plays in 4/4 only so far: write the score in 4/4, or have it sung alone with `troubadour sing`"
        )
    if not any(note.breath_after for note in score.notes):
        score = dataclasses.replace(score, notes=_with_breaths(score.notes))
    if not score.chords:
        from skills.tune.under import chords_under, key_of

        score = dataclasses.replace(score, key=key_of(score.notes))
        score = dataclasses.replace(score, chords=chords_under(score))
    if not score.sections:
        score = dataclasses.replace(score, sections=(Section(0, score.ticks, "verse"),))
    return score


def _with_breaths(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """A breath at every rest of a beat, and at the longest rest of a line that would be too long."""
    rests = [after.tick - note.end for note, after in itertools.pairwise(notes)]
    breaths = {i for i, rest in enumerate(rests) if rest >= TICKS_PER_QUARTER}
    start = 0
    for end in [*sorted(breaths), len(notes) - 1]:
        if end - start >= LINE:
            longest = max(range(start, end), key=lambda i: rests[i])
            if rests[longest] > 0:
                breaths.add(longest)
        start = end + 1
    return tuple(
        dataclasses.replace(note, breath_after=i in breaths or i == len(notes) - 1)
        for i, note in enumerate(notes)
    )


def lyrics_of_score(score: Score) -> Lyrics:
    """The words that a score sings, a line to a breath, a stanza to a section."""
    from skills.words.prosody import make_line

    stanzas: list[Stanza] = []
    text, first = "", 0
    for note in score.notes:
        if note.syllable is not None:
            first = first if text else note.tick
            text += (" " if text and note.syllabic in ("single", "begin") else "") + note.syllable
        if (note.breath_after or note is score.notes[-1]) and text:
            name = next((s.name for s in score.sections if s.tick <= first < s.tick + s.ticks), "verse")
            lines = (make_line(text),)
            if stanzas and stanzas[-1].name == name:
                stanzas[-1] = Stanza(name, stanzas[-1].lines + lines)
            else:
                stanzas.append(Stanza(name, lines))
            text = ""
    return Lyrics(score.title or "Untitled", "given", tuple(stanzas))


def _words_as_before(before: Lyrics, now: Lyrics) -> Lyrics:
    """The lyrics as they were written, with their rhymes and stanzas, if the score still sings the same words."""
    same = [w.lower() for line in before.lines for w in line.words] == [
        w.lower() for line in now.lines for w in line.words
    ]
    return before if same else dataclasses.replace(now, title=before.title)


def _written(words: str, old: Song, before: Lyrics) -> Lyrics:
    """A person's words as lyrics under the song's title; stanzas keep their names where there are as many."""
    from skills.words.write import given_lyrics

    lyrics = given_lyrics(dataclasses.replace(old.brief, words=words))
    names = [stanza.name for stanza in before.stanzas]
    stanzas = lyrics.stanzas
    if len(stanzas) == len(names):
        stanzas = tuple(Stanza(name, s.lines) for name, s in zip(names, stanzas, strict=True))
    return dataclasses.replace(lyrics, title=before.title, stanzas=stanzas)


def with_words(score: Score, lyrics: Lyrics) -> Score | None:
    """The same notes with other words; None where a line has more or fewer syllables than its notes can take."""
    lines = [list(line.syllables) for line in lyrics.lines]
    groups: list[list[int]] = [[]]
    for i, note in enumerate(score.notes):
        if note.syllable is not None:
            groups[-1].append(i)
        if note.breath_after:
            groups.append([])
    groups = [group for group in groups if group]
    if [len(group) for group in groups] != [len(line) for line in lines]:
        return None
    notes = list(score.notes)
    for group, line in zip(groups, lines, strict=True):
        for n, (i, syllable) in enumerate(zip(group, line, strict=True)):
            begins = n == 0 or line[n - 1].word != syllable.word
            ends = n + 1 == len(line) or line[n + 1].word != syllable.word
            place: Syllabic = ("single" if ends else "begin") if begins else ("end" if ends else "middle")
            notes[i] = dataclasses.replace(notes[i], syllable=syllable.text, syllabic=place, phonemes=None)
    return dataclasses.replace(score, notes=tuple(notes))


def _in_key(score: Score, key: str) -> Score:
    """Transposed by semitones, or to a tonic by the nearer way."""
    if not key:
        return score
    if RELATIVE.fullmatch(key):
        return score.transposed(int(key))
    match = re.fullmatch(r"([A-Ga-g])([#b]?)(?: ?(?:m|major|minor))?", key.strip())
    if match is None:
        raise LibraryError(f"{key!r} is no key: give a tonic such as 'A' or 'Bb', or semitones such as '+2'")
    tonic = PITCHES[match[1].upper()] + {"#": 1, "b": -1, "": 0}[match[2]]
    return score.transposed((tonic - score.key.tonic + 5) % 12 - 5)


def _in_tempo(score: Score, tempo: float | None) -> Score:
    if tempo is None:
        return score
    if not SLOWEST <= tempo <= FASTEST:
        raise LibraryError(f"a tempo goes from {SLOWEST:g} to {FASTEST:g} beats a minute, not {tempo:g}")
    share = tempo / score.tempo[0].bpm
    return dataclasses.replace(
        score, tempo=tuple(TempoMark(mark.tick, round(mark.bpm * share, 3)) for mark in score.tempo)
    )


def read_knobs(text: str) -> dict[str, float]:
    """'rasp=.8, vibrato=.5' as knobs. Raises LibraryError."""
    try:
        pairs = [part.split("=") for part in text.split(",") if part.strip()]
        return {name.strip(): float(value) for name, value in pairs}
    except ValueError as error:
        raise LibraryError(f"{text!r} is no expression: write it as 'rasp=.8,vibrato=.5'") from error


def _check_knobs(knobs: Mapping[str, float]) -> None:
    from voice.expression import Expression, ExpressionError

    known = Expression().knobs()
    if unknown := [name for name in knobs if name not in known]:
        raise LibraryError(f"there is no knob {', '.join(unknown)}; there are: {', '.join(known)}")
    try:
        Expression(**knobs)
    except ExpressionError as error:
        raise LibraryError(str(error)) from error
