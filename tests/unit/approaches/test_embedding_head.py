"""``embedding-head`` reads the right token whatever the padding, trains what it should and survives the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.approaches.embedding_head import EmbeddingHead
from bench.errors import ModelError, UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
QUICK = {
    "epochs": 40,
    "keep": "last",
    "batch_size": 8,
    "learning_rate": 1e-2,
    "head_learning_rate": 1e-2,
    "max_tokens": 64,
}

IN_ANOTHER_PROCESS = """
import json, sys
from pathlib import Path
import numpy as np, torch
from bench.approaches.embedding_head import EmbeddingHead
from bench.method import Context, QuietInstruments
from bench.model import ResolvedModel
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskProfile
torch.set_num_threads(1)
told = json.loads(sys.argv[1])
scratch = Path(told["folder"]) / "scratch"; scratch.mkdir()
profile = TaskProfile("tiny", "single", 4, "micro_f1")
labels, train = LabelSpace(tuple(told["labels"])), Documents(**told["train"])
for number, (model, settings) in reversed(list(enumerate(told["variants"]))):
    model = ResolvedModel(**{**model, "folder": Path(model["folder"])})
    context = Context(profile, Seeds(0), "cpu", 1, scratch, QuietInstruments(), model)
    folder = Path(told["folder"]) / str(number)
    saved = EmbeddingHead(EmbeddingHead.Config(**settings))
    saved.load(folder, labels, context)
    np.save(folder / "saved.npy", saved.predict(train.texts, context).values)
