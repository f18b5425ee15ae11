"""The terminal stage: a fan at the keyboard, or a script in a pipe."""

from __future__ import annotations

import asyncio
import getpass
import io
import re
import sys
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.text import Text

from memory.fan import Fan, Scope
from persona.commands.common import song_progress
from persona.encounter import Encounter, Message
from skills.address import Address
from skills.book import RequestBook, RequestStatus
from skills.library import Library, LibraryError
from skills.post import Inbox, Post

TERMINAL = Address("terminal")
POLL = 0.2  # seconds between two looks at a request's progress
HELP = """\
Just talk. Ask for a song in your own words: "write me a slow blues about the last train home, it's for Maya".
/songs  your songs and where they lie
/help   this
/quit   leave (or Ctrl-D); a song at work goes on the next time"""


class Answering(Protocol):
    """What the stage needs of the artist."""

    name: str
    greeting: str

    def answer(self, encounter: Encounter) -> AsyncIterator[str]: ...

    async def close(self) -> None: ...


class TerminalStage:
    """One conversation at one keyboard."""

    def __init__(
        self, artist: Answering, book: RequestBook, library: Library, inbox: Inbox, name: str = ""
    ) -> None:
        self.artist, self.book, self.library, self.inbox = artist, book, library, inbox
        self.fan = Fan(f"terminal:{getpass.getuser()}", name)
        self.console = Console(highlight=False, soft_wrap=True)
        self.last_clip = ""
        self.failed = 0

    def run(self, interactive: bool) -> bool:
        """Talks until the fan leaves; whether every song that was waited for came.

        In a pipe: until the input ends. What is no UTF-8 there is read as U+FFFD.

        Lines are read in this thread, between the runs of the loop: a Ctrl-C at the prompt then ends the prompt,
        where a reading thread would have to wait for a line that never comes.
        """
        if interactive:
            self._say_line(self.artist.greeting)
            self.console.print(Text("/help says what can be done here", style="dim"))
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        self._show(self.inbox.take(TERMINAL))  # what came while nobody was here
        with asyncio.Runner() as runner:
            while (line := self._read(interactive)) is not None and line.strip() not in ("/quit", "/exit"):
                if not line.strip():
                    continue
                if not interactive:
                    self.console.print(Text(f"you: {line}"))
                self._take(line.strip(), runner)
            runner.run(self.artist.close())
        if self.last_clip:
            self.console.print(Text(self.last_clip))
        return not self.failed

    def _take(self, line: str, runner: asyncio.Runner) -> None:
        if line == "/help":
            self.console.print(HELP, markup=False)
        elif line == "/songs":
            self._list_songs()
        elif line.startswith("/"):
            self.console.print(
                f"{line.split(maxsplit=1)[0]} is not a command here. /help shows those that are.",
                markup=False,
            )
        else:
            try:
                runner.run(self._answer(line))
            except KeyboardInterrupt:
                self.console.print(Text(" ...", style="dim"))
                return
            self._watch()

    async def _answer(self, line: str) -> None:
        encounter = Encounter(
            Message(uuid.uuid4().hex, line, datetime.now(UTC)), self.fan, TERMINAL, Scope("fan", self.fan.id)
        )
        self.console.print(Text(f"{self.artist.name}: ", style="bold"), end="")
        column, word = len(self.artist.name) + 2, ""
        async for piece in self.artist.answer(encounter):
            *words, word = re.split(r"(?<=\s)", word + piece)  # a word is printed when it has ended
            for whole in words:
                column = self._print_word(whole, column)
        self._print_word(word, column)
        self.console.print()

    def _print_word(self, word: str, column: int) -> int:
        """Prints a word on this line or, where a terminal has no room left, on the next; returns the new column."""
        if self.console.is_terminal and column + len(word.rstrip()) > self.console.width:
            self.console.print()
            column = 0
        self.console.print(Text(word), end="")
        return 0 if word.endswith("\n") else column + len(word)

    def _watch(self) -> None:
        """Shows the progress of this fan's open requests until they are done; Ctrl-C leaves them to go on."""
        waiting = [status for status in self.book.of_fan(self.fan.id) if status.open]
        try:
            for status in reversed(waiting):
                self._watch_one(status)
                posts = self.inbox.of_request(status.request.id)
                self._show(posts)
                self.last_clip = next((str(post.clip) for post in posts if post.clip), self.last_clip)
                self.failed += not any(post.clip for post in posts)
        except KeyboardInterrupt:
            self.console.print(Text("\nIt goes on by itself; /songs shows it when it is there.", style="dim"))

    def _watch_one(self, status: RequestStatus) -> None:
        with song_progress(self.console) as report:
            while status.open:
                for step, fraction in status.progress.items():
                    report(step, fraction)
                time.sleep(POLL)
                status = self.book.status(status.request.id)
            for step, fraction in status.progress.items():
                report(step, fraction)

    def _show(self, posts: Sequence[Post]) -> None:
        for post in posts:
            self._say_line(post.text)
            if post.clip is not None:
                self.library.folder(post.clip.parent.name)  # brought, where a store has it
                self.console.print(Text(f"  {post.clip}", style="green"))

    def _list_songs(self) -> None:
        statuses = self.book.of_fan(self.fan.id)
        if not statuses:
            self.console.print("No songs yet. Ask for one.")
        for status in reversed(statuses):
            self.console.print(Text(self._where(status)))

    def _where(self, status: RequestStatus) -> str:
        if status.state == "done":
            try:
                song = self.library.read(status.request.id)
            except LibraryError:  # made, and deleted or damaged since
                return f"{status.request.brief.theme}: no longer in the library"
            return f"{song.title}\n  {self.library.clip(song).absolute()}"
        return f"{status.request.brief.theme}: {status.state}"

    def _say_line(self, text: str) -> None:
        self.console.print(Text.assemble((f"{self.artist.name}: ", "bold"), text))

    def _read(self, interactive: bool) -> str | None:
        try:
            return input("you: ") if interactive else next(sys.stdin).rstrip("\n")
        except (EOFError, StopIteration, KeyboardInterrupt):
            if interactive:
                self.console.print()
            return None
