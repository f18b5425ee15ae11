"""Speech: lets a model's words out as they come, a sentence at a time, each past the guard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_SENTENCE = re.compile(r".*?[.!?…]+[\"')\]]*(?=\s)\s*|[^\n]*\n", re.DOTALL)

LOOK_BACK = 200  # characters: what is wrong may begin in the sentence before
_WORDS = re.compile(r"\s*\S+\s*|\s+")


class Speech:
    """`wrong(words, quoted)`: what is wrong with words that would go out, or ''. `hold`: say nothing before the whole
    answer is known to be right (somebody asked what the artist is).
    """

    def __init__(self, wrong: Callable[[str, str], str], hold: bool = False) -> None:
        self._wrong = wrong
        self.quoted = ""  # lyrics that may be said as they are
        self._hold = hold
        self._message = ""
        self._waiting = ""  # words of a sentence that is not whole yet
        self._said = ""  # of this message
        self._said_before = False
        self._stopped = False

    def hear(self, message: str, text: str) -> Iterator[str]:
        """Pieces that may go out, now that the message of this id goes on with `text`."""
        if message != self._message:
            yield from self._let_out(self._waiting)
            self._said_before = self._said_before or bool(self._said.strip())
            self._message, self._waiting, self._said, self._stopped = message, "", "", False
        self._waiting += text
        while not self._stopped and (sentence := _SENTENCE.match(self._waiting)):
            self._waiting = self._waiting[sentence.end() :]
            yield from self._let_out(sentence[0])

    def finish(self, message: str, text: str) -> Iterator[str]:
        """The rest of the answer, now that its final text is known: after the guard, which may have replaced it."""
        if message != self._message:
            self._said_before = self._said_before or bool(self._said.strip())
            self._said = ""
        self._hold = False
        if text.startswith(self._said):
            text = text[len(self._said) :]
            gap = "" if self._said or not self._said_before else "\n"
        else:
            gap = "\n"
        if text:
            yield from _WORDS.findall(gap + text)

    def _let_out(self, sentence: str) -> Iterator[str]:
        if self._hold or self._stopped or not sentence:
            return
        if self._wrong(self._said[-LOOK_BACK:] + sentence, self.quoted):
            self._stopped = True  # the guard behind the model puts another answer in its place
            return
        gap = "\n" if self._said_before and not self._said else ""
        self._said += sentence
        yield from _WORDS.findall(gap + sentence)
