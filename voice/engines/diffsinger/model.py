"""One ONNX model of a voicebank, run by onnxruntime.

Banks of two generations differ in which tensors their models take. A stage offers all that it knows, and a model is
fed what it declares, in the type that it declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voice.engines.protocol import EngineError

if TYPE_CHECKING:
    import onnxruntime

Array = NDArray[Any]

_TYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
}  # fmt: skip


class Model:
    """`path` on `threads` threads. A model that draws noise is opened anew for each seed: onnxruntime draws its
    generator's start when a session is made."""

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self._threads = threads
        self._seed = 0

    def seed(self, seed: int) -> None:
        """Draw the same noise from here on as after any other call with `seed`."""
        if self._draws:
            self._seed = seed
            self.__dict__.pop("_session", None)

    @property
    def inputs(self) -> dict[str, str]:
        """Names and types, such as {'steps': 'tensor(int64)'}."""
        return {one.name: one.type for one in self._session.get_inputs()}

    @cached_property
    def _scalars(self) -> set[str]:
        """Inputs without any axis: some exports take `steps` so, others as [1]."""
        return {one.name for one in self._session.get_inputs() if one.shape is not None and not one.shape}

    def run(self, offers: Mapping[str, Array], *wanted: str) -> list[Array]:
        """The outputs `wanted`, from those of the `offers` that the model takes. Raises EngineError."""
        feeds = {}
        for name, kind in self.inputs.items():
            if name not in offers:
                raise EngineError(
                    f"{self.path} asks for the tensor {name!r}, which this stage cannot give; "
                    f"it gives {', '.join(sorted(offers))}"
                )
            if kind not in _TYPES:
                raise EngineError(
                    f"{self.path}: the tensor {name!r} is of type {kind}, which no bank should ask for"
                )
            feed = np.ascontiguousarray(offers[name], _TYPES[kind])
            feeds[name] = feed.reshape(()) if name in self._scalars and feed.size == 1 else feed
        made = [one.name for one in self._session.get_outputs()]
        if len(wanted) == 1 and len(made) == 1:
            wanted = (made[0],)  # the only output is the one that is meant, whatever its name
        if missing := [name for name in wanted if name not in made]:
            raise EngineError(f"{self.path} gives {', '.join(made)}, but no {', '.join(missing)}")
        try:
            return [np.asarray(one) for one in self._session.run(list(wanted), feeds)]
        except Exception as error:  # onnxruntime's errors have no common base
            shapes = ", ".join(f"{name} {list(feed.shape)}" for name, feed in feeds.items())
            raise EngineError(f"{self.path} failed on {shapes}: {_first_line(error)}") from error

    @cached_property
    def _draws(self) -> bool:
        return b"RandomNormal" in (data := self.path.read_bytes()) or b"RandomUniform" in data

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if self._draws:
            onnxruntime.set_seed(self._seed)
        try:
            return onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineError(f"{self.path} is not a model that can be run: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
