"""A trained decoder as files that ``transformers`` and ``peft`` load, and the lines of Python that do."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.approaches.adapters import Preparation
from bench.approaches.quantisation import quantised
from bench.model import ResolvedModel, materialise
from bench.training import quiet

if TYPE_CHECKING:
    from torch import Tensor

FEW_BITS = (
    "The adapter was trained on weights in few bits, and is loaded on the same here. On weights in full precision it "
    "works, too, with other scores."
)


@dataclass(frozen=True)
class Base:
    """The pretrained model that an export builds on, as another machine would name it.

    Attributes:
        name: A hub id, or a folder where the model has none.
        revision: The hub's commit; None for a folder.
        preparation: How it had been made ready for training.
    """

    name: str
    revision: str | None
    preparation: Preparation

    @classmethod
    def of(cls, model: ResolvedModel | None, preparation: Preparation) -> Base:
        """The base of a cell's model."""
        if model is None:  # all weights were trained: nothing is built upon
            return cls("", None, preparation)
        is_snapshot = model.random is None and model.folder.parent.name == "snapshots"
        if is_snapshot:
            return cls(model.name, model.folder.name, preparation)
        return cls(str(materialise(model)), None, preparation)

    @property
    def words(self) -> dict[str, Any]:
        """What templates say of it: Python of its place, the type of its weights and their bits."""
        import torch

        preparation = self.preparation
        bits = quantised(preparation.quantisation, getattr(torch, preparation.dtype))
        return {
            "base": preparation.model,
            "source": repr(self.name) + (f", revision={self.revision!r}" if self.revision is not None else ""),
            "dtype": f"torch.{preparation.dtype}",
            "bits": _python_of(bits) if bits is not None else "",
            "repacked": preparation.quantisation == "nf4",
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of its bits."""
        return (FEW_BITS,) if self.preparation.quantisation != "none" else ()


def save_adapter(network: Any, base: Base, task_type: str | None, folder: Path) -> None:
    """Write the adapter of a network that peft wraps; it names its base and what kind of model it is for."""
    config = network.peft_config["default"]
    config.base_model_name_or_path, config.revision, config.task_type = base.name, base.revision, task_type
    with quiet():
        network.save_pretrained(folder, save_embedding_layers=False)


def save_classifier_adapter(body: Any, prefix: str, score: Tensor, base: Base, folder: Path) -> None:
    """Write adapter and head as that of the library's own classifier, whose decoder is called ``prefix``.

    Args:
        body: A decoder without its language-model head that peft wraps.
        prefix: Such as ``model``.
        score: Weights of the head, shape (labels, size).
        base: What it is an adapter of.
        folder: Where it goes.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    wrapped = "base_model.model."
    state = get_peft_model_state_dict(body, save_embedding_layers=False)
    renamed = {f"{wrapped}{prefix}.{name.removeprefix(wrapped)}": value for name, value in state.items()}
    renamed[f"{wrapped}score.weight"] = score
    config = copy.deepcopy(body.peft_config["default"])
    config.base_model_name_or_path, config.revision = base.name, base.revision
    config.task_type, config.modules_to_save, config.inference_mode = "SEQ_CLS", ["score"], True
    config.save_pretrained(folder)
    save_file(_plain(renamed), folder / "adapter_model.safetensors", metadata={"format": "pt"})


def save_classifier(kind: type[Any], body: Any, score: Tensor, facts: Mapping[str, Any], folder: Path) -> None:
    """Write a whole decoder with its head as the library's own classifier.

    Args:
        kind: Its class, such as ``LlamaForSequenceClassification``.
        body: The decoder.
        score: Weights of the head, shape (labels, size).
        facts: What its config says of labels and padding.
        folder: Where it goes.
    """
    import torch

    config = copy.deepcopy(body.config)
    for name, value in facts.items():
        setattr(config, name, value)
    with torch.device("meta"):
        network = kind(config)
    setattr(network, network.base_model_prefix, body)
    network.score.weight = torch.nn.Parameter(score)
    with quiet():
        network.save_pretrained(folder)


def classifier_class(body: Any) -> type[Any] | None:
    """The library's own classifier on a decoder, if it reads the last token by a head without bias."""
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    from transformers.modeling_layers import GenericForSequenceClassification

    found = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(body.config), None)
    plain = isinstance(found, type) and issubclass(found, GenericForSequenceClassification)
    return found if plain else None


def _python_of(config: Any) -> str:
    """What makes a quantisation of the library again."""
    given = {key: value for key, value in config.to_diff_dict().items() if key != "quant_method"}
    return f"BitsAndBytesConfig({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in state.items()}
