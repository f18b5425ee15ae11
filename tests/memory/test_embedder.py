"""Meaning as numbers: near when near in meaning, the same in any company, light to import."""

import subprocess
import sys

import numpy as np
import pytest

from memory.embedder import DIMENSIONS, Embedder


@pytest.fixture(scope="module")
def embed() -> Embedder:
    return Embedder()


def test_vectors_are_unit_float32_one_per_text(embed):
    vectors = embed(["My sister is called Maya.", "ok", "", "日本語", "🎸" * 2000])
    assert vectors.shape == (5, DIMENSIONS) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_gives_no_vector(embed):
    assert embed([]).shape == (0, DIMENSIONS)


def test_a_bare_string_is_refused(embed):
    with pytest.raises(TypeError, match="list of texts"):
        embed("a text")


def test_near_in_meaning_is_near_in_space(embed):
    cat, kitten, train = embed(
        ["The cat sleeps.", "A kitten is napping.", "The last train home left at two."]
    )
    assert cat @ kitten > 0.5 > cat @ train


def test_a_known_pair_has_its_known_cosine(embed):
    """Pins pooling and token types: a wrong one moves this by far more than int8 rounding does."""
    a, b = embed(["That is a happy person", "That is a happy dog"])
    assert float(a @ b) == pytest.approx(0.695, abs=0.02)


def test_a_text_means_the_same_in_any_company(embed):
    texts = ["ok", "I moved to Leeds last week.", "word " * 300, "My sister Maya gets married in June."]
    np.testing.assert_allclose(embed(texts), np.vstack([embed.one(text) for text in texts]), atol=1e-5)


def test_importing_it_pulls_no_runtime():
    heavy = "{'onnxruntime', 'tokenizers', 'torch', 'chromadb', 'langchain'}"
    code = f"import sys, memory.embedder; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
