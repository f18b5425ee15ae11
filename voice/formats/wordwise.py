"""How editors of sung notes write words: a word stands whole on its first note, '+' on its other syllables.

Shared by OpenUtau's USTX and Synthesizer V's SVP. What they have no field for (how the composer divided the words,
chords, marks) goes into a note for ourselves, and holds as long as the note that it stands for is where it was.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from voice.formats.hints import hint, said, without_hint
from voice.formats.marks import chord_name, marked, note_marks, read_chord_name, read_song_marks, song_marks
from voice.score import TICKS_PER_QUARTER, Chord, Key, MetreMark, Note, Score, ScoreError, Syllabic

MELISMA = ("+~", "+*", "-", "ー")
SILENT = ("R", "r", "SP", "AP", "rest", "br", "")


def lyrics_of(score: Score, melisma: str) -> Iterator[str]:
    """The lyric of each note; `melisma` is how the editor says that a syllable goes on."""
    for i, note in enumerate(score.notes):
        if note.syllable is None:
            yield melisma
        elif note.syllabic in ("middle", "end") and i:
            yield "+"
        else:
            yield _word(score.notes, i)


def _word(notes: tuple[Note, ...], first: int) -> str:
    text = ""
    for i, note in enumerate(notes[first:]):
        if note.syllable is None:
            continue
        if i and note.syllabic not in ("middle", "end"):
            break
        text += note.syllable
        if note.syllabic in ("single", "end"):
            break
    return text


def kept_aside(score: Score, melisma: str) -> str:
    """What the editor has no field for, as JSON. A note is found again by its tick and its lyric."""
    notes = {}
    for note, lyric in zip(score.notes, lyrics_of(score, melisma), strict=True):
        kept = {"lyric": lyric, "syllable": note.syllable, "syllabic": note.syllabic, **note_marks(note)}
        notes[str(note.tick)] = kept
    chords = [[c.tick, c.ticks, chord_name(c.root, c.quality)] for c in score.chords]
    key = [score.key.tonic, score.key.mode]
    return json.dumps(
        {"song": song_marks(score), "key": key, "chords": chords, "notes": notes}, ensure_ascii=False
    )


def read_kept(text: Any) -> dict[str, Any]:
    """What `kept_aside` wrote; {} if it is gone or was edited into something else."""
    try:
        kept = json.loads(text or "{}")
    except (ValueError, TypeError):
        return {}
    return kept if isinstance(kept, dict) else {}


def aside_fields(kept: dict[str, Any]) -> dict[str, Any]:
    """The fields of Score that were kept aside: key, chords, swing, language, sections."""
    return {
        "key": _key(kept.get("key")),
        "chords": tuple(_chords(kept.get("chords"))),
        **read_song_marks(str(kept.get("song", ""))),
    }


def sung(
    notes: tuple[Note, ...], lyrics: dict[int, str], kept: Any, metre: tuple[MetreMark, ...], name: str
) -> tuple[Note, ...]:
    """The notes with their syllables: as our comment remembers them, else each word divided by rule."""
    out: list[Note] = []
    for first, count in _words(notes, lyrics):
        group = notes[first : first + count]
        words = {note.tick: without_hint(lyrics[note.tick])[0] for note in group}
        asked = without_hint(lyrics[group[0].tick])[1]
        remembered = [note for note in (_remembered(note, words, kept) for note in group) if note]
        if len(remembered) == len(group):
            ours = [note.phonemes or "" for note in remembered if note.syllable is not None]
            out += remembered if not asked or hint(ours) == asked else _as_hinted(remembered, asked)
            continue
        where = Score(name, (), metre=metre).where(group[0])
        out += _as_hinted(_divided(group, list(words.values()), where), asked)
    return tuple(out)


def _words(notes: tuple[Note, ...], lyrics: dict[int, str]) -> Iterator[tuple[int, int]]:
    """(first note, number of notes) of each word."""
    first = 0
    for i in range(1, len(notes) + 1):
        if i == len(notes) or not (lyrics[notes[i].tick].startswith("+") or lyrics[notes[i].tick] in MELISMA):
            if i > first:
                yield first, i - first
            first = i


def _remembered(note: Note, lyrics: dict[int, str], kept: Any) -> Note | None:
    raw = kept.get(str(note.tick)) if isinstance(kept, dict) else None
    if not isinstance(raw, dict) or raw.get("lyric") != lyrics[note.tick]:
        return None
    syllable, syllabic = raw.get("syllable"), raw.get("syllabic")
    if not isinstance(syllable, str | None) or syllabic not in ("single", "begin", "middle", "end"):
        return None
    return marked(dataclasses.replace(note, syllable=syllable, syllabic=syllabic), raw)


def _as_hinted(word: list[Note], asked: str) -> list[Note]:
    """The word's notes with the phonemes of its hint, if it is one that we can read and has as many syllables."""
    syllables = iter(said(asked))
    carrying = [note.syllable is not None for note in word]
    if len(said(asked)) != sum(carrying):
        return word
    return [
        dataclasses.replace(note, phonemes=next(syllables)) if carries else note
        for note, carries in zip(word, carrying, strict=True)
    ]


def _divided(group: tuple[Note, ...], lyrics: list[str], where: str) -> list[Note]:
    """A word on its notes: 'lonesome', '+', '+~' -> lone-, some, (melisma)."""
    from voice.syllables import split

    carries = [i for i, lyric in enumerate(lyrics) if lyric not in MELISMA]
    word = lyrics[0].strip()
    if not carries or carries[0] != 0 or not word or word.startswith("+"):
        raise ScoreError(f"{where}: '{lyrics[0]}' carries on a word, but none stands before it")
    texts = [syllable.text for syllable in split(word)]
    # More notes than syllables: the last syllable goes on; fewer: the singer will name the word and the bar.
    if len(texts) > len(carries):
        texts = [*texts[: len(carries) - 1], "".join(texts[len(carries) - 1 :])]
    placed = dict(zip(carries, texts, strict=False))
    out = []
    for i, note in enumerate(group):
        if i not in placed:
            out.append(note)
            continue
        n = carries.index(i)
        syllabic: Syllabic = "single"
        if len(texts) > 1:
            syllabic = "begin" if n == 0 else "end" if n == len(texts) - 1 else "middle"
        out.append(dataclasses.replace(note, syllable=placed[i], syllabic=syllabic))
    return out


def metre_by_bars(signs: list[tuple[int, int, int]]) -> tuple[MetreMark, ...]:
    """Time signatures given as (bar from 0, beats, unit) at their ticks; 4/4 where there are none."""
    marks: list[MetreMark] = []
    before = 0
    for bar, beats, unit in sorted(signs):
        tick = 0
        if marks:
            length = marks[-1].beats * 4 * TICKS_PER_QUARTER // marks[-1].unit
            tick = marks[-1].tick + (bar - before) * length
        marks.append(MetreMark(tick, beats, unit))
        before = bar
    return tuple(marks) or (MetreMark(0, 4, 4),)


def _key(raw: Any) -> Key:
    try:
        return Key(int(raw[0]) % 12, "minor" if raw[1] == "minor" else "major")
    except (TypeError, ValueError, IndexError, KeyError):
        return Key(0, "major")


def _chords(raw: Any) -> Iterator[Chord]:
    for item in raw if isinstance(raw, list) else ():
        read = read_chord_name(str(item[2])) if isinstance(item, list) and len(item) == 3 else None
        if read and int(item[1]) > 0:
            yield Chord(int(item[0]), int(item[1]), *read)
