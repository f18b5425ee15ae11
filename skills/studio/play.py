"""Play: libsonare's physically modelled instruments play the arrangement into stems."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skills.studio.arrange import Arrangement, BandNote, BandPart
from skills.studio.errors import StudioError
from skills.tune.plan import RING
from voice.score import Score
from voice.take import STUDIO_RATE

PLAYERS = 2  # parts played at the same time; libsonare leaves Python's lock while it renders
SHORTEST = 0.05  # seconds
# An instrument costs the same whether it sounds or rests: rests longer than REST are passed over. A string that was let
# go rings on for less than RINGS; AHEAD of a note it has been quiet for long.
REST, RINGS, AHEAD = 0.5, 2.5, 0.02  # seconds


def play(arrangement: Arrangement) -> dict[str, NDArray[np.float32]]:
    """Every part's stem, [1 or 2, samples] at 48 kHz from tick 0, all of the same length. Raises StudioError."""
    length = stem_samples(arrangement.score)
    with ThreadPoolExecutor(PLAYERS) as players:
        # The busiest first: who comes last should not keep all others waiting.
        order = sorted(arrangement.parts, key=lambda part: -len(part.notes))
        stems = players.map(lambda part: _render(part, arrangement.score, length), order)
        played = {part.name: stem for part, stem in zip(order, stems, strict=True)}
    return {part.name: played[part.name] for part in arrangement.parts}


def stem_samples(score: Score) -> int:
    """Samples at 48 kHz from tick 0 to where the last chord has rung out."""
    return int((score.seconds(score.ticks) + RING) * STUDIO_RATE)


def _render(part: BandPart, score: Score, length: int) -> NDArray[np.float32]:
    """[2, length], or [1, length] of an instrument that is the same on both sides, as most are."""
    notes = _times(part, score, length / STUDIO_RATE)
    stem = np.zeros((2, length), np.float32)
    for start, passage in _passages(notes):
        audio = _played(
            part, start, passage, min(length / STUDIO_RATE - start, passage[-1].ends + RINGS - start)
        )
        first = round(start * STUDIO_RATE)
        stem[:, first : first + audio.shape[1]] += audio[:, : length - first]
    return stem[:1].copy() if np.array_equal(stem[0], stem[1]) else stem  # a copy: the other half goes


@dataclass(frozen=True)
class _Timed:
    """`start` and `end` in seconds; by `ends` it and all before it are let go."""

    start: float
    end: float
    ends: float
    note: BandNote


def _times(part: BandPart, score: Score, seconds: float) -> list[_Timed]:
    timed: list[_Timed] = []
    for note in part.notes:
        start = max(0.0, score.seconds(note.tick) + note.late)
        end = min(seconds - 0.01, max(start + SHORTEST, score.seconds(note.tick + note.ticks) + note.late))
        if end > start:
            timed.append(_Timed(start, end, end, note))
    timed.sort(key=lambda one: one.start)
    latest = itertools.accumulate((one.end for one in timed), max)
    return [dataclasses.replace(one, ends=end) for one, end in zip(timed, latest, strict=True)]


def _passages(notes: Sequence[_Timed]) -> Iterator[tuple[float, list[_Timed]]]:
    """The notes from rest to rest, each with the second at which it begins."""
    passage: list[_Timed] = []
    for here, following in itertools.zip_longest(notes, notes[1:]):
        passage.append(here)
        if following is None or following.start - here.ends > RINGS + REST:
            yield int(max(0.0, passage[0].start - AHEAD) * STUDIO_RATE) / STUDIO_RATE, passage
            passage = []


def _played(part: BandPart, start: float, passage: Sequence[_Timed], seconds: float) -> NDArray[np.float32]:
    """[2, samples] from `start` on."""
    import libsonare

    project = libsonare.Project.create()
    try:
        project.set_sample_rate(STUDIO_RATE)
        # One quarter a second: the score's own clock gives the times.
        project.set_tempo_segments([(0.0, 60.0)])
        track, clip = project.add_midi_clip(0.0, seconds)
        project.set_track_midi_destination(track, 1)
        channel = 9 if part.part.role == "drums" else 0
        events = []
        for one in passage:
            pitch, velocity = one.note.pitch, one.note.velocity
            events.append(project.midi_note_on(one.start - start, 0, channel, pitch, velocity))
            events.append(project.midi_note_off(one.end - start, 0, channel, pitch, 0))
        project.set_midi_events(clip, sorted(events, key=lambda event: event[0]))
        audio = project.bounce_with_synth_instrument(
            instruments=[(1, part.part.instrument)],
            total_frames=int(seconds * STUDIO_RATE),
            block_size=512,
            num_channels=2,
            sample_rate=STUDIO_RATE,
        )
    except libsonare.SonareError as error:
        raise StudioError(
            f"the {part.name} could not be played on {part.part.instrument!r}: {error}"
        ) from error
    finally:
        project.close()
    return np.asarray(audio, dtype=np.float32).T
