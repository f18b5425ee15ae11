"""Karaoke: the words of a song with the times at which they are sung, as enhanced LRC and as ASS subtitles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from skills.lyrics import Lyrics
from voice.score import Note, Score
from voice.take import Take

SHOWN_BEFORE = 1.2  # seconds that a line stands there before it is sung, if there is room
SHOWN_AFTER = 0.5


@dataclass(frozen=True)
class TimedWord:
    """`start` and `end` in seconds from the beginning of the clip."""

    text: str
    start: float
    end: float


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


@dataclass(frozen=True)
class Look:
    """How ASS words look: a picture of `width` x `height`, `font` at `size` pixels, `bottom` pixels from the foot.

    `sung` and `unsung` are '#rrggbb'.
    """

    width: int = 1080
    height: int = 1080
    font: str = "Fjalla One"
    size: int = 72
    bottom: int = 120
    sung: str = "#e58a36"
    unsung: str = "#f3e4c6"
    outline: str = "#15110f"


def ass(lines: list[list[TimedWord]], title: str, look: Look) -> str:
    """ASS subtitles; each word fills with colour while it is sung."""
    style = (
        f"Style: Song,{look.font},{look.size},{_bgr(look.sung)},{_bgr(look.unsung)},{_bgr(look.outline)},&H80000000,"
        f"0,0,0,0,100,100,1,0,1,{max(2, look.size // 24)},0,2,{look.width // 14},{look.width // 14},{look.bottom},1"
    )
    out = [
        "[Script Info]", f"Title: {_plain(title)}", "ScriptType: v4.00+", "WrapStyle: 0", "ScaledBorderAndShadow: yes",
        f"PlayResX: {look.width}", f"PlayResY: {look.height}", "", "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        style, "", "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]  # fmt: skip
    free = 0.0
    for words, following in zip(lines, [*lines[1:], None], strict=True):
        start = max(free, words[0].start - SHOWN_BEFORE)
        end = words[-1].end + SHOWN_AFTER
        if following is not None:
            end = min(end, max(words[-1].end, following[0].start - 0.05))
        free = end
        out.append(f"Dialogue: 0,{_clock(start)},{_clock(end)},Song,,0,0,0,,{_filled(words, start)}")
    return "\n".join(out) + "\n"


def _filled(words: list[TimedWord], start: float) -> str:
    """Words with their \\kf tags, in hundredths counted from the line's start so that nothing adds up."""
    text, at = "", round(start * 100)
    for i, word in enumerate(words):
        begins, ends = round(word.start * 100), round(word.end * 100)
        if begins > at:
            text += f"{{\\k{begins - at}}}"
        text += (
            f"{{\\kf{max(0, ends - max(at, begins))}}}{_plain(word.text)}{' ' if i + 1 < len(words) else ''}"
        )
        at = max(at, ends)
    return text


def _plain(text: str) -> str:
    """Text that ASS does not take for a tag."""
    return text.replace("\\", "/").replace("{", "(").replace("}", ")").replace("\n", " ")


def _bgr(colour: str) -> str:
    return f"&H00{colour[5:7]}{colour[3:5]}{colour[1:3]}".upper()


def _clock(seconds: float) -> str:
    hundredths = round(max(0.0, seconds) * 100)
    return f"{hundredths // 360000}:{hundredths // 6000 % 60:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


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
