"""A decoder made ready for training: loaded, quantised, frozen and given LoRA adapters, or trained whole.

Preparing a quantised network turns its unquantised weights to float32, which moves its outputs. What was prepared for
training is therefore written down when saved, and prepared the same way when loaded again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from bench.approaches.coverage import check_adapted, check_quantised
from bench.approaches.quantisation import Quantisation, keep_as_trained, quantised
from bench.encoding import load_tokenizer
from bench.errors import ModelError, UserError
from bench.model import materialise
from bench.spaces import Around
from bench.training import FineTuneSettings, compute_dtype, quiet

if TYPE_CHECKING:
    from bench.method import Context

_PREPARATION = "preparation.json"
_BODY = "body"
_LORA_ONLY = ("rank", "alpha", "adapter_dropout", "rslora", "dora")
_IDLE = {"lora": (), "full": _LORA_ONLY, "none": (*_LORA_ONLY, "gradient_checkpointing")}


class AdapterSettings(FineTuneSettings):
    """Settings of methods that train a decoder, whole or by adapters."""

    learning_rate: Annotated[float, Around(10)] = Field(
        2e-4, gt=0, description="peak learning rate of the adapters, or of all weights"
    )
    quantisation: Quantisation = Field(
        "nf4", description="frozen weights; nf4: in 4 bits, doubly quantised; int8: in 8 bits, by LLM.int8()"
    )
    adapter: Literal["lora", "full", "none"] = Field(
        "lora", description="what is trained beside a head: LoRA on all linear layers, all weights, or nothing"
    )
    rank: int = Field(8, ge=1, description="rank of LoRA's matrices")
    alpha: float = Field(16.0, gt=0, description="LoRA's outputs are multiplied by alpha / rank")
    adapter_dropout: float = Field(0.05, ge=0, lt=1, description="dropout in front of LoRA's matrices")
    rslora: bool = Field(
        False, description="LoRA's outputs are multiplied by alpha / √rank instead, which high ranks learn better with"
    )
    dora: bool = Field(False, description="LoRA turns weights, and a trained vector beside it scales them (DoRA)")
    gradient_checkpointing: bool = Field(False, description="compute activations twice, to keep fewer")

    @model_validator(mode="after")
    def _few_bits_are_frozen(self) -> AdapterSettings:
        if self.adapter == "full" and self.quantisation != "none":
            raise ValueError(
                f"adapter=full trains all weights, which those of {self.quantisation} cannot; set quantisation=none"
            )
        return self

    @model_validator(mode="after")
    def _nothing_is_set_in_vain(self) -> AdapterSettings:
        fields = type(self).model_fields
        idle = [name for name in _IDLE[self.adapter] if getattr(self, name) != fields[name].default]
        if idle:
            raise ValueError(
                f"adapter={self.adapter} has no use for {', '.join(idle)}; set adapter=lora or leave it out"
            )
        return self


@dataclass(frozen=True)
class Preparation:
    """How a network was made ready; equal preparations of equal files give equal networks.

    Attributes:
        quantisation: ``nf4``, ``int8`` or ``none``.
        adapter: ``lora``, ``full`` or ``none``.
        dtype: What frozen weights are kept or computed in, e.g. ``bfloat16``.
        model: Name of the model.
        revision: Revision of the model.
    """

    quantisation: Quantisation
    adapter: str
    dtype: str
    model: str
    revision: str

    @classmethod
    def of(cls, settings: AdapterSettings, context: Context) -> Preparation:
        """The preparation that settings and device ask for."""
        model = needed_model(context)
        # Weights that are trained stay in full precision.
        dtype = "float32" if settings.adapter == "full" else str(compute_dtype(context.device)).removeprefix("torch.")
        return cls(settings.quantisation, settings.adapter, dtype, model.name, model.revision)


def needed_model(context: Context) -> Any:
    """The cell's model.

    Raises:
        ModelError: It has none.
    """
    if context.model is None:
        raise ModelError("this method starts from a pretrained decoder; name one with --model")
    return context.model


def start(loader: Any, settings: AdapterSettings, context: Context) -> tuple[Any, Any, Preparation]:
    """A network to be trained, its tokenizer, and how it was prepared.

    Args:
        loader: ``AutoModel`` or ``AutoModelForCausalLM``.
        settings: Quantisation and adapters.
        context: Model, device and seeds.
    """
    import torch

    folder = materialise(needed_model(context))
    preparation = Preparation.of(settings, context)
    torch.manual_seed(context.seeds.of("weights"))
    with quiet():
        network = _base(loader, folder, preparation, context.device)
        if settings.adapter == "lora":
            network = with_lora(network, settings)
            _check_scales(network, preparation, context.device)
        if settings.gradient_checkpointing:
            network.gradient_checkpointing_enable({"use_reentrant": False})
    return network, load_tokenizer(folder), preparation


def store(network: Any, tokenizer: Any, preparation: Preparation, folder: Path) -> None:
    """Write what training changed, and how the network had been prepared."""
    (folder / _PREPARATION).write_text(json.dumps(asdict(preparation), indent=1), "utf-8")
    with quiet():
        if preparation.adapter == "lora":
            network.save_pretrained(folder / _BODY, save_embedding_layers=False)
        elif preparation.adapter == "full":
            network.save_pretrained(folder / _BODY)
    tokenizer.save_pretrained(folder / _BODY)


def restore(loader: Any, folder: Path, context: Context) -> tuple[Any, Any, Preparation]:
    """The network that :func:`store` wrote, prepared as it was then.

    Raises:
        ModelError: The adapters were trained on another model.
    """
    preparation = Preparation(**json.loads((folder / _PREPARATION).read_text("utf-8")))
    body = folder / _BODY
    with quiet():
        if preparation.adapter == "full":
            return _base(loader, body, preparation, context.device), load_tokenizer(body), preparation
        model = needed_model(context)
        if model.revision != preparation.revision:
            raise ModelError(
                f"{folder} was trained on {preparation.model} at {preparation.revision}, not on {model.name} at "
                f"{model.revision}"
            )
        network = _base(loader, materialise(model), preparation, context.device)
        if preparation.adapter == "lora":
            from peft import PeftModel

            network = PeftModel.from_pretrained(network, body)
            _check_scales(network, preparation, context.device)
    return network.eval(), load_tokenizer(body), preparation


def _check_scales(network: Any, preparation: Preparation, device: str) -> None:
    """Refuse what fails at the second batch: on a CPU, DoRA in peft loses the scales of weights in 8 bits."""
    if device == "cpu" and preparation.quantisation == "int8" and network.peft_config["default"].use_dora:
        raise UserError("dora=true does not work with quantisation=int8 on a CPU; set quantisation=nf4 or none")


def _base(loader: Any, folder: Path, preparation: Preparation, device: str) -> Any:
    import torch

    dtype = getattr(torch, preparation.dtype)
    few_bits = preparation.quantisation != "none"
    network = loader.from_pretrained(
        folder,
        dtype=dtype,
        quantization_config=quantised(preparation.quantisation, dtype),
        device_map={"": device} if few_bits else None,
        local_files_only=True,
        use_safetensors=True,
    )
    network.config.use_cache = False
    if few_bits:
        from peft import prepare_model_for_kbit_training

        check_quantised(network, preparation.quantisation)
        keep_as_trained(network)
        return prepare_model_for_kbit_training(network, use_gradient_checkpointing=False).eval()
    return network.to(device).requires_grad_(preparation.adapter == "full").eval()


def with_lora(network: Any, settings: AdapterSettings) -> Any:
    """The network with LoRA on all linear layers (arXiv 2106.09685), or what the settings make of it.

    rsLoRA is arXiv 2312.03732, DoRA arXiv 2402.09353.

    Raises:
        ModelError: Some layers cannot have it.
    """
    from peft import LoraConfig, get_peft_model

    # A task type that knows of heads would choose modules to save by name; heads are kept outside instead.
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.adapter_dropout,
        use_rslora=settings.rslora,
        use_dora=settings.dora,
        target_modules="all-linear",
    )
    try:
        adapted = get_peft_model(network, config)
    except ValueError as problem:
        raise ModelError(
            f"peft puts no LoRA on all of a {network.config.model_type} model ({' '.join(str(problem).split())}); set "
            "adapter_dropout=0 or dora=false where it names them, or adapter=full, or choose another model"
        ) from problem
    check_adapted(adapted)
    return adapted
