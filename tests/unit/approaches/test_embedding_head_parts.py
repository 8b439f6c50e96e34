"""Every pooling, direction, head, loss and adapter learns; what is frozen stays; parameters are the study's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.approaches.embedding_head import EmbeddingHead, network_on_paper
from bench.errors import ModelError, UserError
from bench.losses import objective
from bench.method import Context
from bench.model import ResolvedModel
from bench.presets import find_preset
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
QUICK = {
    "keep": "last",
    "epochs": 30,
    "batch_size": 8,
    "learning_rate": 1e-2,
    "head_learning_rate": 5e-2,
    "max_tokens": 64,
    "adapter_dropout": 0.0,
    "quantisation": "none",
    "scheduler": "constant_with_warmup",
}
FROZEN = {"adapter": "none", "adapter_dropout": 0.05, "epochs": 60, "head_learning_rate": 1e-1}
FULL = {"adapter": "full", "adapter_dropout": 0.05, "learning_rate": 3e-3}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("single", {"pooling": "mean", "direction": "bidirectional"}),
        ("single", {"pooling": "weighted-mean"}),
        ("multi", {"pooling": "max"}),
        ("multi", {"pooling": "latent-attention", "latents": 16}),
        ("multi", {"pooling": "last", "direction": "bidirectional"}),
        ("single", {"head": "mlp"}),
        ("single", FROZEN),
        ("multi", FROZEN | {"head": "mlp", "head_learning_rate": 5e-2, "pooling": "mean"}),
        ("single", FULL),
        ("multi", {"rslora": True, "alpha": 4.0}),
        ("single", {"dora": True}),
        ("single", {"quantisation": "nf4", "dora": True}),
        ("multi", {"quantisation": "int8"}),
        ("single", {"gradient_checkpointing": True}),
        ("single", {"focal_gamma": 2.0}),
        ("single", {"class_weights": "balanced"}),
        ("multi", {"multi_label_loss": "asymmetric"}),
        ("multi", {"multi_label_loss": "zlpr"}),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(f"{k}={v}" for k, v in value.items()),
)
def test_sixteen_documents_are_learnt_to_no_loss(
    kind: Kind,
    settings: dict[str, Any],
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
) -> None:
    scores = learnt(QUICK | settings, kind, "llama", tiny_model, make_context, sixteen, labels)[1]
    assert loss(scores, settings, sixteen(kind), kind) < 0.01


@pytest.mark.parametrize("model_type", ["qwen3", "gemma2", "mistral"])
def test_other_decoders_learn_too(
    model_type: str, tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    settings = {"pooling": "mean", "direction": "bidirectional"}
    scores = learnt(QUICK | settings, "single", model_type, tiny_model, make_context, sixteen, labels)[1]
    assert loss(scores, settings, sixteen("single"), "single") < 0.01


def test_smoothed_targets_are_learnt_to_their_own_least_loss(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    """Which is the entropy of the targets: 0.925 and three times 0.025."""
    settings = {"label_smoothing": 0.1}
    scores = learnt(QUICK | settings, "single", "llama", tiny_model, make_context, sixteen, labels)[1]
    least = -0.925 * np.log(0.925) - 3 * 0.025 * np.log(0.025)
    assert least <= loss(scores, settings, sixteen("single"), "single") < least + 0.01


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("multi", {}),
        ("multi", {"multi_label_loss": "asymmetric"}),
        ("multi", {"multi_label_loss": "zlpr"}),
        ("single", {}),
        ("single", {"label_smoothing": 0.1, "class_weights": "balanced"}),
        ("single", {"focal_gamma": 2.0}),
    ],
    ids=["bce", "asymmetric", "zlpr", "single", "smoothed", "focal"],
)
def test_many_labels_are_learnt_in_chunks_to_the_same_scores(
    kind: Kind,
    settings: dict[str, Any],
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = QUICK | {"epochs": 2, "gradient_accumulation": 2} | settings
    given = (chosen, kind, "llama", tiny_model, make_context, sixteen, labels)
    dense = learnt(*given)[1]
    monkeypatch.setattr("bench.losses.DENSE_LABELS", 3)
    for form in ("AnyLabels", "OneLabel"):
        monkeypatch.setattr(f"bench.losses.{form}.targets", None)  # nobody makes the dense ones
    np.testing.assert_allclose(learnt(*given)[1], dense, atol=1e-3)


@pytest.mark.parametrize(
    ("model_type", "settings", "moving"),
    [
        ("llama", {"adapter": "none", "pooling": "latent-attention", "latents": 4, "head": "mlp"}, {"head"}),
        ("qwen3", {"adapter": "none", "pooling": "mean"}, {"head"}),
        ("gemma2", {"adapter": "none", "quantisation": "int8"}, {"head"}),
        ("llama", {"quantisation": "nf4"}, {"head", "lora"}),
        ("qwen3", {"quantisation": "nf4"}, {"head", "lora"}),
        ("gemma2", {"quantisation": "nf4"}, {"head", "lora"}),
        ("qwen3", {"quantisation": "none", "dora": True}, {"head", "lora"}),
        ("llama", {"adapter": "full", "quantisation": "none"}, {"head", "body"}),
    ],
)
def test_only_what_is_trained_moves_and_all_of_that(
    model_type: str,
    settings: dict[str, Any],
    moving: set[str],
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
) -> None:
    import torch

    train, context = sixteen("single"), make_context(tiny_model(model_type))
    method = EmbeddingHead(EmbeddingHead.Config(epochs=3, batch_size=8, max_tokens=64, warmup_ratio=0.0, **settings))
    method._start(4, context)
    before = {name: value.clone() for name, value in method._network.state_dict().items()}
    method.fit(train, train, labels, context)
    after = method._network.state_dict()
    tokens = {id_ for row in method._tokenise(train.texts).rows for id_ in row}
    assert len(tokens) < len(after[next(name for name in after if "embed_tokens" in name)])
    assert before.keys() == after.keys()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved == {name for name in after if part(name) in moving}
    assert all(parameter.dtype is torch.float32 for parameter in method._network.on_top().parameters())
    assert all(parameter.requires_grad for parameter in method._network.on_top().parameters())


def test_the_switch_is_the_model_s_own_and_looked_at(tiny_model: Make, make_context: MakeContext) -> None:
    import torch

    ids, other = torch.tensor([[2, 9, 10, 11]]), torch.tensor([[2, 9, 10, 40]])
    mask = torch.ones_like(ids)
    for model_type in ("llama", "qwen3", "gemma2", "mistral"):
        for direction, sees in (("causal", False), ("bidirectional", True)):
            method = EmbeddingHead(EmbeddingHead.Config(quantisation="none", direction=direction))
            method._start(4, make_context(tiny_model(model_type)))
            body = method._network.body
            first, second = (body(input_ids=row, attention_mask=mask).last_hidden_state[0, 0] for row in (ids, other))
            assert torch.equal(first, second) is not sees


def test_a_model_without_the_switch_is_refused() -> None:
    from transformers import AutoConfig, AutoModel

    from bench.approaches.direction import look_both_ways

    config = AutoConfig.for_model("mamba", vocab_size=60, hidden_size=16, num_hidden_layers=1, state_size=4)
    with pytest.raises(ModelError, match=r"some/mamba \(mamba\) has no causal switch; set direction=causal") as error:
        look_both_ways(AutoModel.from_config(config).eval(), "some/mamba")
    assert "\n" not in str(error.value)


def test_rslora_and_dora_are_what_their_papers_say(tiny_model: Make, make_context: MakeContext) -> None:
    config = EmbeddingHead.Config(quantisation="none", rank=4, alpha=6.0, rslora=True, dora=True)
    method = EmbeddingHead(config)
    method._start(4, make_context(tiny_model("llama")))
    layers = [module for module in method._network.modules() if hasattr(module, "lora_A")]
    assert len(layers) == 7 * 2
    for layer in layers:
        assert layer.scaling == {"default": 6.0 / 4**0.5}
        (size,) = layer.lora_magnitude_vector["default"].weight.shape
        assert size == layer.out_features


def test_dora_in_eight_bits_is_refused_on_a_cpu(tiny_model: Make, make_context: MakeContext) -> None:
    method = EmbeddingHead(EmbeddingHead.Config(quantisation="int8", dora=True))
    with pytest.raises(UserError, match="dora=true does not work with quantisation=int8 on a CPU"):
        method._start(4, make_context(tiny_model("llama")))


def test_idle_latents_are_refused() -> None:
    with pytest.raises(UserError, match="pooling=last has no use for latents"):
        resolve_settings(EmbeddingHead.Config, {"latents": 8}, "embedding-head")


@pytest.mark.parametrize(
    ("model", "rank", "adapters"),
    [
        ("Llama-3.2-3B", 8, 12_156_928),
        ("Llama-3.2-3B", 64, 97_255_424),
        ("Llama-3.1-8B", 8, 20_971_520),
        ("Llama-3.1-8B", 64, 167_772_160),
    ],
)
def test_trained_parameters_are_the_study_s(model: str, rank: int, adapters: int) -> None:
    from bench.training import count_parameters

    preset = find_preset(model)
    assert preset is not None
    network = network_on_paper(preset.config, 5, EmbeddingHead.Config(rank=rank))
    size = preset.config["hidden_size"]
    assert network.head.weight.numel() == 5 * size
    assert count_parameters(network) == (adapters + 5 * size, preset.parameters + adapters + 5 * size)


def test_the_head_of_the_study_s_best_row() -> None:
    preset = find_preset("Llama-3.2-3B")
    assert preset is not None
    plain = EmbeddingHead.Config(adapter="none")
    assert trained(preset.config, plain) == 15_360
    mlp = EmbeddingHead.Config(adapter="none", head="mlp")
    assert trained(preset.config, mlp) - trained(preset.config, plain) == 3072 * 3072 + 3072
    latent = EmbeddingHead.Config(adapter="none", pooling="latent-attention")
    block = 512 * 3072 + 2 * (3072 * 3072 + 3072) + 2 * 2 * 3072
    assert trained(preset.config, latent) - trained(preset.config, plain) == block


def loss(scores: Any, settings: dict[str, Any], train: Documents, kind: Kind) -> float:
    """What the settings' loss is, for each document, under scores of them."""
    import torch

    goal = objective(EmbeddingHead.Config(**QUICK | settings), kind, train, 4)
    found: float = goal.criterion(torch.tensor(scores), goal.targets(train.labels)).item() / len(train)
    return found


def trained(architecture: Any, settings: Any) -> int:
    from bench.training import count_parameters

    return count_parameters(network_on_paper(architecture, 5, settings))[0]


def part(name: str) -> str:
    if not name.startswith("body."):
        return "head"
    return "lora" if "lora_" in name else "body"


def learnt(
    settings: dict[str, Any],
    kind: Kind,
    model_type: str,
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
) -> tuple[Context, Any, Any]:
    """The context of a fit, the scores of what was learnt, and what they decide."""
    train, context = sixteen(kind), make_context(tiny_model(model_type), kind)
    method = EmbeddingHead(EmbeddingHead.Config(**settings))
    method.fit(train, train, labels, context)
    scores = method.predict(train.texts, context).values
    return context, scores, np.eye(4)[scores.argmax(1)] if kind == "single" else scores > 0
