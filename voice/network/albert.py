"""ALBERT (arXiv 1909.11942) over phoneme tokens: one transformer layer, used twelve times."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.embedding import unset_embedding


class Albert(nn.Module):
    """Phoneme tokens to contextual features; its embeddings are narrow and widened once."""

    def __init__(
        self,
        tokens: int,
        *,
        embedding: int = 128,
        width: int = 768,
        heads: int = 12,
        inner: int = 2048,
        depth: int = 12,
        longest: int = 512,
    ) -> None:
        super().__init__()
        self.depth = depth
        self.longest = longest
        self.words = unset_embedding(tokens, embedding)
        self.positions = unset_embedding(longest, embedding)
        self.kinds = unset_embedding(2, embedding)
        self.norm = nn.LayerNorm(embedding, eps=1e-12)
        self.widen = nn.Linear(embedding, width)
        self.layer = AlbertLayer(width, heads, inner)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: [batch, length] -> [batch, length, width]."""
        length = tokens.shape[1]
        if length > self.longest:
            raise ValueError(
                f"a phrase has at most {self.longest} tokens, not {length}: split it at a breath"
            )
        places = torch.arange(length, device=tokens.device)
        x = self.norm(self.words(tokens) + self.positions(places) + self.kinds.weight[0])
        x = self.widen(x)
        for _ in range(self.depth):
            x = self.layer(x)
        return cast(Tensor, x)


class AlbertLayer(nn.Module):
    """Self-attention and a feed-forward part, each with its residual and norm after it."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.mix = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        """x: [batch, length, width] -> the same."""
        q, k, v = (self._split(part(x)) for part in (self.query, self.key, self.value))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = self.attention_norm(x + self.mix(attended))
        return cast(Tensor, self.norm(x + self.down(F.gelu(self.up(x), approximate="tanh"))))

    def _split(self, x: Tensor) -> Tensor:
        """[batch, length, width] -> [batch, heads, length, width / heads]."""
        batch, length, _ = x.shape
        return x.view(batch, length, self.heads, -1).transpose(1, 2)
