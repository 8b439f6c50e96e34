"""``bert`` learns, starts at the labels' frequencies, and comes back from disk as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert, start_final_layer
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace
from bench.training import HEAD_START, log_prior_bias

QUICK = {"epochs": 100, "keep": "last", "batch_size": 8, "learning_rate": 2e-3, "max_tokens": 64}


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_learns_sixteen_documents(
    kind: Kind,
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    train, context = sixteen(kind), make_context(tiny_model("bert"), kind)
    method = Bert(Bert.Config(**QUICK))
    method.fit(train, train, labels, context)
    scores = method.predict(train.texts, context).values
    gold = train.label_matrix(4).toarray()
    decided = np.eye(4)[scores.argmax(1)] if kind == "single" else scores > 0
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(decided, gold)

    method.save(tmp_path)
    again = Bert(Bert.Config(**QUICK))
    again.load(tmp_path, labels, context)
    np.testing.assert_array_equal(again.predict(train.texts, context).values, scores)
    wanted = {"single": "single_label_classification", "multi": "multi_label_classification"}[kind]
    assert again._network.config.problem_type == wanted


FAMILIES = ["bert", "roberta", "deberta-v2", "modernbert", "distilbert", "electra", "xlm-roberta", "camembert"]


@pytest.mark.parametrize("model_type", FAMILIES)
@pytest.mark.parametrize("n_labels", [5, 32])
def test_the_last_layer_is_found_in_every_family_and_says_little_but_its_bias(model_type: str, n_labels: int) -> None:
    """Where there are as many labels as the body's layers have outputs, too."""
    import torch

    network, bias = encoder(model_type, n_labels), torch.arange(float(n_labels))
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        usual = network(input_ids=ids).logits  # every head's own bias starts at zero
        start_final_layer(network, n_labels, bias)
        after = network(input_ids=ids).logits
    torch.testing.assert_close(after[0], bias + HEAD_START * usual[0])


def test_without_a_bias_the_last_layer_starts_near_zero() -> None:
    import torch

    network = encoder("roberta", 32)
    head = network.classifier
    head.out_proj.bias.data.fill_(3.0)
    first, last = head.dense.weight.clone(), head.out_proj.weight.clone()
    start_final_layer(network, 32, None)
    assert torch.equal(head.dense.weight, first)
    assert torch.equal(head.out_proj.bias, torch.full((32,), 3.0))
    torch.testing.assert_close(head.out_proj.weight, HEAD_START * last)


def encoder(model_type: str, n_labels: int) -> Any:
    """A network of random weights whose layers have 32 outputs each."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = AutoConfig.for_model(model_type, vocab_size=60, num_labels=n_labels, pad_token_id=0, **sizes)
    return AutoModelForSequenceClassification.from_config(config).eval()


def test_the_head_has_a_learning_rate_of_its_own(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> None:
    """Seen by a rate at which it stays where it starts, at the labels' log-odds, while the body moves."""
    import torch

    train = sixteen("multi").take([0, 1, 3, 5, 7, 9])
    method = Bert(Bert.Config(epochs=1, warmup_ratio=0.0, learning_rate=1e-2, head_learning_rate=1e-12))
    method.fit(train, train, labels, make_context(tiny_model("bert"), "multi"))
    torch.testing.assert_close(method._network.classifier.bias.detach(), log_prior_bias(train, 4))
    assert method._network.bert.embeddings.LayerNorm.bias.abs().max() > 1e-3


def test_prior_bias_is_the_log_odds() -> None:
    documents = Documents(list("abc"), ["x"] * 3, [[0], [0, 1], []])
    odds = log_prior_bias(documents, 3).exp().tolist()
    assert odds == pytest.approx([2.5 / 1.5, 1.5 / 2.5, 0.5 / 3.5])
