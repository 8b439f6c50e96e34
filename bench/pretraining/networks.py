"""The two networks: transformers' own classes, of one width and depth and nearly one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.pretraining.objectives import MaskedToken, NextToken, Objective
from bench.pretraining.settings import BuildSettings
from bench.pretraining.tokenizer import LEARNT, MASK, PAD, SPECIAL_TOKENS, special_ids
from bench.seeds import Seeds

if TYPE_CHECKING:
    from bench.method import Architecture

POSITIONS = 1024
"""Tokens that the networks take at once; those beyond ``row_tokens`` were never trained."""

_HEAD_SIZE = 32


def draw(architecture: Architecture, settings: BuildSettings) -> Any:
    """A network with random weights, ``ModernBertForMaskedLM`` or ``LlamaForCausalLM``; they follow from the seed.

    Both have rotary positions, norms before each part of a layer, gated feed-forward parts and 13 × width² weights a
    layer, so that they differ in what their tokens see and in little else. (The BERT of 2018, with positions learnt
    and norms behind, learns far slower from so little text.) Neither has dropout: the text is read a few times only.
    """
    import torch
    import transformers

    shared: dict[str, Any] = {
        "vocab_size": settings.vocabulary,
        "hidden_size": settings.width,
        "num_hidden_layers": settings.depth,
        "num_attention_heads": settings.width // _HEAD_SIZE,
        "max_position_embeddings": POSITIONS,
        "intermediate_size": 3 * settings.width,
        "initializer_range": 0.05,
        "tie_word_embeddings": True,
        **special_ids(),
    }
    rotation = {"rope_type": "default", "rope_theta": 10_000.0}
    encoder = {
        "layer_types": ["full_attention"] * settings.depth,
        "rope_parameters": {"full_attention": rotation, "sliding_attention": rotation},
        "classifier_pooling": "cls",
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(Seeds(settings.seed).of(f"weights of the {architecture}"))
        if architecture == "encoder":
            return transformers.ModernBertForMaskedLM(transformers.ModernBertConfig(**shared, **encoder))
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(rope_parameters=rotation, **shared))


def objective(architecture: Architecture, settings: BuildSettings) -> Objective:
    """What such a network learns."""
    before, after = LEARNT[architecture].ids()
    filler = SPECIAL_TOKENS.index(PAD)
    if architecture == "decoder":
        return NextToken(before, after, filler)
    return MaskedToken(
        before,
        after,
        filler,
        mask_id=SPECIAL_TOKENS.index(MASK),
        vocabulary=settings.vocabulary,
        first=len(SPECIAL_TOKENS),
        share=settings.mask_share,
    )
