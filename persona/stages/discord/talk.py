"""Talk: messages that deserve an answer are gathered into turns, and each turn is answered once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
import structlog

from persona.stages.discord.costs import Costs
from persona.stages.discord.ear import Heard, Mode, Why, said, why_answer
from persona.stages.discord.elsewhere import Elsewhere
from persona.stages.discord.faces import Face
from persona.stages.discord.lines import Lines
from persona.stages.discord.pace import Pace
from persona.stages.discord.permissions import may
from persona.stages.discord.places import encounter_of, fan_id, server_of
from persona.stages.discord.say import Unsayable, nonce_of, say
from persona.stages.discord.servers import Servers
from persona.stages.discord.texts import LIMIT, ROOM_FOR_NAMES, split
from skills.book import seed_of

log = structlog.get_logger()
PATIENCE = 180.0  # seconds for one answer, whatever the model does
TYPING_LASTS = 8.0  # seconds; Discord shows it for ten
HELD_BACK = 4  # a turn is closed at the latest after so many gathering pauses
ANSWERS_KEPT = 2000
WORDS_TO_JOIN = 4  # a shorter message in an open channel is nothing to join in on
COMPLAINT_EVERY = 3600.0  # seconds between two complaints about the same channel's permissions


@dataclass
class Turn:
    """What one fan said in one go. Open for more until it is `closed`; `gone` once the fan took it all back."""

    messages: dict[int, discord.Message]
    began: float
    last: float
    why: Why
    closed: bool = False

    @property
    def gone(self) -> bool:
        return not self.messages

    @property
    def message(self) -> discord.Message:
        """The one that is replied to: the last of those that called us, or that are left."""
        return self.messages[max(self.messages)]


@dataclass
class Answered:
    """Our replies to what was said last in `message`, and whether they are being written still."""

    message: int
    conversation: str = ""
    replies: list[discord.Message] = field(default_factory=list)
    done: bool = False


class Talk:
    """`gather`: seconds of silence after which what a fan said counts as said."""

    def __init__(
        self,
        elsewhere: Elsewhere,
        face: Face,
        servers: Servers,
        lines: Lines,
        costs: Costs,
        pace: Pace,
        gather: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.elsewhere, self.face, self.servers = elsewhere, face, servers
        self.lines, self.costs, self.pace = lines, costs, pace
        self.gather, self.now = gather, now
        self.heard = Heard()
        self.answered: OrderedDict[int, Answered] = (
            OrderedDict()
        )  # by the seed that an order of this turn would have
        self._replies: OrderedDict[int, Answered] = OrderedDict()  # by message
        self.conversations: dict[str, set[str]] = {}  # by fan, those that they spoke in since we began
        self._turns: dict[tuple[int, int], Turn] = {}
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._joined: dict[int, float] = {}
        self._complained: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- what is heard

    def listens(self, message: discord.Message) -> bool:
        """Whether this fan is in the middle of saying something to us here."""
        turn = self._turns.get((message.channel.id, message.author.id))
        return turn is not None and not turn.closed

    def hear(self, message: discord.Message, me: discord.ClientUser, at_home: bool = True) -> None:
        """Takes a message up if it deserves an answer (`at_home`: see ear.py). Returns at once."""
        if not self.heard.first_time(message.id):
            return
        turn = self._turns.get((message.channel.id, message.author.id))
        why = why_answer(message, me, self._mode(message), self.face, at_home)
        if turn is not None and not turn.closed and why in (None, "open"):
            # Said on: what follows a call within the pause belongs to it, though it calls nobody again.
            if said(message, me) and not message.author.bot:
                turn.messages[message.id], turn.last = message, self.now()
            return
        if why is None or (why == "open" and not self._joins_in(message)):
            return
        verdict = self.pace.admit(fan_id(message.author.id), self.now())
        if verdict == "ignore":
            return
        if verdict == "warn":
            log.warning("discord: a fan is ignored for a time", fan=message.author.id)
            self._start(self._warn(message))
        elif turn is not None and not turn.closed:
            turn.messages[message.id], turn.last = message, self.now()
        else:
            turn = Turn({message.id: message}, self.now(), self.now(), why)
            self._turns[message.channel.id, message.author.id] = turn
            self._start(self._take_turn(turn, message, me))

    def edited(self, message: discord.Message) -> None:
        """What is answered is what stands there when the answer is thought out; an answered message stays answered."""
        turn = self._turns.get((message.channel.id, message.author.id))
        if turn is not None and not turn.closed and message.id in turn.messages:
            turn.messages[message.id] = message

    async def deleted(self, message: int) -> None:
        """A message taken back is not answered; an answer already given to it is taken back too."""
        for turn in self._turns.values():
            turn.messages.pop(message, None)
        answered = self._replies.pop(message, None)
        if answered is None:
            return
        await self.elsewhere.unsay(answered.conversation, str(answered.message))
        for reply in answered.replies:
            try:
                await reply.delete()
            except discord.HTTPException as error:
                log.info("discord: a reply could not be taken back", cause=str(error))

    async def finish(self, patience: float = 15.0) -> None:
        """Waits for the answers at work: nobody is left without one because we are stopped."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    # ---- what is said

    async def _take_turn(self, turn: Turn, first: discord.Message, me: discord.ClientUser) -> None:
        key = (first.channel.id, first.author.id)
        server = str(first.guild.id) if first.guild else None
        async with self._typing(first.channel):
            try:
                while (
                    pause := min(turn.last, turn.began + HELD_BACK * self.gather) + self.gather - self.now()
                ) > 0:
                    await asyncio.sleep(pause)
                if slow := self.pace.wait(str(first.channel.id), server, self.now()):
                    await asyncio.sleep(slow)
            finally:
                turn.closed = True
            if turn.gone:
                self._drop(key, turn)
                return
            async with self._alone(f"{first.channel.id} {first.author.id if first.guild is None else ''}"):
                try:
                    await self._answer(turn, me)
                finally:
                    self._drop(key, turn)

    async def _answer(self, turn: Turn, me: discord.ClientUser) -> None:
        if turn.gone:
            return
        last, began = turn.message, self.now()
        text = "\n".join(said(turn.messages[each], me) for each in sorted(turn.messages))
        encounter = encounter_of(last, text, sorted(turn.messages))
        self.conversations.setdefault(encounter.fan.id, set()).add(encounter.conversation)
        answered = Answered(last.id, encounter.conversation)
        _keep(self.answered, seed_of(encounter.fan.id, encounter.message.id), answered)
        for each in turn.messages:
            _keep(self._replies, each, answered)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self.elsewhere.answer(encounter)
        except Exception as error:
            # The one place where a fault of the artist becomes words for the fan; the log sees the cause.
            log.error("discord: no answer", message=last.id, exc_info=error)
            answer = self.lines.say("stumble", str(last.id))
        try:
            if answer and not turn.gone:
                await self._say(last, answer, answered)
        finally:
            answered.done = True
            self.costs.add(
                server_of(last.guild.id if last.guild else None), answers=1, seconds=self.now() - began
            )

    async def _say(self, to: discord.Message, answer: str, answered: Answered) -> None:
        quiet = to.guild is not None and self.servers.of(to.guild.id).quiet(discord.utils.utcnow())
        reply = to.guild is not None and may(to.channel, "read_message_history")
        for place, piece in enumerate(split(answer, LIMIT - ROOM_FOR_NAMES)):
            options: dict[str, Any] = {}
            if place == 0 and to.guild is not None:
                options["answers"] = to.author.id
                if reply:
                    options["reference"] = to.to_reference(fail_if_not_exists=False)
            try:
                sent = await self.face.say(
                    to.channel, piece, nonce=nonce_of(f"answer {to.id} {place}"), silent=quiet, **options
                )
            except Unsayable as error:
                await self._complain(to, error)
                return
            except Exception as error:
                log.error("discord: an answer was not said", message=to.id, exc_info=error)
                return
            answered.replies.append(sent)

    async def _warn(self, message: discord.Message) -> None:
        answered = Answered(message.id, done=True)
        await self._say(message, self.lines.say("slow_down", str(message.id)), answered)

    async def _complain(self, to: discord.Message, error: Unsayable) -> None:
        """Tells the fan in private why there is no answer, and the log what lacks."""
        lacks = ", ".join(error.missing) or str(error)
        log.warning("discord: may not speak", channel=to.channel.id, missing=lacks)
        if (
            to.guild is None
            or self.now() - self._complained.get(to.channel.id, -COMPLAINT_EVERY) < COMPLAINT_EVERY
        ):
            return
        self._complained[to.channel.id] = self.now()
        text = self.lines.say("may_not_speak", channel=f"<#{to.channel.id}>", missing=lacks)
        try:
            await say(to.author, text, nonce=nonce_of(f"complaint {to.id}"))
        except (Unsayable, discord.HTTPException) as refused:
            log.info("discord: nor in private", fan=to.author.id, cause=str(refused))

    # ---- helpers

    def _mode(self, message: discord.Message) -> Mode:
        if message.guild is None:
            return "mention"
        parent = message.channel.parent_id if isinstance(message.channel, discord.Thread) else None
        return self.servers.mode(message.guild.id, message.channel.id, parent)

    def _joins_in(self, message: discord.Message) -> bool:
        """Now and then, in an open channel: a rate, a cooldown, never in quiet hours, never on two words."""
        assert message.guild is not None
        chosen, now = self.servers.of(message.guild.id), self.now()
        if len(message.content.split()) < WORDS_TO_JOIN or chosen.quiet(discord.utils.utcnow()):
            return False
        if now - self._joined.get(message.channel.id, -1e9) < chosen.join_every * 60.0:
            return False
        if random.Random(message.id).random() * 100 >= chosen.join_chance:
            return False
        self._joined[message.channel.id] = now
        return True

    @asynccontextmanager
    async def _typing(self, channel: discord.abc.Messageable) -> AsyncIterator[None]:
        """Shows that we are at it. That it cannot be shown is no reason not to answer."""

        async def keep() -> None:
            try:
                while True:
                    await channel.typing()
                    await asyncio.sleep(TYPING_LASTS)
            except Exception as error:
                log.debug("discord: typing not shown", cause=str(error))

        task = asyncio.create_task(keep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def _alone(self, conversation: str) -> AsyncIterator[None]:
        """One answer at a time in one conversation, in the order in which they were asked."""
        lock, users = self._locks.get(conversation, (asyncio.Lock(), 0))
        self._locks[conversation] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[conversation]
            if users == 1:
                del self._locks[conversation]
            else:
                self._locks[conversation] = (lock, users - 1)

    def _drop(self, key: tuple[int, int], turn: Turn) -> None:
        if self._turns.get(key) is turn:
            del self._turns[key]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("discord: a turn broke", exc_info=task.exception())


def _keep(answers: OrderedDict[int, Answered], key: int, answered: Answered) -> None:
    answers[key] = answered
    if len(answers) > ANSWERS_KEPT:
        answers.popitem(last=False)
