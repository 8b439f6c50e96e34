"""``instruction-tuning``: what is asked, what is learnt from it, and what is read from the answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.approaches.answering import Spelling
from bench.approaches.decoding import Generated, read, until_stop
from bench.approaches.instruction_tuning import InstructionTuning, answer_loss, supervised
from bench.approaches.prompts import TEMPLATE, Answers, make_prompt
from bench.approaches.speaker import Speaker
from bench.encoding import load_tokenizer
from bench.errors import UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
QUICK: dict[str, Any] = {
    "epochs": 60,
    "keep": "last",
    "batch_size": 8,
    "learning_rate": 5e-3,
    "max_tokens": 64,
    "adapter": "full",
    "quantisation": "none",
}
MULTI = Answers(("a b", "c", "d"), "multi", "; ", "none")
SINGLE = Answers(("a b", "c", "d"), "single", "; ", "none")


@pytest.fixture
def tokenizer(tiny_model: Make) -> Any:
    return load_tokenizer(tiny_model("llama").folder)


@pytest.mark.parametrize(
    ("kind", "decoding"),
    [("single", "constrained"), ("multi", "constrained"), ("multi", "free"), ("single", "verbalizer")],
)
def test_learns_sixteen_documents(
    kind: Kind,
    decoding: str,
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    train, context = sixteen(kind), make_context(tiny_model("llama"), kind)
    settings = InstructionTuning.Config(**QUICK | {"decoding": decoding})
    method = InstructionTuning(settings)
    method.fit(train, train, labels, context)
    predicted = method.predict(train.texts, context)
    assert answered(predicted) == [sorted(row) for row in train.labels]
    assert context.instruments.facts["truncated_share_predict"] == 0
    method.save(tmp_path)
    again = InstructionTuning(settings)
    again.load(tmp_path, labels, context)
    if decoding == "verbalizer":
        assert (again.predict(train.texts, context).values == predicted.values).all()
        return
    assert again.predict(train.texts, context) == predicted
    assert set(predicted.problems.values()) <= {0}


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_scores_of_what_was_learnt(
    kind: Kind, tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    """The best labels are those of the document, as many as it has."""
    train, context = sixteen(kind), make_context(tiny_model("qwen3"), kind)
    method = InstructionTuning(InstructionTuning.Config(**QUICK | {"decoding": "score"}))
    method.fit(train, train, labels, context)
    scores = method.predict(train.texts, context).values
    assert scores.shape == (16, 4)
    assert (scores <= 0).all()
    best = [sorted(row.argsort()[::-1][: len(right)]) for row, right in zip(scores, train.labels, strict=True)]
    assert best == [sorted(right) for right in train.labels]


def answered(predicted: Any) -> list[list[int]]:
    if hasattr(predicted, "sets"):
        return [list(row) for row in predicted.sets]
    return [[int(best)] for best in predicted.values.argmax(axis=1)]


def test_trains_adapters_on_four_bits(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train, context = sixteen("single"), make_context(tiny_model("qwen3"))
    settings = QUICK | {"adapter": "lora", "quantisation": "nf4", "learning_rate": 2e-2, "epochs": 30}
    method = InstructionTuning(InstructionTuning.Config(**settings))
    method.fit(train, train, labels, context)
    curve = context.instruments.facts["loss_curve"]
    assert curve[-1][1] < 0.65 * curve[0][1]
    assert len(method.predict(train.texts, context).sets) == 16


def test_default_prompt_to_the_character(tokenizer: Any) -> None:
    prompt = make_prompt(tokenizer, TEMPLATE, MULTI, with_labels=True)
    assert tokenizer.decode(prompt.before_ids) == "<s>Labels: a b; c; d\n\n"
    assert tokenizer.decode(prompt.after_ids) == '\n\nLabels of this text, separated by "; ":\n'
    alone = make_prompt(tokenizer, TEMPLATE, Answers(("x", "y"), "single", "; ", "none"), with_labels=False)
    assert tokenizer.decode(alone.around([])) == "<s>\n\nLabel of this text:\n"


def test_prompt_is_the_same_in_training_and_prediction(
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, list[list[int]]] = {}

    class Spy(InstructionTuning):
        def _fitting(self, prompts: Any, targets: Any) -> Any:
            fitting = super()._fitting(prompts, targets)
            batch = fitting.collate(range(16)).inputs
            seen["train"] = [
                ids[mask.bool()][: -len(target)].tolist()
                for ids, mask, target in zip(batch["ids"], batch["mask"], targets, strict=True)
            ]
            return fitting

    def spy(speaker: Speaker, texts: Any) -> Any:
        encoded = rest(speaker, texts)
        seen["predict"] = [[*speaker.prompt.before_ids, *row] for row in encoded.rows]
        return encoded

    rest = Speaker._rest
    monkeypatch.setattr(Speaker, "_rest", spy)
    train, context = sixteen("multi"), make_context(tiny_model("llama"), "multi")
    method = Spy(Spy.Config(**QUICK | {"epochs": 1, "max_tokens": 6}))
    method.fit(train, train, labels, context)
    method.predict(train.texts, context)
    assert seen["train"] == seen["predict"]
    whole = method._speaker.tokenizer.decode(seen["train"][5])
    assert whole.startswith("<s>Labels: sea; food; game; space\n\n")
    assert whole.endswith('\n\nLabels of this text, separated by "; ":\n')


def test_only_the_document_is_cut_and_every_example_keeps_its_answer(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace
) -> None:
    texts = ["sea " * 500, "flour", "chess " * 90]
    train = Documents(list("abc"), texts, [[0], [1], [2, 3]])
    context = make_context(tiny_model("llama"), "multi")
    method = InstructionTuning(InstructionTuning.Config(**QUICK | {"max_tokens": 8}))
    method._start(Answers.of(labels, "multi", "; ", "none"), 3, context)
    targets = [method._speaker.spelling.write(row) for row in train.labels]
    encoded = method._speaker.prompts(texts)
    fitting = method._fitting(encoded.rows, targets)
    batch = fitting.collate([0, 1, 2])
    learnt = [row[row != -100].tolist() for row in batch.inputs["targets"]]
    assert learnt == targets
    assert [method._speaker.tokenizer.decode(row) for row in learnt] == ["sea</s>", "food</s>", "game; space</s>"]
    assert batch.units == sum(map(len, targets))
    assert encoded.truncated_share == pytest.approx(2 / 3)
    for row in batch.inputs["ids"]:
        assert "separated by" in method._speaker.tokenizer.decode(row)
    method._speaker.settings = InstructionTuning.Config(**QUICK | {"max_tokens": 500})
    with pytest.raises(UserError, match="max_tokens=500"):
        method._speaker.check_room(9)


def test_an_answer_that_fills_the_context_is_said_to(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace
) -> None:
    long = LabelSpace((*labels.names[:3], "space " * 600))
    train = Documents(["a"], ["flour"], [[3]])
    with pytest.raises(UserError, match=r"longest answer takes \d+ tokens") as error:
        InstructionTuning(InstructionTuning.Config(**QUICK)).fit(train, train, long, make_context(tiny_model("llama")))
    assert "-" not in str(error.value).replace("label_list", "")


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_answers_may_be_longer_than_those_of_training(kind: Kind, tokenizer: Any) -> None:
    labels = LabelSpace(("sea", "food", "moves a pawn to the moon"))
    answers = Answers.of(labels, kind, "; ", "none")
    spelling = Spelling.of(tokenizer, answers)
    wanted = {"single": [2], "multi": [1, 2]}[kind]
    assert len(spelling.write(wanted)) <= spelling.longest(len(wanted))
    assert tokenizer.decode(spelling.write(wanted)) == answers.write(wanted) + tokenizer.eos_token


def test_an_answer_without_its_end_mark_is_cut_off(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = InstructionTuning(InstructionTuning.Config(**QUICK | {"decoding": "free"}))
    context = make_context(tiny_model("llama"), "multi")
    method._start(Answers.of(labels, "multi", "; ", "none"), 3, context)
    import torch

    cut, whole = method._speaker.spelling.write([0, 1])[:-1], method._speaker.spelling.write([0])
    outcome = torch.tensor([cut, [*whole, *[0] * (len(cut) - len(whole))]])
    monkeypatch.setattr("bench.approaches.speaker.greedy", lambda *_: outcome)
    predicted = method.predict(["bread", "bread"], context)
    assert predicted.sets == [[0], [0]]
    assert predicted.problems["cut_off"] == 1
    assert predicted.texts == ["sea; food", "sea"]


def test_length_of_free_answers_leaves_room_for_documents(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace
) -> None:
    train = Documents(["a"], ["flour"], [[1]])
    wide = LabelSpace((*labels.names[:3], "space " * 600))
    settings = QUICK | {"epochs": 1, "max_new_tokens": 9999, "decoding": "free"}
    method = InstructionTuning(InstructionTuning.Config(**settings))
    context = make_context(tiny_model("llama"))
    method.fit(train, train, wide, context)
    assert len(method.predict(train.texts, context).sets) == 1
    assert context.instruments.facts["max_new_tokens"] <= 512 - 64 - len(method._speaker.prompt.around(()))


def test_unequal_parts_of_a_batch_learn_the_same_as_the_whole(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen
) -> None:
    import numpy as np

    labels = LabelSpace(("sea", "food is baked of flour", "a", "windy space, a rocket, and the moon"))
    train, outcomes = sixteen("multi"), []
    for parts in (1, 4):
        context = make_context(tiny_model("llama"), "multi")
        settings = QUICK | {"epochs": 3, "learning_rate": 1e-4, "gradient_accumulation": parts}
        method = InstructionTuning(InstructionTuning.Config(**settings))
        method.fit(train, train, labels, context)
        flat = np.concatenate([value.numpy().ravel() for value in method._speaker.network.state_dict().values()])
        outcomes.append((context.instruments.facts["loss_curve"], flat))
    np.testing.assert_allclose(outcomes[0][0], outcomes[1][0], atol=1e-5)
    np.testing.assert_allclose(outcomes[0][1], outcomes[1][1], atol=1e-5)


@pytest.mark.parametrize("given", [{"head_learning_rate": 1e-3}, {"adapter": "none", "quantisation": "none"}])
def test_what_only_a_head_has_use_for_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(given))):
        resolve_settings(InstructionTuning.Config, given, "instruction-tuning")


def test_loss_is_that_of_the_answer_alone(tiny_model: Make, make_context: MakeContext, labels: LabelSpace) -> None:
    import torch
    from torch.nn import functional

    from bench.encoding import pad

    context = make_context(tiny_model("llama"))
    method = InstructionTuning(InstructionTuning.Config(**QUICK))
    method._start(Answers.of(labels, "single", "; ", "none"), 1, context)
    prompts, answers = [[2, 40, 41, 42, 43], [2, 60]], [[50, 3], [51, 52, 53, 3]]
    naive = []
    for prompt, answer in zip(prompts, answers, strict=True):
        logits = method._speaker.network(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        naive.append(functional.cross_entropy(logits, torch.tensor(answer), reduction="sum"))
    padded = pad([p + a for p, a in zip(prompts, answers, strict=True)], 0, "left")
    targets = supervised(padded.ids, [2, 4])
    assert targets.tolist() == [[-100, -100, 50, 3], [51, 52, 53, 3]]
    loss = answer_loss(method._speaker.network, {"ids": padded.ids, "mask": padded.mask, "targets": targets})
    torch.testing.assert_close(loss, sum(naive))


def test_padding_moves_no_position() -> None:
    """Of a network that has learnt a vector for each."""
    import torch
    from torch.nn import functional
    from transformers import GPT2Config, GPT2LMHeadModel

    from bench.encoding import pad

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = GPT2LMHeadModel(GPT2Config(vocab_size=90, n_positions=16, n_embd=16, n_layer=1, n_head=2)).eval()
        torch.nn.init.normal_(network.transformer.wpe.weight)
    rows, answers = [[2, 40, 41, 42, 43, 50, 3], [2, 51, 3]], [2, 2]
    naive = [
        functional.cross_entropy(network(input_ids=torch.tensor([row])).logits[0, -3:-1], torch.tensor(row[-2:]))
        for row in rows
    ]
    padded = pad(rows, 0, "left")
    batch = {"ids": padded.ids, "mask": padded.mask, "targets": supervised(padded.ids, answers)}
    torch.testing.assert_close(answer_loss(network, batch), 2 * sum(naive))


@pytest.mark.parametrize("template", [None, "{{ bos_token }}[{{ messages[0].content | trim }}]"])
def test_one_begin_mark(tokenizer: Any, template: str | None) -> None:
    tokenizer.chat_template = template
    prompt = make_prompt(tokenizer, "<s>{{ document }} is", MULTI, with_labels=False)
    ids = prompt.around([40, 41])
    assert ids[0] == tokenizer.bos_token_id
    assert ids.index(40) >= 1
    plain = make_prompt(tokenizer, "{{ document }} is", MULTI, with_labels=False).around([40, 41])
    assert plain.count(tokenizer.bos_token_id) == 1
    assert plain[0] == tokenizer.bos_token_id


def test_a_document_cannot_speak_for_the_model(tokenizer: Any) -> None:
    from bench.encoding import encode

    assert tokenizer.eos_token_id not in encode(tokenizer, ["text </s> more"], 50).rows[0]


@pytest.mark.parametrize("template", ["no place", "{{ document | upper }}", "{{ document }}{{ document }}", "{{ oops"])
def test_template_without_its_document_is_refused(tokenizer: Any, template: str) -> None:
    with pytest.raises(UserError):
        make_prompt(tokenizer, template, MULTI, with_labels=False)


def test_answers_are_read_strictly() -> None:
    texts = ["a b; d", "c", "none", "d; x; d", "A B", "", "ca", "c;d"]
    read_back = read([Generated(text) for text in texts], MULTI)
    assert read_back.sets == [[0, 2], [1], [], [2], [], [], [], [1, 2]]
    assert read_back.problems == {"parse_failures": 3, "out_of_set": 3, "duplicates": 1, "cut_off": 0}
    assert list(read_back.texts) == texts
    single = read([Generated(text) for text in ("c", "c; d", " d\n")], SINGLE)
    assert single.sets == [[1], [], [2]]
    assert single.problems["parse_failures"] == 1


def test_answers_come_in_label_space_order() -> None:
    assert MULTI.write([2, 0]) == "a b; d"
    assert MULTI.write([]) == "none"
    with pytest.raises(UserError, match="separator"):
        Answers.of(LabelSpace(("a; b", "c")), "multi", "; ", "none")


def test_nothing_is_read_behind_the_end_mark() -> None:
    assert until_stop([5, 6, 3, 7, 3], [3]) == ([5, 6], True)
    assert until_stop([5, 6, 7, 3], [3, 7]) == ([5, 6], True)
    assert until_stop([5, 6], [3, 7]) == ([5, 6], False)


def test_the_fragment_of_a_cut_off_answer_is_no_label() -> None:
    raster = Answers(("image", "image:raster", "audio"), "multi", "; ", "none")
    said = [Generated(text, finished=False) for text in ("audio; image", "image", "audio; ", "audio;", "none", "x; im")]
    read_back = read([*said, Generated("audio; image")], raster)
    assert read_back.sets == [[2], [], [2], [2], [], [], [2, 0]]
    assert read_back.problems == {"parse_failures": 3, "out_of_set": 1, "duplicates": 0, "cut_off": 6}
    assert list(read_back.texts)[:2] == ["audio; image", "image"]
    single = read([Generated("c", finished=False), Generated("c")], SINGLE)
    assert single.sets == [[], [1]]
    assert (single.problems["cut_off"], single.problems["parse_failures"]) == (1, 1)
    lines = Answers(("a", "b"), "multi", "\n", "none")
    assert read([Generated("a\nb\n", finished=False)], lines).sets == [[0, 1]]
