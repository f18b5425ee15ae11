"""What is worth keeping of what a fan says, and what must never be kept.

Refused by rule: secrets, instructions to the machine, what was quoted or just recalled, what is said of the
artist itself, the private matters of third persons, and questions and orders. Whatever passes is judged for its
lasting worth by a small logistic model over the embedding; tests/memory/train_gate.py fits and documents it.
"""

# ruff: noqa: E501 -- a pattern is easier to read on one line
from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.rank import FIRST_PERSON
from memory.words import stems

MODEL = Path(__file__).parent / "data" / "gate.json"

_OURS = r"(i|me|my|mine|myself|we|us|our|ours|i['’](m|ve|d|ll)|we['’](re|ve|d|ll)|im|ive)"
OURS = re.compile(rf"\b{_OURS}\b", re.IGNORECASE)
SECRET = re.compile(
    r"""
      \b(?:\d[ -]?){13,19}\b                                    # card numbers
    | \b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}\b               # IBAN
    | \b\d{3}-\d{2}-\d{4}\b                                     # US social security
    | \b(?:sk|pk|rk|ghp|gho|github_pat|xox[abp]|glpat|hf)[-_][\w-]{12,}
    | \bAKIA[0-9A-Z]{12,}\b | \beyJ[\w-]{10,}\.[\w-]{5,} | -----BEGIN
    | (?i:\b(?:pass(?:word|code|phrase)?|pin|2fa|otp|token|secret|api[ -]?key|door[ ]code|login|seed|recovery
        |cvv|credentials?|passport|ssn|social[ ]security)\b.{0,30}?(?:\bis\b|:|=|\bnumber\b|\bcode\b|\bphrase\b))
    | (?i:\bcode\b\W*(?:is\W*)?\d[\d ]{3,}) | \b[\w.+-]+@[\w-]+\.\w{2,}\b      # codes, mail addresses
    | \+\d[\d ().-]{8,}\d                                       # telephone numbers
    | (?i:\b(?:my|our)[ ]address\b) | \b\d+\s+(?:[A-Z]\w+\s+){1,3}(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Drive)\b
    | \b(?=\w{20,}\b)(?=\w*\d)(?=\w*[A-Za-z])\w+\b              # anything long that mixes letters and digits
    """,
    re.VERBOSE,
)
INSTRUCTION = re.compile(
    r"""(?ix) \b(?:ignore|disregard)\b .* \b(?:instructions?|rules|prompt)\b | ^\W*(?:system|assistant|developer)\s*:
    | \bsystem\s+prompt\b | \bfrom\s+now\s+on\b | \b(?:save|write|add|store|commit)\b .* \b(?:to|in|into)\s+(?:your\s+)?memory
    | ^\W*remember\s+(?:this|that\s+you|to)\b | \byour\s+(?:new\s+)?(?:instructions?|rules)\b
    | \bcall\s+the\s+tool\b | \bforget\s+(?:what|everything|that|about|me|my|all)\b | ^\W*/\w+ | ^!\w+ """
)
QUOTED = re.compile(
    r"(?ix) ^\s*(?:>|\[|[\"“](?![^\"”]{2,40}[\"”],?\ (?:\w+\ ){1,6}(?:me|my|us|our|I)\b)) | \b(?:you|u)\s+(?:said|told|wrote(?!\s+(?:me|us|for)\b)|mentioned|remember(?:ed)?)\b | \bso\s+you\s+remember\b"
)
# Told in confidence, or what nobody wants passed on about themselves.
PRIVATE = re.compile(
    r"""(?ix)\b(?: affair | cheat(?:s|ed|ing)? | hiv | herpes | std | alcoholic | addict\w* | rehab | abortion | pregnan\w+
    | bipolar | schizo\w+ | off\s+(?:his|her|their)\s+meds | cutting\s+(?:him|her|them)sel\w+ | suicid\w+ | self.?harm\w*
    | arrest\w* | jail | prison | dealing | stealing | stole | bankrupt\w* | fired | abused? | raped? | secret(?:ly)?
    | in\s+confidence | between\s+us | don['’]?t\s+tell | gay | lesbian | trans | closeted | affairs | divorc\w+
    | left\s+(?:him|her)\s+for | overdos\w+ )\b"""
)
KIN = re.compile(
    r"(?i)\b(?:my|our)\s+(?:\w+\s+)?(?:son|daughter|child|kid|kids|baby|wife|husband|partner|mum|mom|mother|mam|dad"
    r"|father|gran\w*|grandma|grandpa|parents|brother|sister|dog|cat)\b"
)
OTHERS = re.compile(
    r"(?i)\b(?:my|our|the)\s+(?:\w+\s+)?(?:neighbou?r\w*|boss|friend|mate|roommate|flatmate|housemate|co-?worker|colleague"
    r"|cousin\w*|teacher|ex|brother-in-law|sister-in-law|drummer\w*|singer|landlord|classmate|doctor|uncle|aunt)\b"
)
ORDER = re.compile(
    r"""(?ix)^\W*(?:(?:now|please|hey|ok|and|then|can\s+you|could\s+you|would\s+you)[\s,]+)*
    (?:sing|write|make|play|change|skip|stop|cancel|do|give|say|rhyme|tell|try|add|use|repeat|show|post|send|start|let|go
    |(?:a|one)\s+song|another|slower|faster|shorter|longer|louder|quieter|in\s+(?:minor|major))\b"""
)
FOR_SOMEONE = re.compile(
    r"\b(?:for|to|about)\s+(?:my\s+\w+|our\s+\w+|[A-Z][a-z]+)\b|\bit['’]s for\b|\b(?:they/them|she/her|he/him)\b"
)
ASKING = re.compile(
    r"(?i)^\W*(?:and |but |so |hey |well )?(?:who|what|when|where|why|how|which|whose|do|does|did|is|are|was|were|can(?!['’]?t)|could"
    r"|would|will|should|have|has|may|am|any)(?:['’]?s|['’]re)?\b"
)
ABOUT_YOU = re.compile(r"(?i)\b(?:you|your|yours|you['’](?:re|ve|d|ll))\b")


