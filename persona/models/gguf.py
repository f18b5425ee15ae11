"""A user's own GGUF file as a full chat model: llama.cpp's server in this process, on loopback, on a free port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from persona.models.endpoint import EndpointModel, endpoint_arguments
from persona.models.errors import ModelError
from persona.settings import ChatSettings

MAGIC = b"GGUF"
# Models below about a billion parameters called no tool in 12 tries and claimed human experience: such a file may
# serve tests and experiments, but does not speak to people unless the operator insists.
SMALL = 600_000_000  # bytes
THREADS = 1  # one thread each beat two on a busy two-core machine (29-75 against 3-6 tokens a second)
REMEMBERED = 256  # MiB of prompts read before; llama.cpp's own bound of 8 GiB filled by 15 to 30 MB a song


class GgufChatModel(EndpointModel):
    """The model, and the server that it talks to: both live and end together."""

    _server: Any = PrivateAttr(default=None)

    @property
    def address(self) -> str:
        return str(self._server.listening_address)


def gguf_model(config: ChatSettings) -> GgufChatModel:
    """Loads the file of `config.gguf` and serves it. Raises ModelError where that cannot be."""
    server = _serve(_checked(config), config.context)
    model = GgufChatModel(**endpoint_arguments(config, f"{server.listening_address}/v1"))
    model._server = server
    return model


def _checked(config: ChatSettings) -> Path:
    path = config.gguf
    if path is None:
        raise ModelError("chat.model is 'gguf': set chat.gguf (TROUBADOUR_CHAT__GGUF) to the file")
    if not path.is_file():
        raise ModelError(f"there is no GGUF file at {path}")
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ModelError(f"{path} is not a GGUF file")
    if path.stat().st_size < SMALL and not config.small:
        raise ModelError(
            f"{path.name} is so small a model that its free words are not fit for people: take a larger one, keep "
            "chat.model = 'embedded', or set chat.small = true for an experiment of your own"
        )
    return path


def _serve(path: Path, context: int) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # a free one
    params.n_ctx = context
    params.n_parallel = 1
    params.cache_ram_mib = REMEMBERED
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.use_jinja = True
    params.ui = False
    params.verbosity = 0
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        raise ModelError(f"{path} could not be loaded: {error}") from error
