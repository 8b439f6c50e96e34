"""Exports of every form, on networks of two layers: the page's lines give what the method gives."""

import contextlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from baselines.bert import Bert, BertSettings
from bench.approaches.embedding_head import EmbeddingHead, EmbeddingHeadSettings
from bench.approaches.instruction_tuning import InstructionSettings, InstructionTuning
from bench.exporting import THRESHOLDS, decision_lines
from bench.prediction import LabelSets
from bench.record import Decision

QUICK = {"epochs": 2, "batch_size": 8, "learning_rate": 0.01}
HEADS = {
    "stock adapter": ("single", {"quantisation": "none"}, "AutoPeftModelForSequenceClassification"),
    "dora": (
        "single",
        {"quantisation": "none", "dora": True, "rslora": True},
        "AutoPeftModelForSequenceClassification",
    ),
    "stock in 4 bits": ("single", {"quantisation": "nf4"}, "AutoPeftModelForSequenceClassification"),
    "stock whole": ("single", {"quantisation": "none", "adapter": "full"}, "`AutoModelForSequenceClassification`"),
    "bias": ("multi", {"quantisation": "none"}, "an adapter for `AutoModel` and a head"),
    "pooling": (
        "single",
        {"quantisation": "none", "pooling": "weighted-mean"},
        "an adapter for `AutoModel` and a head",
    ),
    "whole under a head": (
        "single",
        {"quantisation": "none", "adapter": "full", "pooling": "latent-attention", "latents": 8, "head": "mlp"},
        "a model for `AutoModel` and a head",
    ),
    "frozen": ("single", {"quantisation": "none", "adapter": "none"}, "a head for the base model"),
    "both ways": ("single", {"quantisation": "none", "direction": "bidirectional"}, "an adapter for `AutoModel`"),
    "both ways in 4 bits": (
        "multi",
        {"quantisation": "nf4", "direction": "bidirectional"},
        "an adapter for `AutoModel`",
    ),
}
ANSWERS = {
    "one label": ("single", {"quantisation": "none"}, "AutoPeftModelForCausalLM"),
    "in 4 bits": ("single", {"quantisation": "nf4"}, "AutoPeftModelForCausalLM"),
    "several": ("multi", {"quantisation": "none"}, "AutoPeftModelForCausalLM"),
    "whole": ("single", {"quantisation": "none", "adapter": "full"}, "`AutoModelForCausalLM`"),
    "free": ("multi", {"quantisation": "none", "decoding": "free"}, "AutoPeftModelForCausalLM"),
    "scores": ("multi", {"quantisation": "none", "decoding": "score"}, "AutoPeftModelForCausalLM"),
    "signs": ("single", {"quantisation": "none", "decoding": "verbalizer"}, "AutoPeftModelForCausalLM"),
}


@pytest.fixture
def exported(tmp_path, make_context, labels, sixteen):
    """Fits a method, exports it, runs the lines; what the method says and what the lines come to."""

    def run(method, model, kind):
        train, context = sixteen(kind), make_context(model, kind)
        with context.phase("train"):
            method.fit(train, train, labels, context)
        with context.phase("predict"):
            said = method.predict(train.texts, context)
        folder = tmp_path / "exported"
        folder.mkdir()
        written = method.export(folder, labels, context)
        (folder / "labels.json").write_text(json.dumps(labels.names))
        decision = Decision(rule="emitted" if isinstance(said, LabelSets) else "argmax")
        found = {"texts": train.texts}
        with contextlib.chdir(folder):
            exec(written.load + written.use + decision_lines(decision, "single"), found)
        return said, found, written

    return run


def check(said, found, names):
    if isinstance(said, LabelSets):
        got = [[one] if isinstance(one, str) else one or [] for one in found["labels"]]
        assert got == [[names[label] for label in row] for row in said.sets]
    else:
        assert np.abs(found["scores"].cpu().numpy() - said.values).max() < 1e-5
        assert np.ptp(said.values) > 1e-2
        assert found["labels"] == [names[row.argmax()] for row in said.values]


