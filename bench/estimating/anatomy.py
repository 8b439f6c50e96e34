"""The parts of a network, as far as its memory and its work depend on them, from its config and without weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import UserError
from bench.work import Adapters, Loaded

_FEW_LABELS = 2
_INNER = ("intermediate_size", "ffn_dim", "n_inner", "hidden_dim", "ffn_hidden_size")
"""What configs call the width inside the feed-forward block; those that do not say it mean four times the other."""
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
_LEAST_UNKNOWN = 0.01
"""Share of the body's parameters in matrices that no layer known here owns, from which on nothing is estimated."""


@dataclass(frozen=True)
class Linear:
    """Linear layers of one shape.

    Attributes:
        inputs: Width of what they read.
        outputs: Width of what they make.
        count: How many there are.
    """

    inputs: int
    outputs: int
    count: int

    @property
    def weights(self) -> int:
        """Weights of all of them, biases left out."""
        return self.inputs * self.outputs * self.count


@dataclass(frozen=True)
class Anatomy:
    """A transformer in numbers.

    Attributes:
        linears: The linear layers of its body.
        body: Parameters of the body, embeddings included.
        output: Parameters of the layer that makes logits over the vocabulary; 0 where it is the embeddings themselves.
        classifier: Parameters of body and classification head together, but for what each label adds; 0 for decoders.
        per_label: Parameters that each label adds to the classification head.
        largest: Values of the largest tensor.
        hidden: Width of the tokens' vectors.
        layers: Number of layers.
        queries: Width of a layer's queries: heads × size of a head.
        keys: Width of its keys, and of its values.
        inner: Width inside the feed-forward block.
        gated: Whether two layers make that width, one as the gate of the other.
        vocabulary: Tokens.
        stored_bytes: Bytes of a weight in its files.
    """

    linears: tuple[Linear, ...]
    body: int
    output: int
    classifier: int
    per_label: int
    largest: int
    hidden: int
    layers: int
    queries: int
    keys: int
    inner: int
    gated: bool
    vocabulary: int
    stored_bytes: int

    @property
    def weights(self) -> int:
        """Weights of the body's linear layers: what a token is multiplied with."""
        return sum(linear.weights for linear in self.linears)

    def loaded(self, what: Loaded, n_labels: int) -> int:
        """Parameters of what is loaded."""
        if what == "classifier":
            return self.classifier + self.per_label * n_labels
        return self.body + (self.output if what == "causal-lm" else 0)

    def adapters(self, adapters: Adapters) -> int:
        """Parameters of LoRA on every linear layer: rank × (inputs + outputs); of DoRA one more an output."""
        extra = 1 if adapters.scales else 0
        return sum(
            linear.count * (adapters.rank * (linear.inputs + linear.outputs) + extra * linear.outputs)
            for linear in self.linears
        )


