"""Every encoder of the hub's kinds is trained, kept and asked like the next one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert
from bench.method import Context
from bench.model import ResolvedModel
from bench.model_files import folder_revision
from bench.task import Documents, Kind, LabelSpace

SINGLE = ["roberta", "deberta", "deberta-v2", "modernbert", "xlm-roberta"]
MULTI = ["deberta-v2", "modernbert", "xlm-roberta"]
EPOCHS = {"single": 30, "multi": 80}
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.1,
    "max_position_embeddings": 514,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout")
QUICK: dict[str, Any] = {
    "keep": "last",
    "batch_size": 8,
    "learning_rate": 3e-3,
    "scheduler": "constant_with_warmup",
    "max_tokens": 32,
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 64}


@pytest.fixture(scope="session")
def family(
    tiny_model: Callable[..., ResolvedModel], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], ResolvedModel]:
    """Makes an encoder of a family, with the tiny BERT's tokenizer."""
    made: dict[str, ResolvedModel] = {}

    def make(model_type: str) -> ResolvedModel:
        if model_type not in made:
            made[model_type] = _make(model_type, tiny_model("bert").folder, tmp_path_factory.mktemp(model_type))
        return made[model_type]

    return make


def _make(model_type: str, tokenizer: Path, folder: Path) -> ResolvedModel:
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

    vocabulary = len(AutoTokenizer.from_pretrained(tokenizer))
    relative = RELATIVE if model_type.startswith("deberta") else {}
    sizes = SIZES | relative | dict.fromkeys(DROPOUTS, 0.0) | {"vocab_size": vocabulary}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = AutoModelForMaskedLM.from_config(AutoConfig.for_model(model_type, **sizes))
        network.save_pretrained(folder)
    for file in tokenizer.glob("*token*"):
        shutil.copy(file, folder)
    return ResolvedModel(str(folder), folder_revision(folder), folder, "encoder")


@pytest.mark.parametrize(
    ("model_type", "kind"),
    [*((name, "single") for name in SINGLE), *(pytest.param(name, "multi", marks=pytest.mark.slow) for name in MULTI)],
)
def test_learns_keeps_and_minds_no_padding(
    model_type: str,
    kind: Kind,
    family: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    train, context = sixteen(kind), make_context(family(model_type), kind)
    method = Bert(Bert.Config(**QUICK, epochs=EPOCHS[kind]))
    method.fit(train, train, labels, context)
    scores = method.predict(train.texts, context).values
    decided = np.eye(4)[scores.argmax(1)] if kind == "single" else scores > 0
    np.testing.assert_array_equal(decided, train.label_matrix(4).toarray())

    alone = np.concatenate([method.predict([text], context).values for text in train.texts])
    np.testing.assert_allclose(alone, scores, atol=1e-4)

    method.save(tmp_path)
    again = Bert(method.config)
    again.load(tmp_path, labels, context)
    np.testing.assert_array_equal(again.predict(train.texts, context).values, scores)
