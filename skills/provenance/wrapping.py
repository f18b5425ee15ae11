"""The boxes around credentials (JUMBF), read strictly.

C2PA signs what the boxes hold, and readers pass over mistakes in the boxes themselves: in their lengths, their names
and the padding after a signature. Ours have one shape, so a byte changed there is noticed as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

STORE = re.compile(
    rb"(?s)(....)jumb\x00\x00\x00\x1ejumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71\x03c2pa\x00"
)
PARTS = ("c2pa.assertions", "c2pa.claim.v2", "c2pa.signature")
HEADER = 8  # bytes: length and type
LABEL = HEADER + 17  # where a description's label begins: after its type and its switches


class Broken(ValueError):
    """Boxes that do not fit."""


def intact(data: bytes, manifest: str) -> bool:
    """Whether `data` holds a store with one manifest of that name, wrapped exactly as it was written."""
    found = STORE.search(data)
    if not found:
        return False
    length = int.from_bytes(found[1], "big")
    try:
        label, content = _described(data[found.start() : found.start() + length])
        (only,) = content
        name, parts = _described(only)
        named = dict(_described(part) for part in parts)
        for assertion in named[PARTS[0]]:
            _described(assertion)
        (signature,) = named[PARTS[2]]
    except (Broken, KeyError, ValueError):
        return False
    return (label, name, tuple(named)) == ("c2pa", manifest, PARTS) and _padded_with_noughts(signature)


def _described(box: bytes) -> tuple[str, list[bytes]]:
    """A superbox: its label and the boxes in it."""
    if len(box) < HEADER or box[4:HEADER] != b"jumb" or int.from_bytes(box[:4], "big") != len(box):
        raise Broken
    description, *content = _boxes(box[HEADER:])
    if description[4:HEADER] != b"jumd" or b"\x00" not in description[LABEL:]:
        raise Broken
    return description[LABEL:].split(b"\x00")[0].decode("ascii", "replace"), content


def _boxes(data: bytes) -> Iterator[bytes]:
    while data:
        length = int.from_bytes(data[:4], "big")
        if not HEADER <= length <= len(data):
            raise Broken
        yield data[:length]
        data = data[length:]


def _padded_with_noughts(signature: bytes) -> bool:
    """The room that is left after a signature's certificates: noughts, and as many as it says."""
    found = re.search(rb"(?s)cpad(?:\x58(.)|\x59(..))", signature)
    if not found:
        return False
    length = int.from_bytes(found[1] or found[2], "big")
    return signature[found.end() : found.end() + length] == bytes(length)