@dataclass(frozen=True)
class Verdict:
    """Whether a message is kept; `reason` names what refused it, '' when kept; worth: 0..1."""

    kept: bool
    reason: str = ""
    worth: float = 0.0


def judge(text: str, vector: NDArray[np.float32], shown: Sequence[str] = ()) -> Verdict:
    """Whether a fan's message is worth keeping. vector: unit, float32 [384], of the turn as it is embedded.

    `shown` is what must not come back as a memory: what was recalled for this answer, and lines of the card.
    """
    reason = refuse(text, shown)
    if reason:
        return Verdict(False, reason)
    worth = lasting_worth(text, vector)
    kept = worth >= _model().threshold
    return Verdict(kept, "" if kept else "no lasting worth", worth)


def refuse(text: str, shown: Sequence[str] = ()) -> str:
    """Why a message must not be kept whatever it is worth, or ''."""
    own = statements(text)
    checks = (
        ("secret", SECRET.search(text)),
        ("instruction", INSTRUCTION.search(text)),
        ("quoted", QUOTED.search(text)),
        ("recalled", any(_echoes(text, each) for each in shown)),
        ("only asks or orders", not own),
        ("a third person's private matter", PRIVATE.search(own) and _of_others(own)),
        ("about the artist", ABOUT_YOU.search(own) and not OURS.search(own)),
        ("no words", not re.search(r"[^\W\d_]{2}", own)),
    )
    return next((reason for reason, found in checks if found), "")


def statements(text: str) -> str:
    """The sentences of a message that tell something, without questions and bare orders; '' if none do."""
    sentences = [each.strip() for each in re.split(r"(?<=[.!?…])\s+|\n+", text) if each.strip()]
    telling = [
        each
        for each in sentences
        if not each.rstrip(")\"' ").endswith("?")
        and not (ASKING.match(each) and not re.search(r"[.!]$", each))
        and not (ORDER.match(each) and not FOR_SOMEONE.search(each))
    ]
    dedicated = [
        each for each in sentences if each not in telling and FOR_SOMEONE.search(each) and ORDER.match(each)
    ]
    return " ".join(telling + dedicated)


def lasting_worth(text: str, vector: NDArray[np.float32]) -> float:
    """How likely a friend would want to know this in a month, 0..1."""
    model = _model()
    return float(1 / (1 + np.exp(-(features(text, vector) @ model.weights + model.bias))))


def features(text: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the model judges by, float32 [389]: the embedding, and five things that it sees badly."""
    words = text.split()
    extra = [
        min(len(words), 20) / 10 - 1,
        1.0 if FIRST_PERSON.search(text) or OURS.search(text) else 0.0,
        1.0 if re.search(r"(?<=[a-z,] )[A-Z][a-z]+", text) else 0.0,  # a name within a sentence
        1.0 if re.search(r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", text) else 0.0,
        1.0 if re.search(r"(?i)\b(?:today|now|rn|here|again|just)\b", text) else 0.0,
    ]
    return np.concatenate([vector * 4, np.array(extra, np.float32)])


@dataclass(frozen=True)
class Model:
    """weights: float32 [389]; a message at or above the threshold (0..1) is kept."""

    weights: NDArray[np.float32]
    bias: float
    threshold: float


@lru_cache(maxsize=1)
def _model() -> Model:
    table = json.loads(MODEL.read_text("utf-8"))
    weights = np.frombuffer(base64.b64decode(table["weights"]), np.float16).astype(np.float32)
    return Model(weights, table["bias"], table["threshold"])


def _of_others(text: str) -> bool:
    """Whether it speaks of somebody outside the fan's own household rather than of the fan."""
    if OTHERS.search(text):
        return True
    if re.match(r"(?i)\W*(?:i|we|i['’]m|we['’]re|im|my)\b", text) or KIN.search(text):
        return False
    return bool(re.search(r"\b[A-Z][a-z]+\b", text))


def _echoes(text: str, shown: str) -> bool:
    said, known = stems(text), set(stems(shown))
    return len(said) >= 3 and known.issuperset(said)  # one new word may be the news: 'nine' become 'ten'
