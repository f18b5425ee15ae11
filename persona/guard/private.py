"""Private: what stands in the prompt and must not come out of it, in whatever clothes.

A reply leaks when it holds a run of words of the private text, the canary, or another rare token of it: as it is, with
its letters spaced or reversed, in rot13, base64 or hex.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import secrets
from collections.abc import Iterator

RUN = 7  # words in a row that nobody says by chance
RARE = re.compile(
    r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{6,}\b|\b\w+(?:[_-]\w+)*[_-][A-Z0-9]{3,}\b"
)  # keys, codes, canaries
CODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


class Private:
    """`text`: the private parts of a prompt. `canary`: a mark of our own, new with every start."""

    def __init__(self, text: str) -> None:
        self.canary = f"rust-{secrets.token_hex(6)}"
        self.text = f"{text}\n\nPrivate mark of these notes, never said to anybody: {self.canary}"
        words = _words(self.text)
        self._runs = {"".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
        self._rare = {squeezed for token in RARE.findall(self.text) if len(squeezed := _squeeze(token)) >= 6}

    def leaks(self, reply: str) -> bool:
        """Whether any of it stands in a reply."""
        for text in _clothes(reply):
            squeezed = _squeeze(text)
            if any(token in squeezed for token in self._rare):
                return True
            words = _words(text)
            if any("".join(words[i : i + RUN]) in self._runs for i in range(len(words) - RUN + 1)):
                return True
        return False


def _clothes(reply: str) -> Iterator[str]:
    yield reply
    yield reply[::-1]
    yield codecs.encode(reply, "rot13")
    yield " ".join(word[::-1] for word in reply.split())
    for run in CODED.findall(reply):
        for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
            try:
                yield decode(run + "=" * (-len(run) % 4) if decode is not bytes.fromhex else run).decode(
                    "utf-8"
                )
            except (ValueError, binascii.Error):
                continue


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _squeeze(text: str) -> str:
    return "".join(_words(text))
