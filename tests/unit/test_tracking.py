"""Results in MLflow: a run for each cell, once."""

import os
import subprocess
import sys

import pytest
from small_stores import broken, scored, small_store

from bench.errors import UserError
from bench.results import load_results
from bench.tracking import export_runs

pytest.importorskip("mlflow")
pytest.importorskip("alembic")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A store, the folder it went to, and a client that reads that; made once, as a database takes seconds."""
    from mlflow import MlflowClient

    root = tmp_path_factory.mktemp("tracked")
    store = small_store(root / "runs")
    done = export_runs(load_results(store.root), str(root / "ml"), "mine")
    return store, root / "ml", done, MlflowClient(tracking_uri=done.uri, registry_uri=done.uri)


@pytest.fixture
def runs(exported):
    """By cell, all runs that are there."""
    *_, client = exported

    def read():
        experiment = client.get_experiment_by_name("mine")
        found = client.search_runs([experiment.experiment_id])
        cells = [run.data.tags["bench.cell"] for run in found]
        assert len(set(cells)) == len(cells)
        return dict(zip(cells, found, strict=True))

    return read


def test_each_cell_is_a_run(exported, runs):
    _, folder, done, client = exported
    assert (done.written, done.known) == (3, 0)
    run = runs()["scored"]
    assert run.info.status == "FINISHED"
    assert (run.info.end_time - run.info.start_time) == 9500
    params = run.data.params
    assert (params["method"], params["model"], params["seed"]) == ("m-scored", "org/net", "0")
    assert (params["settings.rate"], params["settings.layers"], params["settings.flag"]) == ("1.0", "[1, 2]", "true")
    metrics = run.data.metrics
    assert (metrics["micro_f1"], metrics["p_at_1"], metrics["seconds.train"]) == (0.5, 0.5, 2.0)
    assert (metrics["peak_mib.train.host"], metrics["parameters.total"]) == (100.0, 7)
    assert not {"tail_recall", "peak_mib.train.device", "documents_per_second.predict"} & set(metrics)
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] == [(1, 2.0), (2, 1.5)]
    tags = run.data.tags
    assert (tags["bench.status"], tags["bench.hardware_id"]) == ("ok", "h")
    assert (tags["bench.harness.version"], tags["bench.harness.git"]) == ("0", "abc")
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"record.json", "predictions.parquet"}
    assert all(path.is_relative_to(folder) for path in folder.rglob("predictions.parquet"))


def test_a_cell_that_failed_is_a_run_that_failed(runs):
    run = runs()["broken"]
    assert (run.info.status, run.data.tags["bench.reason"]) == ("FAILED", "it broke")
    assert not run.data.metrics


def test_again_adds_nothing_and_a_cell_that_was_run_again_replaces(exported, runs):
    store, folder, *_, client = exported
    before = {cell: run.info.run_id for cell, run in runs().items()}
    again = export_runs(load_results(store.root), str(folder), "mine")
    assert (again.written, again.known) == (0, 3)
    store.put(broken().model_copy(update={"reason": "it broke anew", "finished_at": "2026-02-01T00:00:00+00:00"}))
    client.delete_tag(before["answered"], "bench.finished_at")  # as where an export was interrupted
    later = export_runs(load_results(store.root), str(folder), "mine")
    assert (later.written, later.known) == (2, 1)
    after = runs()
    assert after["scored"].info.run_id == before["scored"]
    assert after["broken"].data.tags["bench.reason"] == "it broke anew"
    assert after["answered"].info.run_id != before["answered"]


def test_what_mlflow_refuses_is_one_line(exported):
    store, *_ = exported
    with pytest.raises(UserError, match=r"--mlflow file:.*name a folder") as refused:
        export_runs(load_results(store.root), (store.root / "files").as_uri(), "mine")
    assert "\n" not in str(refused.value)


def test_without_the_extra_it_is_said_what_to_install(exported, monkeypatch, tmp_path):
    store, *_ = exported
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match=r"pip install 'bench-text\[track\]'"):
        export_runs(load_results(store.root), str(tmp_path / "ml"), "mine")


def test_mlflow_tells_nobody_that_it_is_used(exported, tmp_path):
    """It would tell its makers, over the network, from the moment that it is imported."""
    from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY

    assert MLFLOW_DISABLE_TELEMETRY.get() is True
    name = MLFLOW_DISABLE_TELEMETRY.name
    (tmp_path / "mlflow.py").write_text(f"import os\nassert os.environ['{name}'] == 'true'\nMlflowClient = dict\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom bench.tracking import _client; _client('x')"
    environment = {key: value for key, value in os.environ.items() if key not in {name, "DO_NOT_TRACK"}}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_values_that_mlflow_has_no_room_for_are_cut(exported):
    """They are whole in record.json."""
    store, folder, *_, client = exported
    settings = {"long": "x" * 9000, **{f"s{n}": n for n in range(150)}}
    identity = scored().identity.model_copy(update={"method_settings": settings})
    store.put(scored().model_copy(update={"cell": "wide", "slot": "wide", "identity": identity}))
    export_runs(load_results(store.root).only(cell="wide"), str(folder), "wide")
    (run,) = client.search_runs([client.get_experiment_by_name("wide").experiment_id])
    assert len(run.data.params["settings.long"]) == 6000
    assert run.data.params["settings.s149"] == "149"
