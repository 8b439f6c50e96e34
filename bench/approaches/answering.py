"""How a causal language model that has read a prompt is made to answer with labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bench.approaches.label_trie import Grammar, Trie
from bench.approaches.prompts import Answers
from bench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from bench.approaches.reading import Reader
    from bench.approaches.scoring import Normalisation

Decoding = Literal["constrained", "free", "score", "verbalizer"]


@dataclass(frozen=True)
class Spelling:
    """Answers as token ids. Labels and what stands between them are tokenised apart, so that no token spans two.

    Attributes:
        labels: For each label its ids at the beginning of an answer.
        more: For each label its ids behind another, the separator in front.
        nothing: Ids of the answer without labels.
        stop: Id of the end mark.
        names: What messages call the labels.
    """

    labels: tuple[tuple[int, ...], ...]
    more: tuple[tuple[int, ...], ...]
    nothing: tuple[int, ...]
    stop: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, tokenizer: Any, answers: Answers) -> Spelling:
        """The spelling of a model.

        Raises:
            UserError: Its tokenizer has no end mark.
        """
        if tokenizer.eos_token_id is None:
            raise UserError("the model's tokenizer has no end mark (eos_token), so that answers could not end")

        def ids(texts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
            return tuple(map(tuple, tokenizer(list(texts), add_special_tokens=False)["input_ids"]))

        more = ids([answers.separator + name for name in answers.names]) if answers.kind == "multi" else ()
        (nothing,) = ids([answers.nothing])
        return cls(ids(answers.names), more, nothing, int(tokenizer.eos_token_id), answers.names)

    def write(self, labels: Sequence[int]) -> list[int]:
        """The answer that the model is to give, with its end mark; labels in the order of the label space."""
        if not labels:
            return [*self.nothing, self.stop]
        first, *rest = sorted(labels)
        return [*self.labels[first], *(token for label in rest for token in self.more[label]), self.stop]

    def longest(self, most: int) -> int:
        """Tokens that an answer of at most so many labels can take, its end mark among them."""
        first = max(map(len, (*self.labels, *((self.nothing,) if self.more else ()))))
        return first + max(0, most - 1) * max(map(len, self.more), default=0) + 1

    def grammar(self, most: int) -> Grammar:
        """Every answer of at most so many labels."""
        first = Trie.of((*self.labels, *((self.nothing,) if self.more else ())), (*self.names, "nothing"))
        more = Trie.of(self.more, self.names) if self.more else None
        return Grammar(first, more, self.stop, len(self.labels), most)


class Scorer(ABC):
    """Gives every label a score for each prompt of a batch."""

    @abstractmethod
    def score(self, reader: Reader) -> Tensor:
        """Scores, float32, shape (prompts, labels)."""


class LikelihoodScorer(Scorer):
    """The log-likelihood of each label as the (beginning of the) answer.

    Args:
        spelling: The labels.
        normalisation: See :func:`bench.approaches.scoring.score_labels`.
    """

    def __init__(self, spelling: Spelling, normalisation: Normalisation) -> None:
        self._trie = Trie.of(spelling.labels, spelling.names)
        self._ends = sorted({spelling.stop, *(row[0] for row in spelling.more)})
        self._normalisation = normalisation

    def score(self, reader: Reader) -> Tensor:
        """Log-likelihoods in nats."""
        from bench.approaches.scoring import score_labels

        return score_labels(reader, self._trie, self._ends, self._normalisation)


class VerbalizerScorer(Scorer):
    """The log-probability of each label's one-token sign, among the signs.

    Args:
        signs: Token id of each label's sign.
    """

    def __init__(self, signs: Sequence[int]) -> None:
        self._signs = list(signs)

    def score(self, reader: Reader) -> Tensor:
        """Log-probabilities in nats; they sum to one over the labels."""
        return reader.logits[:, self._signs].float().log_softmax(dim=1)


def signs_of(tokenizer: Any, count: int) -> tuple[list[str], list[int]]:
    """Words of one token each that can stand for labels: capital letters, then small ones, then numbers.

    Returns:
        The words and their ids.

    Raises:
        UserError: The tokenizer has not so many.
    """
    words = [chr(ord("A") + i) for i in range(26)] + [chr(ord("a") + i) for i in range(26)]
    words += [str(number) for number in range(1000)]
    ids = tokenizer(words, add_special_tokens=False)["input_ids"]
    found: dict[int, str] = {}
    for word, row in zip(words, ids, strict=True):
        if len(row) == 1:
            found.setdefault(row[0], word)
    if len(found) < count:
        raise UserError(
            f"decoding=verbalizer needs a token of its own for each of {count} labels, the tokenizer has {len(found)}; "
            "set decoding=score"
        )
    return list(found.values())[:count], list(found)[:count]
