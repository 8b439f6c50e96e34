"""Achieved operations: the formulas of the estimate over what was counted, against torch's own count."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from baselines.bert import Bert
from baselines.prior import Prior
from baselines.tfidf import Tfidf
from bench.meters.compute import computed
from bench.meters.unmeasured import NotMeasured
from bench.record import PhaseSpeed
from bench.task import TaskData

PEAK = SimpleNamespace(of=lambda *_: 1e12)


@pytest.fixture
def data(sixteen, labels):
    documents = sixteen("single")
    return TaskData(documents, documents, documents, labels, "single")


def counted(work):
    """Operations by torch's own count, and the tokens that they were for."""
    with FlopCounterMode(display=False) as counter:
        tokens = work()
    return counter.get_total_flops(), tokens


@pytest.mark.parametrize("phase", ["train", "predict"])
def test_operations_are_those_that_torch_counts(phase, data, tiny_model, make_context):
    from transformers import AutoModelForSequenceClassification

    context = make_context(tiny_model("bert"), "single", len(data.labels))
    # torch does not count what the processor's fused attention does.
    network = AutoModelForSequenceClassification.from_pretrained(
        context.model.folder, num_labels=4, attn_implementation="eager"
    )
    batch = torch.randint(5, 60, (16, 200))

    def work():
        logits = network(input_ids=batch, attention_mask=torch.ones_like(batch)).logits
        if phase == "train":
            logits.sum().backward()
        return batch.numel()

    operations, tokens = counted(work)
    speed = PhaseSpeed(documents=16, tokens=tokens - 500, padding=500, seconds=2.0)
    found = computed(Bert(), data, context, {phase: speed}, PEAK)[phase]
    assert found.operations == pytest.approx(operations, rel=0.05)
    assert found.flops_per_second == pytest.approx(found.operations / 2)
    assert found.share_of_peak == pytest.approx(found.flops_per_second / 1e12)


def test_devices_that_train_together_have_the_peak_of_all(data, tiny_model, make_context):
    from dataclasses import replace

    context = replace(make_context(tiny_model("bert"), "single", 4), processes=4)
    speed = PhaseSpeed(documents=16, tokens=400, padding=0, seconds=1.0)
    found = computed(Bert(), data, context, {"train": speed, "predict": speed}, PEAK)
    assert found["train"].peak_flops_per_second == 4e12
    assert found["predict"].peak_flops_per_second == 1e12


def test_a_phase_without_tokens_has_no_operations(data, tiny_model, make_context):
    context = make_context(tiny_model("bert"), "single", 4)
    speeds = {"predict": PhaseSpeed(documents=16, tokens=None, seconds=1.0)}
    assert computed(Bert(), data, context, speeds, PEAK) == {}


def test_an_unknown_peak_leaves_the_share_out(data, tiny_model, make_context):
    context = make_context(tiny_model("bert"), "single", 4)
    speeds = {"predict": PhaseSpeed(documents=16, tokens=300, seconds=1.0)}
    found = computed(Bert(), data, context, speeds, SimpleNamespace(of=lambda *_: None))["predict"]
    assert found.flops_per_second > 0
    assert (found.peak_flops_per_second, found.share_of_peak) == (None, None)


@pytest.mark.parametrize("method", [Prior, Tfidf])
def test_methods_without_a_network_have_no_compute(method, data, make_context):
    with pytest.raises(NotMeasured, match="no network"):
        computed(method(), data, make_context(None, "single", 4), {}, PEAK)
