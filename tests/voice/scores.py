"""Scores made by hypothesis, and one written by hand, for tests of formats."""

from hypothesis import strategies as st

from voice.score import TICKS_PER_QUARTER, Chord, Key, MetreMark, Note, Score, Section, TempoMark

Q = TICKS_PER_QUARTER
WORDS = [
    ("train",), ("lone", "some"), ("mid", "night"), ("ev", "ery", "thing"), ("lov", "in'"), ("oh",), ("don't",),
    ("hal", "le", "lu", "jah"), ("café",), ("heart-", "bro", "ken"), ("I",), ("to", "night"),
]  # fmt: skip
QUALITIES = ("", "m", "7", "m7", "maj7", "dim", "sus4", "6", "9")


def lone_train() -> Score:
    """Two bars and a bit, with every mark that a score can carry."""
    return Score(
        title="The Last Train & Émile's <Home>",
        notes=(
            Note(2 * Q, Q, 57, "that", dynamic="mp"),
            Note(3 * Q, Q // 2, 60, "lone", "begin", accent=True),
            Note(3 * Q + Q // 2, Q, 62, "some", "end"),
            Note(5 * Q, 4 * Q, 64, "train", phonemes="tɹˈAn", dynamic="f"),
            Note(9 * Q, Q // 3, 62, None, slurred=True),
            Note(9 * Q + Q // 3, Q // 3 * 2, 60, None, slurred=True, breath_after=True),
            Note(11 * Q, 3 * Q, 57, "home", fermata=True),
        ),
        tempo=(TempoMark(0, 72.0), TempoMark(5 * Q, 66.5)),
        metre=(MetreMark(0, 4, 4), MetreMark(8 * Q, 6, 8)),
        key=Key(9, "minor"),
        chords=(Chord(0, 4 * Q, 9, "m7"), Chord(4 * Q, 4 * Q, 2, "7"), Chord(9 * Q, Q, 4, "sus4")),
        sections=(Section(0, 8 * Q, "verse"), Section(8 * Q, 6 * Q, "turnaround")),
        swing=0.62,
    )


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Words on notes of any length, rests, melismas, marks, tempo and metre changes, chords."""
    metre = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 4), (7, 8)]))
    bar = metre[0] * 4 * Q // metre[1]
    marks = [MetreMark(0, *metre)]
    if draw(st.booleans()):
        marks.append(
            MetreMark(bar * draw(st.integers(1, 3)), *draw(st.sampled_from([(3, 8), (4, 4), (9, 8)])))
        )
    notes: list[Note] = []
    tick = draw(st.integers(0, 3 * Q))
    length = st.one_of(
        st.sampled_from([Q, Q // 2, Q // 4, Q // 3, Q // 8, 3 * Q // 2, 2 * Q, 4 * Q]), st.integers(5, 5 * Q)
    )
    for word in draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8)):
        for n, text in enumerate(word):
            place = (
                "single"
                if len(word) == 1
                else "begin"
                if n == 0
                else "end"
                if n == len(word) - 1
                else "middle"
            )
            for turn in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
                ticks = draw(length)
                notes.append(
                    Note(
                        tick, ticks, draw(st.integers(45, 69)), None if turn else text, "single" if turn else place,
                        phonemes=draw(st.sampled_from([None, None, "tɹˈAn"])),
                        slurred=bool(notes) and draw(st.booleans()),
                        accent=draw(st.booleans()), fermata=draw(st.booleans()), breath_after=draw(st.booleans()),
                        dynamic=draw(st.sampled_from([None, None, "pp", "p", "mp", "mf", "f", "ff"])),
                        hairpin=draw(st.sampled_from([None, None, "crescendo", "diminuendo"])),
                    )
                )  # fmt: skip
                tick += ticks
        tick += draw(st.sampled_from([0, 0, Q, Q // 2, 7, 3 * bar]))
    chords, at = [], 0
    for ticks in draw(st.lists(st.integers(60, 2 * bar), max_size=5)):
        if draw(st.booleans()):
            chords.append(Chord(at, ticks, draw(st.integers(0, 11)), draw(st.sampled_from(QUALITIES))))
        at += ticks
    tempo_ticks = sorted(draw(st.sets(st.integers(1, 8 * Q), max_size=3)))
    tempo = st.integers(3000, 24000).map(lambda hundredths: hundredths / 100)
    return Score(
        title=draw(st.sampled_from(["Last Train", "Ça ira — «Ω»", "R&B <1>"])),
        notes=tuple(notes),
        tempo=(TempoMark(0, draw(tempo)), *(TempoMark(t, draw(tempo)) for t in tempo_ticks)),
        metre=tuple(marks),
        key=Key(draw(st.integers(0, 11)), draw(st.sampled_from(["major", "minor"]))),
        chords=tuple(chords),
        sections=tuple(
            draw(st.sampled_from([(), (Section(0, bar, "intro"), Section(bar, 7 * bar, "verse"))]))
        ),
        swing=draw(st.sampled_from([0.5, 0.6, 0.667])),
    )
