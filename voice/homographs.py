"""Words written alike and said otherwise: chosen by the words beside them ('close my eyes', 'hold me close')."""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OWNERS = "a an the my your his her our their its this that these those every each no one two some"
_NOUN_AFTER = _words(_OWNERS + " of many all nine past lost broken single salty last first cold")
_VERB_AFTER = _words(
    "to will would can can't cannot could couldn't should may might must i you we they don't didn't won't gonna wanna "
    "gotta let's i'll you'll we'll they'll she'll he'll i'd you'd we'd they'd never always please who"
)
_HAVING = _words("have has had i've you've we've they've i'd was were be been being he she never already")
_ANY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Rule:
    """`said` if the word before is in `after`, or the word behind in `before` and the one before not in `never`."""

    said: str
    after: frozenset[str] = _ANY
    before: frozenset[str] = _ANY
    never: frozenset[str] = _ANY

    def fits(self, preceding: str, following: str) -> bool:
        return preceding in self.after or (following in self.before and preceding not in self.never)


_OBJECTS = "my your his her our their the it that this those these every me us them"
_RULES: dict[str, tuple[_Rule, ...]] = {
    "close": (
        _Rule(
            "klˈOs", after=_words("me so too very stay come get near keep up how this that been is us him")
        ),
        _Rule("klˈOz", after=_VERB_AFTER, before=_words(_OBJECTS + " up")),
    ),
    "tear": (
        _Rule(
            "tˈɛɹ", _VERB_AFTER, _words("me up down apart it us out away off into through my"), _NOUN_AFTER
        ),
    ),
    "tears": (_Rule("tˈɛɹz", _words("it that he she"), _words("me up apart us"), _NOUN_AFTER),),
    "wind": (_Rule("wˈInd", _VERB_AFTER, _words("up"), _NOUN_AFTER),),
    "winds": (_Rule("wˈIndz", _words("river road path it highway trail")),),
    "live": (_Rule("lˈIv", before=_words("wire wires show shows music band radio from"), never=_VERB_AFTER),),
    "lives": (_Rule("lˈIvz", after=_NOUN_AFTER),),
    "lead": (_Rule("lˈɛd", after=_words("of like heavy as molten")),),
    "read": (_Rule("ɹˈɛd", after=_HAVING),),
    "use": (_Rule("jˈus", after=_words("no the of any a what little good")),),
    "used": (_Rule("jˈust", before=_words("to")),),
    "wound": (_Rule("wˈWnd", before=_words("up around down tight round"), never=_NOUN_AFTER),),
    "bow": (_Rule("bˈW", _VERB_AFTER, _words("down my your his her to before"), _NOUN_AFTER),),
    "excuse": (_Rule("ɪkskjˈuz", _VERB_AFTER, _words("me my us the his her their")),),
}
# Nouns with the stress in front that are verbs with the stress behind.
_SHIFTING = _words(
    "record present object desert refuse permit project rebel conflict protest progress produce contract convict "
    "insult suspect contest"
)


def in_context(word: str, preceding: str | None, following: str | None) -> str | None:
    """How `word` is said between these words, in Kokoro's IPA; None if the usual way will do."""
    before, behind = (preceding or "").lower(), (following or "").lower()
    return next((rule.said for rule in _RULES.get(word, ()) if rule.fits(before, behind)), None)


def is_verb_of_two(word: str, preceding: str | None) -> bool:
    """Whether `word` is one of 'record', 'present' ... and a verb here, stressed behind."""
    return word in _SHIFTING and (preceding or "").lower() in _VERB_AFTER
