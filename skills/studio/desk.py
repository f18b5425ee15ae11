"""The desk: scenes for libsonare's mixer, and their run over whole stems."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skills.studio.errors import StudioError
from skills.studio.tone import Audio
from voice.take import STUDIO_RATE

BLOCK = 8192
LONG = 15.0  # seconds from which on a song is run in halves
AHEAD, CROSSING = 4.0, 0.05  # seconds


def high_pass(hz: float) -> dict[str, Any]:
    return {"band0.type": 4, "band0.frequencyHz": hz}  # a scene knows the kinds of a band by number


def insert(processor: str, key: str = "", slot: str = "pre", **params: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"processor": processor, "slot": slot, "params": params}
    return {**made, "sidechainKey": key} if key else made


def strip(
    name: str, inserts: Sequence[dict[str, Any]] = (), sends: Mapping[str, float] | None = None
) -> dict[str, Any]:
    return {
        "id": name,
        "metering": {"enabled": False},  # nobody reads them, and they cost half of the run
        "inserts": list(inserts),
        "sends": [
            {"id": f"{name}-{bus}", "destinationBusId": bus, "sendDb": db}
            for bus, db in (sends or {}).items()
        ],
    }


def scene(
    strips: list[dict[str, Any]],
    bus: list[dict[str, Any]],
    returns: Mapping[str, list[dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """A desk: strips and returns into the master; each return is a bus with a strip of its own for its effect."""
    names = list(returns or {})
    return {
        "version": 1,
        "strips": [*strips, *(strip(f"{name}-return", inserts=(returns or {})[name]) for name in names)],
        "buses": [
            {"id": "master", "role": "master", "inserts": bus},
            *({"id": n, "role": "aux"} for n in names),
        ],
        "connections": [
            *({"source": strip["id"], "destination": "master"} for strip in strips),
            *({"source": name, "destination": f"{name}-return"} for name in names),
            *({"source": f"{name}-return", "destination": "master"} for name in names),
        ],
    }


def run(made: dict[str, Any], inputs: Sequence[Audio]) -> Audio:
    """The scene's master for inputs [2, samples] each, its latency taken out.

    A long song is run in halves side by side. The second begins AHEAD of its place, by which reverb, delay and
    compressors have forgotten what was before. A plate's modulation is elsewhere then, so the halves are faded into
    each other. Raises StudioError.
    """
    length = inputs[0].shape[1]
    if length < LONG * STUDIO_RATE:
        return _run(made, inputs, 0, length)
    half, ahead, fade = length // 2, int(AHEAD * STUDIO_RATE), int(CROSSING * STUDIO_RATE)
    with ThreadPoolExecutor(2) as hands:
        early = hands.submit(_run, made, inputs, 0, half + fade)
        late = hands.submit(_run, made, inputs, half - ahead, length)
        first, second = early.result(), late.result()[:, ahead:]
    rising = np.linspace(0, 1, fade, dtype=np.float32)
    second[:, :fade] = first[:, half:] * (1 - rising) + second[:, :fade] * rising
    return np.concatenate([first[:, :half], second], axis=1)


def _run(made: dict[str, Any], inputs: Sequence[Audio], start: int, end: int) -> Audio:
    """[2, end - start]"""
    import libsonare

    try:
        mixer = libsonare.Mixer.from_scene_json(json.dumps(made), sample_rate=STUDIO_RATE, block_size=BLOCK)
        warnings = mixer.scene_warnings()
        if warnings:
            raise StudioError(f"the mixing desk does not know a setting: {'; '.join(warnings)}")
        latency = mixer.latency_samples()
        out = np.empty((2, -(-(end - start + latency) // BLOCK), BLOCK), np.float32)
        idle = [np.zeros((2, BLOCK), np.float32)] * (len(made["strips"]) - len(inputs))
        for i in range(out.shape[1]):
            _process(mixer, [_block(audio, start + i * BLOCK, end) for audio in inputs] + idle, out[:, i])
        mixer.close()
    except libsonare.SonareError as error:
        raise StudioError(f"the mixing desk refused the song: {error}") from error
    return out.reshape(2, -1)[:, latency : latency + end - start]


def _process(mixer: Any, blocks: Sequence[Audio], out: Audio) -> None:
    """One block of every strip, [2, BLOCK] each, into `out`.

    Mixer.process_stereo gives every sample as a Python number: half of a plain strip's time, and under Python's lock.
    """
    from libsonare._runtime import _check, _get_lib

    floats = ctypes.POINTER(ctypes.c_float)
    sides = [(floats * len(blocks))(*(block[k].ctypes.data_as(floats) for block in blocks)) for k in (0, 1)]
    left, right = (side.ctypes.data_as(floats) for side in out)
    _check(
        _get_lib().sonare_mixer_process_stereo(
            mixer._handle, *sides, ctypes.c_size_t(len(blocks)), left, right, ctypes.c_size_t(BLOCK)
        )
    )


def _block(audio: Audio, at: int, end: int) -> Audio:
    """[2, BLOCK] from `at` on, silent from `end` on."""
    piece = np.ascontiguousarray(audio[:, at : min(at + BLOCK, end)], np.float32)
    return piece if piece.shape[1] == BLOCK else np.pad(piece, ((0, 0), (0, BLOCK - piece.shape[1])))
