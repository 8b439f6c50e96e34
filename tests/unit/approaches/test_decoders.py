"""Reading a prompt once and asking much of it gives what asking one thing at a time would."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from bench.approaches.label_trie import Answer, Grammar, Trie
from bench.encoding import pad

SEQUENCES = [[5], [5, 6], [5, 6, 7, 8], [9, 10, 11, 12], [9, 10, 13], [14, 15]]
NAMES = list("abcdef")
MARK, STOP, OTHER_STOP, FILLER = 2, 1, 4, 0
BEGINNING = [3, 4, 50, 51]
SLIDING = {"sliding_window": 16}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "qwen3": ("Qwen3", {}),
    "qwen3, some layers sliding": ("Qwen3", SLIDING | {"use_sliding_window": True, "max_window_layers": 1}),
    "gemma2, some layers sliding": ("Gemma2", SLIDING),
    "mistral, all layers sliding": ("Mistral", SLIDING),
}
ROUNDING = 1e-6
"""Processors differ in the last of the 24 bits of a likelihood."""
named = pytest.mark.parametrize("name", NETWORKS)


def network(name: str = "llama") -> Any:
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
    architecture, more = NETWORKS[name]
    config = getattr(transformers, f"{architecture}Config")(**sizes | more)
    torch.set_num_threads(1)  # such small networks only wait for a second one
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(transformers, f"{architecture}ForCausalLM")(config).eval()


def prompts() -> list[list[int]]:
    """Most of them longer than the window."""
    rng = random.Random(0)
    return [[rng.randrange(20, 59) for _ in range(length)] for length in (1, 30, 12, 40, 17, 25, 3)]


def reader(model: Any, rows: list[list[int]], beginning: list[int] = BEGINNING) -> Any:
    from bench.approaches.shared_reading import SharedPrompts

    return SharedPrompts(model, beginning, "cpu")(pad(rows, FILLER, "left"))


def grammar(most: int = 1, stops: tuple[int, ...] = (STOP,)) -> Grammar:
    more = Trie.of([[MARK, *sequence] for sequence in SEQUENCES], NAMES) if most > 1 else None
    return Grammar(Trie.of(SEQUENCES, NAMES), more, stops, len(SEQUENCES), most)


def labels(ends: tuple[int, ...] = (STOP,), normalisation: Any = "sum") -> Any:
    from bench.approaches.scoring import LabelTree

    return LabelTree.of(Trie.of(SEQUENCES, NAMES), ends, normalisation)


def naive_likelihood(model: Any, prompt: list[int], answer: list[int], ends: tuple[int, ...] = (STOP,)) -> float:
    import torch

    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].float().log_softmax(-1)
    steps = [logits[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer)]
    return sum(steps) + logits[-1, list(ends)].logsumexp(0).item()


def naive_answer(model: Any, prompt: list[int], grammar: Grammar) -> Answer:
    import torch

    answer = Answer(grammar)
    while not answer.finished:
        logits = model(input_ids=torch.tensor([prompt + answer.tokens])).logits[0, -1]
        logits[grammar.stops[0]] = logits[list(grammar.stops)].logsumexp(0)
        choices = sorted(answer.choices())
        answer.take(choices[int(logits[choices].argmax())])
    return answer


@named
def test_the_window_acts(name: str) -> None:
    import torch

    model, row = network(name), prompts()[3]
    with torch.inference_mode():
        far, farther = (model(input_ids=torch.tensor([[first, *row]])).logits[0, 25:] for first in (20, 58))
    # Two layers see two windows back; where some layer sees everything, the first token still counts.
    assert torch.allclose(far[10:], farther[10:], atol=1e-5) == ("all layers" in name)


@named
@pytest.mark.parametrize("most", [512, 3])
@pytest.mark.parametrize("room", [2**26, 60 * 11 * 3])
def test_likelihoods_are_those_of_one_label_at_a_time(
    name: str, most: int, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from bench.approaches import branches, scoring

    # The tree is read in several parts where few nodes are allowed, for some prompts at a time where there is no room.
    monkeypatch.setattr(branches.branches, "__defaults__", (most,))
    monkeypatch.setattr(scoring, "_LOGITS", room)
    model = network(name)
    with torch.inference_mode():
        read = reader(model, prompts())
        for normalisation in ("sum", "mean"):
            scores = scoring.score_labels(read, labels(normalisation=normalisation))
            for row, prompt in zip(scores.tolist(), prompts(), strict=True):
                for score, sequence in zip(row, SEQUENCES, strict=True):
                    naive = naive_likelihood(model, BEGINNING + prompt, sequence)
                    length = len(sequence) + 1 if normalisation == "mean" else 1
                    assert score == pytest.approx(naive / length, abs=1e-5, rel=ROUNDING)


def test_several_ends_share_a_label_s_likelihood() -> None:
    import torch

    from bench.approaches.scoring import score_labels

    model = network()
    with torch.inference_mode():
        read = reader(model, prompts())
        apart = [score_labels(read, labels((end,))) for end in (STOP, MARK)]
        both = score_labels(read, labels((STOP, MARK)))
    torch.testing.assert_close(both, torch.stack(apart).logsumexp(dim=0), atol=1e-5, rtol=0)


@named
def test_in_lists_a_label_has_the_best_of_its_likelihoods_at_the_places_of_the_answer(name: str) -> None:
    import torch

    from bench.approaches.scoring import Lists, score_labels, score_lists

    model, ends = network(name), (STOP, MARK)
    places = set()
    with torch.inference_mode():
        read = reader(model, prompts())
        scores = score_lists(read, Lists(grammar(3), labels(ends), labels(ends), 1))
        for row, prompt in zip(scores.tolist(), prompts(), strict=True):
            said = BEGINNING + prompt
            answer = naive_answer(model, said, grammar(3))
            places.add(len(answer.labels))
            fronts, front = [said], said
            for label in answer.labels[:-1]:
                front = [*front, *SEQUENCES[label], MARK]
                fronts.append(front)
            best = [max(naive_likelihood(model, front, sequence, ends) for front in fronts) for sequence in SEQUENCES]
            assert row == pytest.approx(best, abs=1e-5, rel=ROUNDING)
        assert torch.equal(score_lists(read, Lists(grammar(3), labels(ends), labels(ends), 1)), scores)
        first = score_labels(read, labels(ends))
    assert max(places) > 1
    assert bool((scores >= first).all())
    if (
        name != "gemma2, some layers sliding"
    ):  # which repeats its last token, and so is never likelier to say a label later
        assert not torch.equal(scores, first)


@named
@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("beginning", [BEGINNING, []])
@pytest.mark.parametrize("stops", [(STOP,), (STOP, OTHER_STOP)])
def test_constrained_answers_are_those_of_one_document_at_a_time(
    name: str, most: int, beginning: list[int], stops: tuple[int, ...]
) -> None:
    import torch

    from bench.approaches.constrained import constrained

    model, allowed = network(name), grammar(most, stops)
    with torch.inference_mode():
        answers = constrained(reader(model, prompts(), beginning), allowed)
        for prompt, answer in zip(prompts(), answers, strict=True):
            alone = naive_answer(model, beginning + prompt, allowed)
            assert (answer.tokens, answer.labels) == (alone.tokens, alone.labels)
            assert 1 <= len(set(answer.labels)) == len(answer.labels) <= most
    assert len({tuple(answer.labels) for answer in answers}) > 1


@named
def test_neither_batch_nor_order_changes_anything(name: str) -> None:
    import torch

    from bench.approaches.constrained import constrained
    from bench.approaches.scoring import Lists, score_lists

    model, lists = network(name), Lists(grammar(3), labels((STOP, MARK)), labels((STOP, MARK)), 1)

    def outcome(rows: list[list[int]]) -> tuple[list[list[int]], Any]:
        read = reader(model, rows)
        scores = score_lists(read, lists)
        return [answer.tokens for answer in constrained(read, lists.grammar)], scores

    with torch.inference_mode():
        tokens, scores = outcome(prompts())
        turned, turned_scores = outcome(prompts()[::-1])
        alone = [outcome([prompt]) for prompt in prompts()]
    assert turned[::-1] == tokens == [answer for (answer,), _ in alone]
    torch.testing.assert_close(turned_scores.flip(0), scores, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat([row for _, row in alone]), scores, atol=1e-5, rtol=0)


def test_reading_a_tree_leaves_nothing_behind() -> None:
    import torch

    from bench.approaches.constrained import constrained
    from bench.approaches.scoring import score_labels

    model = network()
    with torch.inference_mode():
        read = reader(model, prompts())
        first = score_labels(read, labels())
        assert torch.equal(score_labels(read, labels()), first)
        after = constrained(read, grammar())
        assert [a.tokens for a in after] == [a.tokens for a in constrained(reader(model, prompts()), grammar())]


def test_tokens_without_a_choice_cost_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from bench.approaches.constrained import constrained

    chains = [[20 + 10 * label + step for step in range(9)] for label in range(3)]
    first, more = Trie.of(chains, NAMES[:3]), Trie.of([[MARK, *chain] for chain in chains], NAMES[:3])
    with torch.inference_mode():
        read = reader(network(), prompts())
        passes = spied(read, monkeypatch)
        answers = constrained(read, Grammar(first, more, (STOP,), 3, most=2))
    lists = max(len(answer.labels) for answer in answers)
    # One pass for a label that another may follow, one for its separator; the last label and the end cost none.
    assert (lists, max(len(answer.tokens) for answer in answers)) == (2, 20)
    assert passes == [9, 1]


def spied(read: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of what is read, filled in as it is."""
    widths: list[int] = []
    whole: Callable[..., None] = type(read).read

    def counted(self: Any, chunks: Any) -> None:
        widths.append(max(map(len, chunks)))
        whole(self, chunks)

    monkeypatch.setattr(type(read), "read", counted)
    return widths


