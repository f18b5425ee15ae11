"""What a song leaves for screens and for a musician's desk: timed words, MusicXML, MIDI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skills.files import write_text_whole, written_whole
from skills.lyrics import Lyrics
from skills.studio.errors import StudioError
from voice.score import Note, Score
from voice.take import Take

SHEETS = ("score.musicxml", "score.mid")


@dataclass(frozen=True)
class TimedWord:
    """`start` and `end` in seconds from the beginning of the clip."""

    text: str
    start: float
    end: float


def write_exports(folder: Path, score: Score, lyrics: Lyrics, take: Take, artist: str) -> None:
    """Writes lyrics.lrc, score.musicxml and score.mid into the song's folder. Raises StudioError."""
    from voice.formats import write_score

    try:
        write_text_whole(folder / "lyrics.lrc", lrc(timed_lines(score, lyrics, take), score.title, artist))
        for name in SHEETS:
            with written_whole(folder / name) as path:
                write_score(score, path)
    except OSError as error:
        raise StudioError(
            f"the song's sheets could not be written to {folder}: {error.strerror or error}. Make room on the "
            "disk or choose a folder that can be written to"
        ) from error


def timed_lines(score: Score, lyrics: Lyrics, take: Take) -> list[list[TimedWord]]:
    """The words of every line with the times at which they are sung in the clip."""
    sung = {timed.note: timed for timed in take.notes}
    times = []
    for index, note in enumerate(score.notes):
        timed = sung.get(index)
        start, end = (
            (timed.start, timed.end) if timed else (score.seconds(note.tick), score.seconds(note.end))
        )
        times.append((start + take.lead, end + take.lead))
    written = iter([line.text.split() for line in lyrics.lines])
    lines = []
    for indices in _phrases(score.notes):
        words = [
            TimedWord(_text(score.notes, word), times[word[0]][0], times[word[-1]][1])
            for word in _words(score.notes, indices)
        ]
        tokens = next(written, [])
        if len(tokens) == len(words):  # as the lyrics write it, with capitals and commas
            words = [TimedWord(t, w.start, w.end) for t, w in zip(tokens, words, strict=True)]
        lines.append(words)
    return lines


def lrc(lines: list[list[TimedWord]], title: str, artist: str) -> str:
    """Enhanced LRC: each line with its time, each word with its own."""
    out = [f"[ti:{title}]", f"[ar:{artist}]", "[re:Troubadour]", "[ve:AI-generated]"]
    for words in lines:
        timed = " ".join(f"<{_stamp(word.start)}>{word.text}" for word in words)
        out.append(f"[{_stamp(words[0].start)}]{timed} <{_stamp(words[-1].end)}>")
    return "\n".join(out) + "\n"


def _stamp(seconds: float) -> str:
    hundredths = round(max(0.0, seconds) * 100)
    return f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def _phrases(notes: tuple[Note, ...]) -> Iterator[range]:
    """Stretches of notes up to a breath: the lines as they are sung."""
    start = 0
    for i, note in enumerate(notes):
        if note.breath_after or i == len(notes) - 1:
            yield range(start, i + 1)
            start = i + 1


def _words(notes: tuple[Note, ...], indices: range) -> Iterator[list[int]]:
    """The notes of each word; a melisma belongs to the word that it goes on with."""
    word: list[int] = []
    for i in indices:
        if notes[i].syllable is not None and notes[i].syllabic in ("single", "begin") and word:
            yield word
            word = []
        word.append(i)
    if word:
        yield word


def _text(notes: tuple[Note, ...], word: list[int]) -> str:
    return "".join(notes[i].syllable or "" for i in word)