def on_paper(config: Mapping[str, Any], kind: str) -> Anatomy:
    """The anatomy of the very network, made of weights without values; imports torch and transformers.

    Args:
        config: What ``AutoConfig.for_model`` takes, such as a preset's ``config`` or the content of a ``config.json``.
        kind: ``encoder`` or ``decoder``.

    Raises:
        UserError: It is no such network as is known here, such as a mixture of experts; the message says why.
    """
    network, others = _networks(config, kind)
    whole, body = int(network.num_parameters()), network.base_model
    per_label = int(others.num_parameters()) - whole if others is not None else 0
    _check_understood(body)
    numbers = network.config.get_text_config()
    hidden, layers, heads = (
        _number(numbers, key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")
    )
    inner = next((int(found) for key in _INNER if (found := getattr(numbers, key, None))), 4 * hidden)
    size = int(getattr(numbers, "head_dim", None) or hidden // heads)
    linears = _linears(body)
    return Anatomy(
        linears=linears,
        body=int(body.num_parameters()),
        output=whole - int(body.num_parameters()) if others is None else 0,
        classifier=whole - _FEW_LABELS * per_label if others is not None else 0,
        per_label=per_label,
        largest=max(weights.numel() for weights in network.parameters()),
        hidden=hidden,
        layers=layers,
        queries=heads * size,
        keys=_key_heads(numbers, heads) * size,
        inner=inner,
        gated=_is_gated(linears, hidden, inner, layers),
        vocabulary=int(numbers.vocab_size),
        stored_bytes=_stored_bytes(config),
    )


def by_numbers(config: Mapping[str, Any]) -> Anatomy | None:
    """The same from the config's numbers alone, at once and without torch: norms, biases and heads are left out.

    Returns:
        Within one percent of :func:`on_paper` in parameters for the presets; None where the config lacks a number,
        or is of a mixture of experts.
    """
    needed = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
    if any(not isinstance(config.get(key), int) for key in needed) or any(config.get(key) for key in _EXPERTS):
        return None
    hidden, layers, heads, inner, vocabulary = (int(config[key]) for key in needed)
    size = int(config.get("head_dim") or hidden // heads)
    queries, keys = heads * size, int(config.get("num_key_value_heads") or heads) * size
    gated = "num_key_value_heads" in config or config.get("model_type") == "modernbert"
    linears = (
        Linear(hidden, queries, layers),
        Linear(hidden, keys, 2 * layers),
        Linear(queries, hidden, layers),
        Linear(hidden, inner, (2 if gated else 1) * layers),
        Linear(inner, hidden, layers),
    )
    embeddings = vocabulary * hidden
    body = sum(linear.weights for linear in linears) + embeddings
    return Anatomy(
        linears=linears,
        body=body,
        output=0 if config.get("tie_word_embeddings", True) else embeddings,
        classifier=body,
        per_label=hidden,
        largest=max(embeddings, hidden * inner),
        hidden=hidden,
        layers=layers,
        queries=queries,
        keys=keys,
        inner=inner,
        gated=gated,
        vocabulary=vocabulary,
        stored_bytes=_stored_bytes(config),
    )


def _networks(config: Mapping[str, Any], kind: str) -> tuple[Any, Any]:
    """The network as it is loaded, and for encoders the same with one label more."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

    from bench.training import quiet

    def classifier(labels: int) -> Any:
        return AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**{**config, "num_labels": labels}))

    with torch.device("meta"), quiet():
        if kind == "decoder":
            return AutoModelForCausalLM.from_config(AutoConfig.for_model(**config)), None
        return classifier(_FEW_LABELS), classifier(_FEW_LABELS + 1)


def _number(numbers: Any, key: str) -> int:
    found = getattr(numbers, key, None)
    if found is None:
        raise UserError(f"its config gives no {key}, which the estimate is made from")
    return int(found)


def _key_heads(numbers: Any, heads: int) -> int:
    """Heads of the keys: Falcon has one for all queries, whatever number its config gives, unless it is of its later
    architecture.
    """
    if getattr(numbers, "multi_query", False) and not getattr(numbers, "new_decoder_architecture", False):
        return 1
    given = getattr(numbers, "num_key_value_heads", None) or getattr(numbers, "num_kv_heads", None)
    return int(given or heads)


def _check_understood(body: Any) -> None:
    """Refuse a network whose large matrices are not those of linear layers and embeddings."""
    import torch
    from transformers.pytorch_utils import Conv1D

    unknown: Counter[str] = Counter()
    for name, module in body.named_modules():
        if not isinstance(module, torch.nn.Linear | torch.nn.Embedding | Conv1D):
            for called, weights in module.named_parameters(name, recurse=False):
                unknown[called] += weights.numel() if weights.dim() > 1 else 0
    share = unknown.total() / body.num_parameters()
    if share >= _LEAST_UNKNOWN:
        largest = unknown.most_common(1)[0][0]
        raise UserError(
            f"{share:.0%} of its parameters are in layers of a kind that is not estimated, such as experts: {largest}"
        )


def _linears(body: Any) -> tuple[Linear, ...]:
    import torch
    from transformers.pytorch_utils import Conv1D

    shapes = [(layer.in_features, layer.out_features) for layer in body.modules() if isinstance(layer, torch.nn.Linear)]
    shapes += [(layer.nx, layer.nf) for layer in body.modules() if isinstance(layer, Conv1D)]
    return tuple(Linear(*shape, n) for shape, n in Counter(shapes).items())


def _is_gated(linears: Iterable[Linear], hidden: int, inner: int, layers: int) -> bool:
    """Whether the feed-forward block's width is made twice in each layer, by two linear ones or one twice as wide."""
    entering = (linear for linear in linears if linear.inputs == hidden and linear.outputs % inner == 0)
    return sum(linear.outputs * linear.count for linear in entering) >= 2 * inner * layers


def _stored_bytes(config: Mapping[str, Any]) -> int:
    return {"float32": 4, "float64": 8}.get(str(config.get("dtype") or config.get("torch_dtype") or "float32"), 2)
