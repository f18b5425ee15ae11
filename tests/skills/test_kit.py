"""What a musician takes home: every format read back, note for note and word for word."""

import itertools
import json
import re
import zipfile
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from skills.kit import EXPORTS, Desk, arrangement_of, export, open_desk
from skills.library import Library, LibraryError
from tests.skills.made_song import BRIEF, LEAD, made_song
from tests.skills.words_for_tunes import SNIPPET
from voice.formats import read_score
from voice.take import STUDIO_RATE

SUNG = [word for line in SNIPPET.lines for word in line.text.split()]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    library = Library(tmp_path_factory.mktemp("songs"))
    return open_desk(library, made_song(library))


@pytest.mark.parametrize("name", ["musicxml", "ustx", "svp"])
def test_sheets_hold_the_score_as_it_was(desk: Desk, name: str, tmp_path: Path) -> None:
    (path,) = export(desk, [name], tmp_path)
    back = read_score(path)
    assert back.notes == desk.score.notes
    assert (back.tempo, back.key, back.chords, back.swing) == (
        desk.score.tempo, desk.score.key, desk.score.chords, desk.score.swing,
    )  # fmt: skip


def test_every_part_has_its_midi_note_for_note(desk: Desk, tmp_path: Path) -> None:
    paths = {path.stem: path for path in export(desk, ["midi"], tmp_path)}
    assert read_score(paths["voice"]).notes == desk.score.notes
    parts = arrangement_of(desk).parts
    assert set(paths) == {"voice", *(part.name for part in parts)}
    for part in parts:
        wanted = sorted((n.tick, max(1, n.ticks), n.pitch, n.velocity) for n in part.notes)
        found, sounding, at = [], {}, 0
        file = mido.MidiFile(paths[part.name])
        assert file.ticks_per_beat == 480
        assert [round(m.tempo) for m in file.tracks[0] if m.type == "set_tempo"] == [
            mido.bpm2tempo(desk.score.tempo[0].bpm)
        ]
        for message in file.tracks[1]:
            at += message.time
            if message.type == "note_on":
                sounding.setdefault(message.note, []).append((at, message.velocity))
            elif message.type == "note_off":
                start, velocity = sounding[message.note].pop(0)
                found.append((start, at - start, message.note, velocity))
        assert not any(sounding.values())
        assert [(t, p, v) for t, _, p, v in sorted(found)] == [(t, p, v) for t, _, p, v in wanted], part.name
        assert sum(length for _, length, _, _ in found) == sum(length for _, length, _, _ in wanted)


def test_stems_are_24_bit_and_begin_together(desk: Desk, tmp_path: Path) -> None:
    for path in export(desk, ["stems"], tmp_path):
        assert soundfile.info(path).subtype == "PCM_24"
        audio, was = soundfile.read(path)[0], soundfile.read(desk.folder / "stems" / path.name)[0]
        before = 0 if path.stem == "vocal" else round(LEAD * STUDIO_RATE)
        assert not audio[:before].any()
        assert np.array_equal(audio[before:], was)


def test_diffsinger_has_every_note_word_phoneme_and_the_f0(desk: Desk, tmp_path: Path) -> None:
    (path,) = export(desk, ["ds"], tmp_path)
    pitches, slurs, words, vowels = [], [], [], []
    for segment in json.loads(path.read_text("utf-8")):
        notes, note_dur = segment["note_seq"].split(), [float(d) for d in segment["note_dur"].split()]
        phones, ph_dur = segment["ph_seq"].split(), [float(d) for d in segment["ph_dur"].split()]
        groups, slur = [int(n) for n in segment["ph_num"].split()], segment["note_slur"].split()
        assert len(notes) == len(note_dur) == len(slur)
        assert len(phones) == len(ph_dur) == sum(groups)
        assert len(groups) == slur.count("0")
        assert sum(note_dur) == pytest.approx(sum(ph_dur), abs=1e-3)
        assert min(ph_dur) > 0 and min(note_dur) > 0
        f0 = [float(value) for value in segment["f0_seq"].split()]
        assert len(f0) == pytest.approx(sum(ph_dur) / float(segment["f0_timestep"]), abs=1)
        at = segment["offset"]
        for name, length in zip(notes, note_dur, strict=True):
            if name != "rest":
                pitches.append((_number(name), round(at - LEAD, 2)))
                middle = f0[int((at + length / 3 - segment["offset"]) / float(segment["f0_timestep"]))]
                assert middle == pytest.approx(440 * 2 ** ((_number(name) - 69) / 12), rel=0.01)
            at += length
        slurs += [flag for flag, name in zip(slur, notes, strict=True) if name != "rest"]
        vowels += [phone for phone in phones if phone == "aa"]
        words += segment["text"].split()
    score = desk.score
    assert pitches == [(n.pitch, round(score.seconds(n.tick), 2)) for n in score.notes]
    assert slurs == ["01"[n.syllable is None] for n in score.notes]
    assert len(vowels) == len(score.notes)
    assert words == _said(SUNG)


