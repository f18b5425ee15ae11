"""What made each part of a song: names, versions, licences and what it learnt from, as the ledger writes them down."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice.engines.protocol import ScoreSinger

Model = Mapping[str, str]  # name, version, licence, learnt_from

OURS = "Apache-2.0"
OLD_TUNES = (
    "3,832 tunes of the 18th and 19th century out of copyright (O'Neill's Music of Ireland, Ryan's Mammoth Collection, "
    "Aird's Airs), tune by tune in bench/melody_ledger.tsv"
)
KOKORO = (
    "Kokoro-82M's authors name public-domain and permissively licensed recordings and synthetic speech; "
    "they publish no list"
)


def author(name: str) -> Model:
    """Who writes words. `name`: of a language model; '' for the written material."""
    if name:
        return _model(name, "", "as its owner says", "not known to us: the operator's own choice of model")
    return _model(
        "Troubadour's written material, chosen by all-MiniLM-L6-v2",
        version("troubadour"),
        OURS,
        "verses written for this program; the chooser learnt from public sentence pairs and writes nothing",
    )


@cache
def composer() -> Model:
    from skills.tune.model import MODEL

    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]
    return _model("Troubadour's variable-order melody model", digest, OURS, OLD_TUNES)


def singer(who: ScoreSinger) -> Model:
    from voice.engines.own import OwnSinger

    if isinstance(who, OwnSinger):
        learnt = f"{KOKORO}; the voice: {who.singer.voice.origin}"
        return _model(f"Kokoro-82M with the voice {who.name}", "1.0", who.licence, learnt)
    card = getattr(who, "card", None)  # a voicebank's, which must name its origin
    learnt = card.origin if card else "as its owner says"
    return _model(f"{who.engine} voice {who.name}", "", who.licence, learnt)


def backing(singers: Sequence[ScoreSinger]) -> Model:
    """Those beside the lead, as one."""
    each = [singer(who) for who in singers]
    names, learnt = (" and ".join(dict.fromkeys(m[key] for m in each)) for key in ("name", "learnt_from"))
    return _model(names, each[0]["version"], each[0]["licence"], learnt)


def band() -> Model:
    return _model("libsonare's instrument models", version("libsonare"), OURS, "nothing: physical models")


def desk() -> Model:
    return _model("libsonare's mixer and mastering", version("libsonare"), OURS, "nothing: signal processing")


def _model(name: str, number: str, licence: str, learnt_from: str) -> Model:
    return {"name": name, "version": number, "licence": licence, "learnt_from": learnt_from}
