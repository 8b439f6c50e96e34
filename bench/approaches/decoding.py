"""From prompts to answers, and from answers to label sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.approaches.prompts import Answers
from bench.prediction import LabelSets

if TYPE_CHECKING:
    from torch import Tensor

    from bench.encoding import Padded


def greedy(network: Any, batch: Padded, stop: int | None, filler: int, max_new_tokens: int) -> Tensor:
    """The likeliest continuation, token by token, of left-padded prompts.

    Returns:
        New token ids, shape (prompts, max_new_tokens); ``filler`` behind the end.
    """
    import torch
    from transformers import GenerationConfig

    # A model's own generation settings may sample or penalise repeated labels; none of them is to leak in.
    network.generation_config = GenerationConfig()
    ids = network.generate(
        input_ids=batch.ids,
        attention_mask=batch.mask,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        eos_token_id=stop,
        pad_token_id=filler,
    )
    new: Tensor = ids[:, batch.ids.shape[1] :]
    return torch.nn.functional.pad(new, (0, max_new_tokens - new.shape[1]), value=filler)


@dataclass(frozen=True)
class Generated:
    """What a model said to one prompt.

    Attributes:
        text: The text in front of the end mark.
        finished: Whether there was an end mark; without one the text was cut off, possibly inside a label.
    """

    text: str
    finished: bool = True


def until_stop(ids: Sequence[int], stop: int | None) -> tuple[list[int], bool]:
    """The ids in front of the end mark, and whether there was one."""
    ids = list(ids)
    return (ids[: ids.index(stop)], True) if stop in ids else (ids, False)


def read(generated: Sequence[Generated], answers: Answers) -> LabelSets:
    """Label sets from generated texts, strictly: a label is read only where it is written exactly.

    A label at the end of a text that was cut off may be the beginning of another, and is not read: what stands behind
    the last separator is dropped, where one label is wanted the whole text, and the text counted (``cut_off``).

    A document whose text names no label (nor says that it has none) keeps an empty set and counts as a parse failure.
    What is no label is dropped and counted (``out_of_set``), as is a label that recurs (``duplicates``). Where one
    label is wanted, the whole text must be that label.
    """
    positions = {name: position for position, name in enumerate(answers.names)}
    problems: Counter[str] = Counter(parse_failures=0, out_of_set=0, duplicates=0, cut_off=0)
    sets = [_read_one(one, answers, positions, problems) for one in generated]
    return LabelSets(sets, [one.text for one in generated], dict(problems))


def _read_one(one: Generated, answers: Answers, positions: dict[str, int], problems: Counter[str]) -> list[int]:
    if answers.kind == "multi" and one.finished and one.text.strip() == answers.nothing:
        return []
    parts = [one.text] if answers.kind == "single" else one.text.split(answers.mark)
    parts = [part.strip() for part in (parts if one.finished else parts[:-1])]
    problems["cut_off"] += not one.finished
    known = [positions[part] for part in parts if part in positions]
    labels = list(dict.fromkeys(known))
    problems["out_of_set"] += sum(bool(part) and part not in positions for part in parts)
    problems["duplicates"] += len(known) - len(labels)
    problems["parse_failures"] += not labels
    return labels
