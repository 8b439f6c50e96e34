"""Decoders whose layers quantisation or adapters do not reach are refused in one line; those they reach come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.approaches.adapters import start
from bench.approaches.embedding_head import EmbeddingHead
from bench.approaches.instruction_tuning import InstructionTuning
from bench.errors import ModelError
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]


@pytest.mark.parametrize(
    ("model_type", "settings", "message"),
    [
        ("mixtral", {}, r"quantisation=nf4 does not reach layers.0.mlp.experts.gate_up_proj and 3 more of a mixtral"),
        ("mixtral", {"quantisation": "int8"}, "quantisation=int8 does not reach .*set quantisation=none or choose"),
        ("mixtral", {"quantisation": "none"}, "lora_dropout != 0.*; set adapter_dropout=0"),
        ("qwen3_moe", {"quantisation": "none"}, "lora_dropout != 0.*; set adapter_dropout=0"),
        ("gpt_oss", {"quantisation": "none"}, "adapter=lora does not reach .* of a gpt_oss model; set adapter=full"),
    ],
)
def test_experts_that_would_be_passed_over_are_named(
    model_type: str, settings: dict[str, Any], message: str, tiny_model: Make, make_context: MakeContext
) -> None:
    with pytest.raises(ModelError, match=message) as error:
        EmbeddingHead(EmbeddingHead.Config(**settings))._start(4, make_context(tiny_model(model_type)))
    assert "\n" not in str(error.value)


def test_an_output_layer_in_few_bits_is_refused(
    tiny_model: Make, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a decoder whose output layer has a name that nobody thought of."""
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr("bench.approaches.quantisation.UNQUANTISED", ())
    model = tiny_model("llama")
    EmbeddingHead()._start(4, make_context(model))  # has none
    with pytest.raises(ModelError, match="nf4 would quantise the output layer of a llama model; set quantisation=none"):
        start(AutoModelForCausalLM, InstructionTuning.Config(), make_context(model))


def test_experts_that_are_reached_learn_and_come_back(
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    import torch

    settings = {"epochs": 2, "keep": "last", "learning_rate": 1e-2, "quantisation": "none", "adapter_dropout": 0.0}
    method, again = (EmbeddingHead(EmbeddingHead.Config(**settings)) for _ in range(2))
    train, context = sixteen("single"), make_context(tiny_model("mixtral"))
    method.fit(train, train, labels, context)
    experts = {name: w for name, w in method._network.named_parameters() if "experts" in name and "lora_B" in name}
    assert len(experts) == 2 * 2
    assert all(torch.count_nonzero(weights) for weights in experts.values())
    method.save(tmp_path)
    again.load(tmp_path, labels, context)
    expected = method.predict(train.texts, context).values
    np.testing.assert_array_equal(again.predict(train.texts, context).values, expected)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "opt", "bloom"])
def test_what_is_reached_is_not_refused(model_type: str, tiny_model: Make, make_context: MakeContext) -> None:
    """Embeddings, of positions too, are no layers; the convolutions of GPT-2 are linear layers by another name."""
    method = EmbeddingHead()
    method._start(4, make_context(tiny_model(model_type)))
    assert any(weights.requires_grad for weights in method._network.body.parameters())
