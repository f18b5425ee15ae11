"""Clothes: the ways in which a text may be dressed so that a guard does not know it, each taken off again."""

from __future__ import annotations

import base64
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator

UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
MORSE = {
    code: letter
    for letter, code in zip(
        "abcdefghijklmnopqrstuvwxyz0123456789",
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.".split(),
        strict=True,
    )
}
SPOKEN = {
    word: letter
    for letter, word in zip(
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "zero one two three four five six seven eight nine alpha bravo charlie delta echo foxtrot golf hotel india "
        "juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray "
        "yankee zulu".split(),
        strict=True,
    )
}
LEET = str.maketrans("431057", "aeiost")
_URL = str.maketrans("+/", "-_")
CODES: tuple[tuple[str, Callable[[str], bytes]], ...] = (
    (r"[A-Za-z0-9+/_-]{12,}={0,2}", lambda run: base64.urlsafe_b64decode(_filled(run.translate(_URL), 4, (1,)))),
    (r"[A-Z2-7]{12,}=*", lambda run: base64.b32decode(_filled(run, 8, (1, 3, 6)))),
    (r"[!-u]{16,}", base64.a85decode),
    (r"[!-~]{16,}", base64.b85decode),
    (r"(?:[0-9a-fA-F]{2}[\s:,]?){8,}", lambda run: bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", run))),
    (r"(?:[01]{8}\s*){6,}", lambda run: bytes(int(bits, 2) for bits in re.findall(r"[01]{8}", run))),
    (r"(?:\d{2,3}[\s,]+){8,}\d{2,3}", lambda run: bytes(n for n in map(int, re.findall(r"\d+", run)) if n < 256)),
)  # fmt: skip


def undressed(reply: str) -> Iterator[str]:
    """The reply, and what it is without each kind of clothes that it may wear."""
    bare = UNSEEN.sub("", unicodedata.normalize("NFKC", reply))
    yield bare
    yield html.unescape(bare)
    yield urllib.parse.unquote(bare)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), bare)
    yield codecs.encode(bare, "rot13")  # of rare tokens; runs are the same in any such cipher
    yield "".join(chr(33 + (ord(c) + 14) % 94) if 33 <= ord(c) <= 126 else c for c in bare)
    yield bare.lower().translate(LEET)
    words = bare.split()
    yield " ".join(word[::-1] for word in words)
    yield "".join(word[0] for word in words)
    yield "".join(word[-1] for word in words)
    for between in (2, 3):
        for start in range(between):
            yield " ".join(words[start::between])
    yield "".join(
        MORSE.get(code, "") for code in re.findall(r"[.-]+", bare.replace("·", ".").replace("−", "-"))
    )
    yield "".join(
        SPOKEN.get(word, "") for word in re.findall(r"[a-z]+", bare.lower().replace("x-ray", "xray"))
    )
    for pattern, decode in CODES:
        for run in re.findall(pattern, bare):
            try:
                yield decode(run).decode("utf-8", "replace")
            except ValueError:
                continue


def _filled(run: str, size: int, broken: tuple[int, ...]) -> str:
    """A coded run that was cut off, down to its last whole byte and filled to groups of `size`."""
    plain = run.rstrip("=")
    while len(plain) % size in broken:
        plain = plain[:-1]
    return plain + "=" * (-len(plain) % size)
