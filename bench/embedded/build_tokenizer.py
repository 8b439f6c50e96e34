"""Makes the tokenizer of the embedded models: ``python -m bench.embedded.build_tokenizer debian-sections``.

The argument is the name of a task, whose training documents are read, or a text file with one document a line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 8192
SPECIAL_TOKENS = ("<pad>", "<unk>", "<s>", "</s>", "[CLS]", "[SEP]", "[MASK]")


def train(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A byte-level BPE tokenizer learnt from these texts; equal texts, equal tokenizer.

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


def corpus(source: str) -> tuple[list[str], str]:
    """The texts to learn from, and where they come from.

    Args:
        source: A task's name or a text file.

    Raises:
        UserError: It is neither.
    """
    if Path(source).is_file():
        return Path(source).read_text("utf-8").splitlines(), source
    for entry in entry_points(group="bench.tasks"):
        if entry.name == source:
            data = entry.load()().load()
            return list(data.train.texts), f"training documents of {source}, fingerprint {data.fingerprint()}"
    raise UserError(f"{source!r} is neither a text file nor a task; `bench list tasks` names the tasks")


def main(arguments: list[str]) -> None:
    """Write ``tokenizer.json`` beside this module, or to the second argument."""
    if len(arguments) not in (1, 2):
        raise UserError("usage: python -m bench.embedded.build_tokenizer TASK_OR_FILE [OUTPUT]")
    texts, origin = corpus(arguments[0])
    output = Path(arguments[1]) if len(arguments) == 2 else Path(__file__).with_name("tokenizer.json")
    train(texts).save(str(output), pretty=False)
    sys.stdout.write(f"{output}: {len(texts)} documents; {origin}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
