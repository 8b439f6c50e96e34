"""Latency: documents one at a time, after a warm-up, within a budget, or a reason."""

import numpy as np
import pytest

from bench.meters.latency import FEWEST, MOST, WARM_UP, LatencyMeter
from bench.meters.unmeasured import NotMeasured


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


def labelling(clock, seconds):
    """Takes so long over each text: the text is how long."""

    def label(text):
        clock.time += seconds(text)

    return label


def test_percentiles_are_those_of_the_timed_documents(clock):
    taken = [0.010 + 0.001 * i for i in range(60)]
    found = LatencyMeter(budget=60, now=clock).measure(labelling(clock, float), list(map(str, taken)))
    milliseconds = np.array(taken) * 1000
    assert found.documents == 60
    assert found.p50_ms == pytest.approx(np.percentile(milliseconds, 50))
    assert found.p95_ms == pytest.approx(np.percentile(milliseconds, 95))
    assert found.warmup_documents == WARM_UP


def test_the_first_slow_calls_are_warm_up(clock):
    calls = []

    def label(text):
        calls.append(text)
        clock.time += 5.0 if len(calls) <= WARM_UP else 0.001

    found = LatencyMeter(budget=60, now=clock).measure(label, ["text"] * 50)
    assert found.p95_ms == pytest.approx(1.0)
    assert found.documents == 50


@pytest.mark.parametrize("slower", [0.0, 0.05])
def test_fifty_milliseconds_more_a_document_are_fifty_milliseconds_more(clock, slower):
    found = LatencyMeter(now=clock).measure(labelling(clock, lambda _: 0.002 + slower), ["text"] * 20)
    assert found.p50_ms == pytest.approx(2 + 1000 * slower)
    assert found.p95_ms == pytest.approx(2 + 1000 * slower)


def test_the_budget_ends_it_but_not_before_some_documents(clock):
    found = LatencyMeter(budget=2.0, now=clock).measure(labelling(clock, lambda _: 0.1), ["text"] * MOST)
    assert clock.time == pytest.approx(2.0)
    assert found.documents == 20 - WARM_UP
    slow = LatencyMeter(budget=0.0, now=clock).measure(labelling(clock, lambda _: 0.5), ["text"] * MOST)
    assert slow.documents == FEWEST


def test_few_documents_have_no_latency(clock):
    with pytest.raises(NotMeasured, match="4 documents"):
        LatencyMeter(now=clock).measure(labelling(clock, lambda _: 0.1), ["text"] * 4)


def test_documents_that_take_for_ever_have_no_latency(clock):
    with pytest.raises(NotMeasured, match="longer than"):
        LatencyMeter(now=clock).measure(labelling(clock, lambda _: 30.0), ["text"] * 50)
    assert clock.time == pytest.approx(30.0)


def test_a_cell_whose_time_is_nearly_up_has_no_latency(clock):
    with pytest.raises(NotMeasured, match="time"):
        LatencyMeter(deadline=0.0, now=clock).measure(labelling(clock, lambda _: 0.1), ["text"] * 50)
