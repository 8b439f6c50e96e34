"""What a cell's record says of speed, latency, compute and energy, and that measuring it changes nothing else."""

import json

import pytest

PLUGIN = '''
"""Methods that show how they are asked."""
import numpy as np
from bench.method import Method
from bench.prediction import Scores


class Watcher(Method):
    """Notes how many documents it was asked about, and what its generator drew."""

    name = "watcher"

    def fit(self, train, validation, labels, context):
        self.n = len(labels)

    def predict(self, texts, context):
        context.note(asked=len(texts), phase=context.phase_name)
        context.window.count(documents=len(texts), tokens=10 * len(texts), padding=len(texts))
        return Scores(np.ones((len(texts), self.n), dtype=np.float32))


class Crowd(Watcher):
    """Cannot label a single document."""

    name = "crowd"

    def predict(self, texts, context):
        if len(texts) == 1:
            raise RuntimeError("never alone")
        return super().predict(texts, context)
'''


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    from commands import PLUGINS, call

    folder = tmp_path_factory.mktemp("measured")
    (folder / "watching.py").write_text(PLUGIN)
    words = ["run", "-t", "small-multi", "-m", "watcher", "-m", "crowd", "-m", "bert", "--set", "bert.epochs=1"]
    words += ["--set", "bert.max_tokens=12", "--threads", "1", "--json", "--out", folder]
    done = call(*words, "--plugins", folder / "watching.py", "--plugins", PLUGINS / "small.py")
    found = {record["method"]: record for record in json.loads(done.out)}
    assert {record["status"] for record in found.values()} == {"ok"}, done.err
    return found


def test_documents_are_labelled_one_at_a_time_after_all_of_them(records):
    for method in ("watcher", "bert"):
        latency = records[method]["latency"]
        assert 5 <= latency["documents"] <= 30
        assert 0 < latency["p50_ms"] <= latency["p95_ms"]
        assert latency["warmup_documents"] == 2
        assert records[method]["seconds"]["latency"] > 0


def test_what_is_asked_one_at_a_time_is_in_no_other_figure(records):
    watcher = records["watcher"]
    assert (watcher["facts"]["asked"], watcher["facts"]["phase"]) == (20, "validate")
    assert watcher["speed"]["predict"]["documents"] == 30
    assert "latency" not in watcher["speed"]
    assert "truncated_share_latency" not in records["bert"]["facts"]


def test_a_figure_that_fails_costs_no_result(records):
    crowd = records["crowd"]
    assert crowd["latency"] is None
    assert "never alone" in crowd["unmeasured"]["latency"]
    assert crowd["metrics"] == records["watcher"]["metrics"]


def test_padding_and_tokens_of_prediction_are_recorded(records):
    speed = records["watcher"]["speed"]["predict"]
    assert (speed["tokens"], speed["padding"]) == (300, 30)
    assert records["bert"]["speed"]["predict"]["tokens"] > 30
    for record in records.values():
        for phase, speed in record["speed"].items():
            rate = record["documents_per_second"][phase]
            assert rate * speed["seconds"] == pytest.approx(speed["documents"])


def test_tokenising_is_timed_in_training_and_prediction(records):
    train, predict = (records["bert"]["speed"][phase] for phase in ("train", "predict"))
    assert train["tokenise_seconds"] is None  # it is a phase of its own
    assert records["bert"]["seconds"]["tokenise"] > 0
    assert 0 < predict["tokenise_seconds"] < predict["seconds"]
    assert records["watcher"]["speed"]["predict"]["tokenise_seconds"] is None


def test_a_network_has_a_share_of_what_the_hardware_can_do(records):
    compute = records["bert"]["compute"]
    for phase in ("train", "predict"):
        found = compute[phase]
        window = records["bert"]["speed"][phase]["seconds"]
        assert found["operations"] == pytest.approx(found["flops_per_second"] * window)
        assert found["dtype"] == "float32"
        assert found["share_of_peak"] == pytest.approx(found["flops_per_second"] / found["peak_flops_per_second"])
        assert 0 < found["share_of_peak"] < 3  # where others compute, too, the peak was measured beside them
    assert records["watcher"]["compute"] == {}
    assert "no network" in records["watcher"]["unmeasured"]["compute"]


def test_energy_is_a_figure_or_has_a_reason(records):
    for record in records.values():
        assert set(record["energy_joules"]) == set(record["peak_mib"])
        for phase in record["energy_joules"].values():
            for part in ("processor", "devices"):
                assert (phase[part] is None) == (part in phase["unknown"])


CRAMPED = '''
"""A method that has room for eight documents at a time."""
import numpy as np
from pydantic import Field
from bench.method import Method
from bench.prediction import Scores
from bench.settings import Settings


class CrampedSettings(Settings):
    """Settings."""

    predict_batch_size: int = Field(4, ge=1, description="documents to a batch of prediction")


class Narrow(Method):
    """Notes the batch size that it has when it is asked."""

    name = "narrow"
    Config = CrampedSettings

    def fit(self, train, validation, labels, context):
        self.n = len(labels)

    def predict(self, texts, context):
        if self.config.predict_batch_size > 8:
            raise MemoryError
        context.note(size=self.config.predict_batch_size)
        return Scores(np.ones((len(texts), self.n), dtype=np.float32))
'''


@pytest.mark.slow
def test_a_sweep_ends_where_memory_does_and_the_cell_does_not(bench, plugins, tmp_path):
    (tmp_path / "narrow.py").write_text(CRAMPED)
    words = ("run", "-t", "small-single", "-m", "narrow", "-m", "words", "--json", "--out", tmp_path)
    words += ("--plugins", tmp_path / "narrow.py", "--plugins", plugins / "small.py")
    plain = {record["method"]: record for record in json.loads(bench(*words).out)}
    assert plain["narrow"]["sweep"] is None
    swept = {record["method"]: record for record in json.loads(bench(*words, "--sweep", "--fresh").out)}
    narrow = swept["narrow"]
    assert narrow["status"] == "ok"
    assert narrow["facts"]["size"] == 4
    assert set(narrow["sweep"]["speeds"][0]) == {"batch", "documents_per_second"}
    assert narrow["sweep"]["ended"] in {"memory", "pace"}  # without work the pace is chance
    assert max(speed["batch"] for speed in narrow["sweep"]["speeds"]) <= 8
    assert swept["words"]["sweep"] is None
    assert "predict_batch_size" in swept["words"]["unmeasured"]["sweep"]
    for method, record in swept.items():
        assert record["cell"] == plain[method]["cell"]
        assert record["predictions"] == plain[method]["predictions"]
