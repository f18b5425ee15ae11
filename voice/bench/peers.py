"""Other ways to sing the bench's lines, beside ours in the same run.

festival: Festival's singing mode, a program of its own that is asked if it is installed (Debian: festival and a voice
such as festvox-kallpc16k). world: the same network speaks the line, and the vocoder WORLD stretches and retunes it
to the same phoneme times and the same F0 curve as our take has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from voice.alignment import EARLY, FRAMES
from voice.alphabet import STRESSES
from voice.bench.figures import PERIOD, TakeFigures, intended, measure_take
from voice.bench.lines import Line
from voice.bench.world import world
from voice.score import Score
from voice.singer import Singer
from voice.take import SAMPLE_RATE, Take
from voice.timing import DIPHTHONGS
from voice.underlay import lay_words

Floats = NDArray[np.float64]

PATIENCE = 60.0  # seconds that Festival gets for a line
FESTIVAL = "text2wave"  # the program of Festival's that writes a file


class PeerError(Exception):
    """This peer cannot sing this line."""


@dataclass(frozen=True)
class PeerResult:
    """One line by one peer; figures are None where it could not sing it, and `said` says why."""

    peer: str
    line: str
    figures: TakeFigures | None
    rtf: float
    said: str = ""


def run_peers(
    singer: Singer,
    sung: Sequence[tuple[Line, Take]],
    told: Callable[[PeerResult], None] = lambda result: None,
) -> list[PeerResult]:
    """Every peer sings every line. `sung`: the lines with our own takes, whose times and F0 are the plan for all."""
    results = []
    for name, sing in PEERS.items():
        if name in missing_peers():
            continue
        for line, plan in sung:
            begun = time.perf_counter()
            try:
                audio, lead = sing(singer, line, plan)
            except PeerError as error:
                result = PeerResult(name, line.name, None, float("nan"), str(error))
            else:
                rtf = (time.perf_counter() - begun) * SAMPLE_RATE / len(audio)
                take = replace(plan, audio=audio, lead=lead, f0=_curve(plan, audio, lead), breaths=())
                result = PeerResult(name, line.name, measure_take(line.score, take, line.words), rtf)
            results.append(result)
            told(result)
    return results


def missing_peers() -> dict[str, str]:
    """Peers that cannot be asked here, and what they need."""
    if shutil.which(FESTIVAL):
        return {}
    return {"festival": "not installed (Debian: apt-get install festival festvox-kallpc16k)"}


def sung_by_festival(singer: Singer, line: Line, plan: Take) -> tuple[NDArray[np.float32], float]:
    """([samples] at SAMPLE_RATE, seconds before tick 0). Raises PeerError."""
    import soundfile
    import soxr

    with tempfile.TemporaryDirectory() as folder:
        score, wav = Path(folder, "score.xml"), Path(folder, "sung.wav")
        score.write_text(festival_score(line.score), "ascii", "replace")
        command = [FESTIVAL, "-mode", "singing", str(score), "-o", str(wav)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False, text=True)
        except subprocess.TimeoutExpired as error:
            raise PeerError(f"Festival took longer than {PATIENCE:g} s") from error
        if done.returncode or not wav.exists() or wav.stat().st_size < 1000:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise PeerError(f"Festival cannot sing it: {said[-1] if said else 'no reason given'}")
        audio, rate = soundfile.read(wav, dtype="float32")
    return np.asarray(soxr.resample(audio, rate, SAMPLE_RATE), np.float32), 0.0


def festival_score(score: Score) -> str:
    """Its markup: a word is PITCH and DURATION, a comma between syllables, a plus between the notes of one."""
    kind = '<!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>'
    rows = ['<?xml version="1.0"?>', kind, '<SINGING BPM="60">']
    now = 0.0
    for word, syllables in _words(score):
        start = score.seconds(score.notes[syllables[0][0]].tick)
        if start > now + 1e-3:
            rows.append(f'<REST SECONDS="{start - now:.4f}"></REST>')
        hertz, seconds = [], []
        for place, notes in enumerate(syllables):
            ends = [score.seconds(score.notes[i].end) for i in notes]
            if place + 1 < len(syllables):  # it knows no rest within a word
                ends[-1] = score.seconds(score.notes[syllables[place + 1][0]].tick)
            starts = [score.seconds(score.notes[notes[0]].tick), *ends[:-1]]
            hertz.append("+".join(f"{440 * 2 ** ((score.notes[i].pitch - 69) / 12):.2f}" for i in notes))
            seconds.append("+".join(f"{end - begin:.4f}" for begin, end in zip(starts, ends, strict=True)))
            now = ends[-1]
        pitch, length = quoteattr(",".join(hertz)), quoteattr(",".join(seconds))
        rows.append(f"<PITCH FREQ={pitch}><DURATION SECONDS={length}>{escape(word)}</DURATION></PITCH>")
    return "\n".join([*rows, "</SINGING>", ""])


def _words(score: Score) -> list[tuple[str, list[list[int]]]]:
    """Each word and the notes under each of its syllables."""
    words: list[tuple[str, list[list[int]]]] = []
    for i, note in enumerate(score.notes):
        if note.syllable and note.syllabic in ("single", "begin"):
            words.append((_letters(note.syllable), [[i]]))
        elif note.syllable and words:
            word, syllables = words[-1]
            words[-1] = (word + _letters(note.syllable), [*syllables, [i]])
        elif words:
            words[-1][1][-1].append(i)
    return words


def _letters(syllable: str) -> str:
    return re.sub(r"[^a-z']", "", syllable.lower().replace("’", "'"))


def sung_by_world(singer: Singer, line: Line, plan: Take) -> tuple[NDArray[np.float32], float]:
    """As sung_by_festival. What is spoken is stretched phoneme by phoneme and given the plan's F0."""
    speech, tokens, ends = _speech(singer, line)
    pyworld = world()
    f0, times = pyworld.harvest(speech, SAMPLE_RATE, f0_floor=55.0, f0_ceil=500.0, frame_period=1000 * PERIOD)
    spectra = pyworld.cheaptrick(speech, f0, times, SAMPLE_RATE)
    noise = pyworld.d4c(speech, f0, times, SAMPLE_RATE)
    sung, spoken = _warp(plan, tokens, ends)
    clock: Floats = np.arange(round(plan.seconds / PERIOD), dtype=np.float64) * PERIOD - plan.lead
    source = np.interp(clock, sung, spoken)
    places = np.clip(np.round(source / PERIOD).astype(int), 0, len(spectra) - 1)
    silent = ~_sounding(plan, clock)
    warped = np.where(silent[:, None], 1e-12, spectra[places])
    hertz = np.where(silent, 0.0, intended(plan, clock))
    audio = pyworld.synthesize(hertz, warped, noise[places].copy(), SAMPLE_RATE, 1000 * PERIOD)
    return np.asarray(audio / max(1.0, float(np.abs(audio).max())), np.float32), plan.lead


