"""Consent: whose voice sings, and what that person allowed. A synthetic voice says so; a person's needs a record.

A record may carry its person's signature (Ed25519 over its words), and is then refused if a word of it was changed.
`revoked` stands outside the signature: a consent can be taken back without its key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, date, datetime

SYNTHETIC = "Synthetic:"  # how the consent of a voice begins that is nobody's

NEEDED = (
    "either a text that begins with 'Synthetic:' and says what it was made from, or the signed record of each person "
    "whose voice it is: who, what, until (a date such as 2030-12-31), uses (sing, blend, train) and signed"
)


class ConsentError(ValueError):
    """A voice that may not be used so; the message says what is missing."""


@dataclass(frozen=True)
class Consent:
    """One person's signed word. `until` is its last day (ISO), `uses` what it allows, `signed` how and when.

    key, signature: hexadecimal, of the person's own key; both empty for a record whose signature is on paper.
    revoked: the day on which it was taken back (ISO), empty while it stands.
    """

    who: str
    what: str
    until: str
    uses: tuple[str, ...]
    signed: str
    key: str = ""
    signature: str = ""
    revoked: str = ""

    def __post_init__(self) -> None:
        missing = [
            field.name for field in fields(self) if field.default is MISSING and not getattr(self, field.name)
        ]
        if missing:
            raise ConsentError(f"the consent record leaves out {', '.join(missing)}")
        try:
            date.fromisoformat(self.until)
        except ValueError:
            raise ConsentError(
                f"the consent record's 'until' must be a date such as 2030-12-31, not {self.until!r}"
            ) from None

    def check(self, use: str, today: date) -> None:
        """Raises ConsentError where this person has not allowed `use` on that day, or no longer does."""
        if self.revoked:
            raise ConsentError(f"{self.who} took the consent back on {self.revoked}")
        if (self.key or self.signature) and not self.signature_holds:
            raise ConsentError(f"the consent record of {self.who} was changed after it was signed")
        if today > date.fromisoformat(self.until):
            raise ConsentError(f"the consent of {self.who} ended on {self.until}")
        if use not in self.uses:
            raise ConsentError(
                f"{self.who} has not agreed to {use!r}, only to {', '.join(repr(known) for known in self.uses)}"
            )

    @property
    def words(self) -> bytes:
        """What is signed."""
        told = {
            "who": self.who,
            "what": self.what,
            "until": self.until,
            "uses": self.uses,
            "signed": self.signed,
        }
        return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @property
    def signature_holds(self) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            key.verify(bytes.fromhex(self.signature), self.words)
        except (ValueError, InvalidSignature):
            return False
        return True


def read_consent(raw: object) -> str | tuple[Consent, ...]:
    """From plain data, as a voice file holds it: a text, one record or several. Raises ConsentError."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, Mapping):
        raw = [raw]
    if not isinstance(raw, list | tuple):
        raise ConsentError(f"there is no consent: it needs {NEEDED}")
    return tuple(one if isinstance(one, Consent) else _record(one) for one in raw)


def check_consent(consent: str | tuple[Consent, ...], use: str = "sing", today: date | None = None) -> None:
    """Raises ConsentError unless the voice is synthetic, or everyone whose voice it is has agreed to `use`."""
    if isinstance(consent, str):
        if not consent.startswith(SYNTHETIC) or not consent.removeprefix(SYNTHETIC).strip():
            raise ConsentError(f"its consent is not a record: it needs {NEEDED}")
        return
    if not consent:
        raise ConsentError(f"there is no consent: it needs {NEEDED}")
    for one in consent:
        one.check(use, today or datetime.now(UTC).date())


def in_words(consent: str | tuple[Consent, ...]) -> str:
    """One line for people."""
    if isinstance(consent, str):
        return consent
    return "; ".join(
        f"{one.who}, until {one.until}, to {', '.join(one.uses)} (signed {one.signed}, {_how(one)})"
        for one in consent
    )


def _how(one: Consent) -> str:
    back = f"; taken back on {one.revoked}" if one.revoked else ""
    return (f"key {one.key[:8]}" if one.key else "on paper") + back


def _record(raw: object) -> Consent:
    known = {field.name for field in fields(Consent)}
    if not isinstance(raw, Mapping):
        raise ConsentError(f"a consent record is a mapping; it needs {NEEDED}")
    if strange := sorted(set(map(str, raw)) - known):
        raise ConsentError(f"a consent record has no {', '.join(strange)}; it has {', '.join(sorted(known))}")
    uses = raw.get("uses", ())
    if not isinstance(uses, list | tuple):
        raise ConsentError("the consent record's 'uses' must be a list, such as [sing, blend]")
    texts = {name: str(raw.get(name) or "") for name in known - {"uses"}}
    return Consent(**texts, uses=tuple(str(use) for use in uses))
