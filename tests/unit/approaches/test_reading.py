"""Networks that cannot share what they have read are read in another way, or refused before anything is trained."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.approaches.label_trie import Answer, Grammar, Trie
from bench.approaches.untrained import ZeroShot
from bench.encoding import pad
from bench.errors import UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.prediction import LabelSets
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 256,
    "initializer_range": 0.4,
}
WHOLE: dict[str, dict[str, Any]] = {
    "Mpt": {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256},  # counts columns
    "Bloom": {"n_layer": 2, "n_head": 4},  # the same, and takes no mask of trees
    "Falcon": {"alibi": True},
    "Lfm2": {"layer_types": ["conv", "full_attention"]},  # keeps other things than keys and values
    "Mamba": {},
    "GPTNeo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "num_heads": 4, "window_size": 16},
    "Llama4Text": {
        "layer_types": ["chunked_attention", "full_attention"],
        "attention_chunk_size": 16,
        "num_local_experts": 2,
        "intermediate_size_mlp": 64,
        "head_dim": 8,
    },
}
SEQUENCES = [[5], [5, 6], [5, 6, 7, 8], [9, 10, 11, 12], [9, 10, 13], [14, 15]]
NAMES = list("abcdef")
MARK, STOP = 2, 1
BEGINNING = [3, 4, 50, 51]


def network(architecture: str, **more: Any) -> Any:
    import torch
    import transformers

    config = getattr(transformers, f"{architecture}Config")(**SIZES | more)
    torch.set_num_threads(1)  # such small networks only wait for a second one
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(transformers, f"{architecture.removesuffix('Text')}ForCausalLM")(config).eval()


@pytest.mark.parametrize("architecture", WHOLE)
def test_what_cannot_be_shared_is_read_whole(architecture: str) -> None:
    import torch

    from bench.approaches.constrained import constrained
    from bench.approaches.reading import check_reading
    from bench.approaches.scoring import LabelTree, score_labels

    model = network(architecture, **WHOLE[architecture])
    way = check_reading(model)
    assert way.__name__ == "WholePrompts"
    rng = random.Random(0)
    rows = [[rng.randrange(20, 59) for _ in range(length)] for length in (1, 30, 12, 17)]
    labels = Trie.of(SEQUENCES, NAMES)
    grammar = Grammar(labels, Trie.of([[MARK, *row] for row in SEQUENCES], NAMES), (STOP,), len(SEQUENCES), most=2)
    with torch.inference_mode():
        read = way(model, BEGINNING, "cpu")(pad(rows, 0, "left"))
        scores = score_labels(read, LabelTree.of(labels, (STOP,), "sum"))
        answers = constrained(read, grammar)
        for prompt, found, answer in zip(rows, scores.tolist(), answers, strict=True):
            naive = [likelihood(model, BEGINNING + prompt, [*sequence, STOP]) for sequence in SEQUENCES]
            assert found == pytest.approx(naive, abs=1e-5)
            assert answer.tokens == naive_answer(model, BEGINNING + prompt, grammar)


def likelihood(model: Any, prompt: list[int], answer: list[int]) -> float:
    import torch

    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    return float(logits[range(len(answer)), answer].sum())


def naive_answer(model: Any, prompt: list[int], grammar: Grammar) -> list[int]:
    import torch

    answer = Answer(grammar)
    while not answer.finished:
        logits = model(input_ids=torch.tensor([prompt + answer.tokens])).logits[0, -1]
        choices = sorted(answer.choices())
        answer.take(choices[int(logits[choices].argmax())])
    return answer.tokens


@pytest.mark.parametrize("architecture", ["Llama", "Qwen3", "Gemma2"])
def test_what_can_be_shared_is(architecture: str) -> None:
    import torch

    from bench.approaches.reading import check_reading

    model = network(architecture, head_dim=8).train()
    assert check_reading(model).__name__ == "SharedPrompts"
    assert model.training
    with torch.autocast("cpu", torch.bfloat16):
        assert check_reading(model).__name__ == "SharedPrompts"


def test_counting_columns_is_found_out_in_half_precision() -> None:
    import torch

    from bench.approaches.reading import check_reading

    model = network("Mpt", **WHOLE["Mpt"])
    with torch.autocast("cpu", torch.bfloat16):
        assert check_reading(model).__name__ == "WholePrompts"


def test_a_network_that_no_way_suits_is_refused() -> None:
    from bench.approaches.reading import check_reading

    with pytest.raises(UserError, match="rwkv answers otherwise"):
        check_reading(network("Rwkv", attention_hidden_size=32))


@pytest.mark.parametrize(("decoding", "refused"), [("constrained", True), ("score", True), ("free", False)])
def test_it_is_refused_before_anything_is_predicted(
    decoding: str,
    refused: bool,
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bench.approaches import reading

    monkeypatch.setattr(reading, "_reads_rightly", lambda way, network: False)
    method = ZeroShot(ZeroShot.Config(quantisation="none", max_tokens=16, decoding=decoding))
    train, context = sixteen("single"), make_context(tiny_model("llama"))
    if not refused:
        method.fit(train, train, labels, context)
        return
    with pytest.raises(UserError, match="llama answers otherwise"):
        method.fit(train, train, labels, context)


@pytest.mark.parametrize("decoding", ["constrained", "score"])
def test_documents_are_labelled_by_such_a_network(
    decoding: str, tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace, tmp_path: Path
) -> None:
    train, context = sixteen("multi"), make_context(tiny_model("bloom"), "multi")
    outcomes = []
    for size in (1, 16):
        method = ZeroShot(
            ZeroShot.Config(quantisation="none", max_tokens=16, decoding=decoding, predict_batch_size=size)
        )
        method.fit(train, train, labels, context)
        outcomes.append(method.predict(train.texts, context))
    one, all_ = outcomes
    if isinstance(one, LabelSets):
        assert one == all_
    else:
        assert one.values == pytest.approx(all_.values, abs=1e-5)
