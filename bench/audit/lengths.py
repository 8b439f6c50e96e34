"""How long texts are, and what a limit of tokens cuts off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.audit.facts import Quantiles, TokenLengths, Tokens
from bench.audit.texts import sampled
from bench.errors import UserError
from bench.files import file_hash
from bench.task import Documents, TaskData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIMITS = (128, 256, 512, 1024, 2048)
"""Tokens that a text may be cut to."""

MOST_TOKENISED = 10_000
"""Documents of a split that are cut into tokens; their share beyond a limit is that of the split to about one point."""

_AT_A_TIME = 1000
_LEVELS = (0.5, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class TokenizerFile:
    """The tokenizer of a model.

    Attributes:
        model: Whose it is.
        path: Its ``tokenizer.json``.
    """

    model: str
    path: Path

    @classmethod
    def of(cls, model: str) -> TokenizerFile:
        """Find it on this machine.

        Raises:
            UserError: The model is not here, or has no ``tokenizer.json``.
        """
        from bench.model import locate

        folder = locate(model)
        if folder is None:
            raise UserError(f"model {model} is not on this machine; run: bench prepare {model}")
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise UserError(f"model {model} has no tokenizer.json in {folder}; name another with --model")
        return cls(model, path)

    def hash(self) -> str:
        """Equal files, equal hash."""
        return file_hash(self.path)


def words(data: TaskData) -> dict[str, Quantiles]:
    """Lengths in words, parted by whitespace, by split."""
    return {split: _quantiles([len(text.split()) for text in documents.texts]) for split, documents in data.splits()}


def tokens(data: TaskData, tokenizer: TokenizerFile) -> Tokens:
    """Lengths in tokens, special ones included, by split; of a sample where documents are many.

    Raises:
        UserError: The tokenizer's file cannot be read.
    """
    measured = {split: _of_split(documents, tokenizer) for split, documents in data.splits()}
    return Tokens(model=tokenizer.model, tokenizer=tokenizer.hash(), splits=measured)


def _of_split(documents: Documents, tokenizer: TokenizerFile) -> TokenLengths:
    texts = sampled(documents, MOST_TOKENISED).texts
    lengths = _token_lengths(list(texts), tokenizer)
    return TokenLengths(
        documents=len(texts),
        lengths=_quantiles(lengths),
        truncated={limit: float((lengths > limit).mean()) for limit in LIMITS},
        lost={limit: float((lengths - limit).clip(0).sum() / max(1, lengths.sum())) for limit in LIMITS},
    )


def _token_lengths(texts: list[str], tokenizer: TokenizerFile) -> NDArray[np.int64]:
    import numpy as np
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_file(str(tokenizer.path))
    except Exception as error:  # the library raises a bare Exception
        raise UserError(f"{tokenizer.path} cannot be read as a tokenizer: {error}; name another model") from error
    backend.no_truncation()
    backend.no_padding()
    parts = (texts[start : start + _AT_A_TIME] for start in range(0, len(texts), _AT_A_TIME))
    return np.array([len(found) for part in parts for found in backend.encode_batch_fast(part)], dtype=np.int64)


def _quantiles(lengths: list[int] | NDArray[np.int64]) -> Quantiles:
    import numpy as np

    p50, p90, p95, p99 = (int(value) for value in np.quantile(lengths, _LEVELS, method="inverted_cdf"))
    return Quantiles(p50=p50, p90=p90, p95=p95, p99=p99, longest=int(np.max(lengths)))
