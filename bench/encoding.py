"""From texts to padded batches of token ids, the same way for every fine-tune.

A document is cut to its token budget first; special tokens and prompts are put around it afterwards, so that only the
document is ever truncated.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.meters.tokenising import tokenising

if TYPE_CHECKING:
    from torch import Tensor

SLICE = 1_000
"""Texts that are tokenised at a time: what is beyond the budget is dropped before the next ones come."""

_OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet", "esm"})
_MARK = re.compile(r"<.+>|\[.+\]")


@dataclass(frozen=True)
class Encoded:
    """Documents as token ids.

    Attributes:
        rows: For each document its token ids, the document cut to its budget.
        truncated: How many documents lost their end.
    """

    rows: list[list[int]]
    truncated: int

    @property
    def truncated_share(self) -> float:
        """Part of the documents that lost their end."""
        return self.truncated / max(1, len(self.rows))

    def between(self, before: Sequence[int], after: Sequence[int]) -> Encoded:
        """The same with ids put around each row: special tokens, or a prompt."""
        return replace(self, rows=[[*before, *row, *after] for row in self.rows])


Encode = Callable[[Any, Sequence[str], int], Encoded]
"""Tokenizer, texts and budget → token ids, as :func:`encode` makes them."""


@dataclass(frozen=True)
class Padded:
    """A batch of token ids.

    Attributes:
        ids: int64, shape (rows, width).
        mask: int64, shape (rows, width); 1 where a token is, 0 where padding is.
        tokens: How many tokens are no padding.
        padding: How many are.
    """

    ids: Tensor
    mask: Tensor
    tokens: int
    padding: int


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a local model."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def save_tokenizer(tokenizer: Any, folder: Path, budget: int) -> None:
    """Write a tokenizer that, told to truncate and to pad, does to a document what :func:`encode` and others do here.

    Args:
        tokenizer: Is not changed.
        folder: Where it goes.
        budget: Tokens of a document, special ones not counted.
    """
    written = copy.deepcopy(tokenizer)
    written.model_max_length = budget + sum(map(len, affixes(tokenizer)))
    written.padding_side = written.truncation_side = "right"
    written.split_special_tokens = True
    if written.pad_token_id is None:
        written.pad_token = written.convert_ids_to_tokens(padding_id(tokenizer))
    written.save_pretrained(folder)


def encode(tokenizer: Any, texts: Sequence[str], budget: int) -> Encoded:
    """Token ids of documents, at most ``budget`` each, without special tokens.

    Memory follows the budget, however long the texts are. A document cannot end its own prompt: see
    :func:`plain_ids`.
    """
    rows: list[list[int]] = []
    truncated = 0
    for start in range(0, len(texts), SLICE):
        part = _encode_slice(tokenizer, list(texts[start : start + SLICE]), budget)
        rows += part.rows
        truncated += part.truncated
    return Encoded(rows, truncated)


@tokenising
def plain_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts in which what looks like a control token is plain text.

    Libraries take special tokens for text where they are asked to. Other marks, and those that a tokenizer's vocabulary
    has as words, are broken up with a blank.
    """
    rows = _split(tokenizer, texts)
    marks = control_tokens(tokenizer)
    caught = [position for position, row in enumerate(rows) if not marks.keys().isdisjoint(row)]
    if caught:
        broken = break_up([texts[position] for position in caught], marks)
        for position, row in zip(caught, _split(tokenizer, broken), strict=True):
            rows[position] = [id_ for id_ in row if id_ not in marks]
    return rows


def control_tokens(tokenizer: Any) -> dict[int, str]:
    """What steers a model rather than being read: special tokens and added ones like ``</think>``; id → text.

    Added words and runs of blanks are not among them, nor is what stands for unknown text alone.
    """
    named = {tokenizer.bos_token_id, tokenizer.eos_token_id}
    unknown = {tokenizer.unk_token_id} - named
    return {
        id_: token.content
        for id_, token in tokenizer.added_tokens_decoder.items()
        if id_ not in unknown and (token.special or _MARK.fullmatch(token.content))
    }


def break_up(texts: Sequence[str], marks: Mapping[int, str]) -> list[str]:
    """Texts with a blank behind the first character of each mark in them."""
    longest_first = sorted(filter(None, marks.values()), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
    return [pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text) for text in texts]


def affixes(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that the tokenizer puts before and after a text, such as ``[CLS]`` and ``[SEP]``."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a", add_special_tokens=True)["input_ids"]
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return whole[:start], whole[start + len(bare) :]
    return [], []


def padding_id(tokenizer: Any) -> int:
    """The id to pad with; any will do where a mask goes along, so that a tokenizer without one is no obstacle."""
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if token is not None:
            return int(token)
    return 0


def positions(config: Any, tokenizer: Any) -> int:
    """How many tokens the model can take at once."""
    text = config.get_text_config()
    limit = int(getattr(text, "max_position_embeddings", None) or tokenizer.model_max_length)
    if text.model_type in _OFFSET_POSITIONS:  # their positions start behind the padding id
        limit -= int(text.pad_token_id or 0) + 1
    return min(limit, int(tokenizer.model_max_length))


def pad(rows: Sequence[Sequence[int]], filler: int, side: Literal["left", "right"] = "right") -> Padded:
    """Rows of ids as one rectangle, as wide as the longest."""
    import torch

    lengths = [len(row) for row in rows]
    width = max(lengths)
    tokens = sum(lengths)
    gaps = [[filler] * (width - length) for length in lengths]
    if side == "right":
        filled = [[*row, *gap] for row, gap in zip(rows, gaps, strict=True)]
        mask = torch.arange(width) < torch.tensor(lengths).unsqueeze(1)
    else:
        filled = [[*gap, *row] for row, gap in zip(rows, gaps, strict=True)]
        mask = torch.arange(width) >= width - torch.tensor(lengths).unsqueeze(1)
    return Padded(torch.tensor(filled), mask.long(), tokens, width * len(rows) - tokens)


def by_length(rows: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Positions of rows in batches of like length, the longest first, so that too large a batch fails at once."""
    order = sorted(range(len(rows)), key=lambda position: -len(rows[position]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _encode_slice(tokenizer: Any, texts: list[str], budget: int) -> Encoded:
    ids = plain_ids(tokenizer, texts)
    return Encoded([row[:budget] for row in ids], sum(len(row) > budget for row in ids))


def _split(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(
        list(texts),
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        split_special_tokens=True,
        verbose=False,
    )["input_ids"]
    return ids
