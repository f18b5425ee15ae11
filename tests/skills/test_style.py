"""Styles are data: a new file is a new style, a wrong key is refused."""

import pytest

from skills.style import STYLES, StyleError, list_styles, load_style, moods, read_style
from skills.tune.harmony import lay, spread


def test_every_style_file_loads_and_its_chords_can_be_laid():
    assert {"blues", "soul", "gospel", "country", "folk"} <= set(list_styles())
    for name in list_styles():
        harmony = load_style(name).harmony
        patterns = [p for template in (*harmony.verse, *harmony.chorus, *harmony.bridge) for p in template]
        for pattern in [*patterns, *harmony.intro, *harmony.ending, *harmony.turnaround]:
            assert lay(spread(pattern, 2), 0, 0)[-1].ticks > 0, f"{name}: {pattern}"


def test_a_style_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(StyleError, match=r"no style 'polka'; there are: .*blues"):
        load_style("polka")


def test_an_unknown_key_is_refused_by_its_name():
    text = (STYLES / "blues.yaml").read_text(encoding="utf-8").replace("pickup:", "pick_up:")
    with pytest.raises(StyleError, match="pick_up"):
        read_style("blues", text)


def test_a_figure_that_does_not_fill_a_bar_is_refused():
    text = (STYLES / "blues.yaml").read_text(encoding="utf-8").replace("R - - - 5 - 6 -", "R - - - 5 -")
    with pytest.raises(StyleError, match="6"):
        read_style("blues", text)


def test_a_mood_sets_the_pace_in_any_of_its_words():
    blues = load_style("blues")
    assert blues.pace("sad") == blues.pace("very sad") == "slow"
    assert blues.pace("joyful") == "up"
    assert blues.pace("purple") == blues.groove.pace
    assert moods()["wry"] == "mid"


def test_swing_evens_out_as_the_tempo_rises():
    blues = load_style("blues")
    assert blues.swing_at(62) == pytest.approx(0.667)
    assert blues.swing_at(138) == pytest.approx(0.6)
    assert blues.swing_at(300) == pytest.approx(0.6)


def test_a_fusion_sings_the_first_to_the_groove_of_the_second():
    folk, soul, both = load_style("folk"), load_style("soul"), load_style("folk + soul")
    assert both.tune == folk.tune
    assert both.harmony == folk.harmony
    assert both.groove.swing == soul.groove.swing
    for pace, (low, high) in both.groove.tempo.items():
        theirs = folk.groove.tempo[folk.groove.pace if pace == both.groove.pace else pace]
        for own, *parents in zip((low, high), theirs, soul.groove.tempo[pace], strict=True):
            assert min(parents) <= own <= max(parents)


@pytest.mark.parametrize(
    ("first", "second"), [("folk", "lofi"), ("classical", "electronica"), ("rock", "soul")]
)
def test_where_nobody_asked_for_a_pace_a_fusion_is_as_fast_as_neither_of_its_parents(first: str, second: str):
    styles = [load_style(name) for name in (first, f"{first}+{second}", second)]
    middles = [sum(style.groove.tempo[style.groove.pace]) / 2 for style in styles]
    assert min(middles[0], middles[2]) + 2 < middles[1] < max(middles[0], middles[2]) - 2


def test_a_fusion_takes_the_drums_of_the_second_and_the_guitar_of_the_first():
    folk, soul, both = load_style("folk"), load_style("soul"), load_style("folk + soul")
    assert both.parts["drums"] == soul.parts["drums"]
    assert both.parts["guitar"] == folk.parts["guitar"]
