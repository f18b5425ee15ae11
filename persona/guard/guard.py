"""Guard: one place that says what is let in and what is let out. Messages, briefs, names, lyrics, replies and posts all
pass here; it counts where it stepped in, and keeps no words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from persona.guard import rules
from persona.guard.book import GuardBook
from persona.guard.judge import NORMAL, Judge, Policy
from persona.guard.moderation import Moderation
from persona.guard.private import Private
from persona.guard.rules import Verdict
from persona.logs import log_fault
from skills.address import Address
from skills.brief import Brief, BriefError
from skills.requesting import Asker

log = structlog.get_logger()

GENTLE = Policy("gentle")  # what we say ourselves is judged by this bar: a song may speak of dark things
# What a reply of ours must never hold, whoever wrote it. The other topics are about what is asked of us.
NEVER_SAID = ("sexual", "minors", "hate", "selfharm")


def normal(address: Address) -> Policy:
    """Where nobody chose otherwise."""
    return NORMAL


@dataclass(frozen=True)
class Guard:
    """`policy(address)`: what the people who run that place chose. `now`: the clock of incidents.
    `moderation`: an endpoint's, asked where our own layers see nothing."""

    judge: Judge
    book: GuardBook
    private: Private
    policy: Callable[[Address], Policy] = normal
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    moderation: Moderation | None = None

    # ---- what comes in

    def hear(self, fan: str, address: Address, text: str) -> Verdict | None:
        """What a fan's message runs into, or None. Danger comes first; a question what we are is always answered."""
        self._hear_age(fan, text)
        verdict = rules.crisis(text)
        if verdict is None:
            verdict = self._judged(text, self.policy_for(fan, address))
        if verdict is not None and verdict.topic == "override" and rules.asks_human(text):
            return None  # 'say that you are human' is a question too: a reply says what it is, or does not go out
        if verdict is not None:
            self.count(verdict, address)
        return verdict

    def permit(self, asker: Asker, brief: Brief) -> None:
        """Raises BriefError where a song's theme, name or wishes ask for what is not sung."""
        policy = self.policy_for(asker.fan, asker.address)
        texts = [f"a song {'for ' + brief.dedication + ' ' if brief.dedication else ''}about {brief.theme}"]
        texts += [f"a song about {each}" for each in (*brief.mentions, brief.dedication) if each]
        for text in texts:
            verdict = rules.crisis(text) or self._judged(text, policy)
            if verdict is not None:
                self.count(verdict, asker.address)
                raise BriefError(reason(verdict))
        if brief.words and not self.sayable(brief.words):
            raise BriefError(reason(Verdict("out_of_bounds", "_")))

    def policy_for(self, fan: str, address: Address) -> Policy:
        chosen = self.policy(address)
        try:
            young = self.book.is_young(fan, self.now())
        except Exception as error:
            log_fault("the guard's book cannot be read", error)
            young = True  # rather too careful
        return Policy(chosen.strictness, True) if young else chosen

    # ---- what goes out

    def wrong(self, reply: str, quoted: str = "") -> str:
        """What is wrong with a reply of any model, or ''. `quoted`: lyrics that are sung in it, not said."""
        if rules.claims_human(reply, quoted):
            return "claimed human"
        if self.private.leaks(reply):
            return "leaked"
        return "" if self.sayable(reply) else "said what it should not"

    def wrong_so_far(self, reply: str, quoted: str = "") -> str:
        """The same of a reply that is still streaming: our own layers, which answer at once."""
        return replace(self, moderation=None).wrong(reply, quoted)

    def sayable(self, text: str) -> bool:
        """Whether words of our own (a reply, lyrics, a post) may stand in public."""
        verdict = self._judged(text, GENTLE)
        return verdict is None or verdict.topic not in NEVER_SAID

    def _judged(self, text: str, policy: Policy) -> Verdict | None:
        """By the judge; what it lets pass, by the endpoint."""
        verdict = self.judge.verdict(text, policy)
        return verdict or (self.moderation.verdict(text) if self.moderation else None)

    # ---- what is kept

    def count(self, verdict: Verdict, address: Address) -> None:
        """The incident is counted; its words are neither logged nor remembered."""
        log.warning(
            "guard", verdict=verdict.intent, topic=verdict.topic, why=verdict.why, stage=address.stage
        )
        try:
            self.book.count(verdict, place_of(address), self.now())
        except Exception as error:  # a full disk must not keep a fan from being helped
            log_fault("an incident could not be counted", error)

    def _hear_age(self, fan: str, text: str) -> None:
        if (said := rules.age(text)) is None:
            return
        try:
            self.book.said_age(fan, said, self.now())
        except Exception as error:
            log_fault("an age could not be noted", error)


def place_of(address: Address) -> str:
    """What incidents are counted by: a server, or a stage."""
    return f"{address.stage}:{address.place.partition('/')[0]}"


def reason(verdict: Verdict) -> str:
    """Why a song is not made, in a sentence that a fan can act on."""
    if verdict.intent == "crisis":
        return (
            "That one I won't sing before I know that you are safe. If it's about you, findahelpline.com lists who "
            "answers near you, and your emergency number is there right now. I'm an AI; let a person in on this."
        )
    return rules.rules().reasons.get(verdict.topic, rules.rules().reasons["_"])
