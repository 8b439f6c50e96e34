"""Loading a frozen network in four bits: NormalFloat-4 with doubly quantised constants (QLoRA, arXiv 2305.14314)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

UNQUANTISED = ("lm_head", "score", "classifier")
"""Output layers stay as they are. Naming any layer switches the library's own rule off, hence all that there may be."""


def nf4(dtype: torch.dtype) -> Any:
    """The quantisation that every method shares.

    Args:
        dtype: What weights are expanded to for computing.
    """
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=list(UNQUANTISED),
    )


def keep_as_trained(network: Any) -> None:
    """Let a quantised network predict with the very weights that it was trained with.

    On processors with bfloat16 instructions the library repacks weights at the first prediction, rounds their scales to
    bfloat16 on the way, and fails where a layer's inputs are no multiple of 64.
    """
    from bitsandbytes.nn import Linear4bit

    for module in network.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
