"""Reading a prompt once and asking much of it gives what asking one thing at a time would."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench.approaches.label_trie import Answer, Grammar, Trie
from bench.encoding import pad

SEQUENCES = [[5], [5, 6], [5, 6, 7, 8], [9, 10, 11, 12], [9, 10, 13], [14, 15]]
NAMES = list("abcdef")
MARK, STOP, FILLER = 2, 1, 0
BEGINNING = [3, 4, 50, 51]
ARCHITECTURES = ("Llama", "Qwen3", "Gemma2")


def network(architecture: str) -> Any:
    import torch
    import transformers

    sizes = {
        "vocab_size": 60,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "intermediate_size": 64,
        "max_position_embeddings": 256,
        "initializer_range": 0.4,
    }
    config = getattr(transformers, f"{architecture}Config")(**sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(transformers, f"{architecture}ForCausalLM")(config).eval()


def prompts(count: int = 7) -> list[list[int]]:
    rng = random.Random(0)
    return [[rng.randrange(20, 59) for _ in range(rng.randrange(1, 12))] for _ in range(count)]


def reader(model: Any, rows: list[list[int]], beginning: list[int] = BEGINNING) -> Any:
    from bench.approaches.reading import Beginning, Reader

    return Reader(model, Beginning.of(model, beginning, "cpu"), pad(rows, FILLER, "left"))


def naive_likelihood(model: Any, prompt: list[int], answer: list[int]) -> float:
    import torch

    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].float().log_softmax(-1)
    return sum(logits[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("room", [2**26, 60 * 7 * 3])
def test_likelihoods_are_those_of_one_label_at_a_time(
    architecture: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from bench.approaches import scoring

    # With little room the tree is read in several parts.
    monkeypatch.setattr(scoring, "_LOGITS", room)
    model, trie = network(architecture), Trie.of(SEQUENCES, NAMES)
    with torch.inference_mode():
        read = reader(model, prompts())
        for normalisation in ("sum", "mean"):
            scores = scoring.score_labels(read, trie, [STOP], normalisation)
            for row, prompt in zip(scores.tolist(), prompts(), strict=True):
                for score, sequence in zip(row, SEQUENCES, strict=True):
                    naive = naive_likelihood(model, BEGINNING + prompt, [*sequence, STOP])
                    length = len(sequence) + 1 if normalisation == "mean" else 1
                    assert score == pytest.approx(naive / length, abs=1e-5)


def test_several_ends_share_a_label_s_likelihood() -> None:
    import torch

    from bench.approaches.scoring import score_labels

    model, trie = network("Llama"), Trie.of(SEQUENCES, NAMES)
    with torch.inference_mode():
        read = reader(model, prompts(2))
        apart = [score_labels(read, trie, [end], "sum") for end in (STOP, MARK)]
        both = score_labels(read, trie, [STOP, MARK], "sum")
    torch.testing.assert_close(both, torch.stack(apart).logsumexp(dim=0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("beginning", [BEGINNING, []])
def test_constrained_answers_are_those_of_one_document_at_a_time(
    architecture: str, most: int, beginning: list[int]
) -> None:
    import torch

    from bench.approaches.constrained import constrained

    model = network(architecture)
    more = Trie.of([[MARK, *sequence] for sequence in SEQUENCES], NAMES) if most > 1 else None
    grammar = Grammar(Trie.of(SEQUENCES, NAMES), more, STOP, len(SEQUENCES), most)
    with torch.inference_mode():
        answers = constrained(reader(model, prompts(), beginning), grammar, FILLER)
        for prompt, answer in zip(prompts(), answers, strict=True):
            alone, ids = Answer(grammar), beginning + prompt
            while not alone.finished:
                logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
                choices = sorted(alone.choices())
                alone.take(choices[int(logits[choices].argmax())])
                ids = beginning + prompt + alone.tokens
            assert (answer.tokens, answer.labels) == (alone.tokens, alone.labels)
    assert len({tuple(answer.labels) for answer in answers}) > 1


def test_reading_a_tree_leaves_nothing_behind() -> None:
    import torch

    from bench.approaches.constrained import constrained
    from bench.approaches.scoring import score_labels

    model, trie = network("Llama"), Trie.of(SEQUENCES, NAMES)
    grammar = Grammar(trie, None, STOP, len(SEQUENCES), 1)
    with torch.inference_mode():
        read = reader(model, prompts())
        first = score_labels(read, trie, [STOP], "sum")
        assert torch.equal(score_labels(read, trie, [STOP], "sum"), first)
        after = constrained(read, grammar, FILLER)
        assert [a.tokens for a in after] == [a.tokens for a in constrained(reader(model, prompts()), grammar, FILLER)]
