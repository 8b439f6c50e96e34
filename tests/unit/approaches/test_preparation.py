"""What few bits, checkpoints, precision, masks and learning rates do to a decoder under a head, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.approaches.adapters import start
from bench.approaches.embedding_head import EmbeddingHead
from bench.approaches.instruction_tuning import InstructionTuning
from bench.errors import ModelError, UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace
from bench.training import log_prior_bias

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
SHAPE = {"vocab_size": 60, "num_hidden_layers": 1, "num_attention_heads": 2, "pad_token_id": 0}
IDS = [[2, 9, 10, 11], [2, 17, 0, 0]]
MASK = [[1, 1, 1, 1], [1, 1, 0, 0]]


def prepared(settings: Any, model: ResolvedModel, make_context: MakeContext) -> Any:
    """A decoder with its language-model head, made ready."""
    from transformers import AutoModelForCausalLM

    return start(AutoModelForCausalLM, settings, make_context(model))[0]


def headed(context: Context, **settings: Any) -> Any:
    """The network of ``embedding-head`` for four labels."""
    method = EmbeddingHead(EmbeddingHead.Config(**settings))
    method._start(4, context)
    return method._network


def batch() -> tuple[Any, Any]:
    import torch

    return torch.tensor(IDS), torch.tensor(MASK)


@pytest.mark.parametrize("model_type", ["llama", "biogpt", "gpt_neox"])
def test_four_bits_are_doubly_quantised_normal_floats_and_the_output_layer_has_all(
    model_type: str, tiny_model: Make, make_context: MakeContext
) -> None:
    import torch
    from bitsandbytes.nn import Linear4bit

    network = prepared(InstructionTuning.Config(), tiny_model(model_type), make_context)
    states = [module.weight.quant_state for module in network.modules() if isinstance(module, Linear4bit)]
    assert len(states) == 2 * {"llama": 7, "biogpt": 6, "gpt_neox": 4}[model_type]
    assert all(state.quant_type == "nf4" and state.nested for state in states)
    assert type(network.get_output_embeddings()) is torch.nn.Linear


def test_eight_bits_are_quantised_and_the_output_layer_is_not(tiny_model: Make, make_context: MakeContext) -> None:
    import torch
    from bitsandbytes.nn import Linear8bitLt

    network = prepared(InstructionTuning.Config(quantisation="int8"), tiny_model("llama"), make_context)
    layers = [module for module in network.modules() if isinstance(module, Linear8bitLt)]
    assert len(layers) == 7 * 2
    assert all(layer.weight.dtype is torch.int8 for layer in layers)
    assert type(network.get_output_embeddings()) is torch.nn.Linear


def test_what_is_not_quantised_is_frozen_in_full_precision(
    tiny_model: Make, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a device that computes in bfloat16."""
    import torch

    monkeypatch.setattr("bench.approaches.adapters.compute_dtype", lambda _: torch.bfloat16)
    body = headed(make_context(tiny_model("llama")), adapter="none").body
    assert {weights.dtype for weights in body.parameters()} == {torch.uint8, torch.float32}
    assert not any(weights.requires_grad for weights in body.parameters())


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_the_head_computes_in_full_precision_inside_of_mixed(
    head: str, tiny_model: Make, make_context: MakeContext
) -> None:
    import torch

    network = headed(make_context(tiny_model("llama")), quantisation="none", head=head, pooling="latent-attention")
    read: list[Any] = []
    network.body.register_forward_hook(lambda *given: read.append(given[2].last_hidden_state))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = network(*batch())
    vectors = read[0]
    layer = network.body.base_model.model.layers[0].mlp.down_proj
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.ones(1, layer.in_features)).dtype is torch.bfloat16  # mixed it was
    with torch.no_grad():
        expected = network.head(network.hidden(network.pooling(vectors, batch()[1])))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(("checkpointing", "readings"), [(False, 1), (True, 2)])
def test_checkpointing_computes_each_layer_twice(
    checkpointing: bool, readings: int, tiny_model: Make, make_context: MakeContext
) -> None:
    network = headed(make_context(tiny_model("llama")), gradient_checkpointing=checkpointing).train()
    calls: list[str] = []
    for name, module in network.named_modules():
        if name.endswith(".mlp"):
            module.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
    network(*batch()).sum().backward()
    assert len(calls) == 2 * readings


