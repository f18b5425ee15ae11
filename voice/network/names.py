"""Where each tensor of the published checkpoint lives in our network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

_LAYER = r"bert\.encoder\.albert_layer_groups\.0\.albert_layers\.0\."
_Replacement = str | Callable[[re.Match[str]], str]


def _lstm_or_norm(match: re.Match[str]) -> str:
    index = int(match[1])  # the checkpoint lists them alternating
    return f"predictor.text_encoder.{'norms' if index % 2 else 'lstms'}.{index // 2}."


def _stack(match: re.Match[str]) -> str:
    return "decoder.generator.stacks.{}.{}.".format(*divmod(int(match[1]), 3))


_RULES: tuple[tuple[str, _Replacement], ...] = (
    (r"^bert\.embeddings\.word_embeddings\.", "albert.words."),
    (r"^bert\.embeddings\.position_embeddings\.", "albert.positions."),
    (r"^bert\.embeddings\.token_type_embeddings\.", "albert.kinds."),
    (r"^bert\.embeddings\.LayerNorm\.", "albert.norm."),
    (r"^bert\.encoder\.embedding_hidden_mapping_in\.", "albert.widen."),
    (rf"^{_LAYER}attention\.dense\.", "albert.layer.mix."),
    (rf"^{_LAYER}attention\.LayerNorm\.", "albert.layer.attention_norm."),
    (rf"^{_LAYER}attention\.", "albert.layer."),
    (rf"^{_LAYER}ffn\.", "albert.layer.up."),
    (rf"^{_LAYER}ffn_output\.", "albert.layer.down."),
    (rf"^{_LAYER}full_layer_layer_norm\.", "albert.layer.norm."),
    (r"^bert_encoder\.", "narrow."),
    (r"^predictor\.text_encoder\.lstms\.(\d+)\.", _lstm_or_norm),
    (r"^predictor\.duration_proj\.linear_layer\.", "predictor.duration."),
    (r"^predictor\.F0\.", "predictor.f0."),
    (r"^predictor\.N\.", "predictor.energy."),
    (r"^predictor\.F0_proj\.", "predictor.f0_out."),
    (r"^predictor\.N_proj\.", "predictor.energy_out."),
    (r"^decoder\.F0_conv\.", "decoder.f0_in."),
    (r"^decoder\.N_conv\.", "decoder.energy_in."),
    (r"^decoder\.asr_res\.0\.", "decoder.text_in."),
    (r"^decoder\.generator\.m_source\.l_linear\.", "decoder.generator.source.mix."),
    (r"^decoder\.generator\.noise_convs\.", "decoder.generator.source_in."),
    (r"^decoder\.generator\.noise_res\.", "decoder.generator.source_stacks."),
    (r"^decoder\.generator\.resblocks\.(\d+)\.", _stack),
    (r"^decoder\.generator\.conv_post\.", "decoder.generator.out."),
    (r"\.adain([12])\.", r".norms\1."),
)


def our_name(published: str) -> str:
    """'bert_encoder.weight' -> 'narrow.weight'."""
    for pattern, replacement in _RULES:
        published = re.sub(pattern, replacement, published)
    return published


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {our_name(name): tensor for name, tensor in tensors.items()}
