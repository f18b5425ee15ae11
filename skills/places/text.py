"""A post's text, made to fit a place: shortened at a sentence or a word; links and what follows the text are kept."""

from __future__ import annotations

import re

from skills.places.limits import LINK, Limits

TAG = re.compile(r"#\w+")
SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")
ENOUGH = 0.5  # of the room: a text that ends with a sentence is worth that much of its length
GAP = "\n\n"


def fit(text: str, limits: Limits) -> str:
    """The text as it is where it fits. Else tags go first (the last ones before the others), then the body's end.

    The last paragraphs, if they hold links, tags or the label only, are its tail: they stay. Raises ValueError where
    not even the links fit.
    """
    text = text.strip()
    if limits.holds(text):
        return text
    body, tail = _parts(text)
    while TAG.search(tail) and not limits.holds(_joined(body, tail)):
        last = list(TAG.finditer(tail))[-1]
        tail = (tail[: last.start()].rstrip() + tail[last.end() :]).strip()
    if limits.holds(_joined(body, tail)):
        return _joined(body, tail)
    if not limits.holds(tail):
        raise ValueError("the links and the label alone are longer than the place takes")
    return _shortened(body, tail, limits)


def _parts(text: str) -> tuple[str, str]:
    paragraphs = text.split(GAP)
    tail: list[str] = []
    while len(paragraphs) > 1 and (not _words(paragraphs[-1]) or _is_label(paragraphs[-1])):
        tail.insert(0, paragraphs.pop())
    return GAP.join(paragraphs), GAP.join(tail)


def _words(paragraph: str) -> str:
    return TAG.sub("", LINK.sub("", paragraph)).strip()


def _is_label(paragraph: str) -> bool:
    return bool(re.search(r"\bAI\b", paragraph)) and len(paragraph) <= 80


def _shortened(body: str, tail: str, limits: Limits) -> str:
    """The longest beginning of the body that fits, links of the lost part moved to the tail."""
    ends = [match.start() for match in SENTENCE.finditer(body)]
    words = [match.start() for match in re.finditer(r"\s+", body)]
    best = ""
    for end in sorted({*ends, *words}, reverse=True):
        kept = body[:end].rstrip()
        cut = kept if end in ends else kept.rstrip(",;:-–—.") + "…"
        lost = [link for link in LINK.findall(body[end:]) if link not in kept]
        whole = _joined(cut, _joined(" ".join(lost), tail))
        if not limits.holds(whole):
            continue
        if end in ends and limits.length(cut) >= ENOUGH * limits.length(best or cut):
            return whole
        best = best or whole
    if best:
        return best
    # Not even the first word: cut within it.
    for end in range(len(body), -1, -1):
        cut = body[:end] + "…" if end else ""
        if limits.holds(whole := _joined(cut, tail)):
            return whole
    return tail


def _joined(body: str, tail: str) -> str:
    return GAP.join(part for part in (body, tail) if part)