@pytest.mark.parametrize(
    ("case", "architecture"),
    [*((case, "llama") for case in HEADS), ("stock adapter", "qwen3"), ("stock whole", "qwen3")],
)
def test_heads(exported, tiny_model, labels, case, architecture):
    kind, settings, what = HEADS[case]
    method = EmbeddingHead(EmbeddingHeadSettings(**QUICK, max_tokens=12, **settings))
    said, found, written = exported(method, tiny_model(architecture), kind)
    assert what in written.what
    check(said, found, labels.names)


@pytest.mark.parametrize("case", ANSWERS)
def test_answers(exported, tiny_model, labels, case):
    kind, settings, what = ANSWERS[case]
    method = InstructionTuning(InstructionSettings(**QUICK, max_tokens=12, **settings))
    said, found, written = exported(method, tiny_model("llama"), kind)
    assert what in written.what
    check(said, found, labels.names)


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_the_lines_of_answers_heed_no_settings_of_the_model_s_own(exported, tiny_model, labels, tmp_path, adapter):
    model = tiny_model("llama")
    folder = shutil.copytree(model.folder, tmp_path / "penalised")
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    own = {"repetition_penalty": 30.0, "suppress_tokens": list(range(vocabulary))}
    (folder / "generation_config.json").write_text(json.dumps(own))
    method = InstructionTuning(InstructionSettings(**QUICK, max_tokens=12, quantisation="none", adapter=adapter))
    said, found, _ = exported(method, replace(model, folder=folder), "single")
    check(said, found, labels.names)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_classifier_knows_its_labels(exported, tiny_model, labels, kind):
    said, found, _ = exported(Bert(BertSettings(**QUICK, max_tokens=12)), tiny_model("bert"), kind)
    check(said, found, labels.names)
    config = found["model"].config
    assert config.id2label == dict(enumerate(labels.names))
    assert config.label2id == {name: place for place, name in enumerate(labels.names)}
    assert config.problem_type == f"{kind}_label_classification"


def test_a_classifier_from_an_adapter_knows_its_labels_and_its_padding(exported, tiny_model, labels):
    method = EmbeddingHead(EmbeddingHeadSettings(**QUICK, max_tokens=12, quantisation="none"))
    _, found, _ = exported(method, tiny_model("llama"), "single")
    config = found["model"].config
    assert config.id2label == dict(enumerate(labels.names))
    assert config.pad_token_id == found["tokenizer"].pad_token_id


def test_the_rule_of_several_labels():
    """The threshold of the cell, and the best label in any case."""
    import torch

    found = {"torch": torch, "names": ["a", "b", "c"], "scores": torch.tensor([[0.2, 0.5, 0.3], [-1.0, -2.0, -3.0]])}
    exec(decision_lines(Decision(rule="global-threshold", threshold=0.25), "multi"), found)
    assert found["labels"] == [["b", "c"], ["a"]]


def test_other_rules_of_several_labels(tmp_path):
    import torch

    scores = torch.tensor([[0.2, 0.5, 0.3, 0.5], [-1.0, -2.0, -3.0, -4.0]])
    found = {"torch": torch, "names": ["a", "b", "c", "d"], "scores": scores, "folder": str(tmp_path)}
    (tmp_path / THRESHOLDS).write_text(json.dumps([0.1, 9.0, 0.2, 9.0]))
    exec(decision_lines(Decision(rule="label-thresholds", threshold=9.0), "multi"), found)
    assert found["labels"] == [["a", "b", "c"], ["a"]]
    exec(decision_lines(Decision(rule="top-k", k=1), "multi"), found)
    assert found["labels"] == [["b"], ["a"]]
    exec(decision_lines(Decision(rule="top-k", k=2), "multi"), found)
    assert found["labels"] == [["b", "d"], ["a", "b"]]
