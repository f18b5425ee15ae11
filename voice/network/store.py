"""One file of tensors in safetensors' layout, with a hash of its contents in its header.

Eight bytes give the header's length; the JSON header names each tensor's type, shape and place; then come the
numbers.
Reading maps the file: processes on one machine share its pages.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

ALIGNMENT = 64  # bytes; vector instructions like their operands there


class StoreError(Exception):
    """The file is damaged: cut short, altered, or not of this kind."""


def write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """All or nothing: the file appears under its name when it is whole. Raises OSError."""
    header: dict[str, Any] = {}
    digest = hashlib.sha256()
    place = 0
    payload = [(name, tensor.contiguous().numpy()) for name, tensor in sorted(tensors.items())]
    for name, array in payload:
        if array.dtype != np.float32:
            raise TypeError(f"{name} is {array.dtype}, not float32")
        header[name] = {
            "dtype": "F32", "shape": list(array.shape), "data_offsets": [place, place + array.nbytes],
        }  # fmt: skip
        digest.update(array.data)
        place += array.nbytes
    header["__metadata__"] = {"sha256": digest.hexdigest()}
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % ALIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, array in payload:
                file.write(array.data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, Tensor]:
    """The tensors, mapped from the file; writing to one leaves it as it is. Raises StoreError, OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > size - 8:
            raise StoreError(f"{path.name} is cut short")
        try:
            header: dict[str, Any] = json.loads(file.read(length))
            wanted = header.pop("__metadata__")["sha256"]
            end = max(entry["data_offsets"][1] for entry in header.values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{path.name} has no readable header") from error
    if size != 8 + length + end:
        raise StoreError(f"{path.name} has {size} bytes, not {8 + length + end}")
    numbers = np.memmap(path, np.uint8, mode="c", offset=8 + length)
    if hashlib.sha256(numbers.data).hexdigest() != wanted:
        raise StoreError(f"{path.name} was altered")
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = torch.from_numpy(numbers[first:last].view(np.float32).reshape(entry["shape"]))
    return tensors
