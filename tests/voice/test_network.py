"""Our network against the original: the ONNX export of Kokoro-82M, run by onnxruntime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from voice.network.network import Network, Prosody, vocabulary
from voice.network.norms import AdaptiveInstanceNorm, FrameWeights
from voice.network.quick import QuickGenerator
from voice.weights import joined_wheels, load_network

PHRASE = "ðə lˈæst tɹˈAn hˈOm ɪz lˈiviŋ təmˈɑɹO mˈɔɹnɪŋ."
STYLE = Path(__file__).parent / "data" / "style.json"

# Where the quantities that we compare lie in the export's graph.
_NODES = {
    "durations": "/encoder/Clip_output_0",
    "text": "/encoder/MatMul_1_output_0",
    "f0": "/encoder/Reshape_output_0",
    "energy": "/encoder/Reshape_1_output_0",
    "excitation": "/decoder/decoder/generator/Squeeze_output_0",
    "features": "/decoder/decoder/decode.3/Div_4_output_0",
    "spectra": "/decoder/decoder/generator/conv_post/Conv_output_0",
    "audio": "audio",
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with torch.inference_mode():
        yield load_network(tmp_path_factory.mktemp("cache"), threads=1)


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    return torch.tensor([[0, *(vocabulary()[symbol] for symbol in PHRASE), 0]])


@pytest.fixture(scope="module")
def style() -> torch.Tensor:
    return torch.tensor([json.loads(STYLE.read_text())["style"]])


@dataclass(frozen=True)
class Original:
    """What the export computes on the way, by our names."""

    values: dict[str, NDArray[np.float32]]

    def __getitem__(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self.values[name])


@pytest.fixture(scope="module")
def original(tokens: torch.Tensor, style: torch.Tensor) -> Original:
    import onnx
    import onnxruntime

    model = onnx.load_model_from_string(joined_wheels())
    shown = {output.name for output in model.graph.output}
    made = {name for node in model.graph.node for name in node.output}
    assert set(_NODES.values()) <= made
    model.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in _NODES.values() if name not in shown
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = {"tokens": tokens.numpy(), "style": style.numpy(), "speed": np.ones(1, np.float32)}
    outputs = session.run(list(_NODES.values()), given)
    return Original(dict(zip(_NODES, outputs, strict=True)))


@pytest.fixture(scope="module")
def prosody(network: Network, tokens: torch.Tensor, style: torch.Tensor) -> Prosody:
    return network.prosody(tokens, style)


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    assert a.numel() == b.numel()
    return float(torch.corrcoef(torch.stack([a.flatten().double(), b.flatten().double()]))[0, 1])


def stretched(features: torch.Tensor, durations: torch.Tensor) -> torch.Tensor:
    return features.repeat_interleave(durations[0], dim=2)


def test_natural_durations_are_the_originals(original: Original, prosody: Prosody) -> None:
    theirs = original["durations"].flatten()
    assert prosody.durations.flatten().tolist() == theirs.tolist()


def test_text_features_are_the_originals(
    network: Network, tokens: torch.Tensor, original: Original, prosody: Prosody
) -> None:
    ours = stretched(network.encode_text(tokens), prosody.durations)
    assert correlation(ours, original["text"]) >= 0.999


def test_f0_and_energy_are_the_originals(
    network: Network, style: torch.Tensor, original: Original, prosody: Prosody
) -> None:
    contours = network.contours(stretched(prosody.features, prosody.durations), style)
    assert correlation(contours.f0, original["f0"]) >= 0.999
    assert correlation(contours.energy, original["energy"]) >= 0.999


def test_the_source_is_the_originals(network: Network, original: Original) -> None:
    ours = network.excitation(original["f0"].reshape(1, -1), noise=0.0)  # the export has no noise
    assert correlation(ours, original["excitation"]) >= 0.999


def test_decoder_features_are_the_originals(
    network: Network, style: torch.Tensor, original: Original
) -> None:
    """The original rounds every layer's input to eight bits, hence .998."""
    f0, energy = original["f0"].reshape(1, -1), original["energy"].reshape(1, -1)
    features = network.decoder.features(original["text"], f0, energy, style[:, :128], None)
    assert correlation(features, original["features"]) >= 0.998


def test_the_generators_spectra_are_the_originals(
    network: Network, style: torch.Tensor, original: Original
) -> None:
    source = original["excitation"].reshape(1, -1)
    spectra = network.decoder.generator.spectra(original["features"], source, style[:, :128], None)
    assert correlation(spectra, original["spectra"]) >= 0.998


def test_the_sound_is_the_originals(network: Network, style: torch.Tensor, original: Original) -> None:
    f0, energy = original["f0"].reshape(1, -1), original["energy"].reshape(1, -1)
    source = original["excitation"].reshape(1, -1)
    ours = network.decode(original["text"], f0, energy, style, excitation=source)
    assert ours.shape == (1, 600 * original["text"].shape[2])
    assert correlation(ours, original["audio"]) >= 0.97


