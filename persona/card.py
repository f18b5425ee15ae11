"""Card: who the artist is. Character Card V2 or V3, as YAML or JSON; unknown fields survive a round trip."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CAST = Path(__file__).parent / "cast"
OURS = "troubadour"  # our place under `extensions`, as the card format asks of every program
TEXTS = (
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "system_prompt",
    "post_history_instructions",
)


AI = re.compile(  # what says plainly that a machine speaks, in the languages that a model may answer in
    r"\b(?:AI|A\.I\.|IA|KI|ИИ|machine|code|program|software|robot|bot|computer|algorithm|Maschine|máquina|"
    r"inteligencia artificial|inteligência artificial|intelligence artificielle|intelligenza artificiale|"
    r"künstliche Intelligenz|sztuczn\w+ inteligencj\w+|tekoäly|yapay zek\w+)\b|人工知能|人工智能|인공지능|"
    r"искусственн\w+ интеллект"
)


class CardError(ValueError):
    """A card that cannot be used; the message says what to mend."""


@dataclass(frozen=True)
class Music:
    """Musical identity. `low`, `high` as note names; `never` what the artist does not sing about."""

    low: str = "A2"
    high: str = "D4"
    styles: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lore:
    """An entry of the character book: `content` joins the prompt when one of `keys` is spoken of."""

    keys: tuple[str, ...]
    content: str
    constant: bool = False
    enabled: bool = True

    def fits(self, text: str) -> bool:
        if not self.enabled:
            return False
        return self.constant or any(
            re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text, re.IGNORECASE) for key in self.keys
        )


@dataclass(frozen=True)
class Card:
    """A character card, read. `palette`: five colours for covers ('#rrggbb').

    `raw` is the whole of it as it came: what we do not know stays in it.
    """

    name: str
    description: str
    personality: str
    scenario: str
    first_mes: str
    mes_example: str
    system_prompt: str
    post_history_instructions: str
    alternate_greetings: tuple[str, ...]
    lore: tuple[Lore, ...]
    music: Music
    voice: str
    repertoire: str
    disclosures: tuple[str, ...]
    palette: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)

    @property
    def artist_credit(self) -> str:
        """The artist's name as credits and file tags give it: with what it is."""
        return f"{self.name} (AI)"


def load_card(name: str | Path, cast: Path = CAST) -> Card:
    """Reads a card of the cast by name, or any card by path (.yaml, .yml, .json). Raises CardError."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml", ".json"):
        path = cast / f"{name}.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML too
    except FileNotFoundError:
        known = ", ".join(sorted(each.stem for each in cast.glob("*.yaml") if "." not in each.stem)) or "none"
        raise CardError(f"there is no card {path}; the cast has: {known}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CardError(f"{path} is not a card: {error}") from None
    return read_card(raw)


def read_card(raw: Any) -> Card:
    """A card from parsed YAML or JSON. Fields may lie at the top (V1) or under `data` (V2, V3)."""
    data = raw.get("data", raw) if isinstance(raw, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or not data["name"].strip():
        raise CardError("a card is a mapping with at least a `name` (Character Card V2: under `data`)")
    wrong = [key for key in TEXTS if not isinstance(data.get(key, ""), str)]
    if wrong:
        raise CardError(f"{data['name']}: {', '.join(wrong)} should be text")
    ours = _mapping(_mapping(data.get("extensions")).get(OURS))
    return Card(
        **{key: data.get(key, "").strip() for key in TEXTS},
        alternate_greetings=_texts(data, "alternate_greetings"),
        lore=_lore(data),
        music=_music(_mapping(ours.get("music"))),
        voice=str(ours.get("voice", "")),
        repertoire=str(ours.get("repertoire", "")),
        disclosures=_texts(ours, "disclosures"),
        palette=_texts(ours, "palette"),
        raw=copy.deepcopy(raw),
    )


def save_card(card: Card, path: Path) -> None:
    """Writes the card as it was read, unknown fields included: Character Card V2 as JSON or YAML, by suffix."""
    raw = (
        card.raw if "data" in card.raw else {"spec": "chara_card_v2", "spec_version": "2.0", "data": card.raw}
    )
    if path.suffix == ".json":
        text = json.dumps(raw, ensure_ascii=False, indent=2)
    else:
        text = yaml.safe_dump(raw, allow_unicode=True, sort_keys=False, width=110)
    path.write_text(text, encoding="utf-8")


def check(card: Card, cast: Path = CAST) -> list[str]:
    """What is wrong with a card or missing in it, a sentence each. Empty: it can go on stage."""
    problems = [
        f"`{key}` is empty" for key in ("description", "personality", "first_mes") if not getattr(card, key)
    ]
    if not card.disclosures:
        problems.append("no `disclosures`: lines in which the artist says that it is an AI")
    problems += [
        f"a disclosure does not say that it is an AI: {line!r}"
        for line in card.disclosures
        if not says_ai(line)
    ]
    problems += [
        f"a character book entry has no keys: {lore.content[:40]!r}" for lore in card.lore if not lore.keys
    ]
    if not card.music.never:
        problems.append("`music.never` is empty: say what the artist does not sing about")
    low, high = pitch(card.music.low), pitch(card.music.high)
    if low is None or high is None:
        problems.append("`music.range` is a lowest and a highest note, such as [A2, D4]")
    elif low >= high:
        problems.append("`music.range` begins above its end")
    if card.repertoire and not (cast / card.repertoire).is_file():
        problems.append(f"the repertoire {card.repertoire} is not in {cast}")
    return problems


def pitch(note: str) -> int | None:
    """MIDI number of 'A2' or 'C#4'; None if it is no note."""
    match = re.fullmatch(r"([A-G])([#b]?)(-?\d)", note)
    if match is None:
        return None
    letter, sign, octave = match.groups()
    return (
        12 * (int(octave) + 1)
        + {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
        + {"#": 1, "b": -1, "": 0}[sign]
    )


def says_ai(line: str) -> bool:
    """Whether a line says plainly that a machine speaks."""
    return bool(AI.search(line))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(data: dict[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CardError(f"`{key}` should be a list of texts")
    return tuple(each.strip() for each in value)


def _lore(data: dict[str, Any]) -> tuple[Lore, ...]:
    entries = _mapping(data.get("character_book")).get("entries") or []
    return tuple(
        Lore(
            keys=tuple(str(key) for key in entry.get("keys", ())),
            content=str(entry.get("content", "")).strip(),
            constant=bool(entry.get("constant", False)),
            enabled=bool(entry.get("enabled", True)),
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def _music(data: dict[str, Any]) -> Music:
    low, high = (data.get("range") or [Music.low, Music.high])[:2]
    return Music(
        low=str(low),
        high=str(high),
        **{key: _texts(data, key) for key in ("styles", "images", "vocabulary", "never")},
    )