fitted = EmbeddingHead(EmbeddingHead.Config(**settings))
fitted.fit(train, train, labels, context)
np.save(Path(told["folder"]) / "fitted.npy", fitted.predict(train.texts, context).values)
"""
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("qwen3", {"pooling": "latent-attention", "latents": 8, "head": "mlp", "dora": True, "direction": "bidirectional"}),
    ("llama", {"quantisation": "int8", "rslora": True, "pooling": "mean"}),
    ("gemma2", {"quantisation": "none", "adapter": "full", "pooling": "weighted-mean", "direction": "bidirectional"}),
    ("gemma2", {"adapter": "none", "pooling": "max", "head": "mlp"}),
]


@pytest.mark.parametrize("model_type", ["llama", "qwen3"])
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_learns_sixteen_documents(
    model_type: str, kind: Kind, tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train, context = sixteen(kind), make_context(tiny_model(model_type), kind)
    method = EmbeddingHead(EmbeddingHead.Config(**QUICK))
    method.fit(train, train, labels, context)
    scores = method.predict(train.texts, context).values
    decided = np.eye(4)[scores.argmax(1)] if kind == "single" else scores > 0
    np.testing.assert_array_equal(decided, train.label_matrix(4).toarray())


def test_same_bits_after_the_disk_and_in_another_process(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace, tmp_path: Path
) -> None:
    variants = [(tiny_model(model_type), QUICK | {"epochs": 2} | settings) for model_type, settings in VARIANTS]
    train, scores = sixteen("single"), []
    for number, (model, settings) in enumerate(variants):
        context, method = make_context(model), EmbeddingHead(EmbeddingHead.Config(**settings))
        method.fit(train, train, labels, context)
        scores.append(method.predict(train.texts, context).values)
        folder = tmp_path / "saved" / str(number)
        folder.mkdir(parents=True)
        method.save(folder)
        prepared = json.loads((folder / "preparation.json").read_text())
        assert prepared["quantisation"] == settings.get("quantisation", "nf4")
    told = {
        "folder": str(tmp_path / "saved"),
        "labels": labels.names,
        "train": asdict(train),
        "variants": [(asdict(model), settings) for model, settings in variants],
    }
    subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS, json.dumps(told, default=str)], check=True)
    for number, expected in enumerate(scores):
        np.testing.assert_array_equal(np.load(tmp_path / "saved" / str(number) / "saved.npy"), expected)
    np.testing.assert_array_equal(np.load(tmp_path / "saved" / "fitted.npy"), scores[0])


def test_adapters_of_another_model_are_refused(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace, tmp_path: Path
) -> None:
    method = started(EmbeddingHead(), make_context(tiny_model("llama")))
    method.save(tmp_path)
    with pytest.raises(ModelError, match="was trained on"):
        EmbeddingHead().load(tmp_path, labels, make_context(tiny_model("qwen3")))


def test_full_training_comes_back_too(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace, tmp_path: Path
) -> None:
    config = EmbeddingHead.Config(**QUICK | {"epochs": 1, "adapter": "full", "quantisation": "none"})
    train, context = sixteen("single"), make_context(tiny_model("llama"))
    method, again = EmbeddingHead(config), EmbeddingHead(config)
    method.fit(train, train, labels, context)
    facts = context.instruments.facts["parameters"]
    assert facts["total"] == facts["trainable"] == facts["stored"]
    method.save(tmp_path)
    again.load(tmp_path, labels, context)
    expected = method.predict(train.texts, context).values
    np.testing.assert_array_equal(again.predict(train.texts, context).values, expected)


@pytest.mark.parametrize("model_type", ["llama", "qwen3", "gemma2"])
@pytest.mark.parametrize("direction", ["causal", "bidirectional"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "weighted-mean", "latent-attention"])
def test_padding_side_batch_and_pad_token_do_not_matter(
    model_type: str, direction: str, pooling: str, tiny_model: Make, make_context: MakeContext
) -> None:
    import torch

    from bench.encoding import pad

    config = EmbeddingHead.Config(quantisation="none", direction=direction, pooling=pooling)
    network = started(EmbeddingHead(config), make_context(tiny_model(model_type)))._network
    network.head.weight.data /= 0.1  # as large as after training
    # The end mark, which is the padding below, also ends one text and stands inside another.
    rows = [[2, 9, 10, 3], [2, 30, 3, 12, 40, 41, 42, 50, 51], [2, 17]]
    with torch.inference_mode():
        alone = torch.cat([network(*(torch.tensor([ids]) for ids in (row, [1] * len(row)))) for row in rows])
        for filler in (0, 3):
            for order in ([0, 1, 2], [2, 0, 1]):
                batch = [rows[place] for place in order]
                right, left = pad(batch, filler), pad(batch, filler, "left")
                found = network(right.ids, right.mask)
                torch.testing.assert_close(found, alone[order], atol=1e-5, rtol=0)
                assert torch.equal(network(left.ids, left.mask), found)


@pytest.mark.parametrize("model_type", ["llama", "qwen3", "gemma2"])
@pytest.mark.parametrize("settings", [{}, {"quantisation": "int8"}, {"direction": "bidirectional", "pooling": "mean"}])
def test_batch_size_and_order_do_not_matter(
    settings: dict[str, Any], model_type: str, tiny_model: Make, make_context: MakeContext, sixteen: Sixteen
) -> None:
    context, texts = make_context(tiny_model(model_type)), sixteen("multi").texts
    method = started(EmbeddingHead(EmbeddingHead.Config(**settings)), context)
    whole = method.predict(texts, context).values
    method.config = EmbeddingHead.Config(**settings, predict_batch_size=1)
    np.testing.assert_allclose(method.predict(texts, context).values, whole, atol=1e-5)
    method.config = EmbeddingHead.Config(**settings, predict_batch_size=3)
    np.testing.assert_allclose(method.predict(texts[::-1], context).values[::-1], whole, atol=1e-5)


@pytest.mark.parametrize("model_type", ["llama", "qwen3", "gemma2"])
def test_body_in_four_bits_head_in_full_and_gradients_in_both(
    model_type: str, tiny_model: Make, make_context: MakeContext
) -> None:
    import torch
    from bitsandbytes.nn import Linear4bit

    network = started(EmbeddingHead(), make_context(tiny_model(model_type)))._network
    assert type(network.head) is torch.nn.Linear
    assert network.head.weight.dtype is torch.float32
    quantised = [name for name, module in network.named_modules() if isinstance(module, Linear4bit)]
    assert len(quantised) == 7 * 2
    assert all(module.weight.quant_state.nested for module in network.modules() if isinstance(module, Linear4bit))
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[-2] for name in trained if "lora" not in name} == {"head"}
    assert sum("lora_A" in name for name in trained) == 7 * 2
    network.train()
    network(torch.tensor([[2, 9, 10]]), torch.ones(1, 3, dtype=torch.long)).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    assert all(p.grad.abs().sum() > 0 for n, p in network.named_parameters() if "lora_B" in n or n == "head.weight")


def test_parameters_match_the_closed_form(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    context, train = make_context(tiny_model("llama")), sixteen("single")
    method = EmbeddingHead(EmbeddingHead.Config(epochs=1, batch_size=16, rank=4))
    method.fit(train, train, labels, context)
    q, kv, hidden, inner, layers = 32, 16, 32, 64, 2
    shapes = [(hidden, q), (hidden, kv), (hidden, kv), (q, hidden), (hidden, inner), (hidden, inner), (inner, hidden)]
    lora = 4 * layers * sum(a + b for a, b in shapes)
    head = hidden * 4  # one label a document: no bias
    vocabulary = method._network.config.vocab_size
    body = layers * (sum(a * b for a, b in shapes) + 2 * hidden) + hidden + vocabulary * hidden
    assert context.instruments.facts["parameters"] == {
        "total": body + lora + head,
        "trainable": lora + head,
        "stored": lora + head,
    }


def test_gradient_checkpointing_changes_no_prediction(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train, context = sixteen("single"), make_context(tiny_model("llama"))
    scores = []
    for checkpointing in (False, True):
        settings = QUICK | {"epochs": 1, "adapter_dropout": 0.0, "gradient_checkpointing": checkpointing}
        method = EmbeddingHead(EmbeddingHead.Config(**settings))
        method.fit(train, train, labels, context)
        scores.append(method.predict(train.texts, context).values)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)


@pytest.mark.parametrize("quantisation", ["nf4", "int8"])
def test_few_bits_cannot_be_trained(quantisation: str) -> None:
    with pytest.raises(UserError, match=f"{quantisation} cannot; set quantisation=none"):
        resolve_settings(EmbeddingHead.Config, {"adapter": "full", "quantisation": quantisation}, "embedding-head")


@pytest.mark.parametrize("adapter", ["full", "none"])
def test_settings_of_lora_are_refused_without_it(adapter: str) -> None:
    for name, value in (("rank", 4), ("alpha", 1.0), ("adapter_dropout", 0.0), ("rslora", True), ("dora", True)):
        with pytest.raises(UserError, match=f"adapter={adapter} has no use for {name}") as error:
            resolve_settings(
                EmbeddingHead.Config, {"adapter": adapter, "quantisation": "none", name: value}, "embedding-head"
            )
        assert "\n" not in str(error.value)
    resolve_settings(EmbeddingHead.Config, {"adapter": adapter, "quantisation": "none", "rank": 8}, "embedding-head")


def started(method: EmbeddingHead, context: Context) -> EmbeddingHead:
    method._start(4, context)
    return method
