"""Parameters are counted from configs, to the last one."""

from __future__ import annotations

import json

import pytest

from bench import embedded
from bench.approaches.embedding_head import EmbeddingHead, network_on_paper
from bench.approaches.head_work import head_parameters
from bench.estimating.anatomy import by_numbers, on_paper
from bench.presets import find_preset, presets
from bench.work import Adapters


def preset(name):
    found = find_preset(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("model", "rank", "trained"),
    [
        ("Llama-3.2-3B", 8, 12_156_928),
        ("Llama-3.2-3B", 64, 97_255_424),
        ("Llama-3.1-8B", 8, 20_971_520),
        ("Llama-3.1-8B", 64, 167_772_160),
        ("Llama-3.2-1B", 8, 5_636_096),
    ],
)
def test_adapters_are_the_study_s(model, rank, trained):
    config = preset(model).config
    for anatomy in (on_paper(config, "decoder"), by_numbers(config)):
        assert anatomy.adapters(Adapters(rank)) == trained


def test_the_study_s_head():
    settings = EmbeddingHead.Config()
    assert head_parameters(settings, 3072, 5, "single") == 15_360
    assert head_parameters(settings, 3072, 5, "multi") == 15_365


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dora": True, "rank": 3},
        {"adapter": "none", "head": "mlp"},
        {"adapter": "none", "pooling": "latent-attention", "latents": 7},
        {"adapter": "full", "quantisation": "none", "pooling": "mean"},
    ],
)
def test_a_decoder_under_a_head_is_the_network_that_is_trained(kind, settings):
    from bench.training import count_parameters

    chosen = EmbeddingHead.Config(**settings)
    config = preset("SmolLM2-135M").config
    anatomy = on_paper(config, "decoder")
    trainable, total = count_parameters(network_on_paper(config, 6, chosen, kind))
    adapters = anatomy.adapters(Adapters(chosen.rank, chosen.dora)) if chosen.adapter == "lora" else 0
    head = head_parameters(chosen, 576, 6, kind)
    assert anatomy.loaded("body", 6) + adapters + head == total
    assert (total if chosen.adapter == "full" else adapters + head) == trainable


@pytest.mark.parametrize("known", presets(), ids=lambda known: known.id)
def test_numbers_alone_come_close(known):
    exact, quick = on_paper(known.config, known.architecture), by_numbers(known.config)
    assert quick.body == pytest.approx(exact.body, rel=0.011)
    assert quick.weights == pytest.approx(exact.weights, rel=0.01)
    same = ("hidden", "layers", "queries", "keys", "inner", "gated", "vocabulary", "output", "largest", "stored_bytes")
    assert [getattr(quick, name) for name in same] == [getattr(exact, name) for name in same]
    # RoBERTa's classifier has no pooler, which its preset counts.
    assert exact.body == known.parameters - (768 * 768 + 768 if known.family == "RoBERTa" else 0)


@pytest.mark.parametrize(
    ("model", "labels"),
    [("bert-base-uncased", 5), ("roberta-base", 14), ("deberta-v3-base", 2), ("ModernBERT-base", 9)],
)
def test_a_classifier_has_the_head_that_it_comes_with(model, labels):
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = preset(model).config
    with torch.device("meta"):
        network = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**config, num_labels=labels))
    assert on_paper(config, "encoder").loaded("classifier", labels) == network.num_parameters()


def test_an_untied_output_layer_counts():
    anatomy = on_paper(preset("Llama-3.1-8B").config, "decoder")
    assert anatomy.loaded("causal-lm", 0) - anatomy.loaded("body", 0) == 128_256 * 4096
    tied = on_paper(preset("Llama-3.2-3B").config, "decoder")
    assert tied.loaded("causal-lm", 0) == tied.loaded("body", 0) == preset("Llama-3.2-3B").parameters


def test_a_config_without_the_usual_numbers_has_no_numbers():
    config = json.loads((embedded.folder("embedded-decoder") / "config.json").read_text())
    assert by_numbers(config) is not None
    assert by_numbers({key: value for key, value in config.items() if key != "intermediate_size"}) is None
