"""``bert`` learns, starts at the labels' frequencies, and comes back from disk as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from baselines.bert import Bert, start_final_layer
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace
from bench.training import HEAD_START, log_prior_bias

QUICK = {"epochs": 100, "batch_size": 8, "learning_rate": 2e-3, "max_tokens": 64}


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


@pytest.mark.parametrize("model_type", ["bert", "roberta", "deberta-v2", "modernbert", "distilbert", "electra"])
def test_the_last_layer_is_found_in_every_family_and_says_little_but_its_bias(model_type: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = AutoConfig.for_model(model_type, vocab_size=60, num_labels=5, pad_token_id=0, **sizes)
    network = AutoModelForSequenceClassification.from_config(config).eval()
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        usual = network(input_ids=ids).logits  # every head's own bias starts at zero
        start_final_layer(network, 5, torch.arange(5.0))
        after = network(input_ids=ids).logits
    torch.testing.assert_close(after, torch.arange(5.0) + HEAD_START * usual)


def test_without_a_bias_the_last_layer_starts_near_zero() -> None:
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.Linear(5, 5))
    first, bias = network[0].weight.clone(), network[1].bias.clone()
    last = network[1].weight.clone()
    start_final_layer(network, 5, None)
    assert torch.equal(network[0].weight, first)
    assert torch.equal(network[1].bias, bias)
    torch.testing.assert_close(network[1].weight, HEAD_START * last)


def test_prior_bias_is_the_log_odds() -> None:
    documents = Documents(list("abc"), ["x"] * 3, [[0], [0, 1], []])
    odds = log_prior_bias(documents, 3).exp().tolist()
    assert odds == pytest.approx([2.5 / 1.5, 1.5 / 2.5, 0.5 / 3.5])
