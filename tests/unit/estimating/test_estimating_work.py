"""Methods describe what they do: the very prompts, budgets and batches."""

from __future__ import annotations

import pytest

from baselines.bert import Bert
from baselines.prior import Prior
from baselines.tfidf import Tfidf
from bench import embedded
from bench.approaches.embedding_head import EmbeddingHead
from bench.approaches.instruction_tuning import InstructionTuning
from bench.approaches.untrained import FewShot, ZeroShot
from bench.encoding import load_tokenizer
from bench.estimating.tasks import TOKENS_A_WORD, WordCounter, stand_ins
from bench.settings import resolve_settings
from bench.task import Documents, ExpectedSize, LabelSpace, TaskProfile
from bench.work import NotEstimated, Reading, Workload

LABELS = LabelSpace(("billing", "network", "nothing works at all"))
DOCUMENTS = {"train": 70, "validation": 30, "test": 40}


def workload(kind="single", tokenizer=None, lengths=(10, 400), per_document=1.0):
    tokenizer = tokenizer or WordCounter()
    profile = TaskProfile("tickets", kind, len(LABELS), "micro_f1")
    by_split = {split: list(lengths) for split in DOCUMENTS}
    return Workload(profile, LABELS, DOCUMENTS, per_document, by_split, tokenizer, 64)


def described(method, given=(), **of):
    return method(resolve_settings(method.Config, dict(given), method.name)).work(workload(**of))


def test_a_fine_tune_says_how_it_reads():
    tokenizer = load_tokenizer(embedded.folder("embedded-encoder"))
    given = {"batch_size": 12, "gradient_accumulation": 3, "epochs": 2, "max_tokens": 50, "validation_sample": 20}
    work = described(Bert, given, tokenizer=tokenizer)
    assert (work.loaded, work.trained, work.quantisation) == ("classifier", "all", "none")
    assert work.training.reading == Reading(4, 50, around=2)  # [CLS] and [SEP]
    assert (work.training.epochs, work.training.batch_size, work.training.validated) == (2, 12, 20)
    assert work.predicting.batch == 64
    assert work.predicting.longest([10, 400]) == 52
    assert work.predicting.mean([10, 400]) == (10 + 50) / 2 + 2


@pytest.mark.parametrize("given", [{"epochs": 1}, {"keep": "last"}])
def test_what_is_not_chosen_is_not_validated(given):
    assert described(Bert, given).training.validated == 0


@pytest.mark.parametrize(
    ("given", "trained", "rank"),
    [
        ({"rank": 4, "gradient_checkpointing": True}, "adapters", 4),
        ({"adapter": "none"}, "head", None),
        ({"adapter": "full", "quantisation": "none"}, "all", None),
    ],
)
def test_a_head_says_what_it_trains(given, trained, rank):
    work = described(EmbeddingHead, given, kind="multi")
    assert (work.loaded, work.trained, work.adapters and work.adapters.rank) == ("body", trained, rank)
    assert work.head == 3 * 64 + 3
    assert work.training.checkpointing == ("gradient_checkpointing" in given)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        (ZeroShot, {}),
        (ZeroShot, {"decoding": "free", "label_list": "never"}),
        (InstructionTuning, {"quantisation": "none"}),
    ],
)
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_prompts_are_those_that_are_asked(method, given, kind, tiny_model, make_context):
    context = make_context(tiny_model("llama"), kind, len(LABELS))
    config = resolve_settings(method.Config, {"max_tokens": 20, **given}, method.name)
    real = method(config)
    if method is ZeroShot:
        none = Documents([], [], [])
        real.fit(none, none, LABELS, context)
    else:
        from bench.approaches.prompts import Answers

        real._start(Answers.of(LABELS, kind, config.separator, config.nothing), 1, context)
    speaker = real._speaker
    work = described(method, {"max_tokens": 20, **given}, kind=kind, tokenizer=speaker.tokenizer)
    prompt = len(speaker.prompt.before_ids), len(speaker.prompt.after_ids)
    asked = work.predicting
    assert (asked.shared, asked.around) == ((0, sum(prompt)) if config.decoding == "free" else prompt)
    longest = speaker.spelling.longest(getattr(config, "most_labels", 1) if kind == "multi" else 1)
    assert asked.longest_answer == longest
    assert work.cached
    assert not work.scored
    if method is InstructionTuning:
        assert (work.training.reading.shared, work.training.reading.around) == (0, sum(prompt))


def test_examples_make_prompts_longer():
    few, zero = described(FewShot, {"shots": 3}), described(ZeroShot, {"max_tokens": 128})
    # The mean of 10 and of 400 cut to 128 tokens, and an answer, and what stands around them.
    assert few.predicting.shared - zero.predicting.shared >= 3 * (69 + 1)


def test_scores_take_one_token():
    for decoding in ("score", "verbalizer"):
        work = described(ZeroShot, {"decoding": decoding})
        assert work.scored
        assert work.predicting.answer == 1


def test_what_is_no_network_says_why():
    assert "counts labels" in described(Prior).reason
    assert "counted while it learns" in described(Tfidf).reason
    assert "at most 6,000 weights, 2,000 features × 3 labels" in described(Tfidf, {"max_features": 1000}).reason


def test_a_method_may_keep_it_to_itself():
    class Silent(Prior):
        name = "silent"
        work = Prior.__mro__[1].work

    found = Silent().work(workload())
    assert isinstance(found, NotEstimated)
    assert "does not say" in found.reason


def test_words_stand_for_tokens_that_cannot_be_counted():
    counter = WordCounter()
    assert len(counter("four words stand here")["input_ids"]) == 4 * TOKENS_A_WORD
    assert [len(row) for row in counter(["", "two words"])["input_ids"]] == [0, 2 * TOKENS_A_WORD]


def test_stand_ins_are_as_many_and_as_long():
    labels = stand_ins(ExpectedSize({}, "single", 451, 300, label="A01B"))
    assert len(labels) == len(set(labels.names)) == 451
    assert all(name.startswith("A01B") for name in labels.names)
