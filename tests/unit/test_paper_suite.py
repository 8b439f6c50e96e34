"""The suite ``paper`` is the study's design, and its cells have the study's numbers of parameters."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.estimating.cells import Estimator, exact
from bench.estimating.machines import Planned
from bench.estimating.memory import Machine
from bench.estimating.pace import GivenPace
from bench.presets import find_preset
from bench.registry import Registry
from bench.runner.plan import Planner
from bench.store import Store
from bench.suite import load_suite
from bench.work import NotEstimated

FEW = {"synthetic-clv": {"documents": 120}}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    suite = load_suite("paper")
    suite = suite.model_copy(update={"settings": {**suite.settings, **FEW}})
    planner = Planner(suite, Registry.discover(), Store(tmp_path_factory.mktemp("out")), lambda _: None, pytest.fail)
    return planner.plan()


@pytest.fixture(scope="module")
def estimator():
    machine = Machine.of("cuda", bf16=True)
    return Estimator(Registry.discover(), load_suite("paper"), machine, GivenPace(1.5e14), exact())


def one(plan, **wanted):
    (found, *_) = [
        cell
        for cell in plan
        if all({**cell.identity.method_settings, **vars(cell.identity)}[key] == value for key, value in wanted.items())
    ]
    return found


def test_the_design(plan):
    methods = Counter((cell.identity.task, cell.identity.method) for cell in plan if cell.identity.seed == 0)
    for task in ("synthetic-clv", "wipo-alpha"):
        assert {method: methods[task, method] for of, method in methods if of == task} == {
            "bert": 3,
            "embedding-head": 3 * 6,
            "instruction-tuning": 3,
            "zero-shot": 3,
        }
    assert len({cell.slot for cell in plan}) == len(plan) == 162
    assert all(find_preset(name) is not None for name in load_suite("paper").models)


@pytest.mark.parametrize(
    ("wanted", "trained"),
    [
        ({"method": "embedding-head", "adapter": "lora", "model": "meta-llama/Llama-3.2-3B"}, 12_156_928 + 15_360),
        ({"method": "embedding-head", "adapter": "none", "model": "meta-llama/Llama-3.2-3B"}, 15_360),
        ({"method": "instruction-tuning", "model": "meta-llama/Llama-3.2-3B"}, 97_255_424),
        ({"method": "embedding-head", "adapter": "lora", "model": "meta-llama/Llama-3.1-8B"}, 20_971_520 + 20_480),
        ({"method": "instruction-tuning", "model": "meta-llama/Llama-3.1-8B"}, 167_772_160),
        ({"method": "zero-shot", "model": "meta-llama/Llama-3.1-8B"}, 0),
        # PatentBERT's 346 million, within half a percent.
        ({"method": "bert", "model": "anferico/bert-for-patents"}, 344_702_976 + 5 * 1025),
    ],
)
def test_parameters_are_the_study_s(plan, estimator, wanted, trained):
    found = estimator.of(one(plan, task="synthetic-clv", **wanted))
    assert found.parameters.trainable == found.parameters.stored == trained


def test_every_cell_is_estimated_whatever_is_here(plan, estimator):
    for cell in plan:
        assert not isinstance(estimator.of(cell), NotEstimated)
    assert estimator.expected_sizes == ["wipo-alpha"]
    assert estimator.counted_words == any(cell.model is None for cell in plan)


def test_a_device_elsewhere_is_not_probed():
    planned = Planned(memory=24 * 2**30).found(None)
    assert planned.machine == Machine.of("cuda", bf16=True)
    assert planned.pace is None
    assert planned.fits(24 * 2**30)
    assert not planned.fits(24 * 2**30 + 1)
    here = Planned("cpu").found(1)
    assert (here.machine.device, here.machine.compute) == ("cpu", 4)
    assert here.memory > 2**30
