"""From prompts to answers, and from answers to label sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from bench.approaches.prompts import Answers
from bench.prediction import LabelSets

if TYPE_CHECKING:
    from torch import Tensor

    from bench.encoding import Padded


def greedy(network: Any, batch: Padded, stops: Sequence[int], filler: int, max_new_tokens: int) -> Tensor:
    """The likeliest continuation, token by token, of left-padded prompts.

    Args:
        network: A causal language model, with adapters or without.
        batch: The prompts.
        stops: Ids of which each ends an answer.
        filler: Id of the padding.
        max_new_tokens: Tokens after which an answer is cut off.

    Returns:
        New token ids, shape (prompts, max_new_tokens); ``filler`` behind the end.
    """
    import torch

    with _plainly(network) as speaking:
        ids = speaking.generate(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            eos_token_id=list(stops),
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


def until_stop(ids: Sequence[int], stops: Sequence[int]) -> tuple[list[int], bool]:
    """The ids in front of the first end mark, and whether there was one."""
    said = list(takewhile(lambda id_: id_ not in stops, ids))
    return said, len(said) < len(ids)


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


@contextmanager
def _plainly(network: Any) -> Iterator[Any]:
    """The model itself, adapters in it, without its own generation settings.

    They may sample or penalise repeated labels, and count even where others are handed to ``generate``.
    """
    from peft import PeftModel
    from transformers import GenerationConfig

    speaking = network.get_base_model() if isinstance(network, PeftModel) else network
    own, speaking.generation_config = speaking.generation_config, GenerationConfig()
    try:
        yield speaking
    finally:
        speaking.generation_config = own
