"""A short look at how fast this machine computes; imports torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from bench.approaches.quantisation import keep_as_trained
from bench.estimating.anatomy import Anatomy, on_paper
from bench.estimating.compute import Compute
from bench.estimating.pace import Subject
from bench.training import autocast, compute_dtype, quiet
from bench.work import Adapters, Work

_VOCABULARY = 1024
_FEWEST_TOKENS = 32
_LARGEST_ON_CPU = 5_000_000
_DIVIDED = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")


def matrix_rate(device: str, threads: int) -> float:
    """Operations a second at which two square matrices are multiplied in the dtype that networks compute in."""
    if device == "cpu":
        torch.set_num_threads(threads)
    size = 1024 if device == "cpu" else 8192
    left, right = (torch.rand(size, size, device=device, dtype=compute_dtype(device)) for _ in range(2))
    return 2 * size**3 / seconds_of(lambda: left @ right, device, 5)


@dataclass(frozen=True)
class Probe:
    """Runs one layer of a network.

    Attributes:
        device: A torch device.
        operations: About so many a round.
        rounds: The mean of so many counts, after one to warm up.
    """

    device: str
    operations: float
    rounds: int

    def read(self, subject: Subject, documents: int, length: int) -> float:
        """Operations a second of a layer that reads."""
        layer, anatomy = self._layer(subject)
        compute = Compute(anatomy, subject.work)
        ids = self._ids(compute.forward(length), documents, length)
        layer.eval()

        def run() -> None:
            with torch.inference_mode(), autocast(self.device):
                layer(input_ids=ids)

        return ids.numel() * compute.forward(length) / seconds_of(run, self.device, self.rounds)

    def learn(self, subject: Subject, documents: int, length: int) -> float:
        """Operations a second of a layer that learns; of one that learns nothing, as it reads."""
        if subject.work.trained not in {"all", "adapters"}:
            return self.read(subject, documents, length)
        layer, anatomy = self._layer(subject)
        work = replace(subject.work, training=None, frozen_layers=0)  # the layer learns, and is not computed twice
        compute = Compute(anatomy, work)
        ids = self._ids(compute.learning(length), documents, length)
        layer.train()

        def run() -> None:
            with autocast(self.device):
                made = layer(input_ids=ids).last_hidden_state
            made.backward(torch.rand_like(made))

        return ids.numel() * compute.learning(length) / seconds_of(run, self.device, self.rounds)

    def _ids(self, operations_a_token: float, documents: int, length: int) -> torch.Tensor:
        tokens = max(_FEWEST_TOKENS, int(self.operations / operations_a_token))
        length = max(1, min(length, tokens))
        rows = max(1, min(documents, tokens // length))
        return torch.randint(_VOCABULARY, (rows, length), device=self.device)

    def _layer(self, subject: Subject) -> tuple[Any, Anatomy]:
        """One layer of the network as it would be prepared, and its anatomy."""
        from transformers import AutoConfig, AutoModel

        config = one_layer(subject.config, _LARGEST_ON_CPU if self.device == "cpu" else None)
        work, dtype = subject.work, compute_dtype(self.device)
        with quiet():
            with torch.device(self.device):
                network = AutoModel.from_config(AutoConfig.for_model(**config), dtype=torch.float32)
            if work.quantisation != "none":
                _quantise(network, work, dtype)
            elif work.trained != "all":
                network = network.to(dtype)
            network = network.to(self.device).requires_grad_(work.trained == "all")
            if work.adapters is not None:
                network = with_adapters(network, work.adapters)
        return network, on_paper(config, subject.kind)


def import_libraries(work: Work) -> None:
    """Import what a layer of this work is made with, so that it is not timed."""
    with quiet():
        if work.quantisation != "none":
            import bitsandbytes  # noqa: F401
        if work.adapters is not None:
            import peft  # noqa: F401


def one_layer(config: Mapping[str, Any], most_weights: int | None) -> dict[str, Any]:
    """The config of a network of one layer and few tokens, and no wider than so many weights ask for."""
    kept: dict[str, Any] = {key: 0 if key.endswith("_token_id") else value for key, value in config.items()}
    kept |= {"num_hidden_layers": 1, "vocab_size": _VOCABULARY, "pad_token_id": 0}
    if "layer_types" in kept:
        kept["layer_types"] = kept["layer_types"][:1]
    numbers = {key: int(kept[key]) for key in _DIVIDED if kept.get(key)}
    weights = 3 * numbers.get("hidden_size", 0) * numbers.get("intermediate_size", 0)
    part = 1
    while most_weights is not None and weights / part**2 > most_weights and _divides(2 * part, numbers):
        part *= 2
    return kept | {key: number // part for key, number in numbers.items()}


def seconds_of(call: Callable[[], Any], device: str, rounds: int) -> float:
    """The mean of several calls, after one to warm up: a machine that is shared is as slow for its cells."""
    with quiet():
        call()
        _synchronise(device)
        started = time.perf_counter()
        for _ in range(rounds):
            call()
        _synchronise(device)
    return (time.perf_counter() - started) / rounds


def _synchronise(device: str) -> None:
    if device != "cpu":
        torch.accelerator.synchronize()


def _divides(part: int, numbers: Mapping[str, int]) -> bool:
    return bool(numbers) and all(number % part == 0 for number in numbers.values())


def with_adapters(network: Any, adapters: Adapters) -> Any:
    """The network with LoRA on all linear layers."""
    from peft import LoraConfig, get_peft_model

    dropout = 0.05 if adapters.dropout else 0.0
    wanted = LoraConfig(r=adapters.rank, lora_dropout=dropout, use_dora=adapters.scales, target_modules="all-linear")
    return get_peft_model(network, wanted)


def _quantise(network: Any, work: Work, dtype: torch.dtype) -> None:
    """Put quantised layers in the place of linear ones; they are quantised when they move to their device."""
    import bitsandbytes as bnb

    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if not isinstance(layer, torch.nn.Linear):
                continue
            weights, shape = layer.weight.data.cpu(), (layer.in_features, layer.out_features, layer.bias is not None)
            if work.quantisation == "nf4":
                new = bnb.nn.Linear4bit(*shape, compute_dtype=dtype, compress_statistics=True, quant_type="nf4")
                new.weight = bnb.nn.Params4bit(weights, requires_grad=False, compress_statistics=True, quant_type="nf4")
            else:
                new = bnb.nn.Linear8bitLt(*shape, has_fp16_weights=False)
                new.weight = bnb.nn.Int8Params(weights, requires_grad=False, has_fp16_weights=False)
            setattr(module, name, new)
    keep_as_trained(network)
