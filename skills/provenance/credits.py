"""Credits: who made what of a song, for people, as data, and in DDEX's words, all of it out of the ledger."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as xml  # it writes here and reads nothing

from skills.provenance import ledger
from skills.provenance.carrying import PARTS

AI = Literal["All", "Partly", "None"]
# The allowed values of avs:ContainsAI, of avs:SpecialContributorType that says a machine did it, and the values of
# avs:ContributorRole that the five parts go by, as DDEX publishes them for ERN 4.3.2.
CONTAINS_AI = ("All", "None", "Partly")
GENERATIVE_AI = "GenerativeAI"
ROLES: Mapping[str, tuple[str, ...]] = {
    "vocals": ("Vocalist",),
    "instrumentation": ("Musician", "Arranger"),
    "composition": ("Composer",),
    "post-production": ("MixingEngineer", "MasteringEngineer"),
    "lyrics": ("Lyricist",),
}
# The edits of a version (skills/remake.py) that are work on a part; a key, a tempo or another take is a wish.
CHANGED = {
    "the score was edited by a person": "composition",
    "the words were written by a person": "lyrics",
    "expression": "vocals",
}
COPYRIGHT = (
    "What this may mean for copyright, in plain words and not as legal advice: in many countries, the United States "
    "among them (Copyright Office, 2025), only what a person made can be protected, and asking for a song is not "
    "making it. The parts marked 'All' were made by a machine and may be free for anybody to use. What a person wrote "
    "or changed may be theirs, and this ledger is a record of it. The law differs from country to country and is "
    "changing; ask a lawyer before money depends on it."
)


@dataclass(frozen=True)
class Contribution:
    """One of the five parts. `people`: what persons did to it, in the ledger's words; `models`: what machines did."""

    part: str
    ai: AI
    models: tuple[Mapping[str, str], ...]
    people: tuple[str, ...]


@dataclass(frozen=True)
class Credits:
    song: str
    title: str
    artist: str
    made: str
    contributions: tuple[Contribution, ...]
    entries: tuple[ledger.Entry, ...]

    @property
    def ai(self) -> AI:
        """Of the whole recording."""
        shares = {one.ai for one in self.contributions}
        return shares.pop() if len(shares) == 1 else "Partly"

    def as_json(self) -> dict[str, Any]:
        return {
            "song": self.song,
            "title": self.title,
            "artist": self.artist,
            "made": self.made,
            "contains_ai": self.ai,
            "contributions": [dataclasses.asdict(one) for one in self.contributions],
            "originality": self.originality,
            "copyright": COPYRIGHT,
            "ledger": [dataclasses.asdict(entry) for entry in self.entries],
        }

    @property
    def originality(self) -> Mapping[str, Any]:
        """The figures that the last comparison with known tunes and texts gave; empty where none was made."""
        found = [entry.facts for entry in self.entries if entry.what == "compared"]
        return found[-1] if found else {}


def credits_of(folder: Path, title: str, artist: str, before: Sequence[Path] = ()) -> Credits:
    """`before`: as in `ledger.read`. Raises LedgerError where there is no ledger, or a broken one."""
    entries = ledger.read(folder, *before)
    if not entries:
        raise ledger.LedgerError(
            f"{folder.name} has no ledger: it was made before there were any. Make it again to get one"
        )
    parts = tuple(contribution(part, entries) for part in ROLES)
    return Credits(folder.name, title, artist, entries[0].when, parts, tuple(entries))


def contribution(part: str, entries: Sequence[ledger.Entry]) -> Contribution:
    made = [entry for entry in entries if PARTS.get(entry.what) == part and "model" in entry.facts]
    models = {str(entry.facts["model"]): entry.facts["model"] for entry in made}
    people = tuple(_by_people(part, entries))
    ai: AI = "None" if not models else "Partly" if people else "All"
    return Contribution(part, ai, tuple(models.values()), people)


def _by_people(part: str, entries: Sequence[ledger.Entry]) -> Iterator[str]:
    for entry in entries:
        if entry.by == "person":
            facts, day = entry.facts, entry.when[:10]
            if part == "lyrics" and facts.get("gave lyrics"):
                yield f"the words were given by whoever asked ({day})"
            if part in ("lyrics", "composition") and facts.get("score"):
                yield f"the score, with its words, was written by a person ({day})"
            for told in (*facts.get("changes", ()), *filter(None, [facts.get("did")])):
                if CHANGED.get(told.split(":")[0], facts.get("part")) == part:
                    yield f"{told} ({day})"


def as_ddex(credits: Credits) -> str:
    """The AI declaration of one sound recording as ERN 4.3.2 writes it: the part of a SoundRecording that says who
    contributed, to be put into a release message. A part without a person is GenerativeAI's; one with a person's work
    is a party's, with AiContribution."""
    recording = xml.Element("SoundRecording")
    for number, (part, role, ai) in enumerate(_declared(credits), 1):
        contributor = xml.SubElement(recording, "Contributor", SequenceNumber=str(number))
        if ai == "All":
            xml.SubElement(contributor, "SpecialContributor").text = GENERATIVE_AI
        else:
            xml.SubElement(contributor, "ContributorPartyReference").text = f"P_{part.replace('-', '_')}"
        xml.SubElement(xml.SubElement(contributor, "Role"), "Value").text = role
        xml.SubElement(contributor, "AiContribution").text = ai
    xml.SubElement(recording, "ContainsAI").text = credits.ai
    xml.indent(recording)
    return xml.tostring(recording, encoding="unicode")


def ddex_fields(credits: Credits) -> dict[str, Any]:
    """The same as plain data: the whole recording's value, and each part's roles and value."""
    return {
        "standard": "ERN 4.3.2",
        "ContainsAI": credits.ai,
        "parts": {
            one.part: {"Role": list(ROLES[one.part]), "AiContribution": one.ai}
            for one in credits.contributions
        },
    }


def _declared(credits: Credits) -> Iterator[tuple[str, str, AI]]:
    for one in credits.contributions:
        for role in ROLES[one.part]:
            yield one.part, role, one.ai
