"""Greedy decoding that can only spell labels: batched, and without a step for tokens that there is no choice about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

from bench.approaches.label_trie import Answer, Grammar

if TYPE_CHECKING:
    from torch import Tensor

    from bench.approaches.reading import Reader

_NONE = -1


def constrained(reader: Reader, grammar: Grammar) -> list[Answer]:
    """The likeliest answer of each row, chosen token by token among those that the grammar allows.

    Args:
        reader: Has read the prompts; it may be read on.
        grammar: The answers that there are.

    Returns:
        A finished answer for each row.
    """
    answers = [Answer(grammar) for _ in range(len(reader.logits))]
    chunks = [answer.take_forced() for answer in answers]
    if not answers[0].finished and chunks[0]:  # every answer begins alike
        reader.read(chunks)
    alive = [row for row, answer in enumerate(answers) if not answer.finished]
    while alive:
        chunks = []
        for row, token in zip(alive, _choose(reader.logits, [answers[row] for row in alive]), strict=True):
            answers[row].take(token)
            chunks.append([token, *answers[row].take_forced()])
        going = [place for place, row in enumerate(alive) if not answers[row].finished]
        if len(going) < len(alive) and going:
            reader = reader.part(going)
        alive = [alive[place] for place in going]
        if alive:
            reader.read([chunks[place] for place in going])
    return answers


def _choose(logits: Tensor, answers: Sequence[Answer]) -> list[int]:
    """The likeliest allowed token of each row; of equals the one of lower id."""
    grammar = answers[0].grammar
    allowed = _allowed(answers).to(logits.device)
    found = logits.gather(1, allowed.clamp(min=0)).float()
    # An answer can end in more ways than the one that is written.
    ended = logits[:, list(grammar.stops)].float().logsumexp(dim=1, keepdim=True)
    found = torch.where(allowed == grammar.stops[0], ended, found).masked_fill(allowed == _NONE, -torch.inf)
    chosen: list[int] = allowed.gather(1, found.argmax(dim=1, keepdim=True)).squeeze(1).tolist()
    return chosen


def _allowed(answers: Sequence[Answer]) -> Tensor:
    """What may come next in each answer: ids, the lowest first; shape (answers, most choices), -1 where is none."""
    places = [answer.place for answer in answers]
    numbers = {place: number for number, place in enumerate(dict.fromkeys(places))}
    choices = _padded([answers[0].grammar.choices(place) for place in numbers])[[numbers[place] for place in places]]
    spent = _padded([answer.spent for answer in answers])
    return choices.masked_fill((choices[:, :, None] == spent[:, None]).any(dim=2), _NONE)


def _padded(rows: Sequence[Collection[int]]) -> Tensor:
    return pad_sequence([torch.tensor(list(row), dtype=torch.long) for row in rows], True, _NONE)
