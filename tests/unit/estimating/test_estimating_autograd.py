"""What the formulas say a layer keeps is about what autograd keeps of it, tensor by tensor."""

from __future__ import annotations

import pytest

from bench.estimating.anatomy import by_numbers
from bench.estimating.memory import Footprint, Machine
from bench.presets import find_preset
from bench.work import Adapters, Reading, Training, Work

LAYERS, ROWS, LENGTH = 2, 4, 64


@pytest.mark.parametrize(
    ("model", "trained", "adapters"),
    [
        ("SmolLM2-135M", "adapters", Adapters(8, dropout=True)),
        ("SmolLM2-135M", "adapters", Adapters(8)),
        ("SmolLM2-135M", "all", None),
        ("SmolLM2-135M", "head", None),
        ("Qwen3-0.6B", "adapters", Adapters(16, dropout=True)),
        ("bert-base-uncased", "all", None),
        ("ModernBERT-base", "all", None),
    ],
)
def test_what_a_layer_keeps(model, trained, adapters):
    preset = find_preset(model)
    config = {key: 0 if key.endswith("_token_id") else value for key, value in preset.config.items()}
    config |= {"num_hidden_layers": LAYERS, "vocab_size": 1000}
    loaded = "body" if preset.architecture == "decoder" else "classifier"
    reading = Reading(ROWS, LENGTH)
    work = Work(loaded, trained, reading, Training(reading, 1, ROWS), adapters=adapters)
    estimated = Footprint(by_numbers(config), work, Machine.of("cpu", bf16=False), 5).activations(ROWS * LENGTH)
    kept = kept_by_autograd(config, work)
    if trained == "head":
        assert estimated == kept == 0
    else:
        assert 0.75 < estimated / kept < 1.25


def kept_by_autograd(config, work):
    """Bytes of the storages that a forward pass saves, the network's own left out."""
    import torch
    from transformers import AutoConfig, AutoModel

    from bench.estimating.probe import with_adapters

    torch.set_num_threads(1)
    network = AutoModel.from_config(AutoConfig.for_model(**config), dtype=torch.float32)
    network.config.use_cache = False
    network.requires_grad_(work.trained == "all")
    if work.adapters is not None:
        network = with_adapters(network, work.adapters)
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    saved = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage, storage.nbytes()
        return tensor

    network.train()
    ids = torch.randint(1, 1000, (ROWS, LENGTH))
    mask = torch.ones_like(ids) if work.loaded == "classifier" else None
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(input_ids=ids, attention_mask=mask)
    return sum(size for _, size in saved.values())
