"""The mark's message: which song, which artist, as bits that correct their own errors.

song (40 bits) + artist (16) + CRC (16), through a convolutional code of rate 1/3 and constraint length 9
(generators 557, 663, 711 octal), decoded softly by Viterbi's algorithm.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SONG, ARTIST, CRC = 40, 16, 16  # bits
MEMORY = 8  # bits that the code remembers; as many noughts end a message
GENERATORS = (0o557, 0o663, 0o711)
STEPS = SONG + ARTIST + CRC + MEMORY
CODED = STEPS * len(GENERATORS)

Bits = NDArray[np.int8]
Soft = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Payload:
    """`song`: the number of a song's id; `artist`: of the artist's name."""

    song: int
    artist: int

    @staticmethod
    def of(song: str, artist: str) -> Payload:
        return Payload(song_number(song), _hashed(artist, ARTIST))

    @property
    def text(self) -> str:
        """As an id's ending is written: 'artist/song', in hexadecimal digits."""
        return f"{self.artist:04x}/{self.song:010x}"


def song_number(song: str) -> int:
    """The ten hexadecimal digits that end a song's id; of any other text a hash."""
    ending = re.search(r"-([0-9a-f]{10})$", song)
    return int(ending[1], 16) if ending else _hashed(song, SONG)


def encode(payload: Payload) -> Bits:
    """[CODED] of 0 and 1."""
    message = _bits(payload.song, SONG) + _bits(payload.artist, ARTIST)
    message += _bits(_crc(message), CRC) + [0] * MEMORY
    state, coded = 0, []
    for bit in message:
        state = (state << 1 | bit) & (1 << MEMORY + 1) - 1
        coded += [(state & generator).bit_count() & 1 for generator in GENERATORS]
    return np.array(coded, dtype=np.int8)


def decode(soft: Soft) -> Payload | None:
    """The likeliest message of [CODED] numbers (above 0: a 1), or None where its CRC does not hold."""
    bits = _likeliest(soft.reshape(STEPS, len(GENERATORS)))
    message, crc = bits[: SONG + ARTIST], bits[SONG + ARTIST : SONG + ARTIST + CRC]
    if _crc(message) != _number(crc):
        return None
    return Payload(_number(message[:SONG]), _number(message[SONG:]))


def _likeliest(soft: Soft) -> list[int]:
    """Viterbi: from the state of noughts to the state of noughts. soft: [STEPS, 3] -> STEPS bits."""
    states = 1 << MEMORY
    new = np.arange(states)
    before = np.stack([new >> 1, new >> 1 | 1 << MEMORY - 1])  # [2, states]: whence a state can come
    register = before << 1 | (new & 1)  # the newest bit is a state's last
    signs = np.array(
        [
            [[1.0 if (int(r) & g).bit_count() & 1 else -1.0 for g in GENERATORS] for r in row]
            for row in register
        ]
    )
    best = np.full(states, -np.inf)
    best[0] = 0.0
    came = np.empty((len(soft), states), dtype=np.int8)
    for step, seen in enumerate(soft):
        paths = best[before] + signs @ seen
        came[step] = paths.argmax(axis=0)
        best = paths.max(axis=0)
    state, bits = 0, []
    for step in range(len(soft) - 1, -1, -1):
        bits.append(state & 1)
        state = int(before[came[step, state], state])
    return bits[::-1]


def _crc(bits: list[int]) -> int:
    """CRC-16 (polynomial 0x1021, from 0xffff)."""
    register = 0xFFFF
    for bit in bits:
        top = register >> 15 ^ bit
        register = (register << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return register


def _bits(number: int, count: int) -> list[int]:
    return [number >> place & 1 for place in range(count - 1, -1, -1)]


def _number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2)


def _hashed(text: str, bits: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 64 - bits
