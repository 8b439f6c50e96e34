"""Networks of random weights and a vocabulary of a few hundred, small enough to learn in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.method import Context, QuietInstruments
from bench.model import ResolvedModel
from bench.model_files import folder_revision
from bench.seeds import Seeds
from bench.task import Documents, Kind, LabelSpace, TaskProfile

TOPICS = (
    "boats sail on the windy sea",
    "bread is baked of flour",
    "chess players move a pawn",
    "rockets fly to the moon",
)
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.1,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ResolvedModel]:
    """Makes a model of a type (``bert``, ``llama``, ``qwen3``) once a session; a bert with some dropout, or none."""
    made: dict[tuple[str, float], ResolvedModel] = {}

    def make(model_type: str, dropout: float = 0.0) -> ResolvedModel:
        key = (model_type, dropout)
        if key not in made:
            made[key] = _make(model_type, dropout, tmp_path_factory.mktemp(model_type))
        return made[key]

    return make


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., Context]:
    """Makes the context of a cell on the CPU."""

    def make(
        model: ResolvedModel | None, kind: Kind = "single", n_labels: int = 4, seeds: Seeds | None = None
    ) -> Context:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        import torch

        torch.set_num_threads(1)  # such small networks only wait for a second one
        profile = TaskProfile("tiny", kind, n_labels, "micro_f1")
        return Context(profile, seeds or Seeds(0), "cpu", 1, scratch, QuietInstruments(), model)

    return make


@pytest.fixture(scope="session")
def labels() -> LabelSpace:
    return LabelSpace(("sea", "food", "game", "space"))


@pytest.fixture(scope="session")
def sixteen() -> Callable[[Kind], Documents]:
    """Sixteen documents of different lengths that can be told apart."""

    def make(kind: Kind) -> Documents:
        texts, rows = [], []
        for number in range(16):
            topics = [number % 4] if kind == "single" else [t for t in range(4) if number >> t & 1]
            texts.append(" and ".join([TOPICS[t] for t in topics] or ["nothing"]) + " indeed" * (number // 4))
            rows.append(topics)
        return Documents([str(n) for n in range(16)], texts, rows)

    return make


def _make(model_type: str, dropout: float, folder: Path) -> ResolvedModel:
    import torch
    import transformers

    encoder = model_type == "bert"
    tokenizer = _tokenizer(encoder)
    sizes = SIZES | {"vocab_size": len(tokenizer)}
    dropouts = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    sizes |= dropouts if encoder else {"num_key_value_heads": 1, "head_dim": 16}
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    auto = transformers.AutoModelForMaskedLM if encoder else transformers.AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(7)
        auto.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    architecture: Any = "encoder" if encoder else "decoder"
    return ResolvedModel(str(folder), folder_revision(folder), folder, architecture)


def _tokenizer(encoder: bool) -> Any:
    import transformers
    from tokenizers import processors

    from bench.pretraining.tokenizer import train

    backend = train([*TOPICS, "sea; food; game; space none", "Label of this text:"], 400)
    ids = {token: backend.token_to_id(token) for token in ("<s>", "[CLS]", "[SEP]")}
    template = "[CLS] $A [SEP]" if encoder else "<s> $A"
    backend.post_processor = processors.TemplateProcessing(single=template, special_tokens=list(ids.items()))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=512,
    )
