"""Which letters of a word write which of its phonemes: the cheapest path through both, letter group by group."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from voice.alphabet import VOWELS

_TABLE = """
b:b,bb d:d,dd,ed,ld f:f,ff,ph,gh,lf h:h,wh j:y,i,j k:k,c,ck,ch,cc,q,kk,qu,lk,que,x l:l,ll m:m,mm,mb,mn,lm
n:n,nn,kn,gn,pn p:p,pp s:s,ss,c,sc,ps,st,sw,z t:t,tt,ed,th,bt,pt v:v,vv,f,lv w:w,wh,u,o z:z,zz,s,ss,x ð:th ŋ:n,ng
ɡ:g,gg,gh,gu ɹ:r,rr,wr,rh ɾ:t,tt,d,dd ʃ:sh,s,ss,ci,ti,ch,sci,si,ce,c,t ʒ:s,si,z,g,ge,j ʤ:j,g,dge,dg,d,gg,di
ʧ:ch,tch,t,c,ti θ:th ks:x,xc,cc ɡz:x kʃ:x,xi kw:qu,cqu ts:z,zz wʌ:o ju:u,ew,eu,ue,eau jʊ:u,eu jə:u,io,ia
wɑ:oi,oy əɹ:re,er,or,ar,ur,ir ɹə:ro əw:u uw:u wə:oi
"""
_PAIRS = (pair.split(":") for pair in _TABLE.split())
_SPELLINGS = {phones: said.split(",") for phones, said in _PAIRS}
_VOWEL_GROUP = re.compile(r"[aeiouy]+[wyh]?|[aeiou]+(gh|lf|l)?|ea?u?x?")
_SILENT = {"e": 0.8, "h": 1.0, "w": 1.0, "k": 1.5, "g": 1.5, "b": 1.5, "l": 1.2, "t": 1.5, "p": 1.5, "u": 1.5}
_LONGEST = 4
_NEVER = 1e6
_BEAM = 7.0  # readings that are this much dearer than the best so far are given up


@dataclass(frozen=True)
class Spelled:
    """`letters` of the word write `phonemes` [start, end) of its pronunciation (stress marks not counted)."""

    letters: str
    start: int
    end: int

    @property
    def silent(self) -> bool:
        return self.start == self.end


@lru_cache(maxsize=1 << 14)
def spell(word: str, phonemes: str) -> tuple[Spelled, ...]:
    """Letter groups in order; joined they are `word`. `phonemes` are without stress marks."""
    low = word.lower()
    # rows[i][j]: the price of reading i letters as j phonemes, and the step before.
    rows: list[dict[int, tuple[float, tuple[int, int]]]] = [{} for _ in range(len(low) + 1)]
    rows[0][0] = (0.0, (-1, -1))
    for i, row in enumerate(rows):
        hopeless = min(price for price, _ in row.values()) + _BEAM if row else 0.0
        for j in range(len(phonemes) + 1):
            here = row.get(j, (_NEVER,))[0]
            if here == _NEVER or (here > hopeless and i < len(low)):
                continue
            for take, say in _moves(len(low) - i, phonemes[j : j + 2]):
                price = here + _price(low[i : i + take], phonemes[j : j + say])
                if price < rows[i + take].get(j + say, (_NEVER,))[0]:
                    rows[i + take][j + say] = (price, (i, j))
    steps: list[Spelled] = []
    at = (len(low), len(phonemes))
    while at != (0, 0):
        before = rows[at[0]][at[1]][1]
        steps.append(Spelled(word[before[0] : at[0]], before[1], at[1]))
        at = before
    return tuple(reversed(steps))


def _moves(letters: int, phones: str) -> Iterator[tuple[int, int]]:
    """(letters, phonemes) that may be taken together next."""
    if letters:
        yield 1, 0
    if phones:
        yield 0, 1
        for take in range(1, min(_LONGEST, letters) + 1):
            yield take, 1
            if phones in _SPELLINGS and len(phones) == 2:
                yield take, 2


@lru_cache(maxsize=1 << 14)
def _price(letters: str, phones: str) -> float:
    """What it costs to read `letters` as `phones`; either may be empty."""
    if not letters or not phones:
        return _unsaid(letters) if letters else _unwritten(phones)
    if letters in _SPELLINGS.get(phones, ()):
        return 0.1 * (len(phones) - 1)
    if len(phones) == 1 and phones in VOWELS:
        if _VOWEL_GROUP.fullmatch(letters):
            return 0.25 * (len(letters) - 1) + (0.3 if letters[-1] in "lfx" else 0.0)
        return 4.0 * len(letters)
    return 3.0 if len(letters) == len(phones) == 1 else _NEVER


def _unsaid(letters: str) -> float:
    if len(letters) > 1:
        return _NEVER
    return _SILENT.get(letters, 2.0) if letters.isalpha() else 0.0


def _unwritten(phones: str) -> float:
    return 1.6 if phones in ("ə", "ᵊ") else 3.0 * len(phones)
