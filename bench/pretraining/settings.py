"""Settings of a build."""

from __future__ import annotations

from pydantic import Field

from bench.settings import Settings


class BuildSettings(Settings):
    """What a pair of models follows from, besides its text; the two networks share all of it."""

    steps: int = Field(3000, ge=1, description="optimiser steps of each network")
    batch_size: int = Field(32, ge=1, description="rows of text to a step")
    row_tokens: int = Field(256, ge=8, description="tokens of a row; longer documents become several rows")
    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    warmup_ratio: float = Field(0.05, ge=0, le=1, description="part of all steps in which the learning rate rises")
    weight_decay: float = Field(0.1, ge=0, description="AdamW's weight decay; norms and biases have none")
    adam_beta2: float = Field(0.98, gt=0, lt=1, description="AdamW's second beta")
    mask_share: float = Field(0.3, gt=0, lt=1, description="part of the tokens that the encoder has to guess")
    vocabulary: int = Field(
        8192, ge=300, description="tokens of the tokenizer, the 256 bytes and special ones included"
    )
    width: int = Field(128, ge=32, description="size of a token's vector")
    depth: int = Field(4, ge=1, description="layers")
    seed: int = Field(0, ge=0, description="weights, order of reading, masks")
