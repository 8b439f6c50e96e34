"""The tokenizer that both networks share: a byte-level BPE vocabulary; only the marks around a text differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from bench.method import Architecture

PAD, UNKNOWN, START, END, CLS, SEP, MASK = "<pad>", "<unk>", "<s>", "</s>", "[CLS]", "[SEP]", "[MASK]"
SPECIAL_TOKENS = (PAD, UNKNOWN, START, END, CLS, SEP, MASK)
"""In the order of their ids, from 0 on."""

_ROLES = {
    "pad_token": PAD,
    "unk_token": UNKNOWN,
    "bos_token": START,
    "eos_token": END,
    "cls_token": CLS,
    "sep_token": SEP,
    "mask_token": MASK,
}


@dataclass(frozen=True)
class Marks:
    """Special tokens that stand around a text.

    Attributes:
        before: In front of it.
        after: Behind it.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]

    def ids(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of both."""
        return _ids(self.before), _ids(self.after)


MARKS: dict[Architecture, Marks] = {"encoder": Marks((CLS,), (SEP,)), "decoder": Marks((START,), ())}
"""What the tokenizer puts around a text that is read."""

LEARNT: dict[Architecture, Marks] = {"encoder": MARKS["encoder"], "decoder": Marks((START,), (END,))}
"""What stands around a text that is learnt: a decoder has to learn where a text ends, too."""


def special_ids() -> dict[str, int]:
    """The ids of the special tokens by their names in a model's config (``pad_token_id``, …)."""
    return {f"{role}_id": SPECIAL_TOKENS.index(token) for role, token in _ROLES.items()}


def train(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A tokenizer learnt from these texts; equal texts, equal tokenizer.

    Args:
        texts: The documents.
        vocabulary: Number of tokens, the 256 bytes and the special tokens among them.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write(tokenizer: Tokenizer, architecture: Architecture, folder: Path) -> None:
    """Write a tokenizer into a model's folder, with the marks of its architecture."""
    content = json.loads(tokenizer.to_str())
    content["post_processor"] = _template(MARKS[architecture])
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **_ROLES,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


def _template(marks: Marks) -> dict[str, Any]:
    """The template in the format of the library; a second text has no use here and follows the first."""
    before, after = (
        [{"SpecialToken": {"id": token, "type_id": 0}} for token in part] for part in (marks.before, marks.after)
    )
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [*before, first, *after],
        "pair": [*before, first, *after, second, *after],
        "special_tokens": {
            token: {"id": token, "ids": list(_ids([token])), "tokens": [token]}
            for token in (*marks.before, *marks.after)
        },
    }


def _ids(tokens: Sequence[str]) -> tuple[int, ...]:
    return tuple(SPECIAL_TOKENS.index(token) for token in tokens)
