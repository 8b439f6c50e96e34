"""How methods that ask with a prompt describe their work; see :mod:`bench.work`."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.approaches.answering import Spelling
from bench.approaches.head_work import TRAINED, adapters_of
from bench.approaches.prompts import Answers, Shot, label_list_tokens, make_prompt
from bench.training_work import training_of
from bench.work import Reading, Work, Workload

if TYPE_CHECKING:
    from bench.approaches.instruction_tuning import InstructionSettings
    from bench.approaches.speaker import PromptSettings
    from bench.approaches.untrained import ZeroShotSettings

_SCORED = frozenset({"score", "verbalizer"})


def instruction_work(settings: InstructionSettings, workload: Workload) -> Work:
    """A decoder that learns to answer prompts; of those it labels, what all begin with is read once."""
    asked = asking(settings, workload, ceil(workload.labels_per_document), shots=0)
    learnt = replace(asked, around=asked.around + asked.shared, shared=0)
    return Work(
        "causal-lm",
        TRAINED[settings.adapter],
        asked,
        training_of(settings, workload, learnt, checkpointing=settings.gradient_checkpointing),
        settings.quantisation,
        adapters_of(settings),
        cached=True,
        scored=settings.decoding in _SCORED,
    )


def untrained_work(settings: ZeroShotSettings, workload: Workload, shots: int) -> Work:
    """A decoder that answers prompts with so many examples in them."""
    most = 1 if workload.task.kind == "single" else settings.most_labels
    asked = asking(settings, workload, most, shots)
    scored = settings.decoding in _SCORED
    return Work("causal-lm", "nothing", asked, quantisation=settings.quantisation, cached=True, scored=scored)


def asking(settings: PromptSettings, workload: Workload, most_labels: int, shots: int) -> Reading:
    """How documents are asked about: what all prompts begin with apart, where it is read apart."""
    tokenizer = workload.tokenizer
    answers = Answers.of(workload.labels, workload.task.kind, settings.separator, settings.nothing)
    spelling = Spelling.of(tokenizer, answers)
    listed = _lists_labels(settings, tokenizer, answers)
    prompt = make_prompt(tokenizer, settings.template, answers, listed, _shots(workload, shots, settings))
    before, after = len(prompt.before_ids), len(prompt.after_ids)
    free, longest = settings.decoding == "free", spelling.longest(most_labels)
    return Reading(
        settings.predict_batch_size,
        settings.max_tokens,
        around=before + after if free else after,
        shared=0 if free else before,
        answer=1.0 if settings.decoding in _SCORED else _mean_answer(spelling, workload.labels_per_document),
        longest_answer=min(longest, settings.max_new_tokens) if free else longest,
    )


def _lists_labels(settings: PromptSettings, tokenizer: Any, answers: Answers) -> bool:
    if settings.decoding == "verbalizer" or settings.label_list == "always":
        return True
    return settings.label_list == "auto" and label_list_tokens(tokenizer, answers) <= settings.list_budget


def _shots(workload: Workload, count: int, settings: PromptSettings) -> list[Shot]:
    """Examples as long as documents are on average."""
    lengths = workload.lengths.get("train") or [0]
    document = round(fmean(min(length, settings.max_tokens) for length in lengths))
    return [Shot([0] * document, [0])] * count


def _mean_answer(spelling: Spelling, labels: float) -> float:
    """Tokens of an answer with so many labels, its end mark among them."""
    first = fmean(map(len, spelling.labels))
    return first + (labels - 1) * (fmean(map(len, spelling.more)) if spelling.more else 0.0) + 1