def test_of_equally_likely_tokens_the_lowest_is_chosen() -> None:
    import torch

    from bench.approaches.constrained import constrained

    class Undecided:
        logits = torch.zeros(3, 60)

        def read(self, chunks: Any) -> None:
            pass

        def part(self, rows: Any) -> Undecided:
            return self

    # In the trie the higher ids come first.
    chains = [[9, 8], [9, 7], [14], [12], [13]]
    answers = constrained(Undecided(), Grammar(Trie.of(chains, NAMES[:5]), None, (STOP,), 5, 1))  # type: ignore[arg-type]
    assert [answer.tokens for answer in answers] == [[9, 7, STOP]] * 3


def test_half_precision_does_not_get_into_the_sums() -> None:
    import torch

    from bench.approaches.scoring import score_labels

    class Said:
        """Says the same of every prompt, unlikely things."""

        generator = torch.Generator().manual_seed(0)
        logits = torch.randn(2, 60, generator=generator) * 30
        tree = torch.randn(2, 11, 60, generator=generator) * 30

        def part(self, rows: Any) -> Said:
            return self

        def read_tree(self, branch: Any) -> Any:
            return self.tree[:, : len(branch.tokens)]

    tree = labels()
    assert tree.widest == 11
    expected = score_labels(Said(), tree)  # type: ignore[arg-type]
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(score_labels(Said(), tree), expected, atol=0, rtol=0)  # type: ignore[arg-type]


@named
def test_half_precision_reads_the_same_prompts(name: str) -> None:
    import torch

    from bench.approaches.scoring import score_labels

    model = network(name)
    with torch.inference_mode():
        expected = score_labels(reader(model, prompts()), labels())
        with torch.autocast("cpu", torch.bfloat16):
            found = score_labels(reader(model, prompts()), labels())
    assert torch.isfinite(found).all()
    assert float((found - expected).abs().mean() / expected.std()) < 0.1


def test_padding_sees_itself_and_nobody_sees_padding() -> None:
    """A token that may look at nothing has no softmax: what comes of it is up to the device."""
    import torch

    from bench.approaches.shared_reading import Attention

    mask = torch.tensor([[0, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]])
    masks = Attention(window=2, mixed=True, dtype=torch.float32).onwards(mask, 6)
    whole, sliding = (masks[kind][:, 0] == 0 for kind in ("full_attention", "sliding_attention"))
    assert whole.any(dim=2).all()
    assert sliding.any(dim=2).all()
    assert whole[0, 5].tolist() == [False, False, True, True, False, True]
    assert sliding[0, 5].tolist() == [False, False, False, True, False, True]
