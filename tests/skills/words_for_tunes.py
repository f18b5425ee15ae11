"""Lyrics written with their syllables and stresses in sight: 'the LAST train LEFT me STAND-ing' (capitals: stress)."""

from __future__ import annotations

from skills.lyrics import Line, Lyrics, Stanza, Syllable


def sung(marked: str, bars: int = 2, rhyme: str = "A") -> Line:
    words, syllables = [], []
    for i, token in enumerate(marked.split()):
        parts = token.split("-")
        words.append("".join(parts).lower())
        syllables += [
            Syllable(part.strip(",.?!").lower(), i, 1 if part.strip(",.?!I'") and part.upper() == part else 0)
            for part in parts
        ]
    return Line(" ".join(words), tuple(w.strip(",.?!") for w in words), tuple(syllables), rhyme, bars)


TRAIN = "the LAST TRAIN LEFT me STAND-ing IN the RAIN"
NAME = "i've GOT YOUR NAME and NOTH-ing FOR the PAIN"
AAB = Lyrics("Last Train", "aab", (Stanza("verse", (sung(TRAIN), sung(TRAIN), sung(NAME))),))
VERSE = (
    sung("i've BEEN DRIV-ing SINCE the SUN WENT DOWN", 1),
    sung("through EV-'ry LIT-tle SLEEP-ing TOWN", 1),
    sung("my EYES are HEAV-y, my HANDS are SORE", 1),
    sung("i'm LOOK-ing for a fa-MIL-iar DOOR", 1, "B"),
)
HOOK = "so LEAVE the LIGHT ON, LEAVE it LOW"
CHORUS = (sung(HOOK, 1), sung("LEAVE the LIGHT ON, SO i'll KNOW", 1))
SNIPPET = Lyrics("Leave It Low", "verse-chorus", (Stanza("verse", VERSE), Stanza("tag", CHORUS)), hook=HOOK)
SONG = Lyrics(
    "Leave It Low",
    "verse-chorus",
    (
        Stanza("verse", VERSE),
        Stanza("chorus", CHORUS * 2),
        Stanza("verse", (VERSE[2], VERSE[1], VERSE[0], VERSE[3])),
        Stanza("chorus", CHORUS * 2),
    ),
    hook=HOOK,
)