@pytest.mark.parametrize(("direction", "masked"), [("causal", False), ("bidirectional", True)])
def test_causal_attention_needs_no_mask(
    direction: str, masked: bool, tiny_model: Make, make_context: MakeContext
) -> None:
    network = headed(make_context(tiny_model("llama")), direction=direction, quantisation="none")
    seen: list[Any] = []
    network.body.register_forward_pre_hook(lambda *given: seen.append(given[2]["attention_mask"]), with_kwargs=True)
    network(*batch())
    assert [mask is not None for mask in seen] == [masked]


def test_the_head_starts_at_the_labels_log_odds_and_has_a_learning_rate_of_its_own(
    tiny_model: Make, make_context: MakeContext, sixteen: Callable[[Kind], Documents], labels: LabelSpace
) -> None:
    """Seen by a rate at which it stays where it is, while the adapters move."""
    import torch

    train, context = sixteen("multi"), make_context(tiny_model("llama"), "multi")
    train = train.take([0, 1, 3, 5, 7, 9])
    settings = {"epochs": 1, "learning_rate": 1e-2, "head_learning_rate": 1e-12, "warmup_ratio": 0.0}
    method = EmbeddingHead(EmbeddingHead.Config(**settings))
    method.fit(train, train, labels, context)
    odds = log_prior_bias(train, 4)
    assert len(odds.unique()) > 1
    torch.testing.assert_close(method._network.head.bias.detach(), odds)
    moved = [weights for name, weights in method._network.named_parameters() if "lora_B" in name]
    assert all(weights.abs().max() > 1e-3 for weights in moved)


@pytest.mark.parametrize("model_type", ["gpt2", "opt"])
def test_a_frozen_decoder_has_no_dropout(model_type: str, tiny_model: Make, make_context: MakeContext) -> None:
    """Its features would be chance; an adapted one keeps it."""
    import torch

    context = make_context(tiny_model(model_type))
    frozen = headed(context, adapter="none").train()
    assert torch.equal(frozen(*batch()), frozen(*batch()))
    assert frozen.training
    assert frozen.head.training
    adapted = headed(context, adapter_dropout=0.0).train()
    assert not torch.equal(adapted(*batch()), adapted(*batch()))


def test_checkpoints_of_what_is_frozen_are_refused() -> None:
    with pytest.raises(UserError, match="adapter=none has no use for gradient_checkpointing") as error:
        resolve_settings(EmbeddingHead.Config, {"adapter": "none", "gradient_checkpointing": True}, "embedding-head")
    assert "\n" not in str(error.value)
    full = {"adapter": "full", "quantisation": "none", "gradient_checkpointing": True}
    resolve_settings(EmbeddingHead.Config, full, "embedding-head")


def test_a_decoder_that_is_narrower_at_its_ends() -> None:
    """The shape of OPT-350m."""
    from transformers import AutoConfig, AutoModel

    from bench.approaches.head_network import HeadNetwork

    config = AutoConfig.for_model("opt", hidden_size=32, ffn_dim=64, word_embed_proj_dim=16, **SHAPE)
    network = HeadNetwork(AutoModel.from_config(config), 5, "latent-attention", "mlp", 4)
    assert network(*batch()).shape == (2, 5)


@pytest.mark.parametrize(
    ("model_type", "shape", "message"),
    [
        ("llama4_text", {"hidden_size": 32, "head_dim": 16}, "no causal switch that all of it heeds; set direction"),
        ("mpt", {"d_model": 32, "n_heads": 2, "n_layers": 1}, r"no causal switch that works \(.+\); set direction"),
    ],
)
def test_a_model_that_heeds_the_switch_in_part_or_fails_is_refused(
    model_type: str, shape: dict[str, Any], message: str
) -> None:
    import torch
    from transformers import AutoConfig, AutoModel

    from bench.approaches.direction import look_both_ways

    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "num_local_experts": 2}
    sizes |= {"intermediate_size": 64, "intermediate_size_mlp": 64, "initializer_range": 0.1, "pad_token_id": 0}
    network = AutoModel.from_config(AutoConfig.for_model(model_type, vocab_size=60, **sizes | shape)).eval()
    with pytest.raises(ModelError, match=rf"some/model \({model_type}\) has {message}") as error:
        look_both_ways(network, "some/model")
    assert "\n" not in str(error.value)
