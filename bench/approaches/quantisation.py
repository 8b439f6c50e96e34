"""Loading a frozen network in four or eight bits.

Four bits are NormalFloat-4 with doubly quantised constants (QLoRA, arXiv 2305.14314). Eight bits are LLM.int8()
(arXiv 2208.07339), which quantises the tokens' vectors too and computes columns with outliers in float16: which columns
those are depends on all documents of a batch, hence scores do a little. On a CPU the library trains without quantising
the tokens' vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

Quantisation = Literal["nf4", "int8", "none"]

UNQUANTISED = ("lm_head", "score", "classifier", "output_projection", "embed_out", "lm_loss", "head")
"""Output layers stay as they are. Naming any layer switches the library's own rule off, hence all that there may be."""


def quantised(quantisation: Quantisation, dtype: torch.dtype) -> Any:
    """The library's word for a quantisation, which every method shares; None for none.

    Args:
        quantisation: Which.
        dtype: What weights of four bits are expanded to for computing.
    """
    from transformers import BitsAndBytesConfig

    if quantisation == "none":
        return None
    if quantisation == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=list(UNQUANTISED))
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
