"""The singing network: Kokoro-82M's architecture, its parts tied together. 24 kHz.

Phrases of one length may go through as a batch; there are no padding masks, so phrases of different lengths
are rendered one by one. A style is [batch, 256]: the first half for the decoder, the second for prosody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

import torch
from torch import Tensor, nn

from voice.network.albert import Albert
from voice.network.decoder import Decoder
from voice.network.norms import FrameWeights
from voice.network.prosody import ProsodyPredictor
from voice.network.quick import QuickGenerator
from voice.network.text_encoder import TextEncoder

TOKENS = 178
STYLE = 128
FRAME_RATE = 40  # alignment frames a second; F0 and energy have twice as many
SAMPLES_PER_FRAME = 600


@cache
def vocabulary() -> dict[str, int]:
    """Phoneme symbol to token. 0 stands before and after every phrase."""
    text = resources.files("voice.network").joinpath("vocabulary.json").read_text("utf-8")
    return cast(dict[str, int], json.loads(text)["tokens"])


@dataclass(frozen=True)
class Prosody:
    """durations: [batch, length], alignment frames, 1 or more; features: [batch, 640, length]."""

    durations: Tensor
    features: Tensor


@dataclass(frozen=True)
class Contours:
    """f0 [Hz] and energy, each [batch, 2 * frames], as the network would speak them."""

    f0: Tensor
    energy: Tensor


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.albert = Albert(TOKENS)
        self.narrow = nn.Linear(768, 512)
        self.predictor = ProsodyPredictor(STYLE)
        self.text_encoder = TextEncoder(TOKENS)
        self.decoder = Decoder(style=STYLE)
        self._quick: QuickGenerator | None = None
        self.threads = 0  # that it sings on, once quickened

    def quicken(self, threads: int) -> None:
        """From here on `decode` sings in less than half the time; the weights must not change any more.

        Where a gradient is asked for, the plain generator goes on serving.
        """
        self._quick = QuickGenerator(self.decoder.generator, threads)
        self.threads = threads

    def encode_text(self, tokens: Tensor) -> Tensor:
        """tokens: [batch, length] -> [batch, 512, length], what the decoder voices."""
        return cast(Tensor, self.text_encoder(tokens))

    def prosody(self, tokens: Tensor, style: Tensor, speed: float = 1.0) -> Prosody:
        """How long each token would be spoken. tokens: [batch, length]; style: [batch, 256]."""
        context = self.narrow(self.albert(tokens))
        frames, features = self.predictor.durations(context, style[:, STYLE:])
        return Prosody(torch.round(frames / speed).clamp(min=1).long(), features)

    def contours(self, aligned: Tensor, style: Tensor) -> Contours:
        """aligned: [batch, 640, frames], Prosody.features stretched in time; style: [batch, 256]."""
        return Contours(*self.predictor.contours(aligned, style[:, STYLE:]))

    def excitation(
        self, f0: Tensor, amplitude: float = 0.1, noise: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """The source signal of an F0 curve: [batch, 2 * frames] Hz -> [batch, 600 * frames]."""
        return cast(Tensor, self.decoder.generator.source(f0, amplitude, noise, generator))

    def decode(
        self, text: Tensor, f0: Tensor, energy: Tensor, style: Tensor, *, excitation: Tensor,
        weights: FrameWeights | None = None,
    ) -> Tensor:  # fmt: skip
        """Sound: [batch, 600 * frames], -1..1.

        text: [batch, 512, frames], aligned; f0 (what the decoder believes), energy: [batch, 2 * frames];
        excitation: [batch, 600 * frames], what sounds (see `excitation`); style: [batch, 256];
        weights: how much each alignment frame counts in the norms, or None for all alike.
        """
        return self.sound(
            self.features(text, f0, energy, style, weights), style, excitation=excitation, weights=weights
        )

    def features(
        self, text: Tensor, f0: Tensor, energy: Tensor, style: Tensor, weights: FrameWeights | None = None
    ) -> Tensor:
        """The decoder's half of `decode`: [batch, 512, 2 * frames]."""
        return self.decoder.features(text, f0, energy, style[:, :STYLE], weights)

    def sound(
        self, features: Tensor, style: Tensor, *, excitation: Tensor, weights: FrameWeights | None = None
    ) -> Tensor:
        """The generator's half. features: [batch, 512, 2 * frames]; the rest as in `decode`."""
        own = style[:, :STYLE]
        learning = torch.is_grad_enabled() and (features.requires_grad or excitation.requires_grad)
        if self._quick is None or learning:
            return cast(Tensor, self.decoder.generator(features, excitation, own, weights))
        return self._quick(features, excitation, own, weights)

    def speak(
        self, tokens: Tensor, style: Tensor, speed: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Plain speech, for comparison: tokens [1, length], style [1, 256] -> [1, samples]."""
        prosody = self.prosody(tokens, style, speed)
        lengths = prosody.durations[0]
        aligned = prosody.features.repeat_interleave(lengths, dim=2)
        contours = self.contours(aligned, style)
        text = self.encode_text(tokens).repeat_interleave(lengths, dim=2)
        source = self.excitation(contours.f0, generator=generator)
        return self.decode(text, contours.f0, contours.energy, style, excitation=source)
