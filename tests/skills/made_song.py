"""A finished song in a library, without a singer: real words, tune and band; short noise where the stems would be."""

import dataclasses
import functools

import numpy as np
import soundfile

from skills.brief import Brief
from skills.files import write_text_whole
from skills.library import Library
from skills.lyrics import Lyrics
from skills.style import load_style
from skills.tune import compose
from tests.skills.words_for_tunes import SNIPPET
from voice.score import Score
from voice.take import F0_RATE, STUDIO_RATE, Take, TimedNote, TimedPhoneme

BRIEF = Brief("the last train home", mood="sad", style="soul")
LEAD = 0.25


def made_song(library: Library, song: str = "last-train", lyrics: Lyrics = SNIPPET, seed: int = 4) -> str:
    """Its clip is half a second of noise; its score, words, timings and cover are those of a real song."""
    folder = library.folder(song)
    library.open(BRIEF, seed, song)
    library.write_lyrics(song, lyrics)
    score = _composed(lyrics, seed)
    write_text_whole(folder / "score.json", score.to_json())
    write_text_whole(folder / "take.json", take_of(score).timings_json())
    rng = np.random.default_rng(1)
    (folder / "stems").mkdir(exist_ok=True)
    for name, channels in (("vocal", 1), ("bass", 2), ("drums", 2)):
        audio = 0.1 * rng.standard_normal((STUDIO_RATE // 2, channels)).squeeze()
        soundfile.write(folder / "stems" / f"{name}.wav", audio, STUDIO_RATE, subtype="PCM_24")
    soundfile.write(folder / "clip.mp3", 0.1 * rng.standard_normal((STUDIO_RATE // 2, 2)), STUDIO_RATE)
    credits = {"artist": "Breaking Rust (AI)", "vocals": "sung by Troubadour (AI)"}
    done = library.read(song)
    library.write(
        dataclasses.replace(done, title=lyrics.title, clip="clip.mp3", seconds=0.5, credits=credits)
    )
    return song


@functools.cache
def _composed(lyrics: Lyrics, seed: int) -> Score:
    return compose(lyrics, BRIEF, load_style("soul"), seed, 45, 62)


def take_of(score: Score) -> Take:
    """Each note as a consonant and a vowel, sung just as written."""
    notes, phonemes = [], []
    f0 = np.zeros(int((score.seconds(score.ticks) + LEAD) * F0_RATE) + 1, np.float32)
    for i, note in enumerate(score.notes):
        start, end = score.seconds(note.tick), score.seconds(note.end)
        notes.append(TimedNote(i, start, end, start))
        if note.syllable is not None:
            phonemes.append(TimedPhoneme("t", start - 0.06, start, i))
        phonemes.append(TimedPhoneme("ɑ", start, end - 0.06, i))
        f0[int((start + LEAD) * F0_RATE) : int((end + LEAD) * F0_RATE)] = 440 * 2 ** ((note.pitch - 69) / 12)
    return Take(np.zeros(0, np.float32), f0, tuple(phonemes), tuple(notes), lead=LEAD)
