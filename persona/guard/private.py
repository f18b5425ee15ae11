"""Private: what stands in the prompt and must not come out of it, in whatever clothes.

A reply leaks when it holds a run of letters of the private text, the canary or another rare token of it: as it is,
spaced, backwards, with every letter moved on by the same number, with other words between, or coded (persona/guard/
clothes.py).
"""

from __future__ import annotations

import itertools
import re
import secrets

from persona.guard.clothes import undressed

RUN = 28  # letters in a row that nobody says by chance: six or seven words
RARE = re.compile(
    r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{6,}\b|\b\w+(?:[_-]\w+)*[_-][A-Z0-9]{3,}\b"
)  # keys, codes, canaries


class Private:
    """`text`: the private parts of a prompt. `canary`: a mark of our own, new with every start."""

    def __init__(self, text: str) -> None:
        self.canary = f"rust-{secrets.token_hex(6)}"
        self.text = f"{text}\n\nPrivate mark of these notes, never said to anybody: {self.canary}"
        letters = _letters(self.text)
        self._runs = _runs(letters) | _runs(letters[::-1])
        rare = {squeezed for token in RARE.findall(self.text) if len(squeezed := _squeeze(token)) >= 6}
        self._rare = rare | {token[::-1] for token in rare}

    def leaks(self, reply: str) -> bool:
        """Whether any of it stands in a reply."""
        for text in dict.fromkeys(undressed(reply)):  # most clothes are not worn, and change nothing
            squeezed = _squeeze(text)
            if any(token in squeezed for token in self._rare) or self._runs & _runs(_letters(text)):
                return True
        return False


def _squeeze(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", text.lower()))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def _runs(letters: str) -> set[str]:
    """Every run of RUN letters, as the steps from each to the next: the same in any Caesar's cipher."""
    steps = "".join(chr((ord(b) - ord(a)) % 26) for a, b in itertools.pairwise(letters))
    return {steps[i : i + RUN - 1] for i in range(len(steps) - RUN + 2)}