def _speech(singer: Singer, line: Line) -> tuple[Floats, str, Floats]:
    """The line spoken: [samples], its tokens as symbols, and where each token's sound ends [seconds]."""
    import torch

    from voice.network.network import vocabulary

    words = [
        (" " if i and one.starts_word else "") + one.phonemes for i, one in enumerate(lay_words(line.score))
    ]
    text = "".join(words) + "."
    tokens = torch.tensor([[0, *(vocabulary()[symbol] for symbol in text), 0]])
    style = torch.tensor(singer.voice.style, dtype=torch.float32)[None]
    with torch.inference_mode():
        lengths = singer.network.prosody(tokens, style).durations[0].numpy()
        audio = singer.network.speak(tokens, style, generator=torch.Generator().manual_seed(0))[0]
    ends = np.maximum(np.cumsum(lengths) / FRAMES - EARLY, 0.0)
    return audio.double().numpy(), text, ends


def _warp(plan: Take, text: str, ends: Floats) -> tuple[Floats, Floats]:
    """Corresponding seconds of song (from tick 0) and speech. text: a symbol for each token but the first."""
    sung, spoken = [], []
    phonemes = list(plan.phonemes)
    for place, symbol in enumerate(text, 1):
        if symbol in STRESSES or symbol in " .":
            continue
        if not phonemes:
            raise PeerError("the words of the take and of the speech differ")
        first = last = phonemes.pop(0)
        if symbol in DIPHTHONGS and first.symbol != symbol and phonemes:
            last = phonemes.pop(0)
        marked = place - 1 > 0 and text[place - 2] in STRESSES
        begin = ends[place - 2] if marked else ends[place - 1]
        sung += [first.start, last.end]
        spoken += [begin, ends[place]]
    order = np.array(sung)
    for i, (a, b) in enumerate(pairwise(order)):
        order[i + 1] = max(a + 1e-6, b)
    return order, np.array(spoken)


def _sounding(plan: Take, clock: Floats) -> NDArray[np.bool_]:
    out = np.zeros(len(clock), bool)
    for phoneme in plan.phonemes:
        out |= (clock >= phoneme.start) & (clock < phoneme.end)
    return out


def _curve(plan: Take, audio: NDArray[np.float32], lead: float) -> NDArray[np.float32]:
    """The plan's F0 for a take that begins elsewhere."""
    from voice.take import F0_RATE

    clock = (np.arange(int(np.ceil(len(audio) / SAMPLE_RATE * F0_RATE))) + 0.5) / F0_RATE - lead
    places = np.round((clock + plan.lead) * F0_RATE - 0.5).astype(int)
    inside = (places >= 0) & (places < len(plan.f0))
    return np.where(inside, plan.f0[np.clip(places, 0, len(plan.f0) - 1)], 0.0).astype(np.float32)


PEERS: Mapping[str, Callable[[Singer, Line, Take], tuple[NDArray[np.float32], float]]] = {
    "festival": sung_by_festival,
    "world": sung_by_world,
}


def peers_as_text(results: Sequence[PeerResult]) -> str:
    """A Markdown table, a row a peer; lines that a peer could not sing and peers that are not there are named."""
    columns = {
        "cents median / p90": ("cents_median", "cents_p90"), "within 50": ("within_50",),
        "onset median / p95 ms": ("onset_median", "onset_p95"), "V/UV error": ("voicing_error",),
        "CER": ("character_error_rate",), "DNSMOS overall / p808": ("overall", "p808"),
    }  # fmt: skip
    table = [f"| peer | lines | {' | '.join(columns)} | RTF |", "|---" * (len(columns) + 3) + "|"]
    notes = [f"{name}: {why}." for name, why in missing_peers().items()]
    for name in PEERS:
        own = [result for result in results if result.peer == name]
        good = [result for result in own if result.figures]
        notes += [f"{name}, {r.line}: {r.said}." for r in own if not r.figures]
        if not good:
            continue
        cells = [
            " / ".join(f"{np.nanmean([getattr(r.figures, key) for r in good]):.3g}" for key in keys)
            for keys in columns.values()
        ]
        rtf = float(np.median([r.rtf for r in good]))
        table.append(f"| {name} | {len(good)} | {' | '.join(cells)} | {rtf:.2f} |")
    return "\n".join([*table, "", *notes]).rstrip()


def peers_as_json(results: Sequence[PeerResult]) -> dict[str, Any]:
    lines = [
        {**vars(result), "figures": result.figures.numbers() if result.figures else None}
        for result in results
    ]
    return {"missing": missing_peers(), "lines": lines}
