"""``decoding=score``: what a label's score is, in the words of a tokenizer and after training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.approaches.answering import LikelihoodScorer, Spelling
from bench.approaches.instruction_tuning import InstructionTuning
from bench.approaches.prompts import Answers
from bench.encoding import load_tokenizer, pad
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
NAMES = ("sea", "sea of food", "game", "space")


@pytest.mark.parametrize("separator", ["; ", " and ", "|"])
def test_a_separator_stands_apart_from_the_labels_behind_it(separator: str, tiny_model: Make) -> None:
    spelling = Spelling.of(load_tokenizer(tiny_model("llama").folder), Answers(NAMES, "multi", separator, "none"))
    between = spelling.between
    assert all(row[: len(between)] == between and len(row) > len(between) for row in spelling.more)
    assert between


def test_a_single_label_s_score_is_its_likelihood_with_an_end(tiny_model: Make) -> None:
    import torch

    model, tokenizer = loaded(tiny_model("llama"))
    spelling = Spelling.of(tokenizer, Answers(NAMES, "single", "; ", "none"), (3, 9))
    with torch.inference_mode():
        scores = LikelihoodScorer(spelling, spelling.grammar(1), "sum").score(read(model, [[20, 21, 22], [30]]))
        expected = [
            [likelihood(model, prompt, list(ids), [3, 9]) for ids in spelling.labels] for prompt in ([20, 21, 22], [30])
        ]
    torch.testing.assert_close(scores, torch.tensor(expected), atol=1e-5, rtol=0)


def test_behind_a_separator_a_label_s_score_is_its_likelihood_there(tiny_model: Make) -> None:
    import torch

    from bench.approaches.constrained import constrained

    model, tokenizer = loaded(tiny_model("llama"))
    spelling = Spelling.of(tokenizer, Answers(NAMES, "multi", "; ", "none"))
    grammar, skipped = spelling.grammar(3), len(spelling.between)
    ends = [*spelling.stops, *{row[0] for row in spelling.more}]
    rows = [[20 + number, 40 + number, 60 + number] for number in range(12)]
    with torch.inference_mode():
        scores = LikelihoodScorer(spelling, grammar, "sum").score(read(model, rows))
        answers = constrained(read(model, rows), grammar)
        for prompt, answer, row in zip(rows, answers, scores.tolist(), strict=True):
            best = [likelihood(model, prompt, list(ids), ends) for ids in spelling.labels]
            for place in range(1, len(answer.labels)):
                first, *others = answer.labels[:place]
                said = [*spelling.labels[first], *(token for label in others for token in spelling.more[label])]
                front = [*prompt, *said, *spelling.between]
                there = [likelihood(model, front, list(ids[skipped:]), ends) for ids in spelling.more]
                best = [max(pair) for pair in zip(best, there, strict=True)]
            assert row == pytest.approx(best, abs=1e-5)
    assert max(len(answer.labels) for answer in answers) == 3


def test_one_threshold_finds_the_labels_of_all_documents(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen
) -> None:
    """Later labels of a list are as likely as the first one."""
    train, context = sixteen("multi"), make_context(tiny_model("qwen3"), "multi")
    settings = {"epochs": 60, "keep": "last", "batch_size": 8, "learning_rate": 5e-3, "max_tokens": 64}
    method = InstructionTuning(
        InstructionTuning.Config(**settings, adapter="full", quantisation="none", decoding="score")
    )
    method.fit(train, train, LabelSpace(("sea", "food", "game", "space")), context)
    scores = method.predict(train.texts, context).values
    right = [scores[row, label] for row, labels in enumerate(train.labels) for label in labels]
    wrong = [scores[row, label] for row, labels in enumerate(train.labels) for label in range(4) if label not in labels]
    assert min(right) > max(wrong)


def loaded(model: ResolvedModel) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(model.folder, dtype=torch.float32).eval()
    return network, load_tokenizer(model.folder)


def read(model: Any, rows: list[list[int]]) -> Any:
    from bench.approaches.shared_reading import SharedPrompts

    return SharedPrompts(model, [], "cpu")(pad(rows, 0, "left"))


def likelihood(model: Any, prompt: list[int], answer: list[int], ends: list[int]) -> float:
    import torch

    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 :].log_softmax(-1)
    return float(logits[range(len(answer)), answer].sum() + logits[-1, ends].logsumexp(0))
