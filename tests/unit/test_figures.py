"""What is measured once the outcome of a cell is there costs it nothing, not even where its time is up meanwhile."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bench.meters.instruments import CellInstruments
from bench.method import Context, Method
from bench.prediction import LabelSets
from bench.record import Environment, Identity
from bench.runner.child import TimeUp
from bench.runner.figures import LEAST_SECONDS, Labelled
from bench.settings import Settings
from bench.task import Documents, Kind, LabelSpace, TaskData


class Batched(Settings):
    """Settings of a method whose batches may be swept."""

    predict_batch_size: int = 4


class Slow(Method):
    """The parent's signal comes while it labels."""

    name = "slow"
    Config = Batched

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        raise NotImplementedError

    def predict(self, texts: Sequence[str], context: Context) -> LabelSets:
        raise TimeUp("the time is up")


@pytest.fixture
def labelled(
    make_context: Callable[..., Context], sixteen: Callable[[Kind], Documents], labels: LabelSpace
) -> Labelled:
    documents = sixteen("single")
    data = TaskData(documents, documents, documents, labels, "single")
    identity = Identity(task="tiny", method="slow")
    return Labelled(identity, Slow(), data, make_context(None), CellInstruments(lambda _: None), sweeps=True)


def test_a_cell_whose_time_is_up_meanwhile_keeps_its_outcome(labelled: Labelled) -> None:
    found = labelled.figures(Environment())
    assert (found["latency"], found["sweep"], found["compute"]) == (None, None, {})
    assert found["unmeasured"]["latency"] == found["unmeasured"]["sweep"] == "TimeUp: the time is up"
    assert set(found["seconds"]) == {"load", "latency", "sweep"}


@pytest.mark.parametrize(("more", "reason"), [(-1.0, "the cell's time was nearly up"), (60.0, "TimeUp: ")])
def test_a_sweep_is_begun_only_where_there_is_time_for_it(labelled: Labelled, more: float, reason: str) -> None:
    context = replace(labelled.context, deadline=time.monotonic() + LEAST_SECONDS + more)
    assert reason in replace(labelled, context=context).figures(Environment())["unmeasured"]["sweep"]
