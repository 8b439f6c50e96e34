"""Networks whose configs and layers are called otherwise than Llama's, and those that are not understood."""

import pytest

from bench.errors import UserError
from bench.estimating.anatomy import Linear, by_numbers, on_paper
from bench.work import Adapters

GPT2 = {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 100}
OPT = {
    "model_type": "opt",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "ffn_dim": 128,
    "word_embed_proj_dim": 64,
    "vocab_size": 100,
}
BLOOM = {"model_type": "bloom", "hidden_size": 64, "n_layer": 2, "n_head": 4, "vocab_size": 100}
FALCON = {"model_type": "falcon", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 99}
EXPERTS = {
    "model_type": "qwen3_moe",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "moe_intermediate_size": 32,
    "num_experts": 8,
    "vocab_size": 100,
}


@pytest.mark.parametrize(
    ("config", "inner", "keys"),
    [(GPT2, 256, 64), ({**GPT2, "n_inner": 80}, 80, 64), (OPT, 128, 64), (BLOOM, 256, 64), (FALCON, 256, 16)],
    ids=["gpt2", "gpt2-inner", "opt", "bloom", "falcon"],
)
def test_older_decoders_are_counted(config, inner, keys):
    anatomy = on_paper(config, "decoder")
    assert (anatomy.hidden, anatomy.layers, anatomy.inner, anatomy.keys) == (64, 2, inner, keys)
    assert not anatomy.gated
    assert anatomy.weights == 2 * (2 * 64 * 64 + 2 * 64 * keys + 2 * 64 * inner)


def test_layers_that_are_written_the_other_way_round_are_linear():
    anatomy = on_paper({**GPT2, "n_inner": 96}, "decoder")
    assert Linear(64, 96, 2) in anatomy.linears
    assert Linear(96, 64, 2) in anatomy.linears
    assert anatomy.adapters(Adapters(4)) == 2 * 4 * ((64 + 192) + (64 + 64) + 2 * (64 + 96))


def test_experts_are_not_estimated():
    with pytest.raises(UserError, match=r"experts: layers\.\d\.mlp\.experts\."):
        on_paper(EXPERTS, "decoder")
    assert by_numbers(EXPERTS) is None


def test_a_network_without_heads_says_what_is_missing():
    mamba = {"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 100, "state_size": 1}
    with pytest.raises(UserError, match=r"no num_attention_heads|of a kind that is not estimated"):
        on_paper(mamba, "decoder")
