"""Memory follows its formulas: known figures, and more work never takes less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.estimating.anatomy import by_numbers
from bench.estimating.compute import Compute
from bench.estimating.memory import NF4_BITS, Footprint, Machine, in_use
from bench.presets import find_preset
from bench.work import Adapters, Reading, Training, Work

GIB = 2**30
CUDA, CPU = Machine.of("cuda", bf16=True), Machine.of("cpu", bf16=False)


def anatomy(model):
    found = by_numbers(find_preset(model).config)
    assert found is not None
    return found


def work(batch=8, budget=512, **given):
    reading = Reading(batch, budget)
    training = Training(reading, 3, batch, given.pop("checkpointing", False))
    base = Work("body", "adapters", reading, training, "nf4", Adapters(8, dropout=True), head=15_360)
    return replace(base, **given)


def peak(chosen, model="Llama-3.1-8B", machine=CUDA, longest=512):
    return Footprint(anatomy(model), chosen, machine, 5).training(chosen.training, longest)


def test_nf4_takes_4127_bits_and_the_rest_is_float32():
    assert pytest.approx(4.127, abs=0.0005) == NF4_BITS
    footprint = Footprint(anatomy("Llama-3.1-8B"), work(), CUDA, 5)
    assert 5.2 < footprint.weights() / GIB < 5.4
    # prepare_model_for_kbit_training: 525 million embedding weights in float32 are 1.05 GB more than in bfloat16.
    assert footprint.weights() - 6_979_321_856 * NF4_BITS / 8 == pytest.approx(2.10e9, rel=0.01)
    untied = Footprint(anatomy("Llama-3.1-8B"), work(loaded="causal-lm"), CUDA, 5)
    assert untied.weights() - footprint.weights() == 128_256 * 4096 * 4


def test_weights_are_kept_in_what_they_are_computed_in():
    for quantisation, low, high in (("int8", 8.4, 8.6), ("none", 13.9, 14.1)):
        footprint = Footprint(anatomy("Llama-3.1-8B"), work(quantisation=quantisation), CUDA, 5)
        assert low < footprint.weights() / GIB < high
    trained = work(trained="all", adapters=None, quantisation="none")
    whole = Footprint(anatomy("Llama-3.2-1B"), trained, CUDA, 5)
    assert whole.weights() == anatomy("Llama-3.2-1B").body * 4


def test_what_is_trained_has_a_gradient_and_two_moments():
    footprint = Footprint(anatomy("Llama-3.2-3B"), work(), CUDA, 5)
    assert footprint.learned() == 12_156_928 + 15_360
    assert footprint.states() == footprint.learned() * 16
    trained = replace(work(), loaded="classifier", trained="all", adapters=None, quantisation="none", head=0)
    bert = Footprint(anatomy("bert-base-uncased"), trained, CPU, 5)
    assert bert.states() == bert.learned() * 12
    in_bf16 = Footprint(anatomy("bert-base-uncased"), trained, CUDA, 5)
    assert in_bf16.states() == bert.states() + anatomy("bert-base-uncased").weights * 2


def test_a_layer_of_bert_keeps_what_the_paper_counts():
    """34 bytes a token for each unit of width (arXiv 2205.05198, section 4.1, without attention's scores), and 10 more.

    Autocast gives queries, keys and values inputs of their own, and norms compute in float32.
    """
    trained = replace(work(), loaded="classifier", trained="all", adapters=None, quantisation="none", head=0)
    kept = Footprint(anatomy("bert-base-uncased"), trained, CUDA, 5).kept_by_layer()
    assert kept / 768 == 44


def test_no_gradient_no_activations():
    for idle in (work(trained="head", adapters=None), work(trained="nothing", adapters=None, training=None)):
        assert Footprint(anatomy("Llama-3.1-8B"), idle, CUDA, 5).activations(4096) == 0


def test_the_study_s_head_fits_where_one_expects_it():
    assert peak(work()) / GIB > 40
    assert peak(work(checkpointing=True)) / GIB < 12


def test_a_device_shows_more_than_what_is_held():
    assert in_use(CUDA, 2 * GIB, 3 * GIB) == 3.1 * GIB + 600 * 2**20
    assert in_use(CPU, 2 * GIB, 3 * GIB) == 3.3 * GIB


def test_keys_and_values_are_kept_while_answering():
    reading = Reading(128, 256, answer=4, longest_answer=8)
    asked = Work("causal-lm", "nothing", reading, quantisation="none", cached=True)
    footprint = Footprint(anatomy("Llama-3.1-8B"), asked, CUDA, 5)
    # 2 (keys and values) × 32 layers × 1,024 × 2 bytes: 128 KiB a token.
    assert footprint.cache(reading, 300) == 128 * 300 * 128 * 1024
    assert Footprint(anatomy("Llama-3.1-8B"), replace(asked, cached=False), CUDA, 5).cache(reading, 300) == 0


works = st.builds(
    work,
    batch=st.integers(1, 64),
    checkpointing=st.booleans(),
    quantisation=st.sampled_from(["nf4", "int8", "none"]),
    adapters=st.builds(Adapters, st.integers(1, 64), st.booleans(), st.booleans()),
    loaded=st.sampled_from(["body", "causal-lm"]),
)
places = st.tuples(st.sampled_from(["Llama-3.2-1B", "SmolLM2-135M", "gemma-2-2b"]), st.sampled_from([CPU, CUDA]))


@given(works, places, st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 64), st.integers(1, 64))
def test_more_never_takes_less(chosen, place, longest, longer, batch, rank):
    model, machine = place
    before = peak(chosen, model, machine, longest)
    training = chosen.training
    more = replace(training, reading=replace(training.reading, batch=training.reading.batch + batch))
    higher = replace(chosen.adapters, rank=chosen.adapters.rank + rank)
    assert peak(chosen, model, machine, longest + longer) > before
    assert peak(replace(chosen, training=more), model, machine, longest) > before
    assert peak(replace(chosen, adapters=higher), model, machine, longest) > before
    assert peak(replace(chosen, training=replace(training, checkpointing=False)), model, machine, longest) >= before
    reading = chosen.predicting
    footprint = Footprint(anatomy(model), chosen, machine, 5)
    assert footprint.predicting(reading, longest + longer) > footprint.predicting(reading, longest)


def test_operations_are_2_4_and_6_n():
    network = anatomy("Llama-3.2-3B")
    adapters = network.adapters(Adapters(8))
    short = 1e-9  # no attention to speak of
    frozen, tuned = work(trained="head", adapters=None), work()
    whole = work(trained="all", adapters=None, quantisation="none")
    assert Compute(network, frozen).learning(short) == pytest.approx(2 * network.weights)
    assert Compute(network, tuned).learning(short) == pytest.approx(4 * network.weights + 6 * adapters)
    assert Compute(network, whole).learning(short) == pytest.approx(6 * network.weights)
    assert Compute(network, work(checkpointing=True)).learning(short) == pytest.approx(
        6 * network.weights + 8 * adapters
    )
    # A causal token sees half of the others: 2 × layers × width × length.
    assert Compute(network, frozen).forward(100) - Compute(network, frozen).forward(0) == 2 * 28 * 3072 * 100
