"""``zero-shot`` and ``few-shot``: the prompt alone, or with examples, and always an answer that is a label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.approaches.untrained import FewShot, ZeroShot
from bench.errors import UserError
from bench.method import Context
from bench.model import ResolvedModel
from bench.seeds import Seeds
from bench.task import Documents, Kind, LabelSpace

Make = Callable[[str], ResolvedModel]
MakeContext = Callable[..., Context]
Sixteen = Callable[[Kind], Documents]
WHOLE: dict[str, Any] = {"quantisation": "none", "max_tokens": 16}


def asked(method: type[ZeroShot], train: Documents, labels: LabelSpace, context: Context, **given: Any) -> ZeroShot:
    made = method(method.Config(**WHOLE | given))
    made.fit(train, train, labels, context)
    return made


def said(made: ZeroShot) -> tuple[str, str]:
    """What stands in front of a document and behind it."""
    decode, prompt = made._speaker.tokenizer.decode, made._speaker.prompt
    return decode(prompt.before_ids), decode(prompt.after_ids)


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("method", [ZeroShot, FewShot])
def test_answers_are_labels(
    method: type[ZeroShot],
    kind: Kind,
    tiny_model: Make,
    make_context: MakeContext,
    sixteen: Sixteen,
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    train, context = sixteen(kind), make_context(tiny_model("qwen3"), kind)
    made = asked(method, train, labels, context)
    predicted = made.predict(train.texts, context)
    assert all(set(row) <= {0, 1, 2, 3} for row in predicted.sets)
    assert all(len(row) == 1 if kind == "single" else len(row) <= 3 for row in predicted.sets)
    made.save(tmp_path)
    again = method(method.Config(**WHOLE))
    again.load(tmp_path, labels, context)
    assert again.predict(train.texts, context) == predicted


def test_no_training_document_is_in_the_prompt_of_zero_shot(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    context = make_context(tiny_model("llama"))
    assert said(asked(ZeroShot, sixteen("single"), labels, context)) == (
        "<s>Labels: sea; food; game; space\n\n",
        "\n\nLabel of this text:\n",
    )


def test_examples_stand_in_front_with_their_answers_and_are_cut_like_documents(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace
) -> None:
    texts = ["sea sea sea sea sea sea </s> sea", "flour", "chess", "moon"]
    train = Documents(list("abcd"), texts, [[0], [1], [2], [3]])
    context = make_context(tiny_model("llama"))
    made = asked(FewShot, train, labels, context, shots=4, max_tokens=5)
    speaker = made._speaker
    written = speaker.tokenizer.decode(speaker.prompt.before_ids)
    assert written.count("Labels: sea; food; game; space") == 1
    assert written.count("Label of this text:") == 4
    assert written.count("</s>") == 0
    for text, label in (("flour", "food"), ("chess", "game"), ("moon", "space")):
        assert f"{text}\n\nLabel of this text:\n{label}\n\n" in written
    assert "sea sea sea sea sea\n\n" in written


def test_another_seed_shows_other_examples(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train = sixteen("single")
    prompts = {
        asked(FewShot, train, labels, make_context(tiny_model("llama"), seeds=Seeds(seed)), shots=3)._speaker.prompt
        for seed in range(6)
    }
    assert len(prompts) > 3


def test_the_seed_orders_examples(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    """Not their ids, so that no document is always the last."""
    train = sixteen("single").take(range(4))
    last = {
        asked(
            FewShot, train, labels, make_context(tiny_model("llama"), seeds=Seeds(seed)), shots=4
        )._speaker.prompt.before_ids[-9:]
        for seed in range(8)
    }
    assert len(last) > 1


def test_an_answer_may_have_as_many_labels_as_an_example(
    tiny_model: Make, make_context: MakeContext, labels: LabelSpace
) -> None:
    train = Documents(["a", "b"], ["everything", "flour"], [[0, 1, 2, 3], [1]])
    context = make_context(tiny_model("llama"), "multi")
    assert asked(FewShot, train, labels, context, shots=2)._speaker.most_labels == 4
    assert asked(ZeroShot, train, labels, context, most_labels=2)._speaker.most_labels == 2


def test_signs_stand_for_labels(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen, labels: LabelSpace
) -> None:
    train, context = sixteen("single"), make_context(tiny_model("llama"))
    made = asked(ZeroShot, train, labels, context, decoding="verbalizer")
    assert said(made)[0] == "<s>Labels: A: sea; B: food; C: game; D: space\n\n"
    import numpy as np

    scores = made.predict(train.texts, context).values
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5)
    with pytest.raises(UserError, match="decoding=verbalizer"):
        asked(ZeroShot, sixteen("multi"), labels, make_context(tiny_model("llama"), "multi"), decoding="verbalizer")


def test_a_list_of_labels_that_does_not_fit_is_left_out(
    tiny_model: Make, make_context: MakeContext, sixteen: Sixteen
) -> None:
    many = LabelSpace(tuple(f"label {number} of many" for number in range(200)))
    context = make_context(tiny_model("llama"), n_labels=200)
    made = asked(ZeroShot, sixteen("single"), many, context)
    assert said(made)[0] == "<s>"
    assert len(made.predict(["bread"], context).sets) == 1