def test_the_words_and_their_times_come_back_from_lrc(desk: Desk, tmp_path: Path) -> None:
    (path,) = export(desk, ["lrc"], tmp_path)
    found = [
        (60 * int(m) + float(s), word)
        for m, s, word in re.findall(r"<(\d\d):([\d.]+)>(\S+)", path.read_text("utf-8"))
    ]
    assert [word for _, word in found] == SUNG
    assert [at for at, _ in found] == pytest.approx(_starts(desk), abs=0.006)


def test_another_program_reads_the_karaoke_word_for_word(desk: Desk, tmp_path: Path) -> None:
    import pysubs2

    (path,) = export(desk, ["ass"], tmp_path)
    lines = pysubs2.load(str(path))
    starts, words = [], []
    for line in lines:
        at = line.start
        for tag, hundredths, text in re.findall(r"\{\\(kf?)(\d+)\}([^{]*)", line.text):
            if tag == "kf":
                starts.append(at / 1000)
                words.append(text.strip())
            at += 10 * int(hundredths)
        assert at <= line.end + 10
    assert words == SUNG
    assert starts == pytest.approx(_starts(desk), abs=0.011)
    assert all(a.end <= b.start for a, b in itertools.pairwise(lines))


def test_words_that_look_like_subtitle_tags_stay_words(tmp_path: Path) -> None:
    import pysubs2

    from skills.karaoke import Look, TimedWord, ass

    path = tmp_path / "odd.ass"
    path.write_text(
        ass([[TimedWord("{\\b1}bold", 1.0, 1.5), TimedWord("a\\Nb", 1.5, 2.0)]], "t\nu", Look()), "utf-8"
    )
    assert [event.plaintext for event in pysubs2.load(str(path))] == ["(/b1)bold a/Nb"]


def test_the_kit_is_one_zip_with_a_readme(desk: Desk, tmp_path: Path) -> None:
    (path,) = export(desk, ["kit"], tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        names = {name.split("/", 1)[1] for name in packed.namelist()}
        text = packed.read(next(n for n in packed.namelist() if n.endswith("README.txt"))).decode()
        packed.extractall(tmp_path)
    assert {"stems/vocal.flac", "stems/bass.flac", "midi/voice.mid", "clip.mp3", "README.txt"} <= names
    assert {name.rsplit(".", 1)[1] for name in names} >= {"musicxml", "ustx", "svp", "ds", "lrc", "ass"}
    score = desk.score
    assert f"Tempo: {score.tempo[0].bpm:g} bpm" in text
    assert score.key.mode in text and "made by an AI" in text and "Breaking Rust (AI)" in text
    (flac,) = tmp_path.rglob("vocal.flac")
    assert soundfile.info(flac).subtype == "PCM_24"
    assert np.array_equal(soundfile.read(flac)[0], soundfile.read(desk.folder / "stems" / "vocal.wav")[0])


def test_what_cannot_be_exported_is_said(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there are: stems, midi"):
        export(desk, ["stems", "vinyl"], tmp_path)
    assert set(EXPORTS) == {"stems", "midi", "musicxml", "ustx", "svp", "ds", "lrc", "ass", "kit", "mp4"}
    library = Library(tmp_path / "songs")
    library.open(BRIEF, 1, "begun")
    with pytest.raises(LibraryError, match="not finished"):
        open_desk(library, "begun")


def _number(name: str) -> int:
    letter, octave = re.fullmatch(r"([A-G]#?)(-?\d)", name).groups()  # type: ignore[union-attr]
    return "C C# D D# E F F# G G# A A# B".split().index(letter) + 12 * (int(octave) + 1)


def _said(words: list[str]) -> list[str]:
    return [re.sub(r"[^\w'-]", "", word) for word in words]


def _starts(desk: Desk) -> list[float]:
    heads = [n for n in desk.score.notes if n.syllable is not None and n.syllabic in ("single", "begin")]
    return [desk.score.seconds(n.tick) + LEAD for n in heads]
