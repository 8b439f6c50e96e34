"""How deep in a classifier each parameter stands, for learning rates that fall with depth and for what is not trained.

Architectures call their layers by many names; what they share is one list of modules as long as they have layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError, UserError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Depths:
    """A classifier by depth.

    Attributes:
        layers: How many layers its body has.
        of: Name of a parameter → steps below the head: 0 for the head and for what the body ends with, 1 for the last
            layer, ``layers`` for the first, ``layers + 1`` for embeddings.
    """

    layers: int
    of: dict[str, int]

    @classmethod
    def in_network(cls, network: Any) -> Depths:
        """The depths of a classifier of transformers.

        Raises:
            ModelError: Its body is no stack of layers.
        """
        body, prefix = network.base_model, body_of(network)
        name, layers = _layers(network)
        found, reached = {}, False
        for parameter, _ in network.named_parameters():
            inside = parameter.removeprefix(prefix)
            if inside == parameter:
                found[parameter] = 0
            elif inside.startswith(f"{name}."):
                reached = True
                found[parameter] = layers - int(inside.removeprefix(f"{name}.").partition(".")[0])
            else:
                before = not reached or _is_embedding(body, inside)
                found[parameter] = _beside(network.config.model_type, inside, layers, layers + 1 if before else 0)
        return cls(layers, found)

    def frozen(self, layers: int) -> Callable[[str], bool]:
        """Whether a parameter of a name belongs to the embeddings or to the first so many layers.

        Raises:
            UserError: There are fewer.
        """
        if layers > self.layers:
            raise UserError(f"frozen_layers={layers} is more than the {self.layers} layers of the model; set it lower")
        return lambda parameter: layers > 0 and self.of[parameter] > self.layers - layers


def body_of(network: Any) -> str:
    """What the names of all parts of an encoder begin with, those of its head left out."""
    return f"{network.base_model_prefix}."


def _layers(network: Any) -> tuple[str, int]:
    """Name and length of the body's list of layers; lists inside their layers are none."""
    from torch import nn

    wanted = int(network.config.get_text_config().num_hidden_layers)
    lists = [name for name, module in network.base_model.named_modules() if isinstance(module, nn.ModuleList)]
    outer = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    found = [name for name in outer if len(network.base_model.get_submodule(name)) == wanted]
    if len(found) != 1:
        raise ModelError(
            f"layer_decay and frozen_layers need a stack of {wanted} layers, which this {network.config.model_type} "
            "model is not; leave them out"
        )
    return found[0], wanted


def _beside(model_type: str, parameter: str, layers: int, depth: int) -> int:
    """The depth of a parameter outside of the layers; DeBERTa lists two after them that work before they are through.

    Its ``LayerNorm`` is that of the embeddings of positions, and ``conv`` works beside the first layer.
    """
    if model_type.startswith("deberta"):
        return {"LayerNorm": layers + 1, "conv": layers}.get(
            parameter.removeprefix("encoder.").partition(".")[0], depth
        )
    return depth


def _is_embedding(body: nn.Module, parameter: str) -> bool:
    """DeBERTa and MPNet keep embeddings of positions beside their layers."""
    from torch import nn

    return isinstance(body.get_submodule(parameter.rpartition(".")[0]), nn.Embedding)
