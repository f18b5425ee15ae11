"""Guesses how an unknown word is said: letters to ARPABET by a small recurrent network.

The network and its weights are g2p_en's (Kyubyong Park & Jongseok Kim, 2019; Apache-2.0): a GRU of 256 reads
the letters, another one writes the phones, the likeliest first. Here in plain numpy on int8 weights.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from voice.alphabet import is_vowel
from voice.dictionary import DATA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

_LETTERS = {letter: 3 + i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
_UNKNOWN, _WORD_END = 1, 2
_PHONE_START, _PHONE_END = 2, 3
# The network's order of phones: a bare 'UW' stands among those with stress digits.
_PHONES = ["<pad>", "<unk>", "<s>", "</s>"]
_PHONES += [v + s for v in ("AA", "AE", "AH", "AO", "AW", "AY") for s in "012"]
_PHONES += ["B", "CH", "D", "DH", *(v + s for v in ("EH", "ER", "EY") for s in "012"), "F", "G", "HH"]
_PHONES += [*(v + s for v in ("IH", "IY") for s in "012"), "JH", "K", "L", "M", "N", "NG"]
_PHONES += [*(v + s for v in ("OW", "OY") for s in "012"), "P", "R", "S", "SH", "T", "TH"]
_PHONES += [*(f"UH{s}" for s in "012"), "UW", *(f"UW{s}" for s in "012"), "V", "W", "Y", "Z", "ZH"]


@lru_cache(maxsize=1)
def _weights() -> Weights:
    import numpy as np

    raw = np.load(DATA / "g2p.npz")
    return {
        name: raw[name].astype(np.float32) * raw[name + "_scale"] if name + "_scale" in raw else raw[name]
        for name in raw
        if not name.endswith("_scale")
    }


def _step(x: NDArray[np.float32], h: NDArray[np.float32], w: Weights, part: str) -> NDArray[np.float32]:
    """One step of a GRU. x, h: [256] -> [256]."""
    import numpy as np

    from_x = w[f"{part}_w_ih"] @ x + w[f"{part}_b_ih"]
    from_h = w[f"{part}_w_hh"] @ h + w[f"{part}_b_hh"]
    size = len(h)
    reset, update = np.split(1 / (1 + np.exp(-(from_x[: 2 * size] + from_h[: 2 * size]))), 2)
    new = np.tanh(from_x[2 * size :] + reset * from_h[2 * size :])
    mixed: NDArray[np.float32] = (1 - update) * new + update * h
    return mixed


def guess(word: str) -> tuple[str, ...]:
    """ARPABET for `word` (letters a-z), with one primary stress at least if it has a vowel."""
    import numpy as np

    w = _weights()
    h = np.zeros(w["enc_w_hh"].shape[1], np.float32)
    for letter in [_LETTERS.get(c, _UNKNOWN) for c in word] + [_WORD_END]:
        h = _step(w["enc_emb"][letter], h, w, "enc")
    phones: list[str] = []
    last = _PHONE_START
    while len(phones) < max(20, 2 * len(word)):
        h = _step(w["dec_emb"][last], h, w, "dec")
        last = int(np.argmax(w["fc_w"] @ h + w["fc_b"]))
        if last == _PHONE_END:
            break
        if last > _PHONE_END:
            phones.append("UW0" if _PHONES[last] == "UW" else _PHONES[last])
    vowels = [i for i, phone in enumerate(phones) if is_vowel(phone)]
    if vowels and not any(phones[i].endswith("1") for i in vowels):
        phones[vowels[0]] = phones[vowels[0]][:-1] + "1"
    return tuple(phones)
