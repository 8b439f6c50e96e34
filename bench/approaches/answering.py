"""How a causal language model that has read a prompt is made to answer with labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from bench.approaches.chat import ends
from bench.approaches.label_trie import Grammar, Trie
from bench.approaches.prompts import Answers
from bench.encoding import plain_ids
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
        stops: Ids of which each ends an answer; the first is the one that is written.
        names: What messages call the labels.
        between: Ids of the separator, as far as they stand apart in front of every label of ``more``.
    """

    labels: tuple[tuple[int, ...], ...]
    more: tuple[tuple[int, ...], ...]
    nothing: tuple[int, ...]
    stops: tuple[int, ...]
    names: tuple[str, ...]
    between: tuple[int, ...] = ()

    @classmethod
    def of(cls, tokenizer: Any, answers: Answers, stops: Sequence[int] | None = None) -> Spelling:
        """The spelling of a model.

        Args:
            tokenizer: The model's.
            answers: What is written for each label.
            stops: What ends an answer; by default see :func:`bench.approaches.chat.ends`.

        Raises:
            UserError: Its tokenizer has no end mark.
        """

        def ids(texts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
            return tuple(map(tuple, plain_ids(tokenizer, texts)))

        more = ids([answers.separator + name for name in answers.names]) if answers.kind == "multi" else ()
        nothing, separator = ids([answers.nothing, answers.separator])
        between = _shared_beginning([separator, *(row[:-1] for row in more)]) if more else ()
        return cls(ids(answers.names), more, nothing, tuple(stops or ends(tokenizer)), answers.names, between)

    def write(self, labels: Sequence[int]) -> list[int]:
        """The answer that the model is to give, with its end mark; labels in the order of the label space."""
        if not labels:
            return [*self.nothing, self.stops[0]]
        first, *rest = sorted(labels)
        return [*self.labels[first], *(token for label in rest for token in self.more[label]), self.stops[0]]

    def longest(self, most: int) -> int:
        """Tokens that an answer of at most so many labels, each once, can take, its end mark among them."""
        ways = zip(self.labels, self.more or self.labels, strict=True)
        longest_first = sorted((max(map(len, both)) for both in ways), reverse=True)
        nothing = len(self.nothing) if self.more else 0
        return max(nothing, sum(longest_first[:most])) + 1

    def grammar(self, most: int) -> Grammar:
        """Every answer of at most so many labels."""
        first = Trie.of((*self.labels, *((self.nothing,) if self.more else ())), (*self.names, "nothing"))
        more = Trie.of(self.more, self.names) if self.more else None
        return Grammar(first, more, self.stops, len(self.labels), most)


def _shared_beginning(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    columns = zip(*rows, strict=False)
    return tuple(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))


class Scorer(ABC):
    """Gives every label a score for each prompt of a batch."""

    @abstractmethod
    def score(self, reader: Reader) -> Tensor:
        """Scores, float32, shape (prompts, labels)."""


class LikelihoodScorer(Scorer):
    """The log-likelihood of each label as (a part of) the answer.

    Where an answer may have several labels, a label's score is the greatest at any place of the constrained answer; see
    :func:`bench.approaches.scoring.score_lists`.

    Args:
        spelling: The labels.
        grammar: The answers that there are.
        normalisation: See :class:`bench.approaches.scoring.LabelTree`.
    """

    def __init__(self, spelling: Spelling, grammar: Grammar, normalisation: Normalisation) -> None:
        from bench.approaches.scoring import LabelTree, Lists

        ends = (*spelling.stops, *(row[0] for row in spelling.more))
        skipped = len(spelling.between)
        self._start = LabelTree.of(Trie.of(spelling.labels, spelling.names), ends, normalisation)
        self._lists: Lists | None = None
        if grammar.more and grammar.most > 1:
            behind = Trie.of([row[skipped:] for row in spelling.more], spelling.names)
            self._lists = Lists(grammar, self._start, LabelTree.of(behind, ends, normalisation), skipped)

    def score(self, reader: Reader) -> Tensor:
        """Log-likelihoods in nats."""
        from bench.approaches.scoring import score_labels, score_lists

        return score_lists(reader, self._lists) if self._lists else score_labels(reader, self._start)


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
