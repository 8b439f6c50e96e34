"""Greedy decoding that can only spell labels: batched, and without a step for tokens that there is no choice about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from bench.approaches.label_trie import Answer, Grammar

if TYPE_CHECKING:
    from torch import Tensor

    from bench.approaches.reading import Reader


def constrained(reader: Reader, grammar: Grammar, filler: int) -> list[Answer]:
    """The likeliest answer of each row, chosen token by token among those that the grammar allows.

    Args:
        reader: Has read the prompts.
        grammar: The answers that there are.
        filler: Id of the padding.

    Returns:
        A finished answer for each row.
    """
    answers = [Answer(grammar) for _ in range(len(reader.logits))]
    chunks = [answer.take_forced() for answer in answers]
    if not answers[0].finished and chunks[0]:  # every answer begins alike
        reader.read(chunks, filler)
    alive = [row for row, answer in enumerate(answers) if not answer.finished]
    while alive:
        chunks = []
        for row, token in zip(alive, _choose(reader.logits, [answers[row] for row in alive]), strict=True):
            answers[row].take(token)
            chunks.append([token, *answers[row].take_forced()])
        going = [place for place, row in enumerate(alive) if not answers[row].finished]
        if len(going) < len(alive) and going:
            reader.keep(going)
        alive = [alive[place] for place in going]
        if alive:
            reader.read([chunks[place] for place in going], filler)
    return answers


def _choose(logits: Tensor, answers: Sequence[Answer]) -> list[int]:
    """The likeliest allowed token of each row; of equals the one of lower id."""
    allowed: dict[tuple[int, int], list[int]] = {}
    choices = []
    for answer in answers:
        place = answer.place
        if place is None:
            choices.append(sorted(answer.choices()))
            continue
        if place not in allowed:
            allowed[place] = sorted(answer.choices())
        choices.append(allowed[place])
    width = max(map(len, choices))
    padded = torch.tensor([row + [row[0]] * (width - len(row)) for row in choices], device=logits.device)
    best = logits.gather(1, padded).argmax(dim=1, keepdim=True)
    chosen: list[int] = padded.gather(1, best).squeeze(1).tolist()
    return chosen
