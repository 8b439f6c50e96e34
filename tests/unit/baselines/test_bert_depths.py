"""What lies deep in an encoder learns slower, or not at all, whatever its layers are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert, BertSettings, freeze, learning_rates
from baselines.depths import Depths
from bench.errors import ModelError, UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace
from bench.work import Workload

FAMILIES = ["bert", "roberta", "deberta", "deberta-v2", "modernbert", "xlm-roberta", "distilbert", "electra", "mpnet"]
LAYERS = 3
DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "max_relative_positions": 8,
    "norm_rel_ebd": "layer_norm",
    "conv_kernel_size": 3,
}


def encoder(model_type: str, **settings: Any) -> Any:
    """A network of random weights and three layers."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32}
    settings = (DEBERTA if model_type.startswith("deberta") else {}) | sizes | settings
    config = AutoConfig.for_model(model_type, vocab_size=60, num_labels=4, pad_token_id=0, **settings)
    return AutoModelForSequenceClassification.from_config(config).eval()


@pytest.mark.parametrize("model_type", FAMILIES)
def test_rates_fall_from_the_head_to_the_embeddings(model_type: str) -> None:
    network = encoder(model_type)
    rate = learning_rates(network, BertSettings(learning_rate=0.1, layer_decay=0.5, head_learning_rate=0.7))
    rates: dict[float, set[str]] = {}
    for name, _ in network.named_parameters():
        rates.setdefault(round(rate(name), 9), set()).add(name)
    embeddings, first, second, last = (rates.pop(0.1 * 0.5**depth) for depth in (4, 3, 2, 1))
    assert sum(weights.numel() for name, weights in network.named_parameters() if name in embeddings) >= 60 * 32
    assert all(re.search("embed|relative_attention_bias|encoder.LayerNorm", name) for name in embeddings)
    assert {strip(name) for name in second} == {strip(name) for name in last}
    assert all(".0." in name or "encoder.conv" in name for name in first)
    assert all(f".{LAYERS - 1}." in name for name in last)
    assert any(name.startswith(("classifier", "head", "score")) for name in rates.pop(0.7))
    assert set(rates) <= {0.1}  # what a body ends with, such as a last norm


@pytest.mark.parametrize("model_type", FAMILIES)
@pytest.mark.parametrize("count", [1, LAYERS])
def test_embeddings_and_first_layers_are_frozen(model_type: str, count: int) -> None:
    network = encoder(model_type)
    freeze(network, count)
    depths = Depths.in_network(network).of
    trained = {depths[name] for name, weights in network.named_parameters() if weights.requires_grad}
    frozen = {depths[name] for name, weights in network.named_parameters() if not weights.requires_grad}
    assert frozen == set(range(LAYERS - count + 1, LAYERS + 2))
    assert trained == set(range(LAYERS - count + 1))


def strip(name: str) -> str:
    return ".".join(part for part in name.split(".") if not part.isdigit())


def test_more_frozen_layers_than_there_are_is_refused() -> None:
    with pytest.raises(UserError, match="frozen_layers=4 is more than the 3 layers"):
        freeze(encoder("bert"), 4)


def test_layers_that_share_their_weights_cannot_be_told_apart() -> None:
    albert = encoder("albert", embedding_size=8)
    with pytest.raises(ModelError, match="a stack of 3 layers, which this albert model is not"):
        freeze(albert, 1)
    assert learning_rates(albert, BertSettings())("albert.embeddings.word_embeddings.weight") == 3e-5


@pytest.mark.parametrize("given", [{"layer_decay": 1.1}, {"layer_decay": 0.0}, {"frozen_layers": -1}])
def test_settings_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(given))):
        resolve_settings(BertSettings, given, "bert")


@pytest.fixture
def fitted(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., tuple[Bert, Context]]:
    def fit(**settings: Any) -> tuple[Bert, Context]:
        train, context = sixteen("single"), make_context(tiny_model("bert"))
        method = Bert(Bert.Config(epochs=2, batch_size=8, max_tokens=32, learning_rate=1e-3, **settings))
        method.fit(train, train, labels, context)
        return method, context

    return fit


def moved(method: Bert, folder: Path) -> Iterator[tuple[str, float]]:
    """How far each part of the body went from where it started."""
    from transformers import AutoModel

    started = dict(AutoModel.from_pretrained(folder).named_parameters())
    for name, weights in method._network.bert.named_parameters():
        if "key.bias" not in name:  # attention does not depend on it
            yield name, float((weights.detach() - started[name]).abs().max())


def test_frozen_layers_stay_and_are_not_counted(
    fitted: Callable[..., Any], tiny_model: Callable[[str], ResolvedModel], tmp_path: Path, labels: LabelSpace
) -> None:
    method, context = fitted(frozen_layers=1)
    for name, distance in moved(method, tiny_model("bert").folder):
        if not name.startswith("pooler"):  # which starts anew
            assert (distance == 0) == name.startswith(("embeddings.", "encoder.layer.0.")), name
    facts = context.instruments.facts["parameters"]
    network = method._network
    parts = (network.bert.embeddings, network.bert.encoder.layer[0])
    frozen = sum(weights.numel() for part in parts for weights in part.parameters())
    total = sum(w.numel() for w in network.parameters())
    assert facts == {"total": total, "trainable": total - frozen, "stored": total}

    method.save(tmp_path)
    again = Bert(method.config)
    again.load(tmp_path, labels, context)
    texts = ["boats sail", "bread of flour"]
    np.testing.assert_array_equal(again.predict(texts, context).values, method.predict(texts, context).values)


def test_deep_layers_move_less(fitted: Callable[..., Any], tiny_model: Callable[[str], ResolvedModel]) -> None:
    distances = dict(moved(fitted(layer_decay=0.01)[0], tiny_model("bert").folder))
    part = "attention.output.dense.weight"
    last, first = distances[f"encoder.layer.1.{part}"], distances[f"encoder.layer.0.{part}"]
    assert last > 20 * first > 400 * distances["embeddings.word_embeddings.weight"] > 0


def test_an_estimate_knows_what_is_frozen(
    tiny_model: Callable[[str], ResolvedModel], fitted: Callable[..., Any], labels: LabelSpace
) -> None:
    """Within the norms and biases of the layers that are trained."""
    import json

    from bench.encoding import load_tokenizer
    from bench.estimating.anatomy import on_paper
    from bench.estimating.compute import Compute
    from bench.estimating.memory import Footprint, Machine

    model = tiny_model("bert")
    method, context = fitted(frozen_layers=1)
    anatomy = on_paper(json.loads((model.folder / "config.json").read_text()), "encoder")
    workload = Workload(context.task, labels, {"train": 16}, 1.0, {}, load_tokenizer(model.folder), 32)
    work = method.work(workload)
    foot, whole = (Footprint(anatomy, w, Machine("cpu", 4), 4) for w in (work, replace(work, frozen_layers=0)))
    trainable = context.instruments.facts["parameters"]["trainable"]
    assert foot.learned() == pytest.approx(trainable, rel=0.1)
    assert foot.activations(100) == whole.activations(100) / 2
    less, more = Compute(anatomy, work), Compute(anatomy, whole.work)
    assert less.forward(9) < less.learning(9) < more.learning(9)
