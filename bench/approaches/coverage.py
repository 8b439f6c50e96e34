"""Whether quantisation and adapters reached all of a decoder: libraries pass in silence over what they do not know.

Such as the experts of a mixture, which many models hold as one parameter instead of as linear layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def check_quantised(network: Any, quantisation: str) -> None:
    """See that all large matrices are in few bits, and the output layer is not.

    Raises:
        ModelError: They are not; names one.
    """
    kind, output = network.config.model_type, network.get_output_embeddings()
    left = large_matrices(network, lambda _, weights: weights.is_floating_point())
    if left:
        raise ModelError(
            f"quantisation={quantisation} does not reach {_named(left)} of a {kind} model; set quantisation=none or "
            "choose another model"
        )
    if output is not None and not output.weight.is_floating_point():
        raise ModelError(
            f"quantisation={quantisation} would quantise the output layer of a {kind} model; set quantisation=none or "
            "choose another model"
        )


def check_adapted(network: Any) -> None:
    """See that all large matrices of a network that peft wraps have an adapter.

    Raises:
        ModelError: They do not; names one.
    """
    left = large_matrices(network, lambda name, _: "base_layer" not in name and "lora_" not in name)
    if left:
        raise ModelError(
            f"adapter=lora does not reach {_named(left)} of a {network.config.model_type} model; set adapter=full or "
            "choose another model"
        )


def large_matrices(network: Any, chosen: Callable[[str, Tensor], bool]) -> list[str]:
    """The names of those chosen among the parameters that make up a decoder's layers.

    They have at least as many numbers as the square of the decoder's width; routers, convolutions and the like have
    fewer. Embeddings and the output layer are no part of them.
    """
    from torch.nn import Embedding

    square, output = network.config.get_text_config().hidden_size ** 2, network.get_output_embeddings()
    return [
        f"{place}.{name}"
        for place, module in network.named_modules()
        if module is not output and not isinstance(module, Embedding)
        for name, weights in module.named_parameters(recurse=False)
        if weights.dim() > 1 and _numbers(weights) >= square and chosen(f"{place}.{name}", weights)
    ]


def _numbers(weights: Any) -> int:
    """How many numbers a parameter stands for, packed or not."""
    state = getattr(weights, "quant_state", None)
    return int(weights.numel() if state is None else state.shape.numel())


def _named(names: list[str]) -> str:
    first = names[0].removeprefix("base_model.model.")
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"