def test_frames_of_equal_weight_make_the_plain_norm() -> None:
    torch.manual_seed(1)
    norm = AdaptiveInstanceNorm(8, 5)
    x, style = torch.randn(2, 5, 120), torch.randn(2, 8)
    weighted = norm(x, style, FrameWeights(torch.ones(2, 40)))
    assert torch.allclose(weighted, norm(x, style), atol=1e-5)


def test_a_held_frame_counts_as_often_as_its_weight_says() -> None:
    """A frame held four times at weight 1/4 has the statistics of the frame held once."""
    torch.manual_seed(2)
    norm = AdaptiveInstanceNorm(8, 5)
    x, style = torch.randn(1, 5, 30), torch.randn(1, 8)
    times = torch.ones(30, dtype=torch.long)
    times[10:14] = 4
    held = x.repeat_interleave(times, dim=2)
    weights = (1 / times).repeat_interleave(times)[None]
    expected = norm(x, style).repeat_interleave(times, dim=2)
    assert torch.allclose(norm(held, style, FrameWeights(weights)), expected, atol=1e-5)
    assert not torch.allclose(norm(held, style), expected, atol=1e-2)


def test_frame_weights_below_nothing_or_all_nothing_are_refused() -> None:
    for wrong in (torch.zeros(1, 4), torch.tensor([[1.0, -1.0]]), torch.ones(4)):
        with pytest.raises(ValueError, match="frame weights"):
            FrameWeights(wrong)


def test_phrases_of_one_length_are_rendered_alike_alone_and_together(
    network: Network, style: torch.Tensor
) -> None:
    torch.manual_seed(3)
    text, f0 = torch.randn(2, 512, 24) * 0.2, 120 + 20 * torch.rand(2, 48)
    energy, styles = torch.full((2, 48), 6.3), style.expand(2, -1)
    weights = torch.rand(2, 24) + 0.5
    source = network.excitation(f0, noise=0.0)
    together = network.decode(text, f0, energy, styles, excitation=source, weights=FrameWeights(weights))
    for i in range(2):
        one = slice(i, i + 1)
        alone = network.decode(
            text[one], f0[one], energy[one], style, excitation=source[one], weights=FrameWeights(weights[one])
        )
        assert correlation(alone, together[one]) >= 0.9999


@pytest.mark.parametrize("frames", [4, 37, 90])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_quick_generator_is_the_plain_one(
    network: Network, style: torch.Tensor, frames: int, weighted: bool
) -> None:
    torch.manual_seed(frames)
    x, source = torch.randn(1, 512, 2 * frames), network.excitation(torch.full((1, 2 * frames), 140.0))
    weights = FrameWeights(torch.rand(1, frames) + 0.2) if weighted else None
    plain = network.decoder.generator.spectra(x, source, style[:, :128], weights)
    quick = QuickGenerator(network.decoder.generator).spectra(x, source, style[:, :128], weights)
    assert float((quick - plain).norm() / plain.norm()) < 1e-4


def test_one_thread_and_two_sing_the_same_numbers(network: Network, style: torch.Tensor) -> None:
    torch.manual_seed(4)
    x, source = torch.randn(1, 512, 60), network.excitation(torch.full((1, 60), 140.0), noise=0.0)
    one, two, again = (
        QuickGenerator(network.decoder.generator, threads).spectra(x, source, style[:, :128], None)
        for threads in (1, 2, 2)
    )
    assert torch.equal(one, two)
    assert torch.equal(two, again)


def test_a_gradient_reaches_the_style(network: Network, style: torch.Tensor) -> None:
    """What fitting a voice needs; the quick generator must step aside."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        wanted = style.clone().requires_grad_()
        f0 = torch.full((1, 16), 120.0)
        source = network.excitation(f0, noise=0.0)
        text, energy = torch.ones(1, 512, 8) * 0.1, torch.full((1, 16), 6.0)
        network.decode(text, f0, energy, wanted, excitation=source).square().sum().backward()  # type: ignore[no-untyped-call]
        assert wanted.grad is not None
        assert float(wanted.grad[:, :128].abs().sum()) > 0


def test_curves_that_do_not_fit_the_text_are_refused(network: Network, style: torch.Tensor) -> None:
    f0 = torch.full((1, 40), 120.0)
    with pytest.raises(ValueError, match="48 frames"):
        network.decode(torch.zeros(1, 512, 24), f0, f0, style, excitation=network.excitation(f0))


def test_the_same_seed_gives_the_same_source(network: Network) -> None:
    f0 = torch.full((1, 80), 110.0)
    one, again, other = (
        network.excitation(f0, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_source_of_eight_seconds_stays_in_tune(network: Network) -> None:
    source = network.excitation(torch.full((1, 640), 220.0), noise=0.0)[0]
    spectrum = torch.fft.rfft(source * torch.hann_window(len(source)), n=1 << 20).abs()
    low, high = (int(hz * (1 << 20) / 24_000) for hz in (200, 240))
    peak = (low + int(spectrum[low:high].argmax())) * 24_000 / (1 << 20)
    assert abs(peak - 220.0) < 0.05
