"""Which syllables want a strong beat."""

from __future__ import annotations

from skills.lyrics import Line

# The dictionary stresses every word of one syllable; in a line these are said lightly.
WEAK_WORDS: dict[str, float] = {
    **dict.fromkeys(["a", "an", "the"], 0.0),
    **dict.fromkeys(
        "and but or nor so if as at by for from in of on to with than that till 'til til when while".split(),
        0.1,
    ),
    **dict.fromkeys(
        "is am are was were be been being do does did have has had will would can could shall should may might "
        "must i'm i've i'd i'll you're you've you'd you'll he's she's it's we're we've we'll they're they've "
        "there's that's ain't".split(),
        0.2,
    ),
    **dict.fromkeys(
        "i you he she it we they me him her us them my your his its our their this these those who which "
        "where there here some just oh".split(),
        0.25,
    ),
    **dict.fromkeys(
        "into onto over under up down off out through across about after before like not no".split(), 0.5
    ),
}
STRESSED = 0.9  # from here on a syllable is counted as stressed


def weights(line: Line) -> list[float]:
    """For every syllable of the line how much it wants a strong beat, 0..1."""
    sung = []
    last_word = line.syllables[-1].word if line.syllables else 0
    for syllable in line.syllables:
        word = line.words[syllable.word].lower().strip('.,!?;:"“”').replace("’", "'")
        if syllable.stress == 0:
            sung.append(0.0)
        elif word in WEAK_WORDS and syllable.word != last_word:
            sung.append(WEAK_WORDS[word])
        else:
            sung.append(1.0 if syllable.stress == 1 else 0.6)
    return sung


def pauses(line: Line) -> list[bool]:
    """For every syllable whether punctuation asks for a little pause after it."""
    marks: list[bool] = []
    tokens = line.text.split()
    ends = {
        i
        for i, token in enumerate(tokens)
        if token.rstrip("\"'”’)")[-1:] in (",", ";", ":", ".", "!", "?", "–", "—", "-")
    }
    # Words and tokens agree unless a dash stands alone; then a pause may be lost, never a syllable.
    for here, following in zip(line.syllables, [*line.syllables[1:], None], strict=True):
        ends_word = following is None or following.word != here.word
        marks.append(ends_word and following is not None and here.word in ends)
    return marks
