"""Orders: one message for each request, edited as it moves. Made from what the request book says, so that a restart
of anything loses nothing: what is open is looked up, what has moved is edited, at most so often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import discord
import structlog

from persona.stages.discord.faces import Face
from persona.stages.discord.lines import Lines
from persona.stages.discord.places import STAGE, place_of
from persona.stages.discord.say import nonce_of
from persona.stages.discord.store import Store
from persona.stages.discord.talk import Talk
from persona.stages.discord.texts import bar
from skills.book import RequestBook, RequestStatus
from skills.song import STEPS

log = structlog.get_logger()
EDIT_EVERY = 3.0  # seconds between two edits of one message
CHANNEL_EVERY = 1.5  # and between two edits in one channel: Discord allows about five in five seconds
WEIGHTS = {"lyrics": 0.04, "score": 0.02, "sing": 0.6, "band": 0.14, "mix": 0.2}  # of a song's time


@dataclass(frozen=True)
class Order:
    """`message` is the one that is edited; `head` what stands above the bar in it; `asked` the fan's own message."""

    song: str
    fan: str
    guild: str
    channel: str
    message: str
    asked: str
    head: str
    shown: str


class Orders:
    """`partial(channel, guild)` gives the channel to write to, without asking Discord for it."""

    def __init__(
        self,
        store: Store,
        book: RequestBook,
        lines: Lines,
        talk: Talk,
        face: Face,
        partial: Callable[[int, int | None], discord.PartialMessageable],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store, self.book, self.lines = store, book, lines
        self.talk, self.face, self.partial, self.now = talk, face, partial, now
        self._edited: dict[str, float] = {}  # when a message, or a channel, was last edited
        self._fetch = asyncio.Lock()

    # ---- the rows

    def note(self, order: Order) -> None:
        self.store.write(
            "insert or ignore into orders (song, fan, guild, channel, message, asked, head, shown) "
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            order.song, order.fan, order.guild, order.channel, order.message, order.asked, order.head, order.shown,
        )  # fmt: skip

    def of_song(self, song: str) -> Order | None:
        rows = self.store.read(
            "select song, fan, guild, channel, message, asked, head, shown from orders where song = ?", song
        )
        if rows:
            return Order(*rows[0])
        try:  # made while we were away: the book knows whose it is
            request = self.book.status(song).request
        except KeyError:
            return None
        guild, channel = place_of(request.address)
        return Order(song, request.fan, str(guild or ""), str(channel), "", "", "", "")

    def open(self) -> dict[str, Order]:
        rows = self.store.read(
            "select song, fan, guild, channel, message, asked, head, shown from orders where open = 1"
        )
        return {row[0]: Order(*row) for row in rows}

    # ---- what is shown

    def words(self, status: RequestStatus) -> str:
        """Where a request stands, as one small line."""
        seed = status.request.id
        if status.state == "queued":
            return "-# " + self.lines.say("waiting" if status.ahead else "next", seed, ahead=status.ahead)
        if status.state == "at work":
            step = status.step or next((each for each in STEPS if each not in status.progress), STEPS[-1])
            done = sum(WEIGHTS[each] * fraction for each, fraction in status.progress.items())
            return f"-# {self.lines.say(f'step_{step}', seed)} {bar(done)} {done:.0%}"
        return "-# " + self.lines.say(f"ended_{status.state}", seed)

    async def look(self) -> None:
        """One round: new requests get their message, moved ones an edit, ended ones their last line."""
        async with self._fetch:
            statuses = await asyncio.to_thread(self._statuses)
            known = await asyncio.to_thread(self.open)
        moved = []
        for status in statuses:
            if status.request.id in known:
                moved.append(self._show(known[status.request.id], status))
            elif status.open:
                moved.append(self._begin(status))
        results = await asyncio.gather(*moved, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                log.warning("discord: progress not shown", cause=str(result) or repr(result))

    def _statuses(self) -> list[RequestStatus]:
        """What is open in the book for Discord, and what we still show as open though it ended."""
        queue = self.book.open_requests()
        waiting = [status for status in queue if status.state == "queued"]
        places = {status.request.id: place for place, status in enumerate(waiting)}
        working = len(queue) - len(waiting)
        found = [
            RequestStatus(
                status.request, status.state,
                places[status.request.id] + working if status.state == "queued" else 0, status.progress,
            )
            for status in queue
            if status.request.address.stage == STAGE
        ]  # fmt: skip
        there = {status.request.id for status in found}
        for song in self.open().keys() - there:
            try:
                found.append(self.book.status(song))
            except KeyError:
                self.store.write("update orders set open = 0 where song = ?", song)
        return found

    async def _begin(self, status: RequestStatus) -> None:
        """A request that came out of talk: its progress goes under the reply; after a restart, into a new message."""
        request = status.request
        answered = self.talk.answered.get(request.seed)
        if answered is not None and not answered.done:
            return  # the reply is being written; the next round finds it
        guild, channel = place_of(request.address)
        text = self.words(status)
        if answered is not None and answered.replies:
            reply = answered.replies[-1]
            asked = str(answered.message)
            order = Order(
                request.id,
                request.fan,
                str(guild or ""),
                str(channel),
                str(reply.id),
                asked,
                reply.content,
                "",
            )
            await asyncio.to_thread(self.note, order)
            await self._show(order, status)
            return
        sent = await self.face.say(
            self.partial(channel, guild), text, nonce=nonce_of(f"{request.id}:progress"), silent=True
        )
        order = Order(request.id, request.fan, str(guild or ""), str(channel), str(sent.id), "", "", text)
        await asyncio.to_thread(self.note, order)

    async def _show(self, order: Order, status: RequestStatus) -> None:
        ended = not status.open
        text = "\n".join(part for part in (order.head, self.words(status)) if part)
        if text != order.shown and order.message:
            if not ended and not self._may_edit(order):
                return
            channel = self.partial(int(order.channel), int(order.guild) if order.guild else None)
            try:
                await self.face.edit(channel, int(order.message), text)
            except (discord.NotFound, discord.Forbidden) as error:
                # Deleted by somebody, or out of our reach: the song goes on, and nobody is told of it any more.
                log.info("discord: progress message is gone", song=order.song, cause=str(error))
                await self.store.awrite("update orders set message = '' where song = ?", order.song)
            self._edited[order.message] = self._edited[order.channel] = self.now()
        await self.store.awrite(
            "update orders set shown = ?, open = ? where song = ?", text, int(not ended), order.song
        )
        if ended:
            self._edited.pop(order.message, None)

    def _may_edit(self, order: Order) -> bool:
        now = self.now()
        return (
            now - self._edited.get(order.message, -1e9) >= EDIT_EVERY
            and now - self._edited.get(order.channel, -1e9) >= CHANNEL_EVERY
        )
