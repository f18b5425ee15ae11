"""A social place: one way for every network, from a post to an attempt that is never made twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from skills.address import Address
from skills.places.errors import Lost, NotYet
from skills.places.journal import Journal
from skills.places.limits import Limits, labelled
from skills.places.media import Media
from skills.places.text import fit
from skills.post import Post, PostError

log = structlog.get_logger()
SOON = 20.0  # seconds after which a post whose answer was lost is looked for


@dataclass(frozen=True)
class Item:
    """A post as an outlet sends it: the text fits, the media are there.

    `begun`: when it was first tried, seconds since 1970. `notes`: what earlier attempts left; `keep()` writes it down.
    """

    nonce: str
    text: str
    media: Media | None
    begun: float
    notes: dict[str, Any] = field(default_factory=dict)
    keep: Callable[[], None] = lambda: None


class Outlet(Protocol):
    """One account of one network. All but `limits` speak with the network, and raise PostErrors (see errors.py)."""

    @property
    def limits(self) -> Limits: ...

    def send(self, item: Item) -> str:
        """Posts; returns a link, or '' where there is none."""

    def find(self, item: Item) -> str | None:
        """The link of the post where an earlier attempt made it; None where it surely is not there.

        Raises Perhaps where the network cannot be asked.
        """

    def look(self) -> str:
        """For the operator: who the account is and how it is labelled."""


class SocialPlace:
    """A Place (see skills/post.py) over the accounts of one network. Outlets are built when first asked for."""

    def __init__(self, stage: str, accounts: Mapping[str, Callable[[], Outlet]], journal: Journal) -> None:
        self.stage, self.accounts, self.journal = stage, accounts, journal
        self._built: dict[str, Outlet] = {}

    def outlet(self, address: Address) -> Outlet:
        """Raises PostError where no such account is set."""
        if address.place not in self.accounts:
            known = ", ".join(sorted(self.accounts)) or "none"
            raise PostError(
                f"no account {address.place!r} is set for {self.stage} (there: {known}); docs/places.md says how"
            )
        if address.place not in self._built:
            self._built[address.place] = self.accounts[address.place]()
        return self._built[address.place]

    def post(self, post: Post) -> None:
        """Raises NotYet where it is to be tried again, Perhaps where it must not be, and PostError for the rest."""
        outlet = self.outlet(post.address)
        if self.journal.link(post.nonce) is not None:
            return
        limits = outlet.limits
        if (wait := self.journal.wait(str(post.address), limits.posts, limits.per)) > 0:
            raise NotYet(f"{post.address} has had its posts for now", wait)
        media = Media.of(post.clip) if post.clip else None
        try:
            text = fit(labelled(post.text, clip=media is not None), limits)
        except ValueError as error:
            raise PostError(f"{post.address}: {error}") from None
        before = self.journal.begin(post.nonce, str(post.address))
        item = Item(
            post.nonce,
            text,
            media,
            before.begun,
            before.notes,
            lambda: self.journal.note(post.nonce, before.notes),
        )
        link = outlet.find(item) if before.open else None
        self.journal.done(post.nonce, self._sent(outlet, item, post) if link is None else link)

    def _sent(self, outlet: Outlet, item: Item, post: Post) -> str:
        try:
            return outlet.send(item)
        except Lost as error:  # stays open: the next attempt asks the place before it sends
            raise NotYet(str(error), SOON) from None
        except PostError:
            self.journal.refused(post.nonce)
            raise
