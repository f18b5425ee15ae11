"""Text encoder of StyleTTS 2 (arXiv 2306.07691): phonemes to the features that the decoder voices."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from voice.network.embedding import unset_embedding
from voice.network.norms import ChannelNorm


class TextEncoder(nn.Module):
    """Embedding, three convolutions, and an LSTM in both directions."""

    def __init__(self, tokens: int, channels: int = 512, kernel: int = 5, depth: int = 3) -> None:
        super().__init__()
        self.embedding = unset_embedding(tokens, channels)
        self.cnn = nn.ModuleList(
            nn.Sequential(nn.Conv1d(channels, channels, kernel, padding=kernel // 2), ChannelNorm(channels))
            for _ in range(depth)
        )
        self.lstm = nn.LSTM(channels, channels // 2, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: [batch, length] -> [batch, channels, length]."""
        x = self.embedding(tokens).transpose(1, 2)
        for layer in self.cnn:
            x = F.leaky_relu(layer(x), 0.2)
        features, _ = self.lstm(x.transpose(1, 2))
        return cast(Tensor, features.transpose(1, 2))
