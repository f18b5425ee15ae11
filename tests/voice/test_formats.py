"""Scores written to a file and read back, note for note and word for word; strangers' files read or refused."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.voice.scores import Q, lone_train, scores
from voice.formats import read_score, write_score
from voice.formats.midi import from_midi, to_midi
from voice.formats.musicxml_read import from_musicxml
from voice.formats.musicxml_write import spelled, to_musicxml
from voice.formats.svp import from_svp, to_svp
from voice.formats.ustx import from_ustx, to_ustx
from voice.score import Chord, Key, MetreMark, Note, Score, ScoreError, Section, TempoMark

BOUNDED = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("ending", [".json", ".musicxml", ".mxl", ".mid", ".ustx", ".svp"])
def test_a_score_comes_back_from_a_file_as_it_was(tmp_path: Path, ending: str) -> None:
    write_score(lone_train(), tmp_path / f"song{ending}")
    back = read_score(tmp_path / f"song{ending}")
    assert back == lone_train()


@settings(BOUNDED, max_examples=20)
@given(scores())
def test_any_score_comes_back_from_musicxml(score: Score) -> None:
    back = from_musicxml(to_musicxml(score).encode())
    assert dataclasses.replace(back, metre=score.metre, notes=score.notes) == score
    assert back.notes == score.notes
    assert _metre_within(back) == _metre_within(score)


@BOUNDED
@given(scores())
def test_any_score_comes_back_from_midi(score: Score) -> None:
    assert from_midi(to_midi(score)) == score


@BOUNDED
@given(scores())
def test_any_score_comes_back_from_ustx(score: Score) -> None:
    assert from_ustx(to_ustx(score).encode()) == score


@BOUNDED
@given(scores())
def test_any_score_comes_back_from_svp(score: Score) -> None:
    assert from_svp(to_svp(score).encode() + b"\0") == score


def _metre_within(score: Score) -> list[MetreMark]:
    """The metre as far as there is music; an unchanged sign says nothing."""
    marks = [mark for mark in score.metre if mark.tick < score.ticks]
    return [
        m
        for i, m in enumerate(marks)
        if not i or (m.beats, m.unit) != (marks[i - 1].beats, marks[i - 1].unit)
    ]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (Key(0, "major"), "C Db D Eb E F F# G Ab A Bb B"),
        (Key(9, "minor"), "C C# D Eb E F F# G G# A Bb B"),
        (Key(4, "major"), "C C# D D# E F F# G G# A A# B"),
        (Key(5, "minor"), "C Db D Eb E F Gb G Ab A Bb Cb"),
    ],
)
def test_notes_are_spelled_as_the_key_asks(key: Key, names: str) -> None:
    score = Score("x", (Note(0, Q, 60, "la"),), key=key)
    marks = {0: "", 1: "#", -1: "b"}
    said = [letter + marks[alter] for letter, alter in (spelled(p, score) for p in range(12))]
    assert " ".join(said) == names


def _xml(measures: str, extra: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{extra}<score-partwise version="4.0"><part-list><score-part id="P1">'
        f'<part-name>V</part-name></score-part></part-list><part id="P1">{measures}</part></score-partwise>'
    ).encode()


def _xml_note(step: str, quarters: float, lyric: str = "", more: str = "", before: str = "") -> str:
    words = f'<lyric number="1"><syllabic>single</syllabic><text>{lyric}</text></lyric>' if lyric else ""
    return (
        f"{before}<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>{round(quarters * 2)}</duration>"
        f"{more}{words}</note>"
    )


ATTRIBUTES = (
    "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def test_a_pick_up_bar_is_filled_up_with_silence() -> None:
    measures = f'<measure number="0" implicit="yes">{ATTRIBUTES}{_xml_note("G", 1, "the")}</measure>'
    measures += f'<measure number="1">{_xml_note("C", 4, "train")}</measure>'
    score = from_musicxml(_xml(measures))
    assert [(n.tick, n.ticks, n.syllable) for n in score.notes] == [
        (3 * Q, Q, "the"),
        (4 * Q, 4 * Q, "train"),
    ]
    assert score.metre == (MetreMark(0, 4, 4),)
    assert score.bar(score.notes[1].tick) == (2, 1.0)


def test_a_repeat_is_sung_with_its_second_verse() -> None:
    second = '<lyric number="2"><syllabic>single</syllabic><text>bus</text></lyric>'
    body = _xml_note("C", 4, "train", more=second)
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    measures = f'<measure number="1">{ATTRIBUTES}{body}{repeat}</measure>'
    measures += f'<measure number="2">{_xml_note("D", 4, "home")}</measure>'
    score = from_musicxml(_xml(measures))
    assert [n.syllable for n in score.notes] == ["train", "bus", "home"]
    assert [n.tick for n in score.notes] == [0, 4 * Q, 8 * Q]


def test_a_bar_that_a_repeat_divides_stays_one_bar() -> None:
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    measures = f'<measure number="0" implicit="yes">{ATTRIBUTES}{_xml_note("G", 1, "the")}</measure>'
    measures += f'<measure number="1">{_xml_note("C", 3, "train")}{repeat}</measure>'
    measures += f'<measure number="X1" implicit="yes">{_xml_note("G", 1, "goes")}</measure>'
    measures += f'<measure number="2">{_xml_note("C", 4, "home")}</measure>'
    score = from_musicxml(_xml(measures))
    assert [n.syllable for n in score.notes] == ["the", "train", "the", "train", "goes", "home"]
    assert score.metre == (MetreMark(0, 4, 4),)
    assert [score.bar(n.tick)[0] for n in score.notes] == [1, 2, 2, 3, 3, 4]


def test_what_a_composer_marks_is_read() -> None:
    slur = '<notations><slur type="start" number="1"/></notations>'
    breath = "<articulations><breath-mark/></articulations>"
    end = f'<notations><slur type="stop" number="1"/>{breath}<fermata/></notations>'
    accent = "<notations><articulations><strong-accent/></articulations></notations>"
    loud = "<direction><direction-type><dynamics><ff/></dynamics></direction-type></direction>"
    faster = (
        '<direction><direction-type><words>Faster</words></direction-type><sound tempo="140"/></direction>'
    )
    root = "<root><root-step>B</root-step><root-alter>-1</root-alter></root>"
    chord = f"<harmony>{root}<kind>minor-seventh</kind></harmony>"
    measures = f'<measure number="1">{ATTRIBUTES}{chord}{loud}{_xml_note("C", 2, "ah", more=slur)}'
    measures += f"{_xml_note('D', 1, more=end)}{faster}{_xml_note('E', 1, 'oh', more=accent)}</measure>"
    score = from_musicxml(_xml(measures))
    ah, on, oh = score.notes
    assert ah.dynamic == "ff" and not ah.slurred
    assert on.slurred and on.breath_after and on.fermata and on.syllable is None
    assert oh.accent and oh.syllable == "oh"
    assert score.chords == (Chord(0, 4 * Q, 10, "m7"),)
    assert score.tempo[-1] == TempoMark(3 * Q, 140.0)


def test_tied_notes_are_one_and_of_a_chord_the_top_note_is_sung() -> None:
    tied = _xml_note("C", 4, "train", more='<tie type="start"/>')
    rest = _xml_note("C", 2, more='<tie type="stop"/>')
    low = "<note><chord/><pitch><step>C</step><octave>3</octave></pitch><duration>4</duration></note>"
    measures = f'<measure number="1">{ATTRIBUTES}{tied}</measure>'
    measures += f'<measure number="2">{rest}{_xml_note("E", 2, "home")}{low}</measure>'
    score = from_musicxml(_xml(measures))
    assert [(n.tick, n.ticks, n.pitch) for n in score.notes] == [(0, 6 * Q, 60), (6 * Q, 2 * Q, 64)]


def test_two_syllables_on_one_note_are_refused_with_bar_and_words() -> None:
    both = "<lyric><text>the</text><elision>‿</elision><text>evening</text></lyric>"
    with pytest.raises(ScoreError, match=r'bar 1: "the" and "evening" stand on one note'):
        from_musicxml(_xml(f'<measure number="1">{ATTRIBUTES}{_xml_note("C", 4, more=both)}</measure>'))


def test_entities_bombs_and_damage_are_refused_in_one_sentence(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    outside = f'<!DOCTYPE score-partwise [<!ENTITY x SYSTEM "file://{secret}">]>'
    good = f'<measure number="1">{ATTRIBUTES}{_xml_note("C", 4, "&x;")}</measure>'
    cases = {
        "entities": _xml(good, outside),
        "not well-formed": _xml("<measure>"),
        "not MusicXML": b"<html></html>",
        "damaged .mxl": b"PK\x03\x04" + b"\0" * 40,
        "no words": _xml(f'<measure number="1">{ATTRIBUTES}{_xml_note("C", 4)}</measure>'),
        "no notes": _xml(f'<measure number="1">{ATTRIBUTES}</measure>'),
    }
    for complaint, data in cases.items():
        with pytest.raises(ScoreError, match=complaint):
            from_musicxml(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_scores_in_older_encodings_are_read(encoding: str) -> None:
    body = _xml(f'<measure number="1">{ATTRIBUTES}{_xml_note("C", 4, "café")}</measure>').decode()
    data = body.replace('version="1.0"?', f'version="1.0" encoding="{encoding}"?').encode(encoding)
    assert from_musicxml(data).notes[0].syllable == "café"


@pytest.mark.parametrize(
    "damage",
    [
        ("<beats>4</beats>", "<beats>0</beats>"), ("<beats>4</beats>", "<beats>x</beats>"),
        ("<divisions>2</divisions>", "<divisions>0</divisions>"), ("<octave>4</octave>", "<octave>99</octave>"),
        ("<duration>8</duration>", "<duration>8e9</duration>"), ("<duration>8</duration>", "<duration>-8</duration>"),
        ("<duration>8</duration>", "<duration>99999999999</duration>"), ("<step>C</step>", "<step>Q</step>"),
        ("<part id=", "<party id="), ("<score-partwise", "<score-timewise"),
    ],
)  # fmt: skip
def test_scores_that_make_no_sense_are_refused_in_one_sentence(damage: tuple[str, str]) -> None:
    good = _xml(f'<measure number="1">{ATTRIBUTES}{_xml_note("C", 4, "la")}</measure>').decode()
    assert damage[0] in good
    with pytest.raises(ScoreError) as refusal:
        from_musicxml(good.replace(*damage).encode())
    assert "Traceback" not in str(refusal.value)


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    import zipfile

    bomb = tmp_path / "bomb.mxl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b"<score-partwise>" + b" " * (40 << 20))
    with pytest.raises(ScoreError, match="unpacks to more than 16 MB"):
        read_score(bomb)


def _karaoke(lyrics: list[tuple[int, str]], kind: str = "lyrics", charset: str = "utf-8") -> bytes:
    """A foreign file: 96 ticks to the quarter, format 0, an accompaniment on another channel, no marks of ours."""
    from io import BytesIO

    from mido import Message, MetaMessage, MidiFile, MidiTrack

    events = [(tick, 0, MetaMessage(kind, text=text)) for tick, text in lyrics]
    for n, pitch in enumerate([60, 62, 64, 65]):
        events += [(n * 96, 1, Message("note_on", note=pitch, velocity=80, channel=3)),
                   (n * 96 + 90, 1, Message("note_on", note=pitch, velocity=0, channel=3))]  # fmt: skip
    for n in range(8):
        events += [(n * 48, 1, Message("note_on", note=40, velocity=80, channel=0)),
                   (n * 48 + 40, 1, Message("note_off", note=40, channel=0))]  # fmt: skip
    file = MidiFile(type=0, ticks_per_beat=96, charset=charset)
    track = MidiTrack([MetaMessage("set_tempo", tempo=500_000)])
    file.tracks.append(track)
    at = 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - at))
        at = tick
    out = BytesIO()
    file.save(file=out)
    return out.getvalue()


def test_a_karaoke_file_is_read_whose_words_end_with_a_space() -> None:
    score = from_midi(_karaoke([(0, "\\lone"), (96, "some "), (192, "train ")], kind="text"))
    assert [(n.tick, n.syllable, n.syllabic) for n in score.notes] == [
        (0, "lone", "begin"), (Q, "some", "end"), (2 * Q, "train", "single"), (3 * Q, None, "single"),
    ]  # fmt: skip
    assert score.tempo == (TempoMark(0, 120.0),)


def test_lyrics_of_old_windows_programs_are_read() -> None:
    score = from_midi(_karaoke([(0, "café"), (96, "blues")], charset="cp1252"))
    assert [n.syllable for n in score.notes[:2]] == ["café", "blues"]


def test_two_lyrics_on_one_midi_note_name_the_bar_and_the_words() -> None:
    with pytest.raises(ScoreError, match=r'bar 1, beat 2: "some" and "where" stand on one note'):
        from_midi(_karaoke([(0, "lone"), (96, "some"), (97, "where")]))


def test_damaged_midi_is_refused_in_one_sentence() -> None:
    whole = to_midi(lone_train())
    with pytest.raises(ScoreError, match="not a MIDI file"):
        from_midi(b"RIFF" + whole)
    with pytest.raises(ScoreError, match="no words"):
        from_midi(_karaoke([]))
    for cut in range(1, len(whole), 37):
        with pytest.raises(ScoreError):
            from_midi(whole[:cut])


def test_openutaus_own_project_is_divided_into_syllables() -> None:
    lyrics = ["lonesome", "+", "+~", "train", "R", "home"]
    notes = [
        {"position": i * Q, "duration": Q, "tone": 60 + i, "lyric": text} for i, text in enumerate(lyrics)
    ]
    import yaml

    project = {"name": "x", "bpm": 90, "voice_parts": [{"position": Q, "notes": notes}]}
    score = from_ustx(yaml.safe_dump(project).encode())
    assert [(n.tick // Q, n.syllable, n.syllabic) for n in score.notes] == [
        (1, "lone", "begin"), (2, "some", "end"), (3, None, "single"), (4, "train", "single"), (6, "home", "single"),
    ]  # fmt: skip
    assert score.tempo == (TempoMark(0, 90.0),)


def test_a_word_changed_in_openutau_is_read_as_changed() -> None:
    text = to_ustx(lone_train()).replace("lyric: lonesome", "lyric: midnight")
    score = from_ustx(text.encode())
    assert [n.syllable for n in score.notes] == ["that", "mid", "night", "train", None, None, "home"]
    assert score.notes[3].phonemes == "tɹˈAn"


@pytest.mark.parametrize(
    "text", ["[1, 2", "just words", "voice_parts: [{notes: [{lyric: la}]}]", "voice_parts: []", "a: &a [*a]"]
)
def test_damaged_ustx_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ScoreError):
        from_ustx(text.encode())


def test_files_that_cannot_be_scores_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "huge.json").write_bytes(b" " * (17 << 20))
    (tmp_path / "odd.json").write_text(
        '{"title": "x", "notes": [{"tick": 0, "ticks": 9, "pitch": 900, "syllable": "a"}]}'
    )
    (tmp_path / "nan.json").write_text(lone_train().to_json().replace("72.0", "NaN"))
    (tmp_path / "half.json").write_text(lone_train().to_json().replace('"pitch": 64', '"pitch": 64.5'))
    for name, complaint in [
        ("empty.mid", "is empty"), ("huge.json", "larger than 16 MB"), ("odd.json", "no pitch 900"),
        ("nan.json", "tempo"), ("half.json", "whole numbers"), ("none.mid", "no file"),
        ("song.txt", "'.txt'"), ("song", "no ending"),
    ]:  # fmt: skip
        if not (tmp_path / name).exists() and complaint != "no file":
            (tmp_path / name).write_text("la")
        with pytest.raises(ScoreError, match=complaint):
            read_score(tmp_path / name)
    with pytest.raises(ScoreError, match="folder"):
        read_score(tmp_path)


def test_overlapping_notes_of_a_file_become_one_voice() -> None:
    score = from_midi(
        to_midi(Score("x", (Note(0, Q, 60, "la"), Note(Q, Q, 62, "la")), sections=(Section(0, Q, "a"),)))
    )
    for before, after in itertools.pairwise(score.notes):
        assert before.end <= after.tick


def test_another_program_reads_our_svp_note_for_note_and_word_for_word(tmp_path: Path) -> None:
    from libresvip.plugins.svp.synthv_studio_converter import SynthVStudioConverter

    score = lone_train()
    write_score(score, tmp_path / "song.svp")
    project = SynthVStudioConverter.load(tmp_path / "song.svp", {})
    (track,) = project.track_list
    assert [(n.start_pos, n.length, n.key_number) for n in track.note_list] == [
        (n.tick, n.ticks, n.pitch) for n in score.notes
    ]
    assert [n.lyric for n in track.note_list] == ["that", "lonesome", "+", "train", "-", "-", "home"]
    lead = 4 * Q  # LibreSVIP puts a bar of its own before a song's marks
    marks = [(0 if t.position == 0 else t.position - lead, t.bpm) for t in project.song_tempo_list]
    assert marks == [(t.tick, t.bpm) for t in score.tempo]
    assert [(t.numerator, t.denominator) for t in project.time_signature_list] == [(4, 4), (6, 8)]


def test_an_svp_that_was_edited_and_saved_elsewhere_is_sung_as_edited() -> None:
    project = json.loads(to_svp(lone_train()))
    del project["troubadour"]  # an editor may drop what it does not know
    notes = project["tracks"][0]["mainGroup"]["notes"]
    notes[1]["lyrics"] = "midnight"
    notes[3]["pitch"] = 65
    notes.insert(0, {"onset": 0, "duration": 1000, "pitch": 60, "lyrics": "br"})  # a breath
    score = from_svp(json.dumps(project).encode(), "edited.svp")
    assert [(n.syllable, n.syllabic) for n in score.notes[:4]] == [
        ("that", "single"), ("mid", "begin"), ("night", "end"), ("train", "single"),
    ]  # fmt: skip
    assert score.notes[3].pitch == 65
    assert score.title == "edited"


@pytest.mark.parametrize("text", ["", "{}", '{"tracks": [1]}', '{"tracks": [], "time": {}}', "\x00", "[]"])
def test_damaged_svp_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ScoreError, match=r"\w+"):
        from_svp(text.encode())
