"""Play: libsonare's physically modelled instruments play the arrangement into stems."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from skills.studio.arrange import Arrangement, BandPart
from skills.studio.errors import StudioError
from skills.tune.plan import RING
from voice.score import Score
from voice.take import STUDIO_RATE

PLAYERS = 2  # parts played at the same time; libsonare leaves Python's lock while it renders
SHORTEST = 0.05  # seconds


def play(arrangement: Arrangement) -> dict[str, NDArray[np.float32]]:
    """Every part's stem, [2, samples] at 48 kHz from tick 0, all of the same length. Raises StudioError."""
    length = stem_samples(arrangement.score)
    with ThreadPoolExecutor(PLAYERS) as players:
        stems = players.map(lambda part: _render(part, arrangement.score, length), arrangement.parts)
        return {part.name: stem for part, stem in zip(arrangement.parts, stems, strict=True)}


def stem_samples(score: Score) -> int:
    """Samples at 48 kHz from tick 0 to where the last chord has rung out."""
    return int((score.seconds(score.ticks) + RING) * STUDIO_RATE)


def _render(part: BandPart, score: Score, length: int) -> NDArray[np.float32]:
    import libsonare

    seconds = length / STUDIO_RATE
    project = libsonare.Project.create()
    try:
        project.set_sample_rate(STUDIO_RATE)
        project.set_tempo_segments(
            [(0.0, 60.0)]
        )  # one quarter a second: the score's own clock gives the times
        track, clip = project.add_midi_clip(0.0, seconds)
        project.set_track_midi_destination(track, 1)
        channel = 9 if part.part.role == "drums" else 0
        events = []
        for note in part.notes:
            start = max(0.0, score.seconds(note.tick) + note.late)
            end = min(
                seconds - 0.01, max(start + SHORTEST, score.seconds(note.tick + note.ticks) + note.late)
            )
            if end <= start:
                continue
            events.append(project.midi_note_on(start, 0, channel, note.pitch, note.velocity))
            events.append(project.midi_note_off(end, 0, channel, note.pitch, 0))
        project.set_midi_events(clip, sorted(events, key=lambda event: event[0]))
        audio = project.bounce_with_synth_instrument(
            instruments=[(1, part.part.instrument)],
            total_frames=length,
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
    return np.ascontiguousarray(np.asarray(audio, dtype=np.float32).T)
