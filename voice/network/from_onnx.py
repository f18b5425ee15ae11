"""The quantised ONNX export of Kokoro-82M to tensors under the checkpoint's names, in float32.

Biases kept their names in the export; weights were folded, quantised and renamed, so each is found at the
node that uses it: the node's path is the module's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]

# The export unwrapped these children of the predictor.
_PREDICTORS = ("F0.", "N.", "F0_proj", "N_proj", "shared")
_SUFFIXES = ("_quantized", "_scale", "_zero_point", "_scale_node", "_reshape_shape")


def tensors_of_export(data: bytes) -> dict[str, Tensor]:
    """Raises KeyError or ValueError where `data` is some other network."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(data).graph
    constants: dict[str, Array] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    found: dict[str, Array] = {}
    for name, value in constants.items():
        if name.startswith(("encoder.", "decoder.")) and not name.endswith(_SUFFIXES):
            found[name.removeprefix("encoder.").removeprefix("decoder.")] = value
    for node in graph.node:
        inputs = list(node.input)
        if node.op_type == "DynamicQuantizeLSTM":
            found.update(_lstm(module_of(node.name), [constants.get(name) for name in inputs]))
        elif node.op_type in ("ConvInteger", "MatMulInteger") and inputs[1] in constants:
            scale = constants[inputs[1].removesuffix("_quantized") + "_scale"]
            zero = constants[inputs[3]] if len(inputs) > 3 else np.zeros((), np.int32)
            weight = _dequantised(constants[inputs[1]], scale, zero)
            found[f"{module_of(node.name)}.weight"] = weight.T if node.op_type == "MatMulInteger" else weight
        elif node.op_type in ("Conv", "ConvTranspose") and "/istft/" not in node.name:
            found[f"{module_of(node.name)}.weight"] = constants[inputs[1]]
        elif node.op_type == "MatMul" and inputs[1] in constants:  # the source's mix: too small to quantise
            found[f"{module_of(node.name)}.weight"] = constants[inputs[1]].T
        elif node.op_type == "DequantizeLinear":  # an embedding, looked up before it is dequantised
            table = makers[inputs[0]].input[0]
            name = table.removeprefix("encoder.").removesuffix("_quantized")
            found[name] = _dequantised(constants[table], constants[inputs[1]], constants[inputs[2]])
    return {
        name: torch.from_numpy(np.array(value, dtype=np.float32, order="C"))
        for name, value in found.items()
        if not name.startswith("decoder.generator.stft.")  # the iSTFT, which is no weight
    }


def module_of(node: str) -> str:
    """'/encoder/text_encoder/cnn.1/cnn.1.0/Conv_quant' -> 'text_encoder.cnn.1.0'."""
    parts = list(_nested(node.strip("/").split("/")[1:-1]))
    if "albert_layers.0" in parts:
        parts = [part.split("_")[0] if part.startswith("attention") else part for part in parts]
        if parts[-1].rsplit("_", 1)[-1].isdigit():  # the layer is used twelve times; its names are numbered
            parts[-1] = parts[-1].rsplit("_", 1)[0]
    if node.startswith("/encoder/") and parts[0].startswith(_PREDICTORS):
        parts.insert(0, "predictor")
    return ".".join(parts)


def _nested(parts: list[str]) -> Iterator[str]:
    """An element of a list repeats the list's name: 'cnn.1', 'cnn.1.0' is 'cnn.1.0'."""
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if not following.startswith(f"{part}."):
            yield part


def _dequantised(values: Array, scale: Array, zero: Array) -> Array:
    return (values.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)


def _lstm(module: str, inputs: list[Array | None]) -> Iterator[tuple[str, Array]]:
    """Both directions of one LSTM. ONNX keeps its gates as input, output, forget, cell; torch i, f, c, o."""
    given, bias = [part for part in inputs if part is not None], inputs[3]
    if bias is None or len(given) < 7:
        raise ValueError(f"{module} is not an LSTM as exported")
    weights = zip(("ih", "hh"), (1, 2), (8, 10), np.split(bias, 2, axis=1), strict=True)
    for kind, values, scale, biases in weights:
        quantised, scales, zeros = inputs[values], inputs[scale], inputs[scale + 1]
        if quantised is None or scales is None or zeros is None:
            raise ValueError(f"{module} is not an LSTM as exported")
        for direction, suffix in enumerate(("", "_reverse")):
            matrix = _dequantised(quantised[direction], scales[direction], zeros[direction]).T
            yield f"{module}.weight_{kind}_l0{suffix}", _torch_gates(matrix)
            yield f"{module}.bias_{kind}_l0{suffix}", _torch_gates(biases[direction])


def _torch_gates(stacked: Array) -> Array:
    i, o, f, c = np.split(stacked, 4, axis=0)
    return np.concatenate([i, f, c, o], axis=0)
